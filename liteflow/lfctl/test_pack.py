#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The writer against the format's own text: models are packed, read back by the
formulas of include/uapi/linux/liteflow_model.h, and compared with what their
JSON says in floating point.  Nothing here is shared with the programs that it
tests.  Refusals: each is one line, status 1, and no file.
"""

import json
import os
import random
import stat
import struct
import subprocess
import unittest

import case
from netfile import Model, clamp, make_net, run_float


def simple_net():
    return make_net(random.Random(1), [2, 3, 1], ["tanh", "none"], [(-1, 1)],
                    (-3, 3, 0.001), 1.0)


def useless_net():
    """Ranges far wider than what the network tells apart, and a steep last layer."""
    net = make_net(random.Random(3), [30, 32, 16, 1], ["tanh", "tanh", "none"], [(0, 10000)],
                   (-3, 3, 1e-4), 1.3)
    net["layers"][2]["weights"] = [[1000 * w for w in net["layers"][2]["weights"][0]]]
    return net


# -- the tests ----------------------------------------------------------------

class Pack(case.Packed):
    def accuracy(self, name, net, limit, *args, rows=300, narrow=True):
        done = self.pack(net, *args)
        if done.returncode:
            return self.result(name, done.stderr)
        with open(self.path("m.lfm"), "rb") as f:
            model = Model(f.read())
        problem = None
        if (model.name, model.units, model.provenance) != (net["name"], net["units"],
                                                           net["provenance"]):
            problem = "name, units or provenance are not those of the JSON"
        shown = json.loads(self.lfctl("--json", "model", "check", self.path("m.lfm")).stdout)
        if narrow and any(layer["sum_bits"] != 32 for layer in shown["layers"]):
            problem = "sums of 64 bits"
        rng = random.Random(7)
        worst = other = 0
        for _ in range(rows):
            shrink = rng.choice([1, 1, 0.1, 0.01])
            row = []
            for io in net["inputs"]:
                unit = io.get("unit", 1)
                zero = clamp(io.get("offset", 0), io["lo"], io["hi"])
                v = zero + (rng.uniform(io["lo"], io["hi"]) - zero) * shrink
                row.append(round(v / unit * rng.choice([1, 1, 1, 1.5])))
            want, got = run_float(net, row), model.run(row)
            for io, a, b in zip(net["outputs"], want, got):
                other += a != b
                worst = max(worst, abs(b * io["unit"] - a) / (io["hi"] - io["lo"]))
        if net["layers"][-1]["activation"] == "argmax":
            if other > rows * limit:
                problem = problem or "%d of %d answers differ" % (other, rows)
        elif worst > limit:
            problem = problem or "error %.4f %% of the span" % (100 * worst)
        return self.result(name, problem)

    def changed(self, name, reason, change, *args):
        net = simple_net()
        change(net)
        self.refused(name, net, reason, *args)

    def test_accuracy(self):
        rng = random.Random(2022)
        aurora = ([30, 32, 16, 1], ["tanh", "tanh", "none"])
        self.accuracy("30-32-16-1 tanh, inputs of one size",
                      make_net(rng, *aurora, [(-1, 1)], (-3, 3, 1e-4), 1.3), 0.001, "--sums", "32")
        self.accuracy("30-32-16-1 tanh, inputs of many sizes",
                      make_net(rng, *aurora, [(-1, 10), (1, 10), (0, 1)], (-3, 3, 1e-4),
                               0.6), 0.001)
        self.accuracy("relu, three layers",
                      make_net(rng, [16, 32, 32, 4], ["relu", "relu", "none"], [(0, 1), (-5, 5)],
                               (-40, 40, 1e-4), 0.8), 0.001)
        self.accuracy("none, none: a linear map",
                      make_net(rng, [4, 8, 2], ["none", "none"], [(-2, 2)], (-20, 20, 1e-4),
                               1), 0.0005)
        self.accuracy("sigmoid, sigmoid",
                      make_net(rng, [8, 24, 3], ["sigmoid", "sigmoid"], [(0, 1000)], (0, 1, 1e-5),
                               1, unit=1, offset=500, scale=0.01), 0.001)
        self.accuracy("tanh last",
                      make_net(rng, [3, 5], ["tanh"], [(-3, 3)], (-1, 1, 1e-4), 1), 0.001)
        self.accuracy("relu last, one layer",
                      make_net(rng, [3, 2], ["relu"], [(-3, 3)], (0, 5, 1e-4), 1), 0.001)
        self.accuracy("argmax",
                      make_net(rng, [8, 24, 5], ["relu", "argmax"], [(0, 1000)], (0, 4, 1), 1,
                                      unit=1, offset=500, scale=-0.01), 0.02)
        self.accuracy("ranges of all of 32 bits",
                      make_net(rng, [2, 4, 1], ["tanh", "none"], [(-2**31, 2**31 - 1)],
                               (-3, 3, 1e-4), 1,
                               unit=1, scale=2**-31), 0.001)
        self.accuracy("an input that never changes",
                      make_net(rng, [2, 4, 1], ["tanh", "none"], [(3, 3), (-1, 1)], (-3, 3, 1e-4),
                               1),
                      0.001)
        self.accuracy("sums of 64 bits where they help",
                      make_net(rng, *aurora, [(-10, 10)], (-3, 3, 1e-4), 1.3), 0.001, narrow=False)
        net = simple_net()
        net["layers"][0]["weights"] = [[0, 0]] * 3
        self.accuracy("weights of 0", net, 0.001)

    def test_damage(self):
        good = json.dumps(simple_net())
        self.refused("no JSON", "hello", "line 1, column ")
        self.refused("an empty file", "", "empty")
        self.refused("cut", good[:-20], "end of data")
        self.refused("more behind it", good + "x", "line 1, column ")
        self.refused("the line is named", good.replace('"units"', '\n\n"units" :: '),
                     "line 3, column 10: ")
        self.refused("a list", "[1]", "the model must be a JSON object")
        self.refused("null", "null", "the model must be a JSON object")
        self.refused("a key twice", good.replace('"units"', '"name": "x", "units"'),
                     'the key "name" is there twice')
        self.refused("a key twice, further in", good.replace('"unit"', '"lo": 1, "unit"', 1),
                     'the key "lo" is there twice')
        self.refused("a key with a backslash", good.replace('"units"', '"un\\u0069ts"'),
                     "backslash")
        self.refused("no UTF-8", good.replace('"test"', '"te\udcffst"'), "line 1, column ")
        self.refused("deep nesting", "[" * 1000, "line 1, column ")
        self.refused("1e999", good.replace('"lo": -1', '"lo": -1e999', 1),
                     "must be a finite number")

    def test_world(self):
        """JSON as the world writes it."""
        def blob():
            with open(self.path("m.lfm"), "rb") as f:
                return f.read()

        def is_packed(name, want, done):
            self.result(name, done.stderr or blob() != want)

        net = simple_net()
        good = json.dumps(net)
        self.pack(good)
        want = blob()
        is_packed("a byte order mark", want, self.pack("\ufeff" + good))
        is_packed("CRLF", want, self.pack(json.dumps(net, indent=2).replace("\n", "\r\n")))
        is_packed("tabs", want, self.pack(json.dumps(net, indent="\t")))
        self.refused("a second byte order mark", "\ufeff\ufeff" + good, "line 1, column 1: ")
        self.locales(good, want)
        row = "[%s]" % ", ".join(map(str, net["layers"][0]["weights"][1]))
        place = "layers[0].weights[1][0] "
        for name, bad, reason in (
                ("NaN", "NaN", place + "is NaN"), ("Infinity", "Infinity", place + "is infinite"),
                ("-Infinity", "-Infinity", place + "is infinite"),
                ("inf", "inf", "line 1, column "),
                ("nan", "nan", "line 1, column "), ("1e400", "1e400", place + "is infinite"),
                ("text", '"0.5"', place + 'is the text "0.5"'), ("null", "null", place + "is null"),
                ("true", "true", place + "is a boolean"), ("a list", "[1]", place + "is an array"),
                ("an object", "{}", place + "is an object"),
                ("1e31", "1e31", place + "is 1e+31, must be a number within +-1e+30"),
                ("an integer of 80 bits", "604462909807314587353088",
                 place + "is an integer of more"),
                ("one below 0", "-604462909807314587353088", place + "is an integer of more"),
                ("a decimal comma", "0,5", "layers[0].weights[1]: 3 numbers, not 2"),
                ("two dots", "0.5.1", "line 1, column "),
                ("hexadecimal", "0x10", "line 1, column "),
                ("a comma behind the last", "", "line 1, column ")):
            other = row.split(", ")[1]
            new = "[%s, %s" % (bad, other) if bad else "[0.5, %s,]" % other[:-1]
            assert row in good
            self.refused("a weight is " + name, good.replace(row, new), reason)
        self.refused("depth 100", good.replace(row, "[" * 100 + "]" * 100), "nesting too deep")
        self.refused("a key twice, line and column", json.dumps(net, indent=1).replace(
            ' "units"', ' "name": "x",\n "units"'), "line 5, column 3: the key \"name\"")
        big = make_net(random.Random(1), [1000, 260, 250, 500, 1], ["tanh"] * 3 + ["none"],
                       [(-1, 1)],
                       (-3, 3, 0.001), 0.1)
        text = json.dumps(big)
        text += " " * (10 * 1000 * 1000 - len(text))
        self.pack(text, "--sums", "32")
        self.result("10 MB, as many weights as fit", not os.path.exists(self.path("m.lfm")) or
                    len(blob()) < 900000)
        big["layers"][0]["weights"] = [r * 3 for r in big["layers"][0]["weights"]]
        big["inputs"] = [dict(big["inputs"][0], name="in%d" % i) for i in range(3000)]
        self.refused("10 MB, more than fits", json.dumps(big), "inputs: 3000 of them, 1 to 1024")

    def locales(self, good, want):
        """The same bytes wherever the point is a comma."""
        for name in ("de_DE", "fr_FR"):
            made = subprocess.run(["localedef", "-i", name, "-f", "UTF-8",
                                   self.path(name + ".UTF-8")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if made.returncode > 1:
                with self.subTest(name):
                    self.skipTest("localedef has no such locale")
                continue
            env = dict(os.environ, LOCPATH=self.dir.name, LC_ALL=name + ".UTF-8")
            comma = subprocess.run(["locale", "decimal_point"], env=env, stdout=subprocess.PIPE,
                                   text=True, check=False).stdout.strip()
            self.pack(good)
            done = self.lfctl("model", "pack", self.path("m.json"), "-o", self.path("m.lfm"),
                              env=env)
            with open(self.path("m.lfm"), "rb") as f:
                self.result("in %s, where the point is a comma" % name,
                            done.stderr or comma != "," or f.read() != want)

    def test_shapes(self):
        def layer(m, nth=0):
            return m["layers"][nth]
        for key in ("format", "version", "name", "units", "inputs", "outputs", "layers"):
            self.changed("without " + key, 'key "%s" is missing' % key, lambda m, k=key: m.pop(k))
        for key in ("name", "lo", "hi"):
            self.changed("input without " + key, 'inputs[1]: key "%s" is missing' % key,
                         lambda m, k=key: m["inputs"][1].pop(k))
        for key in ("activation", "weights", "bias"):
            self.changed("layer without " + key, 'layers[0]: key "%s" is missing' % key,
                         lambda m, k=key: layer(m).pop(k))
        self.changed("another format", "not \"liteflow-model\"", lambda m: m.update(format="onnx"))
        self.changed("another version", "this program reads 1", lambda m: m.update(version=2))
        self.changed("an unknown key", 'unknown key "wieghts"',
                     lambda m: layer(m).update(wieghts=[]))
        self.changed("a name that is too long", '"name" has 32 bytes',
                     lambda m: m.update(name="x" * 32))
        self.changed("a name with a zero byte", "zero byte", lambda m: m.update(name="a\0b"))
        self.changed("an empty name", "its name is empty", lambda m: m.update(name=""))
        self.changed("a name that is not ASCII", "printable ASCII",
                     lambda m: m.update(name="Netz\u00e4"))
        self.changed("provenance too long", "at most 4096 fit",
                     lambda m: m.update(provenance="x" * 4097))
        self.changed("provenance with an escape", "control characters",
                     lambda m: m.update(provenance="\x1b[31m"))
        self.changed("no inputs", "inputs: 0 of them", lambda m: m.update(inputs=[]))
        self.changed("too many layers", "layers: 17 of them",
                     lambda m: m.update(layers=[layer(m)] * 17))
        self.changed("too many outputs of a layer", "layers[0]: 1025 rows",
                     lambda m: layer(m).update(weights=[[0, 0]] * 1025))
        self.changed("two inputs of one name", "is that of inputs[0]",
                     lambda m: m["inputs"][1].update(name="in0"))
        self.changed("a row that is too short", "layers[0].weights[1]: 1 numbers, not 2",
                     lambda m: layer(m)["weights"][1].pop())
        self.changed("a row that is too long", "layers[1].weights[0]: 4 numbers, not 3",
                     lambda m: layer(m, 1)["weights"][0].append(0))
        self.changed("a bias too few", "layers[0].bias: 2 numbers, not 3",
                     lambda m: layer(m)["bias"].pop())
        self.changed("a weight that is text", "layers[0].weights[0][1] is the text \"1\", must be",
                     lambda m: layer(m)["weights"][0].__setitem__(1, "1"))
        self.changed("a row that is a number", "must be an array",
                     lambda m: layer(m)["weights"].__setitem__(0, 1))
        self.changed("outputs that do not fit", "outputs: 2, but the last layer has 1 rows",
                     lambda m: m["outputs"].append(dict(m["outputs"][0], name="x")))
        self.changed("an unknown activation", 'no activation "gelu"',
                     lambda m: layer(m).update(activation="gelu"))
        self.changed("argmax in the middle", "for the last layer only",
                     lambda m: layer(m).update(activation="argmax"))
        self.changed("argmax in parts", '"unit" must be 1', lambda m: layer(m, 1).update(
            activation="argmax"))

    def test_numbers(self):
        inf, nan = float("inf"), float("nan")

        def weight(m, v, nth=0):
            m["layers"][nth]["weights"][0][0] = v
        self.changed("weight NaN", "must be a finite number", lambda m: weight(m, nan))
        self.changed("weight infinite", "must be a finite number", lambda m: weight(m, -inf))
        self.changed("bias infinite", "must be a finite number",
                     lambda m: m["layers"][0]["bias"].__setitem__(0, inf))
        self.changed("scale NaN", "must be a finite number",
                     lambda m: m["inputs"][0].update(scale=nan))
        self.changed("a huge weight", "layers[0].weights[0][0] is 1e+09, ",
                     lambda m: weight(m, 1e9))
        self.changed("a weight that no double squares", "layers[0].weights[0][0] is 1e+300, ",
                     lambda m: weight(m, 1e300))
        self.changed("a huge weight in the last layer", "outputs[0]: its unit",
                     lambda m: weight(m, 1e29, 1))
        self.changed("a huge bias", "layers[0].bias[0] is 1e+29: ",
                     lambda m: m["layers"][0]["bias"].__setitem__(0, 1e29))
        self.changed("a unit near 0", '"unit" is 1e-300',
                     lambda m: m["inputs"][0].update(unit=1e-300))
        self.changed("a scale near 0", '"scale" is 1e-300',
                     lambda m: m["inputs"][0].update(scale=1e-300))
        chain = make_net(random.Random(1), [2, 3, 3, 1], ["none"] * 3, [(-1, 1)], (-3, 3, 1e-3), 1)
        for layer in chain["layers"][:2]:
            layer["weights"][0] = [1e30] * len(layer["weights"][0])
        self.refused("weights whose sum is huge", chain, "layers[0].weights[0][0] is 1e+30, ")
        self.changed("a weight that is far too small", "too small",
                     lambda m: m["layers"][1].update(weights=[[1e-300, 0, 0]]))
        self.changed("unit 0", '"unit" must be above 0', lambda m: m["inputs"][0].update(unit=0))
        self.changed("unit below 0", '"unit" must be above 0',
                     lambda m: m["outputs"][0].update(unit=-1))
        self.changed("scale 0", '"scale" is 0', lambda m: m["inputs"][0].update(scale=0))
        self.changed("lo above hi", '"lo" must be below "hi"',
                     lambda m: m["inputs"][0].update(lo=2))
        self.changed("lo is hi in an output", '"lo" must be below "hi"',
                     lambda m: m["outputs"][0].update(lo=3))
        self.changed("a unit that is too fine", "does not fit 32 bits",
                     lambda m: m["inputs"][0].update(unit=1e-12))
        self.changed("a model of more than 1 MiB", "at most 1048576 are possible",
                     lambda m: m.update(
            layers=[dict(activation="tanh", weights=[[0, 0]] * 1000, bias=[0] * 1000),
                    dict(activation="tanh", weights=[[0] * 1000] * 600, bias=[0] * 600),
                    dict(activation="none", weights=[[0] * 600], bias=[0])]))

    def test_promises(self):
        """bits and checksum."""
        def sums():
            done = self.lfctl("--json", "model", "check", self.path("m.lfm"))
            return [layer["sum_bits"] for layer in json.loads(done.stdout)["layers"]]

        def crc():
            with open(self.path("m.lfm"), "rb") as f:
                return "0x%08x" % struct.unpack_from("<I", f.read(), 12)

        # the net for which sums of 64 bits are taken if nothing is said
        net = make_net(random.Random(3), [30, 32, 16, 1], ["tanh", "tanh", "none"], [(-10, 10)],
                       (-3, 3, 1e-4), 1.3)
        for bits, args, wide in ((None, [], True), (32, [], False), (64, [], True),
                                 (32, ["--sums", "64"], True), (64, ["--sums", "32"], False),
                                 (32, ["--sums", "auto"], False)):
            if bits:
                net["bits"] = bits
            done = self.pack(net, *args)
            self.result("bits %s %s" % (bits, " ".join(args)), done.stderr if done.returncode else
                        (64 in sums()) != wide)
        self.pack(simple_net())
        good = crc()
        done = self.pack(dict(simple_net(), checksum=good))
        self.result("the right checksum", done.stderr if done.returncode else crc() != good)
        self.changed("a weight that was edited", 'says %s, but the model made of this is 0x' % good,
                     lambda m: (m.update(checksum=good), m["layers"][0]["bias"].reverse()))
        self.changed("provenance that was edited", "says " + good,
                     lambda m: m.update(checksum=good, provenance="else"))
        self.changed("another checksum", "says 0x00000000, but the model made of this is " + good,
                     lambda m: m.update(checksum="0x00000000"))
        self.changed("bits 48", '"bits" is 48', lambda m: m.update(bits=48))
        self.changed("bits 0", '"bits" is 0', lambda m: m.update(bits=0))
        self.changed("bits as text", '"bits" is the text "32", must be a finite number',
                     lambda m: m.update(bits="32"))
        for bad in (int(good, 16), good[2:], good.upper(), good + "0", "0x+1234567", ""):
            self.changed("checksum %r" % bad, '"checksum" must be text',
                         lambda m, b=bad: m.update(checksum=b))

    def test_places(self):
        """A pipe is written to and a link followed: neither is replaced by a file."""
        self.pack(simple_net())
        with open(self.path("m.lfm"), "rb") as f:
            packed = f.read()
        os.mkfifo(self.path("pipe"))
        os.symlink("elsewhere", self.path("link"))
        with open(self.path("elsewhere"), "wb") as f:
            f.write(b"old")
        with subprocess.Popen(["cat", self.path("pipe")], stdout=subprocess.PIPE) as reader:
            done = self.lfctl("model", "pack", self.path("m.json"), "-o", self.path("pipe"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(reader.stdout.read(), packed)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))
        done = self.lfctl("model", "pack", self.path("m.json"), "-o", self.path("link"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.islink(self.path("link")))
        with open(self.path("elsewhere"), "rb") as f:
            self.assertEqual(f.read(), packed)
        os.unlink(self.path("m.lfm"))
        if os.path.exists("/dev/full"):
            self.refusal("a full device", self.lfctl("model", "pack", self.path("m.json"), "-o",
                                                     "/dev/full"), "No space left")
        self.assertFalse([name for name in os.listdir(self.dir.name)
                          if name.startswith(("pipe.", "link.", "elsewhere."))])

    def test_files(self):
        done = self.lfctl("model", "pack", self.path("none.json"))
        self.result("a file that is not there", done.returncode != 1 or "No such file" not in
                    done.stderr)
        self.pack(simple_net())
        with open(self.path("m.lfm"), "rb") as f:
            blob = f.read()
        done = self.lfctl("model", "check", self.path("m.lfm"))
        self.result("check shows a model", done.returncode or "2-3-1" not in done.stdout)
        for name, bad, reason in (
                ("a changed byte", blob[:200] + bytes([blob[200] ^ 1]) + blob[201:], "checksum"),
                ("a cut model", blob[:-8], "cut"),
                ("no model", b"x" * 200, "no model"),
                ("nothing", b"", "empty")):
            with open(self.path("bad.lfm"), "wb") as f:
                f.write(bad)
            done = self.lfctl("model", "check", self.path("bad.lfm"))
            self.result("check refuses " + name, None if done.returncode == 1 and
                        reason in done.stderr and len(done.stderr.splitlines()) == 1 else
                        self.said(done))
        done = self.lfctl("model", "pack", self.path("m.json"), "-o", "/nonexistent/m.lfm")
        self.result("an output that cannot be written", done.returncode != 1)
        with open(self.path("m.lfm"), "rb") as f:
            model = Model(f.read())
        rng = random.Random(5)
        rows = [[rng.randint(-1500, 1500) for _ in range(2)] for _ in range(200)]
        with open(self.path("rows"), "w", encoding="ascii") as f:
            f.write("# rows\n" + "".join("%d, %d\n" % tuple(row) for row in rows))
        done = self.lfctl("model", "run", self.path("m.lfm"), self.path("rows"))
        got = [int(line) for line in done.stdout.split()]
        self.result("run answers as the format says", done.returncode or len(got) != 200 or
                    any(abs(a - model.run(row)[0]) > 1 for a, row in zip(got, rows)))
        with open(self.path("rows"), "w", encoding="ascii") as f:
            f.write("1 2\n1 2 3\n")
        done = self.lfctl("model", "run", self.path("m.lfm"), self.path("rows"))
        self.result("a row that is too long", done.returncode != 1 or "line 2: more than 2" not in
                    done.stderr)
        first = blob
        self.pack(simple_net())
        with open(self.path("m.lfm"), "rb") as f:
            self.result("the same JSON gives the same model", f.read() != first)
        done = self.pack(simple_net(), "--check", "200", "--json")
        shown = json.loads(done.stdout)
        self.result("--check prints errors", shown["uniform"]["rows"] != 200 or
                    not 0 < shown["uniform"]["max"] < 6)
        self.result("--check: the errors are within the bound", not
                    shown["uniform"]["max_percent_of_span"] < shown["bound_percent_of_span"])
        net = make_net(random.Random(3), [30, 32, 16, 1], ["tanh", "tanh", "none"], [(0, 10000)],
                       (-3, 3, 1e-4), 1.3)
        done = self.pack(net, "--force")
        self.result("a warning where the error is large and forced",
                    None if done.returncode == 0 and
                    "warning: outputs are off by up to 7.2 %" in done.stderr else self.said(done))
        self.refused("refused where the error is large", net, "outputs are off by up to 7.2 %")
        done = self.pack(useless_net(), "--force")
        self.result("nothing of the network is left, but forced", None if done.returncode == 0 and
                    "warning: outputs are off by up to 100.0 %" in done.stderr else self.said(done))
        self.refused("nothing of the network is left", useless_net(),
                     "outputs are off by up to 100.0 %")
        net = make_net(random.Random(3), [30, 32, 40], ["relu", "argmax"], [(-10000, 10000)],
                       (0, 39, 1), 1.3)
        for row in net["layers"][1]["weights"]:
            row[:] = [w * 2e-10 for w in row]
        net["layers"][1]["weights"][0][0] = 2e-9
        net["layers"][1]["bias"] = [60] * 40
        done = self.pack(net, "--sums", "32")
        self.result("argmax: a warning where answers differ", None if done.returncode == 0 and
                    "% of the answers differ from the network's" in done.stderr else
                    self.said(done))
        done = self.pack(make_net(random.Random(3), [30, 32, 16, 1], ["tanh", "tanh", "none"],
                                  [(0, 700)], (-3, 3, 1e-4), 1.3))
        self.result("only a warning", None if done.returncode == 0 and "warning: outputs are off" in
                    done.stderr else self.said(done))
        for args in (["model", "pack"], ["model"], ["nothing"],
                     ["model", "pack", "--check", "x", "y"],
                     ["app", "add", "x"], ["collect", "x", "--every", "3"], ["eval", "x", "9"],
                     ["model", "install", "x", "0"], ["--what"]):
            done = self.lfctl(*args)
            self.result("usage error: lfctl " + " ".join(args), None if done.returncode == 2 and
                        done.stderr else self.said(done))


if __name__ == "__main__":
    unittest.main()
