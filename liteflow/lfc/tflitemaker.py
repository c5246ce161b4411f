# SPDX-License-Identifier: GPL-2.0
"""Writes TFLite files for tests: nothing in Debian does. Field numbers as in liteflow/tflite.py,
but said anew, from TensorFlow's schema.fbs.
"""
import flatbuffers
import numpy as np

KINDS = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}
OPERATORS = {"ADD": 0, "DEQUANTIZE": 6, "FULLY_CONNECTED": 9, "LOGISTIC": 14, "MUL": 18,
             "RELU": 19, "RELU6": 21, "RESHAPE": 22, "SOFTMAX": 25, "TANH": 28, "SUB": 41,
             "DIV": 42, "SQUEEZE": 43, "ARG_MAX": 56, "CONV_2D": 3, "ELU": 111, "CUSTOM": 32,
             "QUANTIZE": 114}
FUSED = {None: 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4, "SIGN_BIT": 5}


class Maker:
    """A graph: tensors are numbers, in the order in which they were added."""

    def __init__(self):
        self.tensors, self.operators, self.buffers = [], [], [b""]
        self.metadata = {}

    def tensor(self, name, shape, kind="float32", data=None, scale=None, zero=0, axis=0,
               signature=None):
        """Adds a tensor; @data: its constants, @scale, @zero: numbers or one per channel"""
        at = 0
        if data is not None:
            self.buffers.append(np.ascontiguousarray(data, dtype=kind).tobytes())
            at = len(self.buffers) - 1
        scales = None if scale is None else np.atleast_1d(scale)
        zeros = None if scale is None else np.resize(np.atleast_1d(zero), len(scales))
        self.tensors.append((name, shape, KINDS[kind], at, scales, zeros, axis, signature))
        return len(self.tensors) - 1

    def constant(self, name, array, **quantisation):
        array = np.asarray(array)
        return self.tensor(name, array.shape, str(array.dtype), array, **quantisation)

    def operator(self, op, inputs, outputs, fused=None, custom=""):
        self.operators.append((op, inputs, outputs, fused, custom))

    def finish(self, inputs, outputs):
        """The bytes of the file"""
        b = flatbuffers.Builder(1024)

        def vector(array, dtype):
            return b.CreateNumpyVector(np.asarray(array, dtype=dtype))

        def tables(offsets):
            b.StartVector(4, len(offsets), 4)
            for offset in reversed(offsets):
                b.PrependUOffsetTRelative(offset)
            return b.EndVector()

        def table(slots, fields):
            """fields: (number, Builder's method, value, default)"""
            b.StartObject(slots)
            for number, kind, value, default in fields:
                if kind == "offset":
                    b.PrependUOffsetTRelativeSlot(number, value or 0, 0)
                else:
                    getattr(b, f"Prepend{kind}Slot")(number, value, default)
            return b.EndObject()

        buffers = [table(1, [(0, "offset", b.CreateByteVector(data) if data else 0, 0)])
                   for data in self.buffers]
        entries = []
        for name, text in self.metadata.items():
            buffers.append(table(1, [(0, "offset", b.CreateByteVector(text.encode()), 0)]))
            entries.append(table(2, [(0, "offset", b.CreateString(name), 0),
                                     (1, "Uint32", len(buffers) - 1, 0)]))
        made = []
        for name, shape, kind, at, scales, zeros, axis, signature in self.tensors:
            quantisation = 0
            if scales is not None:
                parts = [(2, "offset", vector(scales, np.float32), 0),
                         (3, "offset", vector(zeros, np.int64), 0), (6, "Int32", axis, 0)]
                quantisation = table(7, parts)
            fields = [(0, "offset", vector(shape, np.int32), 0), (1, "Int8", kind, 0),
                      (2, "Uint32", at, 0), (3, "offset", b.CreateString(name), 0),
                      (4, "offset", quantisation, 0)]
            if signature is not None:
                fields.append((7, "offset", vector(signature, np.int32), 0))
            made.append(table(8, fields))
        kinds = sorted({(op, custom) for op, _, _, _, custom in self.operators})
        codes = [table(4, [(0, "Int8", min(OPERATORS[op], 127), 0),
                           (1, "offset", b.CreateString(custom) if custom else 0, 0),
                           (3, "Int32", OPERATORS[op], 0)]) for op, custom in kinds]
        steps = []
        for op, sources, targets, fused, custom in self.operators:
            options = table(4, [(0, "Int8", FUSED[fused], 0)]) if fused else 0
            steps.append(table(5, [(0, "Uint32", kinds.index((op, custom)), 0),
                                   (1, "offset", vector(sources, np.int32), 0),
                                   (2, "offset", vector(targets, np.int32), 0),
                                   (3, "Uint8", 8 if options else 0, 0),
                                   (4, "offset", options, 0)]))
        graph = table(5, [(0, "offset", tables(made), 0),
                          (1, "offset", vector(inputs, np.int32), 0),
                          (2, "offset", vector(outputs, np.int32), 0),
                          (3, "offset", tables(steps), 0)])
        model = table(7, [(0, "Uint32", 3, 0), (1, "offset", tables(codes), 0),
                          (2, "offset", tables([graph]), 0),
                          (3, "offset", b.CreateString("made"), 0),
                          (4, "offset", tables(buffers), 0),
                          (6, "offset", tables(entries) if entries else 0, 0)])
        b.Finish(model, file_identifier=b"TFL3")
        return bytes(b.Output())


def network(dice, quantised=None, shape=None):
    """(bytes, rows float64 [64][inputs], answers [64][outputs]) of a random network.

    quantised: None, "int8", "uint8", "int8 io" (inputs and outputs as well), "weights" (only
    those), "float16"; answers are those of the
    dequantised weights, without rounding between. shape: (inputs, outputs), by default drawn
    """
    maker = Maker()
    width = n_in = shape[0] if shape else dice.randint(1, 16)
    rows = dice.arrays.uniform(-1, 1, (64, n_in))
    x = rows
    bare, quantised = quantised == "int8 io", "int8" if quantised == "int8 io" else quantised
    full = quantised in ("int8", "uint8")
    form = {"kind": "int8", "scale": 1 / 120} if bare else {}
    at = maker.tensor("in", [1, n_in], signature=[-1, n_in] if dice.chance(0.5) else None, **form)
    start, scale = at, 1 / 120
    middle = {"int8": 0, "uint8": 128}.get(quantised)
    if full and not bare:
        made = maker.tensor("in_q", [1, n_in], quantised, scale=1 / 120, zero=middle)
        maker.operator("QUANTIZE", [at], [made])
        at = made
    depth = dice.randint(1, 3)
    for number in range(depth):
        out = shape[1] if shape and number + 1 == depth else dice.randint(1, 16)
        weights = dice.arrays.normal(0, 1 / np.sqrt(width), (out, width)).astype(np.float32)
        bias = dice.arrays.normal(0, 0.2, out).astype(np.float32)
        fused = dice.choice([None, "RELU"]) if full else dice.choice([None, "RELU", "TANH"])
        if full or quantised == "weights":
            step = np.abs(weights).max(1) / 127 if dice.chance(0.5) else \
                np.abs(weights).max() / 127
            integers = np.round(weights / np.reshape(step, (-1, 1))).astype(np.int8)
            step = np.float32(step)
            w = maker.constant(f"w{number}", integers, scale=step)
            weights = integers * np.reshape(step, (-1, 1)).astype(np.float64)
        elif quantised == "float16":
            half = weights.astype(np.float16)
            raw = maker.constant(f"h{number}", half)
            w = maker.tensor(f"w{number}", list(half.shape))
            maker.operator("DEQUANTIZE", [raw], [w])
            weights = half.astype(np.float64)
        else:
            w = maker.constant(f"w{number}", weights)
        inputs = [at, w]
        if dice.chance(0.8):
            if full:
                steps = np.float32(scale) * np.atleast_1d(step).astype(np.float64)
                integers = np.round(bias / steps).astype(np.int32)
                bias = integers * np.float32(steps).astype(np.float64)
                inputs.append(maker.constant(f"b{number}", integers, scale=np.float32(steps)))
            else:
                inputs.append(maker.constant(f"b{number}", bias))
            x = x @ weights.T + bias
        else:
            inputs.append(-1)
            x = x @ weights.T
        x = {None: lambda v: v, "RELU": lambda v: np.maximum(v, 0), "TANH": np.tanh}[fused](x)
        form = {}
        if full:
            scale = float(np.float32(np.abs(x).max() / 100 + 1e-3))
            form = {"kind": quantised, "scale": scale, "zero": middle}
        at = maker.tensor(f"t{number}", [1, out], **form)
        maker.operator("FULLY_CONNECTED", inputs, [at], fused)
        if number + 1 < depth and fused is None or dice.chance(0.2):
            op = dice.choice(["TANH", "LOGISTIC"])
            x = np.tanh(x) if op == "TANH" else 1 / (1 + np.exp(-x))
            if full:
                scale = 1 / 128 if op == "TANH" else 1 / 256
                form = {"kind": quantised, "scale": scale,
                        "zero": middle if op == "TANH" else middle - 128}
            made = maker.tensor(f"a{number}", [1, out], **form)
            maker.operator(op, [at], [made])
            at = made
        width = out
    if full and not bare:
        made = maker.tensor("out", [1, width])
        maker.operator("DEQUANTIZE", [at], [made])
        at = made
    return maker.finish([start], [at]), rows, x
