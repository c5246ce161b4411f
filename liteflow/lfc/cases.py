# SPDX-License-Identifier: GPL-2.0
"""What the tests of lfc share: names for a network, and its JSON computed anew."""
import json
import os
import pathlib
import random
import tempfile
import unittest

import numpy as np

import liteflow
from liteflow.pylib import lfctl
from liteflow.pylib.paths import BUILD, ROOT

os.environ.setdefault("LFCTL", str(BUILD / "liteflow" / "lfctl"))
SEED = int(os.environ.get("SEED", "1"))


def needs(*modules):
    """Skips by name what needs a package that is not there."""
    missing = []
    for name in modules:
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    return unittest.skipIf(missing, f"not installed: python3-{', python3-'.join(missing)}")


def shared(*names):
    """A file of the shared data, or the test is skipped by its name."""
    path = pathlib.Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data", *names)
    if not path.exists():
        raise unittest.SkipTest(f"there is no {path.name}; SHARED_DATA names the folder with "
                                f"{names[0]}/")
    return path


def figure(name, value, unit):
    """A line of the kind that make bench prints."""
    print(f"{name} {value:.4g} {unit}", flush=True)


def step(layer, state, x):
    """(h, c) of a recurrent layer after a step, by the formulas of PyTorch's manual."""
    def sigmoid(v):
        return 1 / (1 + np.exp(-v))
    h, c = state
    of_x, of_h = (np.array(layer[w]) @ v + layer[b] for w, v, b in (("w_x", x, "b_x"),
                                                                  ("w_h", h, "b_h")))
    if layer["type"] == "rnn":
        both = of_x + of_h
        return np.maximum(both, 0) if layer["activation"] == "relu" else np.tanh(both), c
    if layer["type"] == "gru":
        (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(of_x, 3), np.split(of_h, 3)
        z = sigmoid(z_x + z_h)
        return (1 - z) * np.tanh(n_x + sigmoid(r_x + r_h) * n_h) + z * h, c
    i, f, g, o = np.split(of_x + of_h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def run_json(model, values):
    """Answers of a model's JSON to values, float64 [rows][inputs], by lfctl(8)'s description; the
    rows are a sequence to recurrent layers."""
    x = []
    for io, column in zip(model["inputs"], np.asarray(values, dtype=np.float64).T):
        column = np.clip(column, io["lo"], io["hi"])
        x.append((column - io.get("offset", 0)) * io.get("scale", 1))
    x = np.array(x).T
    for layer in model["layers"]:
        if "w_h" in layer:
            state = (np.zeros(len(layer["w_h"][0])),) * 2
            states = [state := step(layer, state, row) for row in x]
            x = np.array([h for h, _ in states])
            continue
        x = x @ np.array(layer["weights"]).T + np.array(layer["bias"])
        if layer["activation"] == "relu":
            x = np.maximum(x, 0)
        elif layer["activation"] == "tanh":
            x = np.tanh(x)
        elif layer["activation"] == "sigmoid":
            x = 1 / (1 + np.exp(-x))
        elif layer["activation"] == "argmax":
            x = x.argmax(1)[:, None].astype(np.float64)
        else:
            assert layer["activation"] == "none"
    x = x / [io.get("scale", 1) for io in model["outputs"]] + \
        [io.get("offset", 0) for io in model["outputs"]]
    return np.clip(x, [io["lo"] for io in model["outputs"]], [io["hi"] for io in model["outputs"]])


def like(n_in, n_out, lo=-1.0, hi=1.0, out=(-1e4, 1e4), unit=1e-4):
    """A model's JSON without layers, whose ranges are all the same."""
    return {"name": "test", "units": "u",
            "inputs": [{"name": f"x{i}", "unit": unit, "lo": lo, "hi": hi} for i in range(n_in)],
            "outputs": [{"name": f"y{i}", "unit": unit, "lo": out[0], "hi": out[1]}
                        for i in range(n_out)]}


def packed_error(model, *options):
    """Greatest error of the packed model on random inputs, percent of an output's span."""
    said = lfctl.pack(lfctl.text(model), "--check", "200", "--json", *options)[1]
    said = json.loads(said[said.index("{"):])       # warnings come first
    return max(said[where]["max_percent_of_span"] for where in ("uniform", "towards_zero"))


def held_out_error(data, names, dice, count=4000, others=500):
    """(Imported, its error on other rows) of a network that is imported and packed with --data;
    percent of an output's span."""
    unit = np.array([io["unit"] for io in names["inputs"]])
    lo, hi = (np.array([io[end] for io in names["inputs"]]) for end in ("lo", "hi"))
    rows = np.round(dice.arrays.uniform(lo, hi, (count + others, len(unit))) / unit).astype(int)
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("rows", "others", "net.lfm")]
        for name, some in zip(files, (rows[:count], rows[count:])):
            np.savetxt(name, some, fmt="%d")
        made = liteflow.convert(data, like=names, rows=files[0])
        liteflow.write(made, files[2])
        done = lfctl.run("model", "run", files[2], files[1])
    assert not done.returncode, done.stderr
    answers = np.array([line.split() for line in done.stdout.splitlines()], dtype=float)
    answers *= [io["unit"] for io in made.model["outputs"]]
    span = np.array([io["hi"] - io["lo"] for io in made.model["outputs"]])
    error = np.abs(answers - run_json(made.model, rows[count:] * unit)) / span
    return made, float(error.max() * 100)


class Dice(random.Random):
    """Draws of arrays."""

    def __init__(self, seed):
        super().__init__(seed)
        self.arrays = np.random.default_rng(abs(hash((seed, "arrays"))) if isinstance(seed, tuple)
                                            else seed)

    def chance(self, share):
        return self.random() < share
