# SPDX-License-Identifier: GPL-2.0
"""The model file: JSON with Q16 integers, ranges, provenance and a checksum."""
import json
import struct
import zlib

import numpy as np

import features as ft

FORMAT = "jc-mlp-model"
VERSION = 1
HIDDEN = 10
Q = 16
ONE = 1 << Q
W_LIMIT = 1 << 23       # |w| < 128 in Q16
NUM_LIMIT = 1 << 24     # |lo|, |hi|


class ModelError(Exception):
    """A model that must not be used; the text says why."""


class Model:
    """Weights as the kernel holds them: s32 in Q16."""

    def __init__(self, name, w1, b1, w2, b2, lo, hi, provenance=None):
        self.name = name
        self.w1 = np.array(w1, dtype=np.int64)
        self.b1 = np.array(b1, dtype=np.int64)
        self.w2 = np.array(w2, dtype=np.int64)
        self.b2 = int(b2)
        self.lo = np.array(lo, dtype=np.int64)
        self.hi = np.array(hi, dtype=np.int64)
        self.provenance = provenance or {}
        self.check()

    @classmethod
    def from_float(cls, name, w1, b1, w2, b2, lo, hi, provenance=None):
        def q(v):
            return np.rint(np.asarray(v, dtype=np.float64) * ONE)
        return cls(name, q(w1), q(b1), q(w2), q(b2), lo, hi, provenance)

    def check(self):
        shapes = (("w1", self.w1, (len(ft.NAMES), HIDDEN)),
                  ("b1", self.b1, (HIDDEN,)), ("w2", self.w2, (HIDDEN,)),
                  ("lo", self.lo, (len(ft.UNITS),)),
                  ("hi", self.hi, (len(ft.UNITS),)))
        for what, arr, shape in shapes:
            if arr.shape != shape:
                raise ModelError(f"{what} has shape {arr.shape}, not {shape}")
        for what, arr in (("w1", self.w1), ("b1", self.b1), ("w2", self.w2),
                          ("b2", np.array(self.b2))):
            if np.abs(arr).max() >= W_LIMIT:
                raise ModelError(f"{what} holds a weight of 128 or more: "
                                 "scale the network down")
        if np.abs(np.stack((self.lo, self.hi))).max() > NUM_LIMIT:
            raise ModelError("a range reaches beyond +-2^24")
        if (self.lo > self.hi).any():
            raise ModelError("a range has lo > hi")

    def stream(self):
        """The little-endian s32 stream that the checksum covers."""
        ints = [*self.w1.ravel(), *self.b1, *self.w2, self.b2,
                *self.lo, *self.hi]
        return struct.pack(f"<{len(ints)}i", *(int(i) for i in ints))

    @property
    def checksum(self):
        return zlib.crc32(self.stream())

    def to_json(self):
        feats = []
        for i, n in enumerate(ft.NAMES):
            if n in ft.NUM_NAMES:
                k = ft.NUM_NAMES.index(n)
                feats.append({"name": n, "kind": "numeric", "num": k,
                              "unit": ft.UNITS[k], "lo": int(self.lo[k]),
                              "hi": int(self.hi[k])})
            else:
                feats.append({"name": n, "kind": "binary",
                              "bit": ft.BIT_NAMES.index(n)})
            feats[-1]["w1_q16"] = [int(v) for v in self.w1[i]]
        return {
            "format": FORMAT,
            "version": VERSION,
            "about": "15-10(ReLU)-1, out = b2 + sum w2*relu(b1 + sum w1*x), "
                     "migrate iff out > 0.5; x = bit or "
                     "clamp(num, lo, hi)/unit; all weights are Q16 integers; "
                     "checksum = crc32 of the little-endian s32 stream w1 "
                     "(row = input), b1, w2, b2, lo, hi",
            "name": self.name,
            "features": feats,
            "b1_q16": [int(v) for v in self.b1],
            "w2_q16": [int(v) for v in self.w2],
            "b2_q16": self.b2,
            "checksum": f"0x{self.checksum:08x}",
            "provenance": self.provenance,
        }

    def save(self, path):
        text = json.dumps(self.to_json(), indent=1)
        # One line per list of numbers: the file is meant to be read.
        out, depth = [], 0
        for line in text.split("\n"):
            if depth:
                out[-1] += (" " if depth > 1 else "") + line.strip()
                depth = 0 if line.strip().startswith("]") else 2
            else:
                out.append(line)
                if line.rstrip().endswith("_q16\": ["):
                    depth = 1
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(out) + "\n")

    @classmethod
    def load(cls, path):
        try:
            with open(path, encoding="utf-8") as file:
                doc = json.load(file)
        except OSError as err:
            raise ModelError(f"{path}: {err.strerror}") from err
        except ValueError as err:
            raise ModelError(f"{path}: not JSON: {err}") from err
        try:
            return cls._from_json(doc)
        except (KeyError, TypeError, ValueError) as err:
            raise ModelError(f"{path}: not a complete model file: "
                             f"{err!r}") from err
        except ModelError as err:
            raise ModelError(f"{path}: {err}") from err

    @classmethod
    def _from_json(cls, doc):
        if doc["format"] != FORMAT or doc["version"] != VERSION:
            raise ModelError(f"format {doc['format']!r} version "
                             f"{doc['version']!r}; this program reads "
                             f"{FORMAT!r} version {VERSION}")
        names = tuple(f["name"] for f in doc["features"])
        if names != ft.NAMES:
            raise ModelError("the features or their order are not this "
                             "program's: " + " ".join(names))
        num = [doc["features"][i] for i in ft.NUM_INPUTS]
        units = tuple(f["unit"] for f in num)
        if units != ft.UNITS:
            raise ModelError(f"units {units}, expected {ft.UNITS}")
        model = cls(doc["name"], [f["w1_q16"] for f in doc["features"]],
                    doc["b1_q16"], doc["w2_q16"], doc["b2_q16"],
                    [f["lo"] for f in num], [f["hi"] for f in num],
                    doc["provenance"])
        if doc["checksum"] != f"0x{model.checksum:08x}":
            raise ModelError(f"the file says checksum {doc['checksum']}, its "
                             f"numbers give 0x{model.checksum:08x}: damaged "
                             "or edited by hand")
        return model
