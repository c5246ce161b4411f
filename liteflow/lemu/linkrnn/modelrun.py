# SPDX-License-Identifier: GPL-2.0
"""Models over sequences: in floating point from their JSON, in the kernel's integers.

Rows are [traces][packets][4], whole numbers in bytes; answers are [traces][packets][3], in bytes
and logits. The state starts from zeros with a trace, and where the work reaches the range's end.
"""
import json
import pathlib
import tempfile

import numpy as np

from . import native
from .pylib import files, kinds, lfctl
from .pylib.errors import Problem

SHAPE = (4, 3)


def load(path):
    """The JSON of a model; Problem if it is none that emulates a link."""
    kinds.check_file(path, "JSON of a model", kinds.MODEL_JSON, kinds.JSON)
    model = files.load(path)
    try:
        shape = len(model["inputs"]), len(model["outputs"])
        units = model["units"]
        model["layers"][0]["type"]      # a chain of dense layers may do without
    except (KeyError, TypeError, IndexError):
        raise Problem(f"{path}: no recurrent model: lemu-train(1) makes one") from None
    if shape != SHAPE:
        raise Problem(f"{path}: {shape[0]} inputs and {shape[1]} outputs, a link has "
                      f"{SHAPE[0]} and {SHAPE[1]}")
    if units != "bytes":
        raise Problem(f"{path}: its units are {units!r}, must be 'bytes'")
    return model


def rows_of(sequences):
    """Rows of data.Sequences."""
    return np.rint(sequences.inputs().transpose(2, 0, 1)).astype(np.int64)


def resets(model, rows, keep=False):
    """Where the state starts from zeros, [traces][packets]."""
    found = np.zeros(rows.shape[:2], bool)
    if not keep:
        found |= rows[:, :, 0] >= model["inputs"][0]["hi"]
    found[:, 0] = True
    return found


def sigmoid(x):
    """1 / (1 + e^-x), whatever x is."""
    return 0.5 * (1 + np.tanh(0.5 * x))


class _Layer:
    """One recurrent layer of the JSON for many traces side by side."""

    def __init__(self, layer, traces):
        self.kind = layer["type"]
        if self.kind not in ("rnn", "gru", "lstm"):
            raise Problem(f"a layer of type {self.kind!r}, must be rnn, gru or lstm")
        self.relu = layer.get("activation") == "relu"
        self.wx, self.wh, self.bx, self.bh = (np.array(layer[name], dtype=np.float64)
                                              for name in ("w_x", "w_h", "b_x", "b_h"))
        self.units = self.wh.shape[1]
        self.h = np.zeros((traces, self.units))
        self.c = np.zeros((traces, self.units))

    def reset(self, which):
        self.h[which] = self.c[which] = 0

    def step(self, x):
        """PyTorch's definitions of RNN, GRU and LSTM."""
        above, beside = x @ self.wx.T + self.bx, self.h @ self.wh.T + self.bh
        if self.kind == "rnn":
            total = above + beside
            self.h = np.maximum(total, 0) if self.relu else np.tanh(total)
        elif self.kind == "gru":
            (ar, az, an), (br, bz, bn) = (np.split(part, 3, axis=1) for part in (above, beside))
            z = sigmoid(az + bz)
            n = np.tanh(an + sigmoid(ar + br) * bn)
            self.h = (1 - z) * n + z * self.h
        else:
            i, f, g, o = np.split(above + beside, 4, axis=1)
            self.c = sigmoid(f) * self.c + sigmoid(i) * np.tanh(g)
            self.h = sigmoid(o) * np.tanh(self.c)
        return self.h


def run_float(model, rows, keep=False):
    """Answers in double precision. keep: the state is never reset within a trace."""
    traces, packets = rows.shape[:2]
    inputs, outputs = model["inputs"], model["outputs"]
    recurrent = [layer for layer in model["layers"] if layer.get("type", "dense") != "dense"]
    dense = model["layers"][len(recurrent):]
    layers = [_Layer(layer, traces) for layer in recurrent]
    lo, hi = (np.array([io[end] for io in inputs]) for end in ("lo", "hi"))
    offset, scale = (np.array([io.get(key, usual) for io in inputs])
                     for key, usual in (("offset", 0), ("scale", 1)))
    anew = resets(model, rows, keep)
    answers = np.empty((traces, packets, len(outputs)))
    for at in range(packets):
        x = (np.clip(rows[:, at], lo, hi) - offset) * scale
        for layer in layers:
            if anew[:, at].any():
                layer.reset(anew[:, at])
            x = layer.step(x)
        for layer in dense:
            x = x @ np.array(layer["weights"]).T + np.array(layer["bias"])
            if layer["activation"] != "none":
                x = {"relu": lambda v: np.maximum(v, 0), "tanh": np.tanh,
                     "sigmoid": sigmoid}[layer["activation"]](x)
        answers[:, at] = x
    answers = answers / [io.get("scale", 1) for io in outputs] + \
        [io.get("offset", 0) for io in outputs]
    return np.clip(answers, [io["lo"] for io in outputs], [io["hi"] for io in outputs])


def packed(path):
    """The bytes of a model's JSON as lfctl packs it."""
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "model.lfm"
        done = lfctl.run("model", "pack", str(path), "-o", str(target))
        if done.returncode:
            raise Problem(done.stderr.strip().splitlines()[-1] if done.stderr else
                          f"{path}: lfctl does not pack it")
        return target.read_bytes()


def run_integers(blob, model, rows, keep=False):
    """Answers of the engine's own code, which are the kernel's, of a packed model."""
    answers = native.run_model(blob, rows, resets(model, rows, keep))
    return answers * [io.get("unit", 1) for io in model["outputs"]]


def decided(answers):
    """(backlog in bytes, at least 0; dropped) of answers."""
    return np.maximum(answers[..., 0], 0), answers[..., 2] > answers[..., 1]


def text_of(figures):
    """For --json: no number is NaN."""
    return json.dumps(figures, default=float).replace("NaN", "null")
