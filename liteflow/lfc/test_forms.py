#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Random networks against PyTorch: in every form that ONNX has for them, and as PyTorch
exports them. COUNT of them (100; the full tier: 1200), SEED draws others.
"""
import collections
import io
import os
import tempfile
import unittest
import warnings

import numpy as np

import cases
import liteflow

COUNT = int(os.environ.get("COUNT", "100"))
FLOAT_ERROR = 1e-5              # of the greatest answer
PACKED_ERROR = 0.1              # percent of the span


def named(form):
    """Names for a network. Ranges of the outputs hold its answers and a quarter more, if the
    network itself does not bound them."""
    like = cases.like(form.n_in, 1 if form.index else form.answers.shape[1])
    for io, column in zip(like["outputs"], form.answers.T):
        span = max(float(column.max() - column.min()), 1e-3)
        io.update(lo=float(column.min()) - span / 4, hi=float(column.max()) + span / 4,
                  unit=span / 20000)
        if form.hidden and not form.relu:
            del io["lo"], io["hi"]
    return like


@cases.needs("onnx", "torch")
class Forms(unittest.TestCase):
    def compare(self, model, rows, answers, index):
        """Greatest error of the JSON, as part of the greatest answer."""
        mine = cases.run_json(model, rows)
        if index:
            return float((mine != answers).any())
        return float(np.abs(mine - answers).max() / max(np.abs(answers).max(), 1e-6))

    def one(self, number, used, worst):
        from forms import Form
        form = Form(cases.Dice(cases.SEED * 1000003 + number))
        like = named(form)
        if number % 5 == 0:
            # offsets and scales of the names change nothing
            for at, io in enumerate(like["inputs"]):
                io.update(offset=0.25 * (at % 3), scale=1 + at % 4)
        data = form.model.SerializeToString()
        if number % 7 == 0:
            made = self.external(form, like)
            form.used.add("external data")
        else:
            made = liteflow.convert(data, like=like)
        error = self.compare(made.model, form.rows, form.answers, form.index)
        worst["float"] = max(worst["float"], error)
        self.assertLessEqual(error, FLOAT_ERROR, sorted(form.used))
        used |= form.used
        hidden = len(made.model["layers"]) - 1
        if form.index or hidden > 3:
            return
        kind = "relu" if form.relu else "tanh"
        if form.relu:
            # ranges of the outputs come from the rows, too
            for io in like["outputs"]:
                del io["lo"], io["hi"]
            made, packed = cases.held_out_error(data, like, form.dice)
        else:
            packed = cases.packed_error(made.model)
        worst[kind] = max(worst[kind], packed)
        worst[kind + "_count"] += 1
        self.assertLessEqual(packed, PACKED_ERROR, f"{made.summary()}, {sorted(form.used)}")

    def external(self, form, like):
        import onnx
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            onnx.save_model(form.model, path, save_as_external_data=True, size_threshold=0)
            with open(path, "rb") as file:
                return liteflow.convert(file.read(), path, like=like)

    def test_forms(self):
        used, worst = set(), collections.Counter()
        for number in range(COUNT):
            with self.subTest(number, seed=cases.SEED):
                self.one(number, used, worst)
        cases.figure("lfc_forms", COUNT, "networks")
        cases.figure("lfc_forms_float_error", worst["float"], "of_the_answers")
        for kind in ("tanh", "relu"):
            cases.figure(f"lfc_forms_packed_{kind}", worst[kind + "_count"], "networks")
            cases.figure(f"lfc_forms_packed_{kind}_error", worst[kind], "percent_of_span")
        print("forms:", ", ".join(sorted(used)))
        if COUNT >= 100:
            wanted = {"1-D", "2-D", "3-D", "Add", "Add, constant first", "ArgMax",
                      "BatchNormalization", "Cast", "Clip of the inputs", "Clip of the outputs",
                      "Div", "Dropout", "Flatten", "Gemm", "Gemm with transA", "Gemm with transB",
                      "IR 3", "Identity", "LogSoftmax", "MatMul", "MatMul from the left", "Mul",
                      "Relu", "Reshape", "Scaler", "Sigmoid", "Softmax", "Squeeze", "Sub",
                      "Sub, constant first", "Tanh", "Unsqueeze", "column",
                      "constant as initialiser", "constant as node", "constant computed",
                      "constants behind", "double",
                      "external data", "float", "float16", "linear layers in a row", "view"}
            self.assertLessEqual(wanted, used)

    # -- as PyTorch exports them ---------------------------------------------

    def module(self, dice):
        """(module, example, is it an argmax?)"""
        from torch import nn
        import torch
        from modules import Argmax, Normalise, Scale
        torch.manual_seed(dice.randint(0, 1 << 30))
        width = n_in = dice.randint(1, 24)
        shape = dice.choice([(n_in,), (1, n_in), (4, n_in), (1, 1, n_in), (2, 5, n_in)])
        flat = len(shape) == 2
        parts = [Normalise(n_in)] if dice.chance(0.3) else []
        if flat and dice.chance(0.2):
            parts.append(nn.BatchNorm1d(n_in))
        for _ in range(dice.randint(1, 3)):
            out = dice.randint(1, 24)
            parts.append(nn.Linear(width, out, bias=dice.chance(0.8)))
            if flat and dice.chance(0.3):
                parts.append(nn.BatchNorm1d(out))
            parts.append(dice.choice([nn.Tanh, nn.ReLU, nn.Sigmoid])())
            if dice.chance(0.3):
                parts.append(dice.choice([nn.Dropout(0.5), nn.Identity(), nn.Flatten(-1)]))
            width = out
        parts.append(nn.Linear(width, dice.randint(1, 6)))
        end = dice.choice([None, Scale(), nn.Tanh(), nn.Hardtanh(-0.5, 0.25), nn.ReLU6(),
                           Argmax(False), Argmax(True)])
        module = nn.Sequential(*parts, *([end] if end else []))
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.normal_(0, 0.5)
                part.running_var.uniform_(0.5, 2)
        if dice.chance(0.3):
            module.double()
        return module.train(), shape, isinstance(end, Argmax)

    def older(self, module, example, dice):
        """Exported with another operator set, and perhaps with a batch that is left open."""
        import torch
        axes = {"input": {0: "batch"}} if example.dim() > 1 and dice.chance(0.5) else {}
        file = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, example, file, opset_version=dice.randint(7, 17),
                              input_names=["input"], dynamic_axes=axes)
        return file.getvalue()

    def test_exported(self):
        import torch
        worst, count = 0.0, max(COUNT // 5, 20)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.json")
            for number in range(count):
                with self.subTest(number, seed=cases.SEED):
                    dice = cases.Dice(cases.SEED * 7000003 + number)
                    module, shape, index = self.module(dice)
                    kind = next(module.parameters()).dtype
                    rows = np.round(dice.arrays.uniform(-1, 1, (64, shape[-1])), 4)
                    example = torch.zeros(shape, dtype=kind)
                    like = cases.like(shape[-1], 1, out=(-1e4, 1e4), unit=0.1)
                    with torch.no_grad():
                        module.eval()
                        answers = module(torch.tensor(rows, dtype=kind)).double().numpy()
                        module.train()
                    answers = answers.reshape(64, -1)
                    like["outputs"] = cases.like(1, answers.shape[1], unit=0.1)["outputs"]
                    if number % 2:
                        data = self.older(module.eval(), example, dice)
                        made = liteflow.convert(data, like=like)
                    else:
                        made = liteflow.export(module, path, like=like, example=example)
                        self.assertTrue(module.training, "the module is left as it was")
                    error = self.compare(made.model, rows, answers, index)
                    worst = max(worst, error)
                    self.assertLessEqual(error, FLOAT_ERROR, str(module))
        cases.figure("lfc_exported", count, "networks")
        cases.figure("lfc_exported_float_error", worst, "of_the_answers")


if __name__ == "__main__":
    unittest.main()
