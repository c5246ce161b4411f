#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Damaged input of every form: networks of ONNX and TFLite, JSON, rows. Each is imported, or
refused with one line; none takes long or much memory. COUNT of them (2000), SEED draws others.
"""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

import cases
import liteflow
from liteflow.pylib import lfctl

COUNT = int(os.environ.get("COUNT", "2000"))
MOST_MEMORY = 512               # MiB
LONGEST = 20                    # seconds for one, on a busy machine
PACK_EVERY = 50                 # of those that are imported, one in so many is packed
NUMBERS = [0, 1, 2, 3, 7, 127, 128, 255, 256, 1024, 1025, 65535, 1 << 31, (1 << 31) - 1,
           (1 << 32) - 1, 1 << 40, (1 << 63) - 1, -1, -2, -128, -(1 << 31)]
WORDS = ["null", "true", "-1", "0", "1e999", "-1e999", "NaN", "1e-320", "1e30", '""', '"x0"', "[]",
         "{}", "[[[[", '"\\u0000"', '"\\ud800"', "99999999999999999999", "0.1", "4294967296",
         "-2147483649", "\x00", "\xff", "é", "#", ",", "\n", "\r\n", '"', "in0", "kind"]


class TooLong(Exception):
    pass


# -- damage --------------------------------------------------------------------

def bytes_damaged(dice, data, others):
    """Bits, bytes, numbers, cuts, and pieces of others."""
    data = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 1, 2, 8])):
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.choice([1, 2, 4, 8, 32]))
        # mostly such that what follows stays where it is
        kind = dice.choice([0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 4, 5, 6])
        if kind == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at:end] = dice.randbytes(end - at)
        elif kind == 2:
            size = dice.choice([1, 1, 2, 4, 8])
            number = dice.choice(NUMBERS) & ((1 << 8 * size) - 1)
            at = min(at & -size, max(len(data) - size, 0))
            data[at:at + size] = number.to_bytes(size, "little")
        elif kind == 3:
            del data[at:end]
        elif kind == 4:
            data[at:at] = data[at:end] * dice.choice([1, 2, 100])
        elif kind == 5:
            other = dice.choice(others)
            start = dice.randrange(len(other) + 1)
            data[at:end] = other[start:start + dice.choice([4, 16, 64])]
        else:
            del data[at:]
    return bytes(data)


def text_damaged(dice, text, others):
    """Words and bytes of a text."""
    if dice.chance(0.3):
        return bytes_damaged(dice, text, others)
    out = text.decode("utf-8", "replace")
    for _ in range(dice.choice([1, 1, 1, 4])):
        places = [found.span() for found in re.finditer(r"[^\s,:\[\]{}]+", out)] or [(0, 0)]
        at, end = dice.choice(places)
        if dice.chance(0.2):
            end = at = dice.randrange(at, end + 1)
        word = dice.choice(WORDS) * dice.choice([1, 1, 1, 1, 3000])
        out = out[:at] + word + out[end:]
    return out.encode("utf-8", "surrogatepass")


def json_damaged(dice, text):
    """JSON that is in order and says other things."""
    model = json.loads(text)
    for _ in range(dice.choice([1, 1, 2])):
        place, key = model, None
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = dice.choice(keys)
            if not isinstance(place[key], (dict, list)) or dice.chance(0.2):
                break
            place = place[key]
        value = dice.choice([None, True, -1, 0, 1e30, 1e31, 1e-31, float("nan"), float("inf"), "",
                             "x0", "ü", "a" * 40, [], {}, [1], [{}], 1 << 70, -3.5, "\n", "\0"])
        if dice.chance(0.2) and isinstance(place, dict):
            place[dice.choice(["name", "unit", "scale", "offset", "lo", "units", "format"])] = value
        elif keys and dice.chance(0.15):
            del place[key]
        elif keys:
            place[key] = value
    return json.dumps(model).encode()


def onnx_damaged(dice, data):
    """A valid file that says other things: what bytes seldom come to."""
    import onnx
    model = onnx.load_model_from_string(data)
    graph = model.graph
    names = [name for n in graph.node for name in [*n.input, *n.output]] + \
        [i.name for i in graph.initializer] + ["", "none"]
    ops = [n.op_type for n in graph.node] + ["Erf", "Conv", "LSTM", "GRU", "RNN", "Slice", "Gather",
                                             "Concat",
                                             "Shape", "Expand", "ConstantOfShape", "Pow", "Sum",
                                             "Transpose", "Squeeze", "ArgMax", "Softmax", "Clip",
                                             "Reshape", "Flatten", "Cast", "MatMul", "Gemm",
                                             "BatchNormalization", "Scaler", "reshape"]
    for _ in range(dice.choice([1, 1, 1, 3])):
        node = dice.choice(graph.node)
        kind = dice.randrange(9)
        if kind == 0:
            node.op_type = dice.choice(ops)
        elif kind == 1 and node.input:
            node.input[dice.randrange(len(node.input))] = dice.choice(names)
        elif kind == 2 and node.output:
            node.output[dice.randrange(len(node.output))] = dice.choice(names)
        elif kind == 3:
            name = dice.choice(["axis", "axes", "perm", "alpha", "transA", "transB", "to", "shape",
                                "keepdims", "min", "max", "value", "epsilon", "broadcast",
                                "value_ints", "value_floats", "allowzero", "select_last_index",
                                "hidden_size", "direction", "activations", "clip", "layout",
                                "linear_before_reset", "input_forget"])
            value = dice.choice([dice.choice(NUMBERS[:-4]), [dice.choice(NUMBERS[:-8])] * 3, 1e38,
                                 -3, [], float("nan"), "text", [1, 0], [-1, -1], [0.5],
                                 ["Tanh"], ["Relu", "\xff"], "reverse"])
            if isinstance(value, float):
                value = float(np.float32(value))
            for at, old in enumerate(node.attribute):
                if old.name == name:
                    del node.attribute[at]
                    break
            try:
                node.attribute.append(onnx.helper.make_attribute(name, value))
            except ValueError:
                pass
        elif kind == 4 and graph.initializer:
            tensor = dice.choice(graph.initializer)
            if tensor.dims:
                tensor.dims[dice.randrange(len(tensor.dims))] = dice.choice(NUMBERS)
        elif kind == 5 and graph.initializer:
            tensor = dice.choice(graph.initializer)
            if dice.chance(0.5):
                tensor.data_type = dice.randrange(20)
            else:
                tensor.raw_data = bytes_damaged(dice, tensor.raw_data, [tensor.raw_data])
        elif kind == 6 and graph.input:
            shape = graph.input[0].type.tensor_type.shape
            if shape.dim:
                dice.choice(shape.dim).dim_value = dice.choice(NUMBERS)
            if dice.chance(0.3):
                shape.dim.add().dim_value = dice.choice([1, 2, 3])
        elif kind == 7:
            if dice.chance(0.5):
                graph.node.append(graph.node[dice.randrange(len(graph.node))])
            elif len(graph.node) > 1:
                del graph.node[dice.randrange(len(graph.node))]
        elif model.opset_import:
            model.opset_import[0].version = dice.choice([1, 6, 7, 9, 10, 12, 13, 18, 21])
    return model.SerializeToString()


# -- what is damaged -----------------------------------------------------------

def recurrent(w):
    """Networks with state; @w: weights [3][4]"""
    from test_lfc import onnx_net
    files = []
    for at, (op, gates) in enumerate((("RNN", 1), ("GRU", 3), ("LSTM", 4))):
        constants = {"x": np.tile(w.T, (gates, 1))[None], "r": np.tile(w[0], (4 * gates, 1))[None],
                     "b": np.ones((1, 8 * gates), dtype=w.dtype), "h": np.zeros((1, 1, 4)),
                     "v": w[:2].T, "axes": np.int64([1]), "last": np.int64(-1),
                     "m": np.float32([0.5, 0, 1]), "begin": np.int64([-1]),
                     "end": np.int64([1 << 62])}
        cell = (op, ["u", "x", "r", "b", "", "h"], ["y", "yh"], {"hidden_size": 4, **(
            {"linear_before_reset": 1} if op == "GRU" else {"activations": ["Relu"]}
            if op == "RNN" else {})})
        ends = ([("Squeeze", ["y", "axes"], ["s"], {}), ("Gather", ["s", "last"], ["g"], {}),
                 ("MatMul", ["g", "v"], ["out"], {})],
                [("Concat", ["yh", "yh"], ["hs"], {"axis": 0}),
                 ("Gather", ["hs", "last"], ["g"], {}), ("Gemm", ["g", "v"], ["out"], {})],
                [("Squeeze", ["y", "axes"], ["s"], {}),
                 ("Slice", ["s", "begin", "end"], ["g"], {}), ("MatMul", ["g", "v"], ["out"], {})])
        files.append(onnx_net([("Sub", ["in", "m"], ["c"], {}),
                               ("Transpose", ["c"], ["u"], {"perm": [1, 0, 2]}), cell, *ends[at]],
                              constants, (1, None, 3), opset=14,
                              metadata=json.dumps(cases.like(3, 2))))
    return files


def networks():
    """{kind: list of bytes} of good networks of 3 inputs"""
    from test_lfc import onnx_net
    from tflitemaker import network
    f = np.float32
    rng = np.random.default_rng(cases.SEED)
    w, v, b = (rng.normal(0, 1, shape).astype(f) for shape in ((3, 4), (2, 4), (4,)))
    constants = {"w": w, "v": v, "b": b, "m": f([0.5, 0, 1]), "s": f([1, 2, 4]), "lo": f(-1),
                 "hi": f(1), "shape": np.int64([-1, 4]), "axes": np.int64([0]),
                 "g": np.abs(b) + f(1), "two": np.int64([2])}
    dense = [("Sub", ["in", "m"], ["c"], {}), ("Div", ["c", "s"], ["d"], {}),
             ("MatMul", ["d", "w"], ["h"], {}), ("Add", ["h", "b"], ["i"], {}),
             ("Tanh", ["i"], ["t"], {})]
    files = [onnx_net(dense + end, constants, (1, 3), opset=opset,
                      metadata=json.dumps(cases.like(3, 2))) for end, opset in (
        ([("Gemm", ["t", "v"], ["out"], {"transB": 1, "alpha": 0.5})], 13),
        ([("Reshape", ["t", "shape"], ["r"], {}), ("BatchNormalization", ["r", *"gbbg"], ["n"], {}),
          ("Gemm", ["n", "v"], ["k"], {"transB": 1}),
          ("Clip", ["k", "lo", "hi"], ["out"], {})], 14),
        ([("Gemm", ["t", "v"], ["k"], {"transB": 1}), ("Softmax", ["k"], ["p"], {"axis": 1}),
          ("ArgMax", ["p"], ["out"], {"axis": 1})], 11),
        ([("Unsqueeze", ["t", "axes"], ["u"], {}), ("Squeeze", ["u", "axes"], ["q"], {}),
          ("Transpose", ["v"], ["x"], {"perm": [1, 0]}), ("MatMul", ["q", "x"], ["y"], {}),
          ("Relu", ["y"], ["out"], {})], 17),
        ([("Shape", ["t"], ["z"], {}), ("Gather", ["z", "axes"], ["z0"], {}),
          ("Concat", ["z0", "shape"], ["z1"], {"axis": 0}),
          ("Slice", ["z1", "axes", "two"], ["z2"], {}), ("Reshape", ["t", "z2"], ["r"], {}),
          ("Gemm", ["r", "v"], ["out"], {"transB": 1})], 13))]
    files += recurrent(w)
    small = [network(cases.Dice(n), kind, (3, 2))[0] for n in range(4)
             for kind in (None, "int8", "weights", "float16")]
    return {"onnx": files, "tflite": small}


def texts():
    """{kind: list of bytes} of good JSON and rows for 3 inputs"""
    head = "batch,kind,flow,seq,version,time_ns,cpu,reward,x0,x1,x2,y0,y1\n"
    csv = head + "".join(f"1,query,7,{i},1,99,0,,{i},{-i},5,1,2\n1,reward,7,{i},1,99,0,3,,,,,\n"
                         for i in range(20))
    lines = "".join(json.dumps({"batch": 1, "kind": "query", "inputs": {"x0": i, "x1": -i, "x2": 4},
                                "outputs": {"y0": 1}}) + "\n" for i in range(20))
    plain = "# rows\n" + "".join(f"{i}, {-i} {i * 1000}\n" for i in range(30))
    like = cases.like(3, 2)
    like["inputs"][0].update(offset=0.5, scale=2)
    return {"rows": [csv.encode(), lines.encode(), plain.encode()],
            "json": [json.dumps(like).encode(),
                     json.dumps({**like, "version": 1}, indent=1).encode()]}


class Fuzz:
    def __init__(self, count, seed):
        self.count, self.dice = count, cases.Dice(seed)
        self.good = {**networks(), **texts()}
        self.tally = {}
        self.longest = 0.0
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "damaged"

    def one(self):
        """(kind, bytes, function that imports them)"""
        dice = self.dice
        kind = dice.choice(["onnx", "onnx graph", "tflite", "json", "rows"])
        if kind == "onnx graph":
            data = onnx_damaged(dice, dice.choice(self.good["onnx"]))
        elif kind == "json" and dice.chance(0.5):
            data = json_damaged(dice, dice.choice(self.good[kind]))
        elif kind in ("json", "rows"):
            data = text_damaged(dice, dice.choice(self.good[kind]), self.good[kind])
        else:
            data = bytes_damaged(dice, dice.choice(self.good[kind]), self.good[kind])
        if kind in ("onnx", "onnx graph", "tflite"):
            named = dice.chance(0.75)
            return kind, data, lambda: liteflow.convert(
                data, "net", unit=0.01, rows=None, like=cases.like(3, 2) if named else None)
        self.path.write_bytes(data)
        net = self.good["onnx"][0]
        if kind == "json":
            return kind, data, lambda: liteflow.convert(net, "net", like=str(self.path))
        return kind, data, lambda: liteflow.convert(net, "net", like=cases.like(3, 2),
                                                    rows=str(self.path),
                                                    percentile=dice.choice([0, 5]))

    def run(self):
        """What was wrong with the first one, with its bytes; or None"""
        signal.signal(signal.SIGALRM, self.too_long)
        imported = 0
        for number in range(self.count):
            kind, data, act = self.one()
            begin = time.monotonic()
            signal.alarm(LONGEST)
            try:
                made = act()
                imported += 1
                text = lfctl.text(made.model)
                if imported % PACK_EVERY == 0:
                    lfctl.pack(text, "--force")
                result = "imported"
            except liteflow.Problem as problem:
                result = "refused"
                if "\n" in str(problem) or not 10 < len(str(problem)) < 1000:
                    return f"{number} ({kind}): no line: {problem!r}", data
            except Exception as error:      # anything else is what is looked for
                return f"{number} ({kind}): {type(error).__name__}: {error}", data
            finally:
                signal.alarm(0)
            self.longest = max(self.longest, time.monotonic() - begin)
            self.tally[kind, result] = self.tally.get((kind, result), 0) + 1
        return None

    @staticmethod
    def too_long(*_):
        raise TooLong(f"more than {LONGEST} s")


def child():
    """In a process of its own, whose memory is limited and measured."""
    limit = 4 * MOST_MEMORY << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    fuzz = Fuzz(COUNT, cases.SEED)
    wrong = fuzz.run()
    if wrong:
        path = pathlib.Path(tempfile.gettempdir()) / "lfc-damaged"
        path.write_bytes(wrong[1])
        sys.exit(f"{wrong[0]}; it is {path}")
    for (kind, result), count in sorted(fuzz.tally.items()):
        cases.figure(f"lfc_fuzz_{kind.replace(' ', '_')}_{result}", count, "inputs")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cases.figure("lfc_fuzz", sum(fuzz.tally.values()), "inputs")
    cases.figure("lfc_fuzz_longest", fuzz.longest, "s")
    cases.figure("lfc_fuzz_memory", memory, "MiB")
    if memory > MOST_MEMORY:
        sys.exit(f"{memory:.0f} MiB were used")


@cases.needs("onnx", "flatbuffers")
class Damaged(unittest.TestCase):
    def test_damaged(self):
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run([sys.executable, __file__, "child"], env=env, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        print(done.stdout, end="", flush=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for kind in ("onnx", "onnx_graph", "tflite", "json", "rows"):
            self.assertIn(f"lfc_fuzz_{kind}_refused", done.stdout)
            self.assertIn(f"lfc_fuzz_{kind}_imported", done.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        child()
    else:
        unittest.main()
