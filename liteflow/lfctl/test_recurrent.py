#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Layers that remember: what is packed answers as the JSON says in floating point, over
sequences; a layer made by hand is a queue, exactly; and every refusal has its reason.
"""

import json
import math
import random
import unittest

import case

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
LENGTH = 1500


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def matrix(rng, rows, cols, size):
    return [[rng.uniform(-size, size) for _ in range(cols)] for _ in range(rows)]


def make_cell(rng, kind, n_in, n, **more):
    """As PyTorch begins: all parameters within 1 / sqrt(units)."""
    rows, size = GATES[kind] * n, 1 / math.sqrt(n)
    return dict(more, type=kind, w_x=matrix(rng, rows, n_in, size), w_h=matrix(rng, rows, n, size),
                b_x=matrix(rng, 1, rows, size)[0], b_h=matrix(rng, 1, rows, size)[0])


def make_net(rng, cells, act="none", n_out=2):
    n = len(cells[-1]["w_h"][0])
    return {"format": "liteflow-model", "version": 1, "name": "recurrent", "units": "test",
            "inputs": [{"name": "x%d" % i, "unit": 0.001, "lo": -1, "hi": 3, "offset": 0.5,
                        "scale": 0.7} for i in range(len(cells[0]["w_x"][0]))],
            "outputs": [{"name": "y%d" % i, "unit": 1e-4, "lo": -2, "hi": 2}
                        for i in range(n_out)],
            "layers": cells + [{"activation": act, "weights": matrix(rng, n_out, n, 0.5),
                                "bias": [0.1] * n_out}]}


def dot(weights, x):
    return sum(w * v for w, v in zip(weights, x))


class Cell:
    """One recurrent layer by the formulas of PyTorch's manual."""

    def __init__(self, layer):
        self.layer = layer
        self.n = len(layer["w_h"][0])
        self.h = [0.0] * self.n
        self.c = [0.0] * self.n

    def step(self, x):
        lay, n = self.layer, self.n
        of_x = [dot(w, x) + b for w, b in zip(lay["w_x"], lay["b_x"])]
        of_h = [dot(w, self.h) + b for w, b in zip(lay["w_h"], lay["b_h"])]
        both = [a + b for a, b in zip(of_x, of_h)]
        if lay["type"] == "rnn":
            self.h = [max(v, 0) if lay["activation"] == "relu" else math.tanh(v) for v in both]
        elif lay["type"] == "gru":
            r, z = ([sigmoid(v) for v in both[g * n:(g + 1) * n]] for g in (0, 1))
            new = [math.tanh(of_x[2 * n + j] + r[j] * of_h[2 * n + j]) for j in range(n)]
            self.h = [(1 - z[j]) * new[j] + z[j] * self.h[j] for j in range(n)]
        else:
            i, f, g, o = (both[k * n:(k + 1) * n] for k in range(4))
            self.c = [sigmoid(f[j]) * self.c[j] + sigmoid(i[j]) * math.tanh(g[j])
                      for j in range(n)]
            self.h = [sigmoid(o[j]) * math.tanh(self.c[j]) for j in range(n)]
        return self.h


def run_float(net, rows):
    """Answers in the app's units, not rounded; the state is carried from row to row."""
    cells = [Cell(layer) for layer in net["layers"][:-1]]
    last = net["layers"][-1]
    for row in rows:
        x = [(v * io["unit"] - io["offset"]) * io["scale"] for v, io in zip(row, net["inputs"])]
        for cell in cells:
            x = cell.step(x)
        answer = []
        for w, b, io in zip(last["weights"], last["bias"], net["outputs"]):
            v = dot(w, x) + b
            v = math.tanh(v) if last["activation"] == "tanh" else v
            answer.append(min(max(v, io["lo"]), io["hi"]) / io["unit"])
        yield answer


class Recurrent(case.Packed):
    def write_rows(self, rows):
        with open(self.path("rows"), "w", encoding="ascii") as f:
            f.writelines(" ".join(map(str, row)) + "\n" for row in rows)

    def answers(self, *args):
        done = self.lfctl("model", "run", *args, self.path("m.lfm"), self.path("rows"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return [[int(v) for v in line.split()] for line in done.stdout.splitlines()]

    def accuracy(self, name, net, limit, *args):
        done = self.pack(net, *args)
        if done.returncode:
            return self.result(name, self.said(done))
        rng = random.Random(5)
        rows = [[rng.randint(-1000, 3000) for _ in net["inputs"]] for _ in range(LENGTH)]
        self.write_rows(rows)
        got, worst = self.answers("--sequence"), 0
        for want, row in zip(run_float(net, rows), got):
            worst = max([worst] + [abs(a - b) for a, b in zip(want, row)])
        # of a span of 40,000 units
        return self.result(name, (len(got) != LENGTH or worst > limit * 400) and
                           "off by %.2f units" % worst)

    def test_accuracy(self):
        """The same answers as in floating point, over a sequence that never begins anew."""
        def one(seed, kind, *sizes, **more):
            rng = random.Random(seed)
            return make_net(rng, [make_cell(rng, kind, n_in, n, **more)
                                  for n_in, n in zip(sizes, sizes[1:])])
        for name, net in (
                ("rnn, tanh", one(1, "rnn", 4, 8, activation="tanh")),
                ("rnn, relu, 16 bits", one(2, "rnn", 4, 8, activation="relu")),
                ("rnn, relu, 32 bits", one(3, "rnn", 4, 8, activation="relu", state_bits=32)),
                ("two rnn of 32 bits", one(4, "rnn", 3, 7, 5, activation="relu", state_bits=32)),
                ("rnn, relu, a range that is told",
                 one(5, "rnn", 4, 8, activation="relu", state_max=6)),
                ("gru", one(6, "gru", 4, 8)),
                ("two gru", one(7, "gru", 4, 9, 13)),
                ("lstm", one(8, "lstm", 4, 8)),
                ("lstm, a range that is told", one(9, "lstm", 4, 8, state_max=100)),
                ("four lstm", one(10, "lstm", 2, 5, 6, 7, 3)),
                ("one unit", one(11, "lstm", 1, 1))):
            self.accuracy(name, net, 0.02)
        rng = random.Random(20)
        mixed = make_net(rng, [make_cell(rng, "gru", 4, 6),
                               make_cell(rng, "rnn", 6, 5, activation="relu", state_bits=32),
                               make_cell(rng, "rnn", 5, 4, activation="relu", state_bits=32)],
                         act="tanh")
        self.accuracy("32 bits above 16, and a tanh", mixed, 0.02)
        self.accuracy("sums of 64 bits", one(12, "gru", 4, 8), 0.02, "--sums", "64")

    def test_data(self):
        """Rows are a sequence, and the range of the state comes from it."""
        rng = random.Random(30)
        net = make_net(rng, [make_cell(rng, "rnn", 2, 6, activation="relu")])
        self.write_rows([[rng.randint(-1000, 3000) for _ in range(2)] for _ in range(400)])
        done = self.pack(net, "--data", self.path("rows"), "--check", "600", "-v")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.result("where it is from is said", "the range of the state comes from the rows" not in
                    done.stdout)
        self.result("the range is reported", "state of 16 bits up to " not in done.stderr)
        self.result("rows held out are judged", "data, rows held out: 100 rows" not in done.stdout)
        self.result("and random sequences", "check, all of the ranges: 600 rows" not in done.stdout)

    def test_queue(self):
        """A ReLU layer of 4 units with whole weights is a queue with a limit, to the byte."""
        k = 2048
        last = [[1, 1, -1, 1], [0, 0, 0, 0], [0, 0, 1, -1]]
        cell = {"type": "rnn", "activation": "relu", "state_bits": 32, "state_max": 1 << 24,
                "w_x": [[-1, 0, 0], [0, 1, 0], [-k, k, -k], [-k, k - 1, -k]],
                "w_h": [[1, 1, -1, 1], [0] * 4, [k, k, -k, k], [k, k, -k, k]],
                "b_x": [0] * 4, "b_h": [0] * 4}
        net = {"format": "liteflow-model", "version": 1, "name": "queue", "units": "bytes",
               "inputs": [{"name": "b", "lo": 0, "hi": 100000}, {"name": "s", "lo": 0, "hi": k},
                          {"name": "q", "lo": 0, "hi": 100000}],
               "outputs": [{"name": name, "lo": -(1 << 20), "hi": 1 << 20}
                           for name in ("backlog", "kept", "dropped")],
               "layers": [cell, {"type": "dense", "activation": "none", "weights": last,
                                 "bias": [0, 0, 0]}]}
        done = self.pack(net)
        self.assertEqual(done.returncode, 0, done.stderr)
        rng = random.Random(40)
        rows = [[rng.randint(0, rng.choice([1500] * 15 + [100000])), rng.randint(1, k), 5000 + i // 500 * 999]
                for i in range(5000)]
        self.write_rows(rows)
        backlog = wrong = drops = 0
        for (sent, size, limit), (told, kept, dropped) in zip(rows, self.answers("--sequence")):
            backlog = max(backlog - sent, 0)
            drop = backlog + size > limit
            backlog += 0 if drop else size
            drops += drop
            wrong += told != backlog or (dropped > kept) != drop
        self.result("%d of 5000 packets differ" % wrong, wrong)
        self.result("packets are dropped", not 100 < drops < 4000)
        # without --sequence each packet finds an empty queue
        alone = self.answers()
        self.result("each row by itself", any(a[0] != r[1] for a, r in zip(alone, rows)))
        done = self.lfctl("--json", "model", "check", self.path("m.lfm"))
        shown = json.loads(done.stdout)
        self.result("what it is", shown["state"] != 4 or shown["layers"][0]["type"] != "rnn" or
                    shown["layers"][0]["state_bits"] != 32)
        done = self.lfctl("model", "diff", self.path("m.json"), self.path("m.lfm"),
                          self.path("rows"))
        self.result("no difference to the JSON", done.returncode or "rows: 0 with another" not in done.stdout and
                    done.stdout)
        done = self.lfctl("model", "c", self.path("m.lfm"), "-o", self.dir.name, "--for", "module")
        self.result("no module of it", None if done.returncode == 1 and "keeps 4 values of state" in
                    done.stderr else self.said(done))

    def test_refused(self):
        rng = random.Random(50)

        def net(**more):
            return make_net(rng, [make_cell(rng, "lstm", 2, 3, **more)])

        def changed(name, reason, change, base=None):
            made = base or net()
            change(made["layers"])
            self.refused(name, made, reason)
        for key in ("w_x", "w_h", "b_x", "b_h"):
            changed("without " + key, 'layers[0]: key "%s" is missing' % key,
                    lambda m, k=key: m[0].pop(k))
        changed("an unknown type", 'no type "conv": dense, rnn, gru, lstm',
                lambda m: m[0].update(type="conv"))
        changed("a type that is a number", "must be of type string", lambda m: m[0].update(type=4))
        changed("an unknown key", 'unknown key "bias"', lambda m: m[0].update(bias=[]))
        changed("an activation of an lstm", '"activation" is for an rnn only',
                lambda m: m[0].update(activation="tanh"))
        changed("an rnn without activation", 'key "activation" is missing',
                lambda m: m[0].update(type="rnn"))
        changed("an rnn with a sigmoid", 'activation "sigmoid" is not for an rnn',
                lambda m: m[0].update(type="rnn", activation="sigmoid"))
        changed("rows that are no gates", '"w_h" has 11 rows: 4 for each of 1 to 1024 units',
                lambda m: m[0]["w_h"].pop())
        changed("rows that do not fit", '"w_x" has 11 rows, not 12', lambda m: m[0]["w_x"].pop())
        changed("a row that is too short", "layers[0].w_x[0]: 1 numbers, not 2",
                lambda m: m[0]["w_x"][0].pop())
        changed("a bias too few", "layers[0].b_h: 11 numbers, not 12", lambda m: m[0]["b_h"].pop())
        changed("an infinite weight", "layers[0].w_h[0][0] is infinite",
                lambda m: m[0]["w_h"][0].__setitem__(0, float("inf")))
        changed("32 bits of an lstm", "as only a relu may have 32",
                lambda m: m[0].update(state_bits=32))
        changed("24 bits", '"state_bits" is 24', lambda m: m[0].update(state_bits=24))
        changed("a range of 0", '"state_max" is 0, must be above 0',
                lambda m: m[0].update(state_max=0))
        changed("a range beyond what fits", "at most 65536 is possible",
                lambda m: m[0].update(state_max=70000))
        changed("five layers", "layers[4]: at most 4 recurrent layers", lambda m: m.__setitem__(
            slice(0, 1), [m[0]] + [make_cell(rng, "lstm", 3, 3) for _ in range(4)]))
        changed("nothing above", "the last one must be dense", lambda m: m.pop())
        changed("behind a dense one", "must come before all dense ones",
                lambda m: m.append(make_cell(rng, "lstm", 2, 2)))
        changed("a range of a gru", '"state_max" is for a relu or an lstm',
                lambda m: m[0].update(state_max=3),
                make_net(rng, [make_cell(rng, "gru", 2, 3)]))
        changed("16 bits above 32", "state of 16 bits above one of 32", lambda m: None, make_net(
            rng, [make_cell(rng, "rnn", 2, 3, activation="relu", state_bits=32),
                  make_cell(rng, "rnn", 3, 3, activation="relu")]))
        grows = make_cell(rng, "rnn", 2, 3, activation="relu")
        grows["w_h"] = [[9] * 3] * 3
        grows["b_x"] = [9] * 3
        changed("state without bound", "its state grows without bound", lambda m: None,
                make_net(rng, [grows]))
        changed("weights that are too large", "too large to quantise",
                lambda m: m[0].update(w_h=[[1e25] * 3] * 12))


if __name__ == "__main__":
    unittest.main()
