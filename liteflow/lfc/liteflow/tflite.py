# SPDX-License-Identifier: GPL-2.0
"""TFLite files, float and quantised, as a graph of ONNX's operators.

Field numbers are those of TensorFlow's schema.fbs, version 3. A quantised file means its
dequantised weights, and the ranges that its input and output can hold.
"""
import math
import struct

import numpy as np

from . import integers
from .graph import Graph, Node, Refused, Tensor, check_size, shown
from .pylib.errors import Problem

MAGIC = b"TFL3"
METADATA = "liteflow-model"     # the name of ours among the file's metadata
MAX_TABLE = 4096                # tensors, nodes and buffers

TYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 7: np.int16,
         9: np.int8, 10: np.float64}
QUANTISED = (np.uint8, np.int8, np.int16)
FUSED = {0: None, 1: "Relu", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "Tanh"}
CLIPS = {"RELU_N1_TO_1": (-1.0, 1.0), "RELU6": (0.0, 6.0)}
CODES = {0: "Add", 6: "DEQUANTIZE", 9: "FULLY_CONNECTED", 14: "Sigmoid", 18: "Mul", 19: "Relu",
         20: "RELU_N1_TO_1", 21: "RELU6", 22: "Reshape", 25: "Softmax", 28: "Tanh", 41: "Sub",
         42: "Div", 43: "Squeeze", 50: "LogSoftmax", 56: "ArgMax", 114: "QUANTIZE"}
# of those that people meet; they are refused by name
NAMES = {1: "AveragePool", 2: "Concat", 3: "Conv", 4: "Conv", 16: "LSTM", 17: "MaxPool",
         24: "RNN", 27: "SVDF", 34: "Pad", 35: "RNN", 36: "Gather", 39: "Transpose",
         40: "ReduceMean", 44: "LSTM", 45: "Slice", 46: "RNN", 47: "Exp", 49: "Split",
         52: "LSTM", 54: "PRelu", 76: "Sqrt", 98: "LeakyRelu", 111: "Elu", 117: "HardSwish",
         150: "Gelu"}


class _Table:
    """A table of the file; every access stays inside of it."""

    def __init__(self, data, at):
        from flatbuffers import table
        if not 0 <= at <= len(data) - 4:
            raise ValueError("a table outside of the file")
        self.data, self.table = data, table.Table(data, at)
        start = at - struct.unpack_from("<i", data, at)[0]
        if not 0 <= start <= len(data) - 4:
            raise ValueError("a table outside of the file")

    def place(self, field):
        """Where a field is, None: it has its default"""
        offset = self.table.Offset(4 + 2 * field)
        return self.table.Pos + offset if offset else None

    def scalar(self, field, form, default=0):
        at = self.place(field)
        return default if at is None else struct.unpack_from("<" + form, self.data, at)[0]

    def _vector(self, field, size):
        at = self.place(field)
        if at is None:
            return 0, 0
        at += struct.unpack_from("<I", self.data, at)[0]
        count = struct.unpack_from("<I", self.data, at)[0]
        if count * size > len(self.data) - at - 4:
            raise ValueError("a list that is longer than the file")
        return at + 4, count

    def raw(self, field):
        at, count = self._vector(field, 1)
        return self.data[at:at + count]

    def text(self, field):
        return self.raw(field).decode("utf-8", "replace")

    def array(self, field, dtype):
        at, count = self._vector(field, np.dtype(dtype).itemsize)
        return np.frombuffer(self.data, np.dtype(dtype).newbyteorder("<"), count, at)

    def below(self, field):
        at = self.place(field)
        if at is None:
            return None
        return _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])

    def tables(self, field):
        at, count = self._vector(field, 4)
        if count > MAX_TABLE:
            raise ValueError(f"{count} parts of one kind")
        return [_Table(self.data, place + struct.unpack_from("<I", self.data, place)[0])
                for place in range(at, at + 4 * count, 4)]


class _Values:
    """A tensor: name, shape, kind of its numbers, data, and how they are quantised."""

    def __init__(self, number, table, buffers):
        self.name = f"{table.text(3) or 'tensor'}"
        self.number = number
        self.shape = [int(n) for n in table.array(0, np.int32)]
        self.signature = [int(n) for n in table.array(7, np.int32)] or self.shape
        self.code = table.scalar(1, "b")
        buffer = table.scalar(2, "I")
        if buffer >= len(buffers):
            raise ValueError("a tensor without its buffer")
        self.data = buffers[buffer].raw(0)
        quantisation = table.below(4)
        self.scale = self.zero = np.zeros(0)
        self.axis = 0
        if quantisation is not None:
            self.scale = quantisation.array(2, np.float32).astype(np.float64)
            self.zero = quantisation.array(3, np.int64)
            self.axis = quantisation.scalar(6, "i")
        if len(self.scale) and len(self.zero) not in (0, len(self.scale)):
            raise ValueError("scales and zero points that do not fit")
        if len(self.scale) and not len(self.zero):
            self.zero = np.zeros(len(self.scale), dtype=np.int64)

    @property
    def dtype(self):
        if self.code not in TYPES:
            raise Problem(f"tensor {shown(self.name)} is of type {self.code}, not of real numbers")
        return TYPES[self.code]

    @property
    def quantised(self):
        return self.dtype in QUANTISED and len(self.scale) > 0

    def integers(self):
        """The numbers as they stand in the file"""
        shape = check_size(self.shape, f"tensor {shown(self.name)}")
        dtype = np.dtype(self.dtype).newbyteorder("<")
        if len(self.data) != math.prod(shape) * dtype.itemsize:
            raise Problem(f"tensor {shown(self.name)}: its data does not fit its shape: the file "
                          "is damaged")
        return np.frombuffer(self.data, dtype).reshape(shape)

    def array(self):
        """What the numbers mean, float64 or int64"""
        array = self.integers()
        if not len(self.scale):
            return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        if not (np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise Problem(f"tensor {shown(self.name)}: a scale is not above 0: the file is damaged")
        scale, zero = self.scale, self.zero
        if len(scale) > 1:
            if not 0 <= self.axis < array.ndim or array.shape[self.axis] != len(scale):
                raise Problem(f"tensor {shown(self.name)}: {len(scale)} scales do not fit its "
                              "shape: the file is damaged")
            behind = (1,) * (array.ndim - 1 - self.axis)
            scale, zero = scale.reshape((-1,) + behind), zero.reshape((-1,) + behind)
        return (array.astype(np.float64) - zero) * scale

    def limits(self):
        """(lo, hi) that a quantised tensor can hold"""
        info = np.iinfo(self.dtype)
        # as many digits as the float32 of the scale has
        return tuple(float(f"{(end - self.zero[0]) * self.scale[0]:.7g}")
                     for end in (info.min, info.max))


class _Reader:
    def __init__(self, data):
        self.data = data
        model = _Table(data, struct.unpack_from("<I", data, 0)[0])
        if model.scalar(0, "I") != 3:
            raise Problem(f"TFLite's schema {model.scalar(0, 'I')}, version 3 is read")
        self.codes = [(max(code.scalar(0, "b"), code.scalar(3, "i")), code.text(1))
                      for code in model.tables(1)]
        graphs = model.tables(2)
        if len(graphs) != 1:
            raise Problem(f"the file has {len(graphs)} graphs, only one is possible: export the "
                          "network alone")
        buffers = model.tables(4)
        self.tensors = [_Values(at, t, buffers) for at, t in enumerate(graphs[0].tables(0))]
        names = set()
        for at, tensor in enumerate(self.tensors):
            if tensor.name in names:
                tensor.name = f"{tensor.name}#{at}"     # names need not differ in TFLite
            names.add(tensor.name)
        self.inputs = [self.tensor(i) for i in graphs[0].array(1, np.int32)]
        self.outputs = [self.tensor(i) for i in graphs[0].array(2, np.int32)]
        self.metadata = next((buffers[m.scalar(1, "I")].raw(0).decode("utf-8", "replace")
                              for m in model.tables(6) if m.text(0) == METADATA), None)
        self.description = model.text(3)
        self.nodes, self.steps, self.extra = [], [], {}
        self.told = ""
        for operator in graphs[0].tables(3):
            self.operator(operator)

    def tensor(self, at):
        if not 0 <= at < len(self.tensors):
            raise ValueError("a tensor that is not there")
        return self.tensors[at]

    def emit(self, op, inputs, output, **attributes):
        self.nodes.append(Node("", op, inputs, [output], attributes, told=self.told))

    def operator(self, operator):
        code = operator.scalar(0, "I")
        if code >= len(self.codes):
            raise ValueError("an operator without its code")
        code, custom = self.codes[code]
        inputs = [None if i == -1 else self.tensor(i) for i in operator.array(1, np.int32)]
        outputs = [self.tensor(i) for i in operator.array(2, np.int32)]
        if not outputs or not inputs or inputs[0] is None:
            raise ValueError("an operator without inputs or outputs")
        op = CODES.get(code)
        names = [i.name if i else "" for i in inputs]
        if op is None:
            name = custom if code == 32 and custom else NAMES.get(code, f"TFLite operator {code}")
            self.nodes.append(Node("", name, names, [o.name for o in outputs], {},
                                   "custom" if code == 32 else ""))
            return
        self.told = op.upper() if op != "LogSoftmax" else "LOG_SOFTMAX"
        options = operator.below(4)
        out = outputs[0]
        # operators with a fused activation: its place among the options
        place = {"FULLY_CONNECTED": 0, "Add": 0, "Mul": 0, "Sub": 0, "Div": 0}.get(op)
        fused = options.scalar(place, "b") if options and place is not None else 0
        if fused not in FUSED:
            raise Refused(Node(out.name, op, [], [out.name]),
                          f"its fused activation is number {fused}, the engine has none such; "
                          "train with Relu or Tanh")
        fused = FUSED[fused]
        target = out.name if not fused else f"{out.name} (before {fused})"
        if op == "FULLY_CONNECTED":
            self.dense(options, names, inputs, target)
        elif op in ("QUANTIZE", "DEQUANTIZE"):
            self.emit("Identity", names[:1], target)
        else:
            self.simple(op, options, names, target)
        self.steps.append((op, inputs, out, fused))
        if fused:
            self.activation(fused, target, out.name)

    def constant(self, name, array):
        self.extra[name] = lambda: array
        return name

    def dense(self, options, names, inputs, target):
        if len(names) < 2 or inputs[1] is None:
            raise ValueError("a layer without weights")
        if options and options.scalar(1, "b"):
            raise Refused(Node(target, "FULLY_CONNECTED", [], [target]),
                          "its weights are shuffled for one kind of processor: convert the network "
                          "without that")
        shape = inputs[1].shape
        if len(shape) != 2:
            raise ValueError("weights that are no matrix")
        before, keep = names[0], options.scalar(2, "B") if options else 0
        if not keep and len(inputs[0].shape) != 2:
            # all axes before the last that fits become the batch
            before = f"{target} (rows)"
            rows = self.constant(f"{target} (shape)", np.array([-1, shape[1]]))
            self.emit("Reshape", [names[0], rows], before)
        weights = f"{target} (weights)"
        self.emit("Transpose", [names[1]], weights, perm=[1, 0])
        bias = len(names) > 2 and names[2]
        product = f"{target} (product)" if bias else target
        self.emit("MatMul", [before, weights], product)
        if bias:
            self.emit("Add", [product, names[2]], target)

    def simple(self, op, options, names, target):
        """One operator for one."""
        if op in CLIPS:
            self.activation(op, names[0], target)
        elif op == "Reshape":
            if len(names) < 2:
                shape = options.array(0, np.int32) if options else np.zeros(0)
                names = [names[0], self.constant(f"{target} (shape)", shape.astype(np.int64))]
            self.emit(op, names[:2], target)
        elif op == "Squeeze":
            axes = options.array(0, np.int32).tolist() if options else []
            self.emit(op, names[:1], target, **({"axes": axes} if axes else {}))
        elif op in ("Softmax", "LogSoftmax"):
            self.emit(op, names[:1], target, axis=-1)
        elif op == "ArgMax":
            if len(names) < 2 or names[1] == "":
                raise ValueError("ArgMax without its axis")
            axis = next(t for t in self.tensors if t.name == names[1]).array().ravel()
            if axis.size != 1:
                raise ValueError("ArgMax over several axes")
            self.emit(op, names[:1], target, axis=int(axis[0]), keepdims=0)
        else:
            self.emit(op, names, target)

    def activation(self, name, source, target):
        if name in CLIPS:
            lo, hi = CLIPS[name]
            self.emit("Clip", [source], target, min=lo, max=hi)
        else:
            self.emit(name, [source], target)

    def graph(self):
        made = {name for node in self.nodes for name in node.outputs}
        entered = {tensor.name for tensor in self.inputs}
        constants = {t.name: t.array for t in self.tensors
                     if len(t.data) and t.name not in made | entered}
        constants.update(self.extra)
        # the batch may be left open; sizes that are not known are -1
        inputs = {t.name: lambda t=t: Tensor(
            t.name, tuple(n if n > 0 else None for n in t.signature),
            t.dtype in (np.int32, np.int64) and not t.quantised) for t in self.inputs}
        limits = {t.name: t.limits() for t in self.tensors
                  if t.code in TYPES and t.quantised and not len(t.data) and
                  np.isfinite(t.scale).all()}
        # a float input that is quantised at once has the quantised one's range, and so the output
        for op, sources, out, _ in self.steps:
            if op == "QUANTIZE" and out.name in limits:
                limits.setdefault(sources[0].name, limits[out.name])
            elif op == "DEQUANTIZE" and sources[0].name in limits:
                limits.setdefault(out.name, limits[sources[0].name])
        text = f"TFLite, {shown(self.description)[1:-1]}" if self.description else "TFLite"
        return Graph(inputs, [t.name for t in self.outputs], self.nodes, constants, 13, text,
                     self.metadata, limits,
                     integers.Arithmetic(self.inputs, self.steps).run if limits else None)


def read(data):
    """Bytes of a TFLite file -> Graph"""
    try:
        return _Reader(data).graph()
    except ImportError as error:
        raise Problem(f"reading TFLite needs the package flatbuffers ({error}): apt-get install "
                      "python3-flatbuffers") from error
    except (struct.error, ValueError, IndexError, TypeError, OverflowError) as error:
        raise Problem(f"not a TFLite file, or a damaged one ({' '.join(str(error).split())[:80]})"
                      ) from error
