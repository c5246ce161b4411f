#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Ranges from rows of data, limits of the error, outputs with an offset and a scale,
and the difference of two models."""

import json
import math
import random
import struct
import unittest

import case
from netfile import Model, clamp, make_net, run_float


def deep_net(rng, hidden=4, width=24):
    """ReLUs as they are initialised for training, so that values keep their size."""
    shape = [5] + [width] * hidden + [2]
    net = make_net(rng, shape, ["relu"] * hidden + ["none"], [(-1, 1)], (-20, 20, 1e-4), 1)
    for layer in net["layers"]:
        sigma = math.sqrt(2 / len(layer["weights"][0]))
        for row in layer["weights"]:
            row[:] = [rng.gauss(0, sigma) for _ in row]
    return net


def draw(rng, n, net, part=1.0):
    return [[round(rng.uniform(io["lo"], io["hi"]) * part / io["unit"]) for io in net["inputs"]]
            for _ in range(n)]


class Data(case.Packed):
    def write(self, name, rows):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(rows if isinstance(rows, str) else
                    "".join(" ".join(map(str, row)) + "\n" for row in rows))
        return self.path(name)

    def with_data(self, net, rows, *args):
        return self.pack(net, "--data", self.write("rows", rows), "--json", *args)

    def model(self):
        with open(self.path("m.lfm"), "rb") as f:
            return Model(f.read())

    def blob(self):
        with open(self.path("m.lfm"), "rb") as f:
            return f.read()

    def worst(self, net, rows):
        """Greatest error as percent of the span."""
        model = self.model()
        return 100 * max(abs(got * io["unit"] - want) / (io["hi"] - io["lo"])
                         for row in rows for io, got, want in
                         zip(net["outputs"], model.run(row), run_float(net, row)))

    def diff(self, *args):
        return self.lfctl("model", "diff", *args)

    def test_deep(self):
        """What the worst case cannot represent, data can; rows that nobody showed, too."""
        for seed in (1, 2, 3):
            rng = random.Random(seed)
            net = deep_net(rng)
            held = draw(rng, 200, net)
            self.pack(net, "--force", "--sums", "32")
            before = self.worst(net, held)
            done = self.with_data(net, draw(rng, 1000, net), "--sums", "32")
            if done.returncode:
                self.result("net %d" % seed, self.said(done))
                continue
            said = json.loads(done.stdout)["data"]
            after = self.worst(net, held)
            self.result("net %d: %.4f %% of the span, without data %.4f" % (seed, after, before),
                        after > 0.1 or after > before / 5)
            self.result("net %d: what is said of it" % seed, None if said["decided"] and
                        said["fitted"]["rows"] == 750 and said["held_out"]["rows"] == 250 and
                        [x["layer"] for x in said["layers"]] == [0, 1, 2, 3] and
                        0 < said["held_out"]["max_percent_of_span"] < 0.1 else said)

    def test_held_out(self):
        """Rows held out that leave the range of the others saturate, and it is said."""
        rng = random.Random(5)
        net = deep_net(rng, hidden=6, width=50)
        rows = draw(rng, 750, net, 0.9) + draw(rng, 250, net)
        done = self.with_data(net, rows, "--force", "--margin", "0", "--sums", "32")
        said = json.loads(done.stdout)["data"]
        shares = [(x["saturated_percent"], x["held_out_saturated_percent"])
                  for x in said["layers"]]
        wrong = self.worst(net, rows[750:])
        self.result("saturation is counted: %s" % shares, None if said["decided"] and
                    all(fit == 0 for fit, _ in shares) and shares[0][1] > 0.5 else said)
        self.result("the error of these rows is that of the model", None if abs(
            wrong - said["held_out"]["max_percent_of_span"]) < 0.01 and
            wrong > 5 * said["fitted"]["max_percent_of_span"] else (wrong, said))
        args = ("--data", self.path("rows"), "--margin", "0", "--sums", "32")
        done = self.pack(net, *args)
        self.result("as text", None if "saturated 0 of 37500 values (0 %); rows held out: " in
                    done.stdout and "%)" in done.stdout else self.said(done))
        self.refused("above a limit, refused", net, "above --max-error", *args,
                     "--max-error", "%g" % (wrong / 2))
        done = self.with_data(net, rows, "--sums", "32")
        said = json.loads(done.stdout)["data"]
        self.result("a margin helps", None if said["held_out"]["max_percent_of_span"] <
                    wrong / 2 else said)
        rows = draw(rng, 750, net, 0.02) + draw(rng, 250, net)
        done = self.with_data(net, rows, "--force")
        said = json.loads(done.stdout)["data"]
        self.result("far beyond, the worst case is better", None if not said["decided"] and
                    all(x["held_out_saturated_percent"] == 0 for x in said["layers"]) else said)

    def test_degenerate(self):
        rng = random.Random(6)
        net = deep_net(rng)
        good = draw(rng, 200, net)
        path = self.write("rows", "")
        self.refused("an empty file", net, "no rows of inputs", "--data", path)
        for name, rows, reason in (
                ("one row", good[:1], "1 rows of data are too few"),
                ("99 rows", good[:99], "give at least 100"),
                ("a row, 500 times", good[:1] * 500, "all 500 rows of data are the same"),
                ("a row that is too short", good[:150] + [good[0][:4]], "line 151: 4 inputs, not 5"),
                ("a row that is too long", good[:150] + [good[0] * 2], "line 151: more than 5"),
                ("NaN", "nan nan nan nan nan\n", 'line 1: "nan nan nan nan nan" is no 32-bit'),
                ("NaN, with commas", "nan,1,2,3,4\n", 'line 1: "nan,1,2,3,4" is no 32-bit'),
                ("NaN further down", "1 2 3 4 5\n1 2 nan 4 5\n", 'line 2: "nan 4 5" is no'),
                ("floating point", "1 2 0.5 4 5\n", '"0.5 4 5" is no 32-bit number'),
                ("33 bits", "1 2 4294967296 4 5\n", '"4294967296 4 5" is no 32-bit number')):
            self.refused(name, net, reason, "--data", self.write("rows", rows))
        self.refused("no such file", net, "No such file", "--data", self.path("none"))
        self.refused("a folder", net, "this is a folder", "--data", self.dir.name)
        self.refused("no text", net, "a zero byte", "--data", self.write("rows", "1 2\0 3\n"))
        done = self.with_data(net, [good[0]] * 199 + [good[1]])
        self.result("nearly constant rows", None if done.returncode == 0 and
                    self.worst(net, [good[0], good[1]]) < 0.1 else self.said(done))
        dead = deep_net(rng)
        dead["layers"][1]["bias"][3] = -1000
        dead["layers"][1]["bias"][4] = -3
        done = self.with_data(dead, good)
        self.result("a ReLU that the data never open", None if done.returncode == 0 and
                    self.worst(dead, draw(rng, 200, dead)) < 1 else self.said(done))
        done = self.with_data(net, [[v * 3 for v in row] for row in good])
        said = json.loads(done.stdout or "{}").get("data")
        self.result("rows beyond the ranges are counted as such", None if said and
                    600 < said["clamped_inputs"] < 750 else self.said(done))

    def test_no_worse(self):
        rng = random.Random(7)
        for name, acts in (("tanh", ["tanh", "tanh", "none"]), ("sigmoid", ["sigmoid", "none"])):
            net = make_net(rng, [6] + [12] * (len(acts) - 1) + [2], acts, [(-1, 1)],
                           (-9, 9, 1e-4), 1)
            self.pack(net)
            want = self.blob()
            done = self.with_data(net, draw(rng, 200, net))
            self.result(name + ": the same bytes", None if self.blob() == want and not json.loads(
                done.stdout)["data"]["decided"] else self.said(done))
            done = self.pack(net, "--data", self.path("rows"))
            self.result(name + ": it is said", "no range comes from the rows" not in done.stdout)
        for seed in range(20):
            net = make_net(rng, [4, 8, 1], [rng.choice(["relu", "none"]), "none"], [(-1, 1)],
                           (-9, 9, 1e-4), 1)
            rows = draw(rng, 200, net)
            self.pack(net)
            before = self.worst(net, rows)
            self.with_data(net, rows)
            self.result("shallow net %d" % seed, self.worst(net, rows) > before)

    def test_forms(self):
        """Rows as they are typed, and as lfctl collect writes them."""
        rng = random.Random(8)
        net = deep_net(rng)
        net["inputs"][1]["name"] = 'a, "quoted" name'
        rows = draw(rng, 120, net)
        self.with_data(net, rows)
        want = self.blob()
        names = [io["name"] for io in net["inputs"]]
        quoted = [names[0], '"a, ""quoted"" name"'] + names[2:]
        head = "batch,kind,flow,seq,version,time_ns,cpu,reward,"

        def csv(columns):
            return head + ",".join(columns) + ",out0,out1\n" + "".join(
                "1,query,7,%d,1,%d,0,,%s,5,6\n1,reward,7,%d,1,9,0,-3,,,,,,,\n" % (
                    i, 10 ** 15 + i, ",".join(map(str, row)), i) for i, row in enumerate(rows))

        def lines(columns):
            return "".join(json.dumps({"batch": 1, "kind": "query", "inputs": dict(
                zip(columns, row)), "outputs": {"out0": 1}}) + "\n" +
                json.dumps({"batch": 1, "kind": "reward", "reward": 3}) + "\n" for row in rows)

        numbered = ["in%d" % i for i in range(5)]
        for name, text in (
                ("CSV of collect --model", csv(quoted)), ("CSV of collect", csv(numbered)),
                ("lines of collect --json --model", lines(names)),
                ("lines of collect --json", lines(numbered)),
                ("arrays", "".join(json.dumps(row) + "\n" for row in rows)),
                ("a byte order mark", "\ufeff" + csv(numbered)),
                ("an index without a name", "," + ",".join(quoted) + "\n" + "".join(
                    "%d,%s\n" % (i, ",".join(map(str, row))) for i, row in enumerate(rows))),
                ("commas, comments, CRLF", "# rows\r\n" + "".join(
                    ", ".join(map(str, row)) + " # a row\r\n" for row in rows))):
            done = self.with_data(net, text)
            self.result(name, None if done.returncode == 0 and self.blob() == want else
                        self.said(done))
        reordered = csv(quoted).splitlines()
        reordered = [",".join(line.split(",")[8:] + line.split(",")[:8]) if i else
                     ",".join(quoted + ["out0", "out1"]) + "," + head[:-1]
                     for i, line in enumerate(reordered)]
        done = self.with_data(net, "\n".join(reordered))
        self.result("columns in another order", None if done.returncode == 0 and
                    self.blob() == want else self.said(done))
        for name, text, reason in (
                ("a column that is missing", csv(["x"] + quoted[1:]), 'no column "in0"'),
                ("an input twice", csv([quoted[1]] + quoted[1:]), 'no column "in0"'),
                ("a line that is cut", csv(quoted)[:-30] + "\n1,query,7", "columns, the header has"),
                ("an input that is empty", csv(quoted).replace(",%d," % rows[0][0], ",,", 1),
                 'line 2: "" is no 32-bit number'),
                ("JSON that is cut", lines(names) + '{"inputs": {', "no JSON"),
                ("JSON without an input", lines(names) + '{"inputs": {"in0": 1}}\n',
                 'no input "a, "quoted" name"'),
                ("JSON with a fraction", lines(names) + "[1, 2, 0.5, 4, 5]\n", "which is no 32-bit"),
                ("JSON, another object", lines(names) + '{"a": 1}\n', 'no "inputs"')):
            self.refused(name, net, reason, "--data", self.write("rows", text))
        self.pack(net)
        with open(self.path("typed"), "w", encoding="ascii") as f:
            f.write("".join(" ".join(map(str, row)) + "\n" for row in rows))
        typed = self.lfctl("model", "run", self.path("m.lfm"), self.path("typed"))
        taken = self.lfctl("model", "run", self.path("m.lfm"), self.write("rows", csv(numbered)))
        self.result("model run reads them as well", None if typed.returncode == 0 and
                    typed.stdout.count("\n") == 120 and typed.stdout == taken.stdout else
                    self.said(taken))

    def test_max_error(self):
        rng = random.Random(9)
        net = make_net(rng, [4, 8, 1], ["tanh", "none"], [(-1, 1)], (-9, 9, 1e-3), 1)
        done = self.pack(net, "--max-error", "1")
        self.result("below the limit", done.returncode)
        self.refused("above it", net, "above --max-error", "--max-error", "1e-4")
        with open(self.path("m.lfm"), "w", encoding="ascii") as f:
            f.write("what was there")
        done = self.lfctl("model", "pack", self.path("m.json"), "--max-error", "1e-4")
        with open(self.path("m.lfm"), encoding="ascii") as f:
            self.result("an older file stays", f.read() != "what was there")
        self.refused("with data, of the rows", net, "above --max-error", "--max-error", "1e-4",
                     "--data", self.write("rows", draw(rng, 200, net)))
        net = make_net(rng, [4, 8, 3], ["relu", "argmax"], [(-1, 1)], (0, 2, 1), 1)
        for i, row in enumerate(net["layers"][1]["weights"]):
            row[:] = [w * 1e-5 for w in net["layers"][1]["weights"][0]] if i else row
        net["layers"][1]["bias"] = [0, 0, 0]
        done = self.pack(net, "--max-error", "100")
        self.result("argmax: percent of answers", done.returncode)
        for args in (["--max-error", "0"], ["--max-error", "x"], ["--max-error", "101"],
                     ["--margin", "-1"], ["--max-error", "1", "--force"],
                     ["--data", "x", "--saturate", "3"], ["--data"]):
            done = self.lfctl("model", "pack", self.path("m.json"), *args)
            self.result("usage: " + " ".join(args), None if done.returncode == 2 and done.stderr
                        else self.said(done))

    def test_outputs(self):
        """offset and scale of outputs; without them, the bytes of before."""
        rng = random.Random(10)
        for act, factors in (("none", (1, 3, -0.5)), ("relu", (1, 7)), ("tanh", (0.1, -2)),
                             ("sigmoid", (0.01, -5))):
            for scale in factors:
                for offset in (0, 0.12345, -70):
                    net = make_net(rng, [3, 8, 2], ["tanh", act], [(-1, 1)], (-1, 1, 1e-4), 1)
                    for io in net["outputs"]:
                        io.update(scale=scale, offset=offset, lo=offset - 4 / abs(scale),
                                  hi=offset + 4 / abs(scale))
                    done = self.pack(net)
                    self.result("%s, offset %g, scale %g" % (act, offset, scale),
                                self.said(done) if done.returncode else
                                self.worst(net, draw(rng, 50, net)) > 0.05)
        for name, change, reason in (
                ("relu upside down", {"scale": -1}, "must be above 0 behind a relu"),
                ("scale 0", {"scale": 0}, '"scale" is 0: the output would be constant'),
                ("offset that is too far", {"offset": 1e9}, "does not fit 32 bits"),
                ("offset infinite", {"offset": float("inf")}, "must be a finite number")):
            net = make_net(rng, [3, 2], ["relu"], [(-1, 1)], (-1, 1, 1e-4), 1)
            net["outputs"][1].update(change)
            self.refused(name, net, reason)
        net = make_net(rng, [3, 2], ["argmax"], [(-1, 1)], (0, 1, 1), 1)
        net["outputs"][0]["offset"] = 1
        self.refused("argmax", net, 'no "offset" and "scale" for argmax')
        for seed, shape, acts, out, crc, args in (
                (1, [4, 6, 2], ["relu", "none"], (-9, 9, 1e-3), "0x99715ade", []),
                (2, [4, 6, 2], ["tanh", "sigmoid"], (0, 1, 1e-3), "0xe4a332aa", []),
                (3, [4, 6, 6, 5], ["none", "relu", "argmax"], (0, 4, 1), "0xc7688101", []),
                (4, [4, 16, 16, 3], ["relu", "relu", "none"], (-9, 9, 1e-3), "0x9354d0c4",
                 ["--saturate", "4"])):
            net = make_net(random.Random(seed), shape, acts, [(-1, 1)], out, 1)
            done = self.pack(dict(net, checksum=crc), *args)
            self.result("the bytes of before, %s" % acts, done.stderr)

    def test_diff(self):
        rng = random.Random(11)
        net = make_net(rng, [3, 8, 2], ["tanh", "none"], [(-1, 1)], (-4, 4, 1e-3), 1)
        self.pack(net, "-o", self.path("a.lfm"))
        net["outputs"][0]["offset"] = 0.5
        self.pack(net, "-o", self.path("b.lfm"))
        a, b = self.path("a.lfm"), self.path("b.lfm")
        done = self.diff(a, a)
        self.result("of a model and itself", None if done.returncode == 0 and
                    "0 with another answer" in done.stdout else self.said(done))
        done = self.diff("--json", a, b)
        said = json.loads(done.stdout)
        self.result("one output by 500 of 8000 units", None if
                    said["rows"] == 10000 and abs(said["mean_percent_of_span"] - 3.125) < 0.01 and
                    abs(said["max_percent_of_span"] - 6.25) < 0.02 and
                    abs(said["outputs"][0]["mean"] - 500) < 1 and
                    said["outputs"][1]["max"] == 0 else said)
        self.result("the same seed, the same numbers", self.diff(a, b).stdout !=
                    self.diff(a, b, "--seed", "1").stdout)
        self.result("another seed, other ones", self.diff(a, self.path("m.json")).stdout ==
                    self.diff(a, self.path("m.json"), "--seed", "2").stdout)
        rows = draw(rng, 30, net)
        done = self.diff("--json", b, self.path("m.json"), self.write("rows", rows))
        said = json.loads(done.stdout)
        with open(b, "rb") as f:
            model = Model(f.read())
        worst = max(abs(g - w / 1e-3) for row in rows for g, w in
                    zip(model.run(row), run_float(net, row)))
        # the table of tanh is another one there: by two units of the last place
        self.result("with rows, against floating point", None if said["rows"] == 30 and
                    abs(max(o["max"] for o in said["outputs"]) - worst) < 1 and worst > 0 else
                    (said, worst))
        self.result("rows of a model's answers", "30 rows of" not in
                    self.diff(a, b, self.path("rows")).stdout)
        other = {"inputs": make_net(rng, [4, 8, 2], ["tanh", "none"], [(-1, 1)], (-4, 4, 1e-3), 1),
                 "units": dict(net, units="v"),
                 "names": json.loads(json.dumps(net).replace('"in1"', '"x"')),
                 "kind": make_net(rng, [3, 2], ["argmax"], [(-1, 1)], (0, 1, 1), 1)}
        one = make_net(rng, [3, 1], ["none"], [(-1, 1)], (0, 1, 1e-3), 1)
        self.pack(one, "-o", self.path("one.lfm"))
        for name, reason in (("inputs", "different questions"), ("units", 'the units of'),
                             ("names", 'input 1 is "in1" in'), ("kind", "an index (argmax)")):
            first = self.path("one.lfm") if name == "kind" else a
            self.pack(other[name], "-o", self.path("c.lfm"), "--force")
            done = self.diff(first, self.path("c.lfm"))
            self.result("other " + name, None if done.returncode == 1 and reason in done.stderr and
                        len(done.stderr.splitlines()) == 1 and not done.stdout else
                        self.said(done))
        for args, reason in (([a, self.path("none")], "No such file"), ([a, self.write("e", "")],
                             "no model"), ([a, b, self.path("e")], "no rows of inputs"),
                             ([a, self.write("j", "{")], "unexpected end of data")):
            done = self.diff(*args)
            self.result("refused: " + reason, None if done.returncode == 1 and
                        reason in done.stderr and len(done.stderr.splitlines()) == 1 else
                        self.said(done))
        for args in ([], [a], [a, b, "x", "y"], [a, b, "--count", "0"]):
            self.result("usage", self.diff(*args).returncode != 2)
        classes = make_net(rng, [3, 5], ["argmax"], [(-1, 1)], (0, 4, 1), 1)
        self.pack(classes, "-o", a)
        classes["layers"][0]["weights"].reverse()
        classes["layers"][0]["bias"].reverse()
        self.pack(classes, "-o", b)
        done = self.diff("--json", a, b)
        said = json.loads(done.stdout)
        self.result("argmax: the part of answers", None if abs(
            said["mean_percent_of_span"] - said["differing_rows"] / 100) < 1e-6 and
            said["differing_rows"] > 5000 else said)


if __name__ == "__main__":
    unittest.main()
