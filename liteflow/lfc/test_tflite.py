#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""TFLite files: random ones, the original LiteFlow's two, and the checkpoint that these were
made of. COUNT random ones of each kind (20). SHARED_DATA: where aurora-liteflow/ is.
"""
import json
import os
import re
import subprocess
import tempfile
import unittest

import numpy as np

import cases
import liteflow
from liteflow import integers
from liteflow.pylib import lfctl
from liteflow.pylib.paths import ROOT

COUNT = int(os.environ.get("COUNT", "20"))
OWN = re.compile(r"up to ([\d.e+-]+) % of the answers' span [(]mean ([\d.e+-]+) %[)]")


@cases.needs("flatbuffers")
class Random(unittest.TestCase):
    def test_random(self):
        from tflitemaker import network
        worst = {}
        for quantised in (None, "weights", "float16", "int8", "uint8", "int8 io"):
            for number in range(COUNT):
                with self.subTest(quantised, number=number, seed=cases.SEED):
                    dice = cases.Dice(cases.SEED * 9000011 + number)
                    data, rows, answers = network(dice, quantised)
                    like = cases.like(rows.shape[1], answers.shape[1])
                    made = liteflow.convert(data, "net.tflite", like=like)
                    rows = np.clip(rows, -1, 1)
                    off = np.abs(cases.run_json(made.model, rows) - answers).max()
                    off /= max(np.abs(answers).max(), 1e-6)
                    worst[quantised] = max(worst.get(quantised, 0), off)
                    self.assertLess(off, 1e-5)
                    if quantised in ("int8", "uint8", "int8 io"):
                        said = OWN.search(" ".join(made.notes))
                        self.assertTrue(said, made.notes)
                        self.assertLess(float(said[2]), 10)
                        # its own ranges are enough
                        alone = liteflow.convert(data).model
                        self.assertAlmostEqual(alone["inputs"][0]["hi"], 127 / 120, 6)
                    else:
                        self.assertEqual(made.notes, [])
        for quantised, off in worst.items():
            kind = (quantised or "float").replace(" ", "_")
            cases.figure(f"lfc_tflite_{kind}_error", off, "of_the_answers")

    def test_forms(self):
        from tflitemaker import Maker
        rows = np.random.default_rng(1).uniform(-1, 1, (64, 3))
        w = np.array([[1, -1, 0.5], [0.25, 2, -1]], dtype=np.float32)
        maker = Maker()
        start = maker.tensor("in", [1, 1, 3])
        flat = maker.tensor("flat", [1, 3])
        maker.operator("RESHAPE", [start, maker.constant("shape", np.array([1, 3], np.int32))],
                       [flat])
        centred = maker.tensor("centred", [1, 3])
        maker.operator("SUB", [flat, maker.constant("mean", np.float32([0.5, 0, -0.5]))], [centred])
        dense = maker.tensor("dense", [1, 2])
        maker.operator("FULLY_CONNECTED", [centred, maker.constant("w", w)], [dense])
        last = maker.tensor("last", [1, 2])
        maker.operator("MUL", [dense, maker.constant("two", np.float32(2))], [last], "RELU6")
        best = maker.tensor("best", [1], "int64")
        soft = maker.tensor("soft", [1, 2])
        maker.operator("SOFTMAX", [last], [soft])
        maker.operator("ARG_MAX", [dense, maker.constant("axis", np.array([1], np.int32))], [best])
        maker.metadata["liteflow-model"] = json.dumps(cases.like(3, 2))
        data = maker.finish([start], [last, best])
        x = (rows - [0.5, 0, -0.5]) @ w.T
        model = liteflow.convert(data, output="last").model
        self.assertEqual(model["inputs"][0]["name"], "x0")
        np.testing.assert_allclose(cases.run_json(model, rows), np.clip(2 * x, 0, 6), atol=1e-6)
        model = liteflow.convert(data, output="best", like=cases.like(3, 1)).model
        np.testing.assert_array_equal(cases.run_json(model, rows)[:, 0], x.argmax(1))
        with self.assertRaisesRegex(liteflow.Problem, r'"soft" \(SOFTMAX\).*--output last'):
            liteflow.convert(data, output="soft")
        with self.assertRaisesRegex(liteflow.Problem, '2 outputs, "last" .*, "best" '):
            liteflow.convert(data)

    def test_refused(self):
        from tflitemaker import Maker
        for op, custom, fused, pattern in (
                ("CONV_2D", "", None, r'"out" \(Conv\): the engine has no convolutions'),
                ("ELU", "", None, r'"out" \(Elu\): the engine has none; train with'),
                ("CUSTOM", "Magic", None, r"custom\.Magic"),
                ("FULLY_CONNECTED", "", "SIGN_BIT", "FULLY_CONNECTED.*activation is number 5")):
            with self.subTest(op):
                maker = Maker()
                start, end = maker.tensor("in", [1, 3]), maker.tensor("out", [1, 2])
                maker.operator(op, [start, maker.constant("w", np.ones((2, 3), np.float32))], [end],
                               fused, custom)
                with self.assertRaisesRegex(liteflow.Problem, pattern):
                    liteflow.convert(maker.finish([start], [end]), like=cases.like(3, 2))

    def test_scaled(self):
        """The two rounding steps are within one of the exact product; halves go up."""
        rng = np.random.default_rng(1)
        for _ in range(200):
            real = float(10 ** rng.uniform(-6, 1))
            sums = rng.integers(-1 << 24, 1 << 24, 500)
            exact = sums * real
            keep = np.abs(exact) < 1 << 30
            self.assertLessEqual(np.abs(integers.scaled(sums, real) - exact)[keep].max(), 1)
        halves = integers.scaled(np.array([3, -3, 4, -5]), 0.5)
        np.testing.assert_array_equal(halves, [2, -1, 2, -2])


class Original(unittest.TestCase):
    """The files of the original LiteFlow, read where they are."""

    def imported(self, data, path, **options):
        made = liteflow.convert(data, path, **options)
        return made, cases.packed_error(made.model)

    @cases.needs("flatbuffers")
    def test_files(self):
        for name, shape in (("aurora_int_quan_model", "30-32-16-1 tanh, tanh, none"),
                            ("converted_simple_model", "4-8-1 tanh, none")):
            with self.subTest(name):
                path = cases.shared("aurora-liteflow", name + ".tflite")
                made, error = self.imported(path.read_bytes(), path)
                self.assertTrue(made.summary().startswith(shape), made.summary())
                said = OWN.search(made.notes[0])
                cases.figure(f"lfc_{name}_error", error, "percent_of_span")
                cases.figure(f"lfc_{name}_own_integers", float(said[1]), "percent_of_span")
                self.assertLessEqual(error, 0.1)

    @cases.needs("onnx")
    def test_checkpoint(self):
        """Its policy as an ONNX file, against the same weights read by liteflow/tests."""
        from test_lfc import onnx_net
        path = cases.shared("aurora-liteflow", "variables.data-00000-of-00001")
        done = subprocess.run([ROOT / "liteflow/tests/aurora-json", path], check=True,
                              stdout=subprocess.PIPE, text=True)
        like = json.loads(done.stdout)
        nodes, constants, before = [], {}, "in"
        for at, layer in enumerate(like["layers"]):
            constants[f"w{at}"] = np.array(layer["weights"], dtype=np.float32).T.copy()
            constants[f"b{at}"] = np.array(layer["bias"], dtype=np.float32)
            last = at + 1 == len(like["layers"])
            nodes.append(("Gemm", [before, f"w{at}", f"b{at}"], ["out" if last else f"h{at}"], {}))
            if not last:
                nodes.append(("Tanh", [f"h{at}"], [f"t{at}"], {}))
            before = f"t{at}"
        made, error = self.imported(onnx_net(nodes, constants, (1, 30)), "aurora.onnx", like=like)
        cases.figure("lfc_aurora_checkpoint_error", error, "percent_of_span")
        self.assertLessEqual(error, 0.1)
        self.assertEqual([io for io in made.model["inputs"]], [
            {key: io[key] for key in ("name", "unit", "lo", "hi")} for io in like["inputs"]])
        for mine, theirs in zip(made.model["layers"], like["layers"]):
            np.testing.assert_allclose(mine["weights"], theirs["weights"], rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
