# SPDX-License-Identifier: GPL-2.0
"""The model of the scheduler as LiteFlow's JSON text, and its blob.

The network has 15 inputs, at most 10 ReLU units and one output; "migrate" is an
output above 0.5. lfctl makes the blob of the text: what the kernel computes is
in the blob alone, so every figure is taken with that (see reference.py).
"""
import json
import os

import numpy as np

from . import features as ft
from . import lfctl
from . import reference as ref
from .errors import Problem

FORMAT = "liteflow-model"
VERSION = 1
UNITS = "jc-1"                  # the app's tag for inputs and outputs
HIDDEN = 10
OUTPUT = "migrate"
OUT_UNIT = 1 / 65536            # so 32768 is the threshold
OUT_LO, OUT_HI = -8, 9
THRESHOLD = 32768
PROVENANCE_MAX = 2048

# The network sees num * SCALE: loads in thousands as in the original, half
# thousandths of faults as parts of all faults.
SCALE = (1, 1 / 1000, 1 / 1000, 1, 1 / 2000)

LFCTL = lfctl.program()


class ModelError(Problem):
    """A model that must not be used; the text says why."""


def pack(text):
    """JSON text -> the bytes of its blob, by lfctl."""
    try:
        return lfctl.pack(text)[0]
    except Problem as problem:
        raise ModelError(str(problem)) from problem


class Model:
    """Float parameters; w1 has a row per input, as in the original."""

    def __init__(self, name, w1, b1, w2, b2, lo, hi, provenance=""):
        # 9 digits hold a float32 and keep the text short.
        def numbers(v):
            return np.array([float(f"{x:.9g}") for x in np.ravel(v)]
                            ).reshape(np.shape(v))
        self.name = name
        self.w1, self.b1, self.w2 = numbers(w1), numbers(b1), numbers(w2)
        self.b2 = float(numbers(np.ravel(b2))[0])
        self.lo = np.array(lo, dtype=np.int64)
        self.hi = np.array(hi, dtype=np.int64)
        self.provenance = provenance
        self._blob = None
        self.check()

    def check(self):
        hidden = len(self.b1)
        if not 1 <= hidden <= HIDDEN:
            raise ModelError(f"{hidden} hidden units, the kernel takes 1 to "
                             f"{HIDDEN}")
        shapes = (("w1", self.w1, (len(ft.NAMES), hidden)),
                  ("w2", self.w2, (hidden,)), ("lo", self.lo, (len(SCALE),)),
                  ("hi", self.hi, (len(SCALE),)))
        for what, arr, shape in shapes:
            if arr.shape != shape:
                raise ModelError(f"{what} has shape {arr.shape}, not {shape}")
        for what in ("w1", "b1", "w2", "b2"):
            if not np.isfinite(getattr(self, what)).all():
                raise ModelError(f"{what} holds what is no finite number")
        if (self.lo > self.hi).any():
            raise ModelError("a range has lo > hi")
        if len(self.provenance.encode()) > PROVENANCE_MAX:
            raise ModelError(f"provenance of {len(self.provenance.encode())} "
                             f"bytes, at most {PROVENANCE_MAX}")

    def inputs(self):
        """The JSON objects of the 15 inputs, in model order."""
        out = [{"name": n, "lo": 0, "hi": 1} for n in ft.NAMES]
        for k, i in enumerate(ft.NUM_INPUTS):
            out[i].update(lo=int(self.lo[k]), hi=int(self.hi[k]))
            if SCALE[k] != 1:
                out[i]["scale"] = SCALE[k]
        return out

    def text(self, checksum=None):
        """LiteFlow's JSON, with a line per input and per row of weights."""
        def listed(items, indent):
            pad = "\n" + " " * indent
            return "[" + ",".join(pad + json.dumps(i) for i in items) + "]"

        def plain(v):
            return np.asarray(v).tolist()
        head = {"format": FORMAT, "version": VERSION, "name": self.name,
                "units": UNITS, "bits": 32}
        if checksum is not None:
            head["checksum"] = f"0x{checksum:08x}"
        if self.provenance:
            head["provenance"] = self.provenance
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
        lines.append("\"inputs\": " + listed(self.inputs(), 4))
        lines.append("\"outputs\": " + listed(
            [{"name": OUTPUT, "unit": OUT_UNIT, "lo": OUT_LO, "hi": OUT_HI}],
            4))
        layers = []
        for act, w, b in (("relu", self.w1.T, self.b1),
                          ("none", [self.w2], [self.b2])):
            layers.append("\n  { \"activation\": " + json.dumps(act)
                          + ",\n    \"weights\": "
                          + listed([plain(row) for row in w], 6)
                          + ",\n    \"bias\": " + json.dumps(plain(b)) + " }")
        lines.append("\"layers\": [" + ",".join(layers) + "]")
        return "{ " + ",\n  ".join(lines) + " }\n"

    @property
    def blob(self):
        """What the kernel would get (reference.Blob)."""
        if self._blob is None:
            self._blob = ref.Blob(pack(self.text()))
        return self._blob

    @property
    def checksum(self):
        return self.blob.crc

    def with_provenance(self, text):
        """The same parameters with another provenance: no other integer."""
        other = Model(self.name, self.w1, self.b1, self.w2, self.b2, self.lo,
                      self.hi, text)
        if not other.blob.same_numbers(self.blob):
            raise ModelError("provenance changed the weights")
        return other

    def save(self, path):
        """Write PATH.json and the blob PATH.lfm beside it; returns the latter."""
        text = self.text(self.checksum)
        blob = pack(text)       # lfctl compares the checksum
        other = (path[:-5] if path.endswith(".json") else path) + ".lfm"
        for name, data in ((path, text.encode()), (other, blob)):
            with open(name + ".new", "wb") as file:
                file.write(data)
            os.replace(name + ".new", name)
        return other

    @classmethod
    def load(cls, path):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError as err:
            raise ModelError(f"{path}: {err.strerror}") from err
        try:
            doc = json.loads(text)
            model = cls._from_json(doc)
            model._blob = ref.Blob(pack(text))
        except (KeyError, IndexError, TypeError, ValueError,
                ref.BlobError) as err:
            raise ModelError(f"{path}: not a complete model of the scheduler: "
                             f"{err!r}") from err
        except ModelError as err:
            raise ModelError(f"{path}: {err}") from err
        return model

    @classmethod
    def _from_json(cls, doc):
        if doc["format"] != FORMAT or doc["version"] != VERSION:
            raise ModelError(f"format {doc['format']!r} version "
                             f"{doc['version']!r}; this program reads "
                             f"{FORMAT!r} version {VERSION}")
        if doc["units"] != UNITS:
            raise ModelError(f"units {doc['units']!r}, the scheduler's are "
                             f"{UNITS!r}")
        names = tuple(f["name"] for f in doc["inputs"])
        if names != ft.NAMES:
            raise ModelError("the inputs or their order are not the "
                             "kernel's: " + " ".join(names))
        num = [doc["inputs"][i] for i in ft.NUM_INPUTS]
        first, last = doc["layers"]
        model = cls(doc["name"], np.array(first["weights"]).T, first["bias"],
                    last["weights"][0], last["bias"][0],
                    [f["lo"] for f in num], [f["hi"] for f in num],
                    doc.get("provenance", ""))
        if ((first["activation"], last["activation"]) != ("relu", "none")
                or doc["inputs"] != model.inputs()
                or len(doc["outputs"]) != 1):
            raise ModelError("not the form that the scheduler's models have: "
                             "made by another program?")
        return model


def network_inputs(bits, num, lo, hi):
    """What the float network sees: clamped and scaled, (rows, 15)."""
    x = ft.vector(bits, num).astype(np.float64)
    at = list(ft.NUM_INPUTS)
    x[:, at] = np.clip(x[:, at], lo, hi) * np.array(SCALE)
    return x


def forward_float(model, bits, num):
    """Output of the float network, before any quantisation."""
    x = network_inputs(bits, num, model.lo, model.hi)
    return np.maximum(x @ model.w1 + model.b1, 0) @ model.w2 + model.b2


def decide(model, bits, num):
    """The kernel's answers, 1 = migrate, by the blob's integers."""
    out = model.blob.run(ft.vector(bits, num))[:, 0]
    return (out > THRESHOLD).astype(np.int64)
