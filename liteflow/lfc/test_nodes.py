#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ONNX's own tests of its operators, with the answers that they come with: each is imported and
gives its answers, or is refused in one line that names what cannot be had.
"""
import contextlib
import unittest
import unittest.mock
import warnings

import numpy as np

import cases
import liteflow
from liteflow.importer import read_graph
from liteflow.lowering import lower

# Of float16: its own rounding is no error of the importer.
BFLOAT16 = 16       # TensorProto's number
TOLERANCE = {np.dtype(np.float16): 2e-3}


def collect():
    """[(name, model, data sets)]; python3-onnx 1.12 uses names that NumPy has dropped."""
    old = {name: kind for name, kind in (("float", float), ("int", int), ("bool", bool),
                                         ("object", object), ("complex", complex), ("str", str))
           if name not in np.__dict__}
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        for name, kind in old.items():
            stack.enter_context(unittest.mock.patch.object(np, name, kind, create=True))
        from onnx.backend.test.case.node import collect_testcases
        try:
            tests = collect_testcases(None)
        except TypeError:       # later ones take no argument
            tests = collect_testcases()
    return [(test.name, test.model, test.data_sets) for test in tests]


def widths(shape):
    """Numbers of inputs that a tensor may be meant as: its last axes."""
    return sorted({int(np.prod(shape[at:])) for at in range(len(shape) or 1)})


def fed(model, inputs, live):
    """The model with all inputs but one as constants."""
    from onnx import ModelProto, numpy_helper
    copy = ModelProto()
    copy.CopyFrom(model)
    kept = [info for at, info in enumerate(copy.graph.input) if at == live]
    for at, (info, array) in enumerate(zip(model.graph.input, inputs)):
        if at != live:
            copy.graph.initializer.append(numpy_helper.from_array(np.asarray(array), info.name))
    del copy.graph.input[:]
    copy.graph.input.extend(kept)
    return copy


def decoded(array, info):
    """float64, also of bfloat16, which NumPy has not: the tests come with its bits."""
    if info.type.tensor_type.elem_type == BFLOAT16:
        array = (np.asarray(array, dtype=np.uint32) << 16).view(np.float32)
    return np.asarray(array, dtype=np.float64)


def answers(model, x, output, width):
    """What the imported network says of an array of any shape; NaN where an input is none or
    infinite, which no app's integer is."""
    x = decoded(x, model.graph.input[0]).reshape(-1, width)
    lowered = lower(read_graph(model.SerializeToString()), output, width)
    with np.errstate(all="ignore"):
        return np.where(np.isfinite(x).all(1)[:, None], lowered.run(x, sequence=False),
                        np.nan).ravel()


@cases.needs("onnx")
class Nodes(unittest.TestCase):
    def one(self, model, x, output, wanted):
        """Is it right for each number of inputs that is not refused? None: all are refused."""
        right = None
        for width in widths(np.shape(x)):
            try:
                got = answers(model, x, output.name, width) if width else None
            except liteflow.Problem as problem:
                self.assertNotIn("\n", str(problem))
                self.assertRegex(str(problem), '"|output|input|opset', "it names what")
                continue
            if got is None:
                continue
            exact = decoded(wanted, output)
            known = np.isfinite(got)
            good = got.size == exact.size and known.any() and np.allclose(
                got[known], exact.ravel()[known], atol=1e-6,
                rtol=TOLERANCE.get(wanted.dtype, 1e-5))
            right = good and right is not False
        return right

    def every(self, model, inputs, outputs):
        """Results with each of the inputs as the network's, the others as constants."""
        for live, x in enumerate(inputs):
            if not isinstance(x, np.ndarray) or x.dtype.kind not in "fiu":
                continue
            others = [i for at, i in enumerate(inputs) if at != live]
            if not all(isinstance(i, (np.ndarray, np.generic)) for i in others):
                continue
            model_of_one = fed(model, inputs, live)
            for info, wanted in zip(model.graph.output, outputs):
                if isinstance(wanted, np.ndarray) and wanted.dtype.kind in "fiub":
                    yield self.one(model_of_one, x, info, wanted)

    def whole(self, model):
        """As it is, with all its inputs: nothing but an import or a refusal of one line."""
        for info in model.graph.output:
            try:
                lower(read_graph(model.SerializeToString()), info.name)
            except liteflow.Problem as problem:
                self.assertNotIn("\n", str(problem))

    def test_nodes(self):
        count = imported = refused = 0
        wrong, named = [], []
        for name, model, data_sets in collect():
            count += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.whole(model)
                results = [result for inputs, outputs in data_sets
                           for result in self.every(model, inputs, outputs)]
            if any(result is False for result in results):
                wrong.append(name)
            elif any(results):
                imported += 1
                named.append(name)
            else:
                refused += 1
        cases.figure("lfc_node_tests", count, "tests")
        cases.figure("lfc_node_tests_imported", imported, "tests")
        cases.figure("lfc_node_tests_refused", refused, "tests")
        cases.figure("lfc_node_tests_wrong", len(wrong), "tests")
        self.assertEqual(wrong, [])
        self.assertGreater(count, 900)
        self.assertGreater(imported, 50)
        for operator in ("relu", "tanh", "sigmoid", "identity", "flatten", "reshape", "squeeze",
                         "unsqueeze", "transpose", "cast", "clip", "argmax", "dropout", "rnn",
                         "lstm"):
            self.assertTrue(any(operator in name for name in named), operator)


if __name__ == "__main__":
    unittest.main()
