#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Networks with state: as PyTorch exports them, over sequences; and what is refused. COUNT
networks (60), SEED draws others.
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

COUNT = int(os.environ.get("COUNT", "60"))
STEPS = 40
FLOAT_ERROR = 1e-5              # of the greatest answer
PACKED_ERROR = 0.5              # percent of an output's span, over random sequences


def exported(module, example, opset=14, **options):
    """Bytes of an ONNX file"""
    import torch
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), example, file, opset_version=opset, **options)
    return file.getvalue()


@cases.needs("onnx", "torch")
class Exported(unittest.TestCase):
    def module(self, dice, used):
        """(module, number of inputs)"""
        import torch
        from torch import nn
        from modules import Normalise, Recurrent
        torch.manual_seed(dice.randint(0, 1 << 30))
        n_in, units, layers = dice.randint(1, 8), dice.randint(1, 12), dice.randint(1, 3)
        kind = dice.choice(["tanh", "relu", "GRU", "LSTM"])
        options = {"batch_first": dice.chance(0.5), "bias": dice.chance(0.85),
                   "dropout": 0.3 if layers > 1 and dice.chance(0.3) else 0}
        before, width = nn.Identity(), n_in
        if dice.chance(0.3):
            before = Normalise(n_in)
        elif dice.chance(0.3):
            width = dice.randint(1, 8)
            before = nn.Linear(n_in, width)
        if kind in ("GRU", "LSTM"):
            cell = getattr(nn, kind)(width, units, layers, **options)
        else:
            cell = nn.RNN(width, units, layers, nonlinearity=kind, **options)
            if kind == "relu":
                with torch.no_grad():       # the default lets some states grow without end
                    for name, weights in cell.named_parameters():
                        if "weight_hh" in name:
                            weights.mul_(0.5)
        head = dice.choice([lambda: [nn.Linear(units, 2)],
                            lambda: [nn.Linear(units, 5), nn.Tanh(), nn.Linear(5, 2)],
                            lambda: [nn.ReLU(), nn.Linear(units, 2)],
                            lambda: [nn.Linear(units, 2), nn.Hardtanh(-0.5, 0.5)],
                            lambda: [nn.Linear(units, 2), nn.Tanh()]])()
        how = dice.choice(["all", "all", "last", "slice", "h", "state"] +
                          (["only"] if layers == 1 else []))
        used.update([kind, how, f"{layers} layers", *(key for key, value in options.items()
                                                      if value)])
        return Recurrent(before, cell, nn.Sequential(*head), how), n_in

    def file(self, dice, module, n_in, used):
        """Bytes of the module, and the options of the import"""
        import torch
        how, first = module.how, module.cell.batch_first
        steps = dice.choice([1, 5])
        if how in ("all", "last") and dice.chance(0.3):
            # a sequence without a batch
            used.add("no batch")
            axes = {"x": {0: "steps"}} if steps > 1 else {}
            if how == "last":
                first = module.cell.batch_first = False     # or it would turn what is no batch
            return exported(module, torch.zeros(steps, n_in), dice.randint(11, 16),
                            input_names=["x"], dynamic_axes=axes), {}
        example = torch.zeros((1, steps, n_in) if first else (steps, 1, n_in))
        axes = {"x": {1 if first else 0: "steps"}} if steps > 1 else {}
        if dice.chance(0.5):
            axes.setdefault("x", {})[0 if first else 1] = "batch"
        used.add("dynamic" if axes else "fixed")
        if how != "state":
            return exported(module, example, dice.randint(9, 16), input_names=["x"],
                            dynamic_axes=axes), {}
        h = torch.zeros(module.cell.num_layers, 1, module.cell.hidden_size)
        lstm = isinstance(module.cell, torch.nn.LSTM)
        return exported(module, (example, (h, h) if lstm else h), dice.randint(9, 16),
                        input_names=["x", "h0", "c0"][:2 + lstm],
                        output_names=["y", "hn", "cn"][:2 + lstm], dynamic_axes=axes), \
            {"output": "y"}

    def test_exported(self):
        import torch
        worst, packed, used = 0.0, 0.0, collections.Counter()
        for number in range(COUNT):
            with self.subTest(number, seed=cases.SEED):
                dice = cases.Dice(cases.SEED * 9000011 + number)
                mine = set()
                module, n_in = self.module(dice, mine)
                data, options = self.file(dice, module, n_in, mine)
                rows = np.round(dice.arrays.uniform(-1, 1, (STEPS, n_in)), 4)
                module.how = "all"
                with torch.no_grad():
                    x = torch.tensor(rows, dtype=torch.float32)
                    answers = module(x[None] if module.cell.batch_first else x[:, None])
                answers = answers.double().numpy().reshape(STEPS, 2)
                top = max(np.abs(answers).max(), 1e-3)
                like = cases.like(n_in, 2, out=(-2 * top, 2 * top), unit=1e-5)
                if number % 4 == 3:
                    made = self.by_rows(data, like, rows, options)
                else:
                    made = liteflow.convert(data, like=like, **options)
                got = cases.run_json(made.model, rows)
                error = float(np.abs(got - answers).max() / top)
                lowered = made.lowered.run(rows)
                self.assertLessEqual(np.abs(lowered - answers).max(), FLOAT_ERROR * top,
                                     sorted(mine))
                worst = max(worst, error)
                self.assertLessEqual(error, FLOAT_ERROR, sorted(mine))
                off = cases.packed_error(made.model)
                packed = max(packed, off)
                self.assertLessEqual(off, PACKED_ERROR, made.summary())
                used.update(mine)
        cases.figure("lfc_recurrent", COUNT, "networks")
        cases.figure("lfc_recurrent_float_error", worst, "of_the_answers")
        cases.figure("lfc_recurrent_packed_error", packed, "percent_of_span")
        print("recurrent:", ", ".join(f"{name} {count}" for name, count in sorted(used.items())))
        if COUNT >= 60:
            self.assertLessEqual({"tanh", "relu", "GRU", "LSTM", "all", "last", "slice", "h",
                                  "only", "state", "batch_first", "bias", "dropout", "no batch",
                                  "dynamic", "fixed", "1 layers", "2 layers", "3 layers"},
                                 set(used))

    def by_rows(self, data, like, rows, options):
        """Without the outputs' ranges, which then come of rows as a sequence"""
        for io_ in like["outputs"]:
            del io_["lo"], io_["hi"]
        with tempfile.NamedTemporaryFile("w", suffix=".rows") as file:
            np.savetxt(file, np.round(rows / 1e-5).astype(int), fmt="%d")
            file.flush()
            return liteflow.convert(data, like=like, rows=file.name, **options)


def node_net(op="GRU", n_in=2, n=3, shape=(1, 1, 2), opset=14, before=(), after=(), more=(),
             **attributes):
    """Bytes of a network of one operator with weights of 0.1; @before and @after: nodes; its
    input is "in" or what @before makes of it, "c"; its answers "y", or what @after makes, "out"."""
    from test_lfc import onnx_net
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    constants = {"w": np.full((1, gates * n, n_in), 0.1), "r": np.full((1, gates * n, n), 0.1),
                 "b": np.full((1, 2 * gates * n), 0.1), "v": np.full((n, 2), 0.5),
                 "m": np.full((n_in, n_in), 0.1), "zero": np.zeros((1, 1, n)),
                 "one": np.ones((1, 1, n)), "p": np.ones((1, 3 * n)), "axes": np.int64([1]),
                 "len": np.int64([2]), "i0": np.int64(0), "i1": np.int64(-1)}
    if op == "GRU":
        attributes.setdefault("linear_before_reset", 1)
    attributes = {key: value for key, value in attributes.items() if value is not None}
    nodes = [*before, (op, ["c" if before else "in", "w", "r", "b", *more], ["y", "yh"],
                       {"hidden_size": n, **attributes}),
             *(after or [("Squeeze", ["y", "axes"], ["s"], {}),
                         ("MatMul", ["s", "v"], ["out"], {})])]
    return onnx_net(nodes, constants, shape, opset=opset)


@cases.needs("onnx")
class Refused(unittest.TestCase):
    def refused(self, data, reason, n_in=2):
        with self.assertRaises(liteflow.Problem) as caught:
            liteflow.convert(data, like=cases.like(n_in, 2))
        text = str(caught.exception)
        self.assertIn(reason, text)
        self.assertNotIn("\n", text)
        self.assertIn('node "', text)

    def taken(self, data):
        return liteflow.convert(data, like=cases.like(2, 2)).model["layers"]

    def test_refused(self):
        for reason, options in (
                ("its direction is reverse", {"direction": "reverse"}),
                ("its direction is bidirectional", {"direction": "bidirectional"}),
                ("its activations are relu, tanh, tanh", {
                    "op": "LSTM", "activations": ["Relu", "Tanh", "Tanh"]}),
                ("its activations are softplus, the engine has tanh or relu", {
                    "op": "RNN", "activations": ["Softplus"]}),
                ("it clips its sums", {"clip": 3.0}),
                ("it couples the gates", {"op": "LSTM", "input_forget": 1}),
                ("linear_before_reset=0", {"linear_before_reset": None}),
                ("it has peepholes", {"op": "LSTM", "more": ["", "", "", "p"]}),
                ("its initial_h is not zero", {"more": ["", "one"]}),
                ("its initial_c is not zero", {"op": "LSTM", "more": ["", "zero", "one"]}),
                ("its sequence_lens are not 1", {"more": ["len"]}),
                ("its hidden_size is 4, its R is of 3", {"hidden_size": 4}),
                ("it goes through sequences of 5 steps", {"shape": (5, 1, 2)}),
                ("it goes through sequences of 5 steps", {"shape": (5, None, 2)}),
                ("2 values meet weights for 4", {"n_in": 4})):
            with self.subTest(reason):
                self.refused(node_net(**options), reason)

    def test_around(self):
        """What is before and behind"""
        dense = [("MatMul", ["in", "m"], ["a"], {}), ("Tanh", ["a"], ["c"], {})]
        self.refused(node_net(before=dense), "recurrent layers first")
        for index, shape, reason in (("i0", (None, 1, 2), "takes step 0 of a sequence"),
                                     ("i1", (None, 1, 2), None), ("i0", (1, 1, 2), None),
                                     ("i1", (1, 1, 2), None)):
            after = [("Squeeze", ["y", "axes"], ["s"], {}), ("Gather", ["s", index], ["g"], {}),
                     ("MatMul", ["g", "v"], ["out"], {})]
            data = node_net(shape=shape, after=after)
            if reason:
                self.refused(data, reason)
            else:
                self.assertEqual([layer.get("type") for layer in self.taken(data)], ["gru", None])
        batch = [("Squeeze", ["y", "axes"], ["s"], {}),
                 ("Gather", ["s", "i1"], ["g"], {"axis": 1}), ("MatMul", ["g", "v"], ["out"], {})]
        self.refused(node_net(shape=(1, None, 2), after=batch), "one row of a batch")
        again = [("GRU", ["yh", "v3", "r", "b"], ["z", ""], {"linear_before_reset": 1})]
        self.refused(node_net(n_in=3, shape=(1, 1, 3), after=[
            ("Identity", ["w"], ["v3"], {}), *again, ("MatMul", ["z", "v"], ["out"], {})]),
            "goes on from the last step", 3)
        cell = [("Squeeze", ["yc", "axes"], ["s"], {}), ("MatMul", ["s", "v"], ["out"], {})]
        data = node_net(op="LSTM", after=[("LSTM", ["in", "w", "r", "b"], ["", "", "yc"], {}),
                                          *cell])
        self.refused(data, "the cell's state, is used")

    def test_taken(self):
        """Small things that make no difference"""
        plain = self.taken(node_net())
        for name, options in (("zero states", {"more": ["", "zero"]}), ("opset 7", {"opset": 7,
                              "after": [("Squeeze", ["y"], ["s"], {"axes": [1]}),
                                        ("MatMul", ["s", "v"], ["out"], {})]}),
                              ("functions told", {"activations": ["Sigmoid", "Tanh"]}),
                              ("a batch of 3", {"shape": (1, 3, 2)}),
                              ("by batches", {"shape": (3, 1, 2), "layout": 1, "after": [
                                  ("Identity", ["y"], ["i"], {}),
                                  ("MatMul", ["i", "v"], ["out"], {})]}),
                              ("nothing known", {"shape": (None, None, None)}),
                              ("the state", {"after": [("MatMul", ["yh", "v"], ["out"], {})]})):
            with self.subTest(name):
                self.assertEqual(self.taken(node_net(**options)), plain)
        relu = self.taken(node_net(op="RNN", activations=["Relu"]))[0]
        self.assertEqual((relu["activation"], relu["state_bits"]), ("relu", 32))


if __name__ == "__main__":
    unittest.main()
