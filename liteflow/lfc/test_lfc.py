#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The command lfc: where names and ranges come from, what is refused and how, what is written."""
import contextlib
import io
import json
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import unittest
import unittest.mock

import numpy as np

import cases
import liteflow
from liteflow.pylib import errors, lfctl, programs

HERE = pathlib.Path(__file__).resolve().parent
lfc = programs.load(HERE / "lfc")
HEAD = "batch,kind,flow,seq,version,time_ns,cpu,reward"


def onnx_net(nodes, constants=(), shape=(1, 2), outputs=("out",), opset=13, extra=(), **more):
    """Bytes of a network. nodes: (op, inputs, outputs, attributes); constants: name -> array."""
    from onnx import TensorProto, helper, numpy_helper
    made = []
    for op, inputs, outs, attributes in nodes:
        domain = attributes.pop("domain", "")
        made.append(helper.make_node(op, inputs, outs, name=f"my{op}", domain=domain, **attributes))
    arrays = [numpy_helper.from_array(np.asarray(array), name)
              for name, array in dict(constants).items()]
    graph = helper.make_graph(
        made, "g", [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape), *extra],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                              producer_name="maker", producer_version="2")
    if "metadata" in more:
        helper.set_model_props(model, {"liteflow-model": more["metadata"]})
    return model.SerializeToString()


W = np.array([[0.5, -0.25], [1.0, 0.125], [-1.0, 0.75]], dtype=np.float32)
B = np.array([0.1, -0.2, 0.3], dtype=np.float32)


def simple(activation="Tanh", **more):
    """2 inputs, 3 units, 3 outputs"""
    return onnx_net([("Gemm", ["in", "w", "b"], ["h"], {"transB": 1}),
                     (activation, ["h"], ["out"], {})], {"w": W, "b": B}, **more)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "net.lfm"

    def put(self, name, data):
        path = self.folder / name
        if isinstance(data, dict):
            data = json.dumps(data)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    def lfc(self, *words, env=None):
        """As a process, but quicker."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                unittest.mock.patch.dict(os.environ, env or {}), \
                unittest.mock.patch("sys.argv", ["lfc", *map(str, words)]):
            try:
                errors.run(lfc.main)
            except SystemExit as end:
                return subprocess.CompletedProcess(words, end.code, out.getvalue(), err.getvalue())
        raise AssertionError("it did not exit")

    def refused(self, done, pattern, status=1):
        """One line, that status, and an output file that stays as it was."""
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        if status == 1:
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr, pattern)

    def made(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return done


@cases.needs("onnx")
class Command(Case):
    def setUp(self):
        super().setUp()
        self.net = self.put("net.onnx", simple())
        self.like = self.put("like.json", cases.like(2, 3))

    def test_packs(self):
        done = self.made(self.lfc(self.net, "--like", self.like, "-o", self.out))
        self.assertEqual(done.stdout, f"{self.out}: 2-3 tanh; 6 multiply-adds\n")
        self.assertEqual(done.stderr, "")
        shown = json.loads(lfctl.run("--json", "model", "check", str(self.out)).stdout)
        self.assertEqual(shown["name"], "test")
        self.assertEqual(stat.S_IMODE(self.out.stat().st_mode), 0o644)
        # what lfctl makes of the JSON is the same to the byte
        self.made(self.lfc(self.net, "--like", self.like, "-o", self.folder / "net.json"))
        lfctl.run("model", "pack", str(self.folder / "net.json"), "-o", str(self.folder / "b.lfm"))
        self.assertEqual((self.folder / "b.lfm").read_bytes(), self.out.read_bytes())
        # and once more, the same
        before = self.out.read_bytes()
        self.made(self.lfc(self.net, "--like", self.like, "-o", self.out))
        self.assertEqual(before, self.out.read_bytes())

    def test_process(self):
        done = subprocess.run([HERE / "lfc", self.net, "-l", self.like, "-o", self.out],
                              check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.stdout, f"{self.out}: 2-3 tanh; 6 multiply-adds\n", done.stderr)
        done = subprocess.run([HERE / "lfc", self.out, "-o", "x.lfm"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.refused(done, "a packed model, not a network")

    def test_manual(self):
        """Help and manual page name the same options."""
        done = subprocess.run([HERE / "lfc", "--help"], check=True, text=True,
                              stdout=subprocess.PIPE)
        told = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", done.stdout.split("options:")[1]))
        page = (HERE / "lfc.1").read_text().replace("\\-", "-")
        named = set(re.findall(r"\\fB(--?[a-zA-Z][\w-]*)\\fR", page))
        self.assertEqual(told - named, {"-h"})
        self.assertEqual(named - told, set())

    def test_json(self):
        done = self.made(self.lfc(self.net, "-l", self.like, "-o", "-", "--name", "other"))
        model = json.loads(done.stdout)
        self.assertEqual(model["name"], "other")
        self.assertEqual(model["provenance"], "net.onnx: ONNX, maker 2; by lfc")
        rows = np.array([[0.5, -0.5], [1, 1], [-0.25, 0]])
        np.testing.assert_allclose(cases.run_json(model, rows), np.tanh(rows @ W.T + B),
                                   rtol=1e-6)

    def test_pack_options(self):
        done = self.made(self.lfc(self.net, "-l", self.like, "-o", self.out, "--", "--check", "50"))
        self.assertIn("50 rows", done.stderr)
        self.refused(self.lfc(self.net, "-l", self.like, "-o", self.out, "--", "--no-such"),
                     "no-such")

    def test_old_output_stays(self):
        self.out.write_text("old")
        bad = self.put("bad.onnx", simple("Erf"))
        self.refused(self.lfc(bad, "-l", self.like, "-o", self.out), "Erf")
        self.assertEqual(self.out.read_text(), "old")
        steep = cases.like(2, 3)
        for io in steep["inputs"]:
            io.update(lo=-1e9, hi=1e9, unit=1)
        far = self.put("far.json", steep)
        self.refused(self.lfc(self.net, "-l", far, "-o", self.out), "net.onnx: .*")
        self.assertEqual(self.out.read_text(), "old")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["bad.onnx", "far.json", "like.json", "net.lfm", "net.onnx"])

    def test_files(self):
        for words, pattern in (
                ((self.folder / "none.onnx",), "none.onnx: No such file"),
                ((self.folder,), "a folder"),
                ((self.put("empty", b""),), "empty file"),
                ((self.put("net.pt", b"PK\x03\x04zzzz"),), r"liteflow\.export"),
                ((self.put("text", "hello, I am no network"),), "not an ONNX file"),
                ((self.put("cut.onnx", simple()[:100]),), "not an ONNX file|damaged|no "),
                ((self.put("cut.tflite", b"\x1c\0\0\0TFL3" + bytes(8)),), "not a TFLite file"),
                ((self.put("old.onnx", simple(opset=4)),), "opset 4"),
                ((self.net, "-l", self.folder / "none.json"), "none.json: No such file"),
                ((self.net, "-l", self.net), "not JSON of a model"),
                ((self.net, "-l", self.put("a.json", "[1]")), "JSON object"),
                ((self.net, "-l", self.put("b.json", '{"inputs": 1}')), "inputs: a list"),
                ((self.net, "-l", self.put("c.json", '{"name": "a", "name": "b"}')), "twice"),
                ((self.net, "-l", self.put("d.json", {"inputs": [{"nam": "x"}]})), 'key "nam"'),
                ((self.net, "-l", self.put("g.json", {"input": []})), 'unknown key "input"'),
                ((self.net, "-l", self.put("h.json", {"version": 2})), '"version" is not 1'),
                ((self.net, "-l", self.put("e.json", cases.like(3, 3))), "2 inputs, 3 are named"),
                ((self.net, "-l", self.put("f.json", cases.like(2, 2))),
                 "f.json has 2 outputs, the network 3"),
                ((self.net, "-l", self.like, "-o", self.folder / "no" / "x.lfm"), "x.lfm: No such"),
                ((self.net, "-l", self.like, "-o", self.folder), "Is a directory|directory"),
                ((self.net, "-l", self.like, "--output", "ou"), 'did you mean "out"'),
                ((self.net, "-l", self.like, "-d", self.folder / "none.csv"), "none.csv: No such")):
            with self.subTest(pattern):
                if "-o" not in words:
                    words += ("-o", self.out)
                self.refused(self.lfc(*words), pattern)
                self.assertFalse(self.out.exists())

    def test_devices(self):
        """What is no file is written into, not replaced."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
        self.made(self.lfc(self.net, "-l", self.like, "-o", pipe))
        self.assertTrue(reader.communicate()[0].startswith(b"LFNN"))
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

    def test_odd_names(self):
        net = self.put("odd.onnx", simple().replace(b"myTanh", "nüu".encode() + b"\x07h"))
        done = subprocess.run([HERE / "lfc", net, "--list"], stdout=subprocess.PIPE, check=False,
                              env={**os.environ, "PYTHONIOENCODING": "ascii"})
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"n\\xfcu?h", done.stdout)

    def test_usage(self):
        for words, pattern in (((self.net,), "-o OUT is missing"), ((), "NET"),
                               ((self.net, "-o", "x", "--percentile", "50"), "from 0 to below 50"),
                               ((self.net, "-o", "x", "--unit", "0"), "above 0"),
                               ((self.net, "-o", "x", "--percentile", "1"), "give --data"),
                               ((self.net, "-o", "x.json", "--", "--force"), "packed model")):
            with self.subTest(pattern):
                self.refused(self.lfc(*words), pattern, 2)

    def test_no_lfctl(self):
        done = self.lfc(self.net, "-l", self.like, "-o", self.out, env={"LFCTL": "/nonexistent"})
        self.refused(done, 'make lfctl')
        self.made(self.lfc(self.net, "-l", self.like, "-o", self.folder / "n.json",
                           env={"LFCTL": "/nonexistent"}))

    def test_list_and_output(self):
        done = self.made(self.lfc(self.net, "--list"))
        self.assertRegex(done.stdout, r"^h +Gemm +myGemm\nout +Tanh +myTanh\n$")
        out = self.folder / "h.json"
        self.made(self.lfc(self.net, "-l", self.like, "--output", "h", "-o", out))
        model = json.loads(out.read_text())
        self.assertEqual(model["layers"][0]["activation"], "none")

    def test_two_outputs(self):
        net = self.put("two.onnx", onnx_net(
            [("Gemm", ["in", "w"], ["h"], {"transB": 1}), ("Softmax", ["h"], ["p"], {}),
             ("ArgMax", ["h"], ["label"], {"axis": 1})], {"w": W}, outputs=("label", "p")))
        self.refused(self.lfc(net, "-l", self.like, "-o", self.out),
                     'outputs, "label" [(]ArgMax[)], "p" [(]Softmax[)]: choose')
        like = self.put("one.json", cases.like(2, 1))
        self.made(self.lfc(net, "-l", like, "-O", "label", "-o", self.out))
        self.refused(self.lfc(net, "-l", self.like, "-O", "p", "-o", self.out),
                     r'"mySoftmax" \(Softmax\).*--output h')

    def test_external_data(self):
        import onnx
        model = onnx.load_model_from_string(simple())
        onnx.save_model(model, str(self.folder / "ext.onnx"), save_as_external_data=True,
                        location="ext.bin", size_threshold=0)
        words = (self.folder / "ext.onnx", "-l", self.like, "-o", self.out)
        self.made(self.lfc(*words))
        (self.folder / "ext.bin").write_bytes(b"1234")
        self.refused(self.lfc(*words), "too short")
        (self.folder / "ext.bin").unlink()
        self.refused(self.lfc(*words), "ext.bin.*copy it")
        for where in ("../ext.bin", "/etc/passwd", "a/../../x"):
            model = onnx.load(str(self.folder / "ext.onnx"), load_external_data=False)
            for tensor in model.graph.initializer:
                tensor.external_data[0].value = where
            (self.folder / "evil.onnx").write_bytes(model.SerializeToString())
            self.refused(self.lfc(self.folder / "evil.onnx", "-l", self.like, "-o", self.out),
                         "no file beside")


@cases.needs("onnx")
class Names(Case):
    """Where names, units and ranges come from."""

    def model(self, data=None, **options):
        return liteflow.convert(data or simple(), "net.onnx", **options).model

    def wants(self, pattern, data=None, **options):
        with self.assertRaisesRegex(liteflow.Problem, pattern):
            self.model(data, **options)

    def test_missing(self):
        self.wants('^missing: the unit of the inputs "in0", "in1"; the range .* of the inputs '
                   '"in0", "in1"; the unit of the outputs "out0", "out1", "out2": give --like '
                   'MODEL.json, or --unit UNIT and --data ROWS$')
        like = cases.like(2, 3)
        del like["inputs"][1]["lo"], like["inputs"][1]["hi"]
        self.wants('^missing: the range [(]lo, hi[)] of the input "x1": give', like=like)
        like["inputs"][1]["lo"] = 1
        self.wants('the input "x1"', like=like)

    def test_natural_ranges(self):
        like = cases.like(2, 3)
        for io in like["outputs"]:
            del io["lo"], io["hi"]
        self.assertEqual([(io["lo"], io["hi"]) for io in self.model(like=like)["outputs"]],
                         [(-1, 1)] * 3)
        self.wants('range .* of the outputs "y0", "y1", "y2"', simple("Relu"), like=like)
        # one that is always 0 has some range all the same
        dead = onnx_net([("Gemm", ["in", "w", "b"], ["h"], {"transB": 1}),
                         ("Tanh", ["h"], ["t"], {}),
                         ("Gemm", ["t", "v", "c"], ["g"], {}), ("Relu", ["g"], ["out"], {})],
                        {"w": W, "b": B, "v": np.eye(3, dtype=np.float32),
                         "c": np.float32([0, -5, 1])})
        model = self.model(dead, like=like)
        self.assertEqual([(io["lo"], io["hi"]) for io in model["outputs"]],
                         [(0, 1), (-0.1, 0.1), (0, 2)])
        self.assertLess(cases.packed_error(model), 0.1)
        behind = onnx_net([("MatMul", ["in", "w"], ["h"], {}), ("Tanh", ["h"], ["t"], {}),
                           ("Gemm", ["t", "v", "c"], ["out"], {})],
                          {"w": W.T, "v": W, "c": np.array([1, 2], dtype=np.float32)})
        like["outputs"] = like["outputs"][:2]
        got = [(io["lo"], io["hi"]) for io in self.model(behind, like=like)["outputs"]]
        np.testing.assert_allclose(got, [(1 - 2.5, 1 + 2.5), (2 - 1.125, 2 + 1.125)])

    def test_metadata(self):
        meta = json.dumps(cases.like(2, 3, -3, 3))
        self.assertEqual(self.model(simple(metadata=meta))["inputs"][0]["hi"], 3)
        # --like comes first
        model = self.model(simple(metadata=meta), like=cases.like(2, 3))
        self.assertEqual(model["inputs"][0]["hi"], 1)
        self.wants("metadata: not the JSON", simple(metadata="{"))

    def test_app(self):
        said = {"app-id": 3, "app-name": "mine", "n-in": 2, "n-out": 3, "units": "tag-1",
                "features": ["speed", "load"]}
        fake = self.put("lfctl", '#!/bin/sh\ncase "$*" in\n'
                        f"*mine*) echo '{json.dumps(said)}' ;;\n"
                        '*) echo "lfctl: app other: No such file or directory" >&2; exit 1 ;;\n'
                        "esac\n")
        os.chmod(fake, 0o755)
        before, os.environ["LFCTL"] = os.environ["LFCTL"], fake
        self.addCleanup(os.environ.__setitem__, "LFCTL", before)
        rows = self.put("rows.txt", "100 -200\n-100 200\n")
        model = self.model(app="mine", rows=rows, unit=0.001)
        self.assertEqual(model["units"], "tag-1")
        self.assertEqual(model["inputs"], [
            {"name": "speed", "unit": 0.001, "lo": -0.1, "hi": 0.1},
            {"name": "load", "unit": 0.001, "lo": -0.2, "hi": 0.2}])
        self.wants('the unit of the inputs "speed", "load"', app="mine")
        self.wants("^--app other: app other: No such file", app="other")
        like = cases.like(2, 3)
        self.wants('like says units "u", --app mine "tag-1"', app="mine", like=like)
        like["units"] = "tag-1"
        self.wants('like says input 0 "x0", --app mine "speed"', app="mine", like=like)
        for io, name in zip(like["inputs"], said["features"]):
            io["name"] = name
        self.assertEqual(self.model(app="mine", like=like)["inputs"][1]["name"], "load")

    def test_rows(self):
        like = cases.like(2, 3, -3, 3, unit=0.01)
        csv = f"{HEAD},x1,x0,y0,y1,y2\n" + "".join(
            f"1,query,5,{i},1,123,0,,{i},{-2 * i},0,0,0\n1,reward,5,{i},1,124,0,7,,,,,\n"
            for i in range(101))
        lines = "".join(json.dumps({"batch": 1, "kind": "query", "inputs": {"x0": -2 * i, "x1": i},
                                    "outputs": {}}) + "\n" for i in range(101))
        plain = "# two inputs\n" + "".join(f"{-2 * i}, {i}  # {i}\n" for i in range(101)) + "\n"
        for name, text in (("csv", csv), ("json", lines), ("plain", plain),
                           ("csv of Windows", "\ufeff" + csv.replace("\n", "\r\n")),
                           ("csv of pandas", ",x1,x0\n" + "".join(
                               f"{i},{i},{-2 * i}\n" for i in range(101))),
                           ("csv without names", "# none\n\nin1,in0\n" + "".join(
                               f"{i},{-2 * i}\n" for i in range(101))),
                           ("arrays", "".join(f"[{-2 * i}, {i}]\n" for i in range(101)))):
            with self.subTest(name):
                path = self.put("rows", text)
                got = [(io["lo"], io["hi"]) for io in self.model(like=like, rows=path)["inputs"]]
                self.assertEqual(got, [(-2, 0), (0, 1)])
                got = [(io["lo"], io["hi"]) for io in
                       self.model(like=like, rows=path, percentile=10)["inputs"]]
                self.assertEqual(got, [(-1.8, -0.2), (0.1, 0.9)])
        # a CSV names its columns, if nobody else does
        model = self.model(rows=self.put("rows", csv), unit=0.01)
        self.assertEqual([io["name"] for io in model["inputs"]], ["x1", "x0"])
        # outputs of a network without bounds: what it answers to the rows, and a quarter, but
        # at least a twentieth of the greatest answer
        del like["outputs"]
        model = self.model(simple("Relu"), like=like, rows=self.put("rows", plain), unit=0.001)
        answers = np.maximum(np.array([[-0.02 * i, 0.01 * i] for i in range(101)]) @ W.T + B, 0)
        margin = np.maximum(np.ptp(answers, axis=0) / 4, answers.max() / 20)
        np.testing.assert_allclose([io["hi"] for io in model["outputs"]],
                                   answers.max(0) + margin, rtol=1e-6)

    def test_bad_rows(self):
        like = cases.like(2, 3)
        for text, pattern in (
                ("", "no rows"), ("# nothing\n", "no rows"),
                ("1 2\n3\n", "line 2: 1 inputs, not 2"),
                ("1 2 3\n", "3 inputs, the network has 2"), ("1 2.5\n", '"2.5" is no integer'),
                ("1 x\n", '"x" is no integer'), ("1 99999999999\n", "32 bits"),
                (b"\xff\xfe1 2\n", "UTF-8"), (f"{HEAD},a,b\n", 'no column "x0", "x1"'),
                (f"{HEAD}\n", 'no column "x0"'), ("batch,kind\n1,2\n", 'no column "x0"'),
                (f"{HEAD},x0,x1\n1,query,1,1,1,1,1,,5\n", "line 2: 9 columns, the header has 10"),
                (f"{HEAD},x0,x1\n1,query,1,1,1,1,1,,5,\n", "no integer"),
                ('{"kind": "query"}\n', 'no "inputs"'),
                ('{"inputs": {"x0": 1}}\n', 'no input "x1"'),
                ('{"inputs": {"x0": 1, "x1": 2.5}}\n', "no integer"),
                ('{"inputs": {"x0": 1, "x1": 2}}\n{"inp', "line 2: no JSON"),
                ("[" * 5000, "no JSON"), ("7\n", "1 inputs|rows of 1"),
                ("x,\n", 'no column "x0"'), ("3,4\n{", "integer"),
                ('{"a":' * 100000, "no JSON")):
            with self.subTest(pattern):
                path = self.put("rows", text)
                with self.assertRaisesRegex(liteflow.Problem, pattern) as seen:
                    self.model(like=like, rows=path)
                self.assertNotIn("\n", str(seen.exception))
                self.assertIn(path, str(seen.exception))

    def test_offset_and_scale(self):
        """Those of --like change nothing, unless the network was trained on them."""
        like = cases.like(2, 3)
        rows = np.array([[0.5, -0.5], [1, 1], [-0.25, 0]])
        plain = cases.run_json(self.model(like=like), rows)
        like["inputs"][0].update(offset=0.5, scale=4)
        made = liteflow.convert(simple(), like=like)
        np.testing.assert_allclose(cases.run_json(made.model, rows), plain, rtol=1e-6)
        self.assertEqual(made.model["inputs"][0]["scale"], 4)
        self.assertIn("--normalised", made.notes[0])
        model = self.model(like=like, normalised=True)
        want = cases.run_json(self.model(like=cases.like(2, 3, -9, 9)),
                              (rows - [0.5, 0]) * [4, 1])
        np.testing.assert_allclose(cases.run_json(model, rows), want, rtol=1e-6)
        self.wants("--normalised: nothing", like=cases.like(2, 3), normalised=True)
        # with a normalisation of the file's own beside: both
        own = onnx_net([("Sub", ["in", "m"], ["c"], {}), ("Mul", ["c", "s"], ["d"], {}),
                        ("Gemm", ["d", "w", "b"], ["h"], {"transB": 1}),
                        ("Tanh", ["h"], ["out"], {})],
                       {"w": W, "b": B, "m": np.float32([0.25, 0.5]), "s": np.float32([2, 3])})
        model = self.model(own, like=like, normalised=True)
        self.assertEqual(model["inputs"][0]["scale"], 8)
        x = ((rows - [0.5, 0]) * [4, 1] - [0.25, 0.5]) * [2, 3]
        np.testing.assert_allclose(cases.run_json(model, rows), np.tanh(x @ W.T + B), rtol=1e-6)

    def test_constants_before_and_clips(self):
        net = onnx_net([("Clip", ["in", "lo", "hi"], ["k"], {}), ("Sub", ["k", "m"], ["c"], {}),
                        ("Div", ["c", "s"], ["d"], {}), ("Gemm", ["d", "w", "b"], ["h"],
                                                          {"transB": 1}),
                        ("Mul", ["h", "minus"], ["g"], {}), ("Clip", ["g", "", "hi"], ["out"], {})],
                       {"w": W, "b": B, "m": np.float32([0.25, 0.5]), "s": np.float32([2, -4]),
                        "lo": np.float32(-0.5), "hi": np.float32(0.75), "minus": np.float32(-2)})
        model = self.model(net, like=cases.like(2, 3))
        self.assertEqual(model["inputs"], [
            {"name": "x0", "unit": 1e-4, "lo": -0.5, "hi": 0.75, "offset": 0.25, "scale": 0.5},
            {"name": "x1", "unit": 1e-4, "lo": -0.5, "hi": 0.75, "offset": 0.5, "scale": -0.25}])
        self.assertEqual({(io["lo"], io["hi"]) for io in model["outputs"]}, {(-1e4, 0.75)})
        self.assertEqual(len(model["layers"]), 1)
        self.wants("outside of the range", net, like=cases.like(2, 3, 2, 3))

    def test_constants_behind(self):
        """Behind an activation they cost no layer."""
        net = onnx_net([("Gemm", ["in", "w", "b"], ["h"], {"transB": 1}),
                        ("Tanh", ["h"], ["t"], {}), ("Mul", ["t", "s"], ["m"], {}),
                        ("Add", ["m", "o"], ["out"], {})],
                       {"w": W, "b": B, "s": np.float32([2, -4, 0.5]), "o": np.float32([0, 1, 2])})
        like = cases.like(2, 3)
        for io in like["outputs"]:
            del io["lo"], io["hi"]
        model = self.model(net, like=like)
        self.assertEqual(model["outputs"], [
            {"name": "y0", "unit": 1e-4, "lo": -2, "hi": 2, "scale": 0.5},
            {"name": "y1", "unit": 1e-4, "lo": -3, "hi": 5, "offset": 1, "scale": -0.25},
            {"name": "y2", "unit": 1e-4, "lo": 1.5, "hi": 2.5, "offset": 2, "scale": 2}])
        self.assertEqual(len(model["layers"]), 1)
        self.assertLess(cases.packed_error(model), 0.1)
        # answers in the terms of --like, and constants beside
        like["outputs"][0].update(offset=10, scale=4)
        scaled = self.model(net, like=like, normalised=True)["outputs"]
        self.assertEqual(scaled[0], {"name": "y0", "unit": 1e-4, "lo": 9.5, "hi": 10.5,
                                     "offset": 10, "scale": 2})
        self.assertEqual(scaled[1:], model["outputs"][1:])

    def test_data_for_hidden_layers(self):
        rng = np.random.default_rng(1)
        widths = [5, 40, 40, 40, 2]
        nodes, constants = [], {}
        for at, (a, b) in enumerate(zip(widths, widths[1:])):
            constants[f"w{at}"] = (rng.normal(0, np.sqrt(2 / a), (a, b))).astype(np.float32)
            nodes.append(("MatMul", [f"r{at}" if at else "in", f"w{at}"],
                          [f"t{at + 1}" if at < 3 else "out"], {}))
            if at < 3:
                nodes.append(("Relu", [f"t{at + 1}"], [f"r{at + 1}"], {}))
        net = self.put("deep.onnx", onnx_net(nodes, constants, (1, 5)))
        for count, pattern in ((99, "99 rows are too few"), (400, "held out|saturate")):
            rows = self.put("rows", "\n".join(" ".join(map(str, row)) for row in
                                              rng.integers(-1000, 1000, (count, 5))))
            done = self.made(self.lfc(net, "-d", rows, "-u", "0.001", "-o", self.out, "--",
                                      "--force"))
            self.assertRegex(done.stderr, pattern)

    def test_fusing(self):
        def sizes(*widths):
            nodes, constants = [], {}
            for at, (a, b) in enumerate(zip(widths, widths[1:])):
                constants[f"w{at}"] = np.ones((a, b), dtype=np.float32)
                nodes.append(("MatMul", ["in" if not at else f"t{at}", f"w{at}"],
                              [f"t{at + 1}" if at + 2 < len(widths) else "out"], {}))
            model = self.model(onnx_net(nodes, constants, (1, widths[0])),
                               like=cases.like(widths[0], widths[-1]))
            return [len(layer["bias"]) for layer in model["layers"]]
        self.assertEqual(sizes(4, 8, 3), [3])           # 12 instead of 56
        self.assertEqual(sizes(10, 2, 10), [2, 10])     # 40 instead of 100
        self.assertEqual(sizes(10, 2, 10, 10), [2, 10])
        self.assertEqual(sizes(10, 2, 3, 2, 10), [2, 10])


@cases.needs("onnx")
class Refusals(Case):
    """Each names node, operator, why, and what to do."""

    def test_refusals(self):
        f = np.float32
        gemm = ("Gemm", ["in", "w"], ["h"], {"transB": 1})
        for nodes, pattern, more in (
                ([gemm, ("Erf", ["h"], ["out"], {})],
                 "the engine has none; train with Relu or Tanh", {}),
                ([gemm, ("LeakyRelu", ["h"], ["out"], {})], "train with Relu or Tanh", {}),
                ([gemm, ("Softmax", ["h"], ["out"], {"axis": 1})], "--output h", {}),
                ([gemm, ("Add", ["in", "h"], ["out"], {})], "two of its inputs .* branches", {}),
                ([gemm, ("Mul", ["h", "h"], ["out"], {})], "branches", {}),
                ([gemm, ("Concat", ["h", "h"], ["out"], {"axis": 1})], "branches", {}),
                ([("Conv", ["in", "w"], ["out"], {})], "the engine has no convolutions", {}),
                ([("LSTM", ["in", "w", "w"], ["out"], {"hidden_size": 1})],
                 "has 2 axes, not those of sequence", {}),
                ([("Scan", ["in", "w"], ["out"], {"num_scan_inputs": 1})], "no loops of its own",
                 {}),
                ([("QuantizeLinear", ["in", "one"], ["out"], {})], "quantised ONNX", {}),
                ([("LayerNormalization", ["in", "one"], ["out"], {})], "BatchNormalization", {}),
                ([("ZipMap", ["in"], ["out"], {"domain": "ai.onnx.ml"})], "--output", {}),
                ([("Magic", ["in"], ["out"], {"domain": "com.example"})], "not ONNX's own", {}),
                ([("Magic", ["in"], ["out"], {})], "not known here", {}),
                ([gemm, ("Clip", ["h", "zero", "one"], ["c"], {}), ("Tanh", ["c"], ["out"], {})],
                 "between layers", {}),
                ([("Div", ["one", "in"], ["out"], {})], "divides by what depends", {}),
                ([("Div", ["in", "zero"], ["out"], {})], "divides by 0", {}),
                ([("Pow", ["in", "two"], ["out"], {})], "the engine has none", {}),
                ([("Cast", ["in"], ["out"], {"to": 6})], "rounds values", {}),
                ([gemm, ("ArgMax", ["h"], ["a"], {"axis": 1}), ("Mul", ["a", "two"], ["out"], {})],
                 "ArgMax can only be the last", {}),
                ([gemm, ("ArgMax", ["h"], ["out"], {"axis": 0})], "does not go over all", {}),
                ([gemm, ("ArgMax", ["h"], ["out"], {"axis": 1, "select_last_index": 1})],
                 "select_last_index", {}),
                ([gemm, ("Dropout", ["h", "one", "true"], ["out"], {})], "evaluation mode", {}),
                ([gemm, ("BatchNormalization", ["h", *"wwww"], ["out"], {"training_mode": 1})],
                 "evaluation mode", {}),
                ([gemm, ("Reshape", ["h", "shape"], ["out"], {})], "do not fit the shape", {}),
                ([("Gemm", ["in", "none"], ["out"], {})], '"none" is nowhere', {}),
                ([("Gemm", ["in", "b"], ["out"], {})], "two matrices", {}),
                ([("MatMul", ["in", "w"], ["out"], {})], "2 values meet weights for 3", {}),
                ([("Tanh", ["out"], ["h"], {}), ("Tanh", ["h"], ["out"], {})], "depends on itself",
                 {}),
                ([("Add", ["in", "rows"], ["out"], {})], "row to row", {})):
            with self.subTest(pattern):
                net = onnx_net(nodes, {"w": W, "b": B, "one": f(1), "zero": f(0), "two": f(2),
                                       "true": np.array(True), "shape": np.int64([7]),
                                       "rows": np.zeros((5, 2), dtype=f)}, **more)
                with self.assertRaises(liteflow.Problem) as seen:
                    liteflow.convert(net, "net.onnx", like=cases.like(2, 3))
                text = str(seen.exception)
                self.assertRegex(text, pattern)
                self.assertNotIn("\n", text)
                ops = {op for op, *_ in nodes}
                self.assertRegex(text, rf'^node "my({"|".join(ops)})" '
                                 rf'\((com\.example\.|ai\.onnx\.ml\.)?({"|".join(ops)})\): ')

    def test_others(self):
        from onnx import TensorProto, helper
        other = helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 2])
        net = onnx_net([("Gemm", ["in", "w"], ["h"], {"transB": 1}),
                        ("Gemm", ["state", "w"], ["g"], {"transB": 1}),
                        ("Add", ["h", "g"], ["out"], {})], {"w": W}, extra=[other])
        huge = W * np.float32(1e35)
        bad = W.copy()
        bad[1, 1] = np.nan
        deep = [("Tanh", ["in" if not at else f"t{at}"], [f"t{at + 1}" if at < 16 else "out"], {})
                for at in range(17)]
        for data, pattern in (
                (net, 'the inputs "in", "state", only one'),
                (simple("Erf").replace(b"myErf", b"my\nrf"), 'node "my.rf"'),
                (onnx_net([("Gemm", ["in", "w"], ["out"], {"transB": 1})], {"w": bad}),
                 "layer 1 has weights that are no finite"),
                (onnx_net([("Gemm", ["in", "w"], ["out"], {"transB": 1})], {"w": huge}),
                 "layer 1 has weights beyond 1e[+]30"),
                (onnx_net([("MatMul", ["in", "w"], ["h"], {}), ("Relu", ["h"], ["out"], {})],
                          {"w": np.ones((1000, 1000), np.float32)}, (1, 1000)),
                 "1000000 weights, a model has room for 524288"),
                (onnx_net(deep, shape=(1, 2)), "more than 16 layers"),
                (onnx_net([("Identity", ["w"], ["out"], {})], {"w": W}), "does not depend"),
                (onnx_net([("MatMul", ["in", "w"], ["out"], {})],
                          {"w": np.ones((2, 1025), dtype=np.float32)}), "1025 values, 1 to 1024"),
                (onnx_net([("Tanh", ["in"], ["out"], {})], shape=(1, 2000)), "2000 values, 1 to"),
                (onnx_net([("ConstantOfShape", ["s"], ["c"], {}),
                           ("Add", ["in", "c"], ["out"], {})],
                          {"s": np.int64([1 << 20, 1 << 20])}), "far larger"),
                (onnx_net([("Mul", ["in", "a"], ["x"], {}), ("Add", ["a", "b"], ["y"], {}),
                           ("Add", ["x", "y"], ["out"], {})],
                          {"a": np.ones((1 << 15, 1), np.float32), "b": np.ones((1, 1 << 15),
                                                                                np.float32)}),
                 "far larger|row to row")):
            with self.subTest(pattern):
                with self.assertRaises(liteflow.Problem) as seen:
                    liteflow.convert(data, "net.onnx")
                self.assertRegex(str(seen.exception), pattern)
                self.assertNotIn("\n", str(seen.exception))


@cases.needs("onnx", "torch")
class Export(Case):
    def test_export(self):
        import torch
        torch.manual_seed(1)
        module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Dropout(0.5),
                                     torch.nn.Linear(4, 3))
        made = liteflow.export(module, self.out, like=cases.like(2, 3, out=(-4, 4)))
        self.assertTrue(self.out.exists())
        self.assertTrue(module.training)
        self.assertEqual(made.summary(), "2-4-3 tanh, none; 20 multiply-adds")
        rows = self.put("rows.txt", "1000 0\n-1000 2000\n")
        made = liteflow.export(module, self.folder / "n.json", data=rows, unit=0.001)
        self.assertEqual(made.model["name"], "n")
        self.assertEqual(made.model["inputs"][1]["hi"], 2)
        for wrong, pattern in ((lambda: liteflow.export(module, self.out), "how many inputs"),
                               (lambda: liteflow.export(3, self.out), "torch.nn.Module"),
                               (lambda: liteflow.export(module, self.out, like=cases.like(5, 3)),
                                "PyTorch cannot export"),
                               (lambda: liteflow.export(torch.nn.GELU(), self.out,
                                                        like=cases.like(2, 2)), "Erf")):
            with self.subTest(pattern), self.assertRaisesRegex(liteflow.Problem, pattern):
                wrong()


if __name__ == "__main__":
    unittest.main()
