# SPDX-License-Identifier: GPL-2.0
"""Operators whose inputs are constants: shapes, and weights that are computed of others.

Arrays are float64 or int64. Nothing is made that is larger than MAX_ELEMENTS.
"""
import math

import numpy as np

from .graph import Refused, check_size, number_array

# TensorProto's numbers of types
INTEGER_TYPES = {6: "int32", 7: "int64"}
FLOAT_TYPES = {1: "float", 10: "float16", 11: "double", 16: "bfloat16"}


def numbers(node, name, at, inputs, default=None):
    """A list of integers: an attribute, or in later opsets input @at."""
    value = node.attributes.get(name)
    if value is None and at is not None and at < len(inputs) and inputs[at] is not None:
        value = inputs[at]
        if not isinstance(value, np.ndarray):
            raise Refused(node, f"its {name} depend on the network's inputs: export it with "
                                "fixed ones")
        value = value.ravel().tolist()
    if value is None:
        return default
    value = [value] if isinstance(value, (int, float)) else list(value)
    if any(not float(n).is_integer() for n in value):
        raise Refused(node, f"its {name} are no whole numbers: the file is damaged")
    return [int(n) for n in value]


def axis_of(node, axis, rank, beyond=0):
    """An axis from 0 on; @beyond: so many more than the rank are possible."""
    if not -rank - beyond <= axis < rank + beyond:
        raise Refused(node, f"its axis {axis} is not one of {rank}: the file is damaged")
    return axis + rank + beyond if axis < 0 else axis


def reshaped(node, shape, target):
    """The shape that Reshape makes of @shape: 0 keeps a size, -1 is what is left."""
    if target.count(-1) > 1 or any(n < -1 for n in target) or len(target) > 32:
        raise Refused(node, f"no such shape as {target[:8]}: the file is damaged")
    if not node.attributes.get("allowzero"):
        if any(n == 0 and at >= len(shape) for at, n in enumerate(target)):
            raise Refused(node, f"its shape {target[:8]} keeps a size that is not there")
        target = [shape[at] if n == 0 else n for at, n in enumerate(target)]
    size, known = math.prod(shape), math.prod(n for n in target if n != -1)
    if -1 in target:
        if not known or size % known:
            raise Refused(node, f"{size} values do not fit the shape {target[:8]}")
        target = [size // known if n == -1 else n for n in target]
    if math.prod(target) != size:
        raise Refused(node, f"{size} values do not fit the shape {target[:8]}: if that has a size "
                            "of the batch in it, export the network with a batch of 1")
    return tuple(target)


def new_shape(node, shape, inputs):
    """The shape that one of the operators makes that change nothing else."""
    rank = len(shape)
    if node.op == "Reshape":
        target = numbers(node, "shape", 1, inputs)
        if target is None:
            raise Refused(node, "it names no shape: the file is damaged")
        return reshaped(node, shape, target)
    if node.op == "Flatten":
        at = axis_of(node, (numbers(node, "axis", None, inputs) or [1])[0], rank, 1) \
            if rank else 0
        at = at if at <= rank else rank
        return math.prod(shape[:at]), math.prod(shape[at:])
    axes = numbers(node, "axes", 1, inputs)
    if node.op == "Squeeze":
        axes = [at for at, n in enumerate(shape) if n == 1] if axes is None else \
            [axis_of(node, axis, rank) for axis in axes]
        if any(shape[at] != 1 for at in axes):
            raise Refused(node, "it takes an axis away that has more than one value")
        return tuple(n for at, n in enumerate(shape) if at not in axes)
    if axes is None or len(axes) > 32:
        raise Refused(node, "it names no axes: the file is damaged")
    final = rank + len(axes)
    axes = {axis_of(node, axis, final) for axis in axes}
    if len(axes) + rank != final:
        raise Refused(node, "it adds an axis twice: the file is damaged")
    sizes = iter(shape)
    return tuple(1 if at in axes else next(sizes) for at in range(final))


def permutation(node, rank):
    perm = numbers(node, "perm", None, []) or list(reversed(range(rank)))
    if sorted(perm) != list(range(rank)):
        raise Refused(node, f"its order {perm[:8]} is none of {rank} axes: the file is damaged")
    return perm


def cast(node, array):
    """What Cast makes of a constant."""
    to = node.attributes.get("to")
    if to in INTEGER_TYPES:
        return np.trunc(array).astype(np.int64)
    if to == 9:
        return (array != 0).astype(np.int64)
    if to in FLOAT_TYPES:
        return array.astype({10: np.float16, 1: np.float32}.get(to, np.float64)).astype(np.float64)
    raise Refused(node, "it makes another type than float, double, int32 or int64: export the "
                        "network with those")


def _sized(node, shape):
    return check_size(shape, f"what node {node.title!r} makes")


def broadcast_size(node, *arrays):
    """The shape that arrays have together, if an array of it may be made."""
    return _sized(node, np.broadcast_shapes(*(a.shape for a in arrays)))


def legacy_aligned(node, a, b):
    """@b as operators before opset 7 broadcast it: from an axis on."""
    axis = node.attributes.get("axis")
    if not node.attributes.get("broadcast") or axis is None or b.ndim >= len(a):
        return b
    behind = len(a) - axis_of(node, axis, len(a)) - b.ndim
    return b.reshape(b.shape + (1,) * max(behind, 0))


def _divide(a, b):
    if a.dtype.kind == "i" and b.dtype.kind == "i":
        return np.trunc(a / b).astype(np.int64)     # ONNX's integers are cut towards 0
    return a / b


def _gather(node, inputs):
    array, at = inputs[:2]
    if at.dtype.kind != "i":
        raise Refused(node, "its indices are no whole numbers: the file is damaged")
    axis = axis_of(node, node.attributes.get("axis") or 0, array.ndim)
    _sized(node, array.shape[:axis] + at.shape + array.shape[axis + 1:])
    return np.take(array, at, axis=axis)


def slices(node, inputs, rank):
    """[(axis, start, end, step)] of a Slice"""
    starts, ends = (numbers(node, name, at, inputs) for name, at in (("starts", 1), ("ends", 2)))
    axes = numbers(node, "axes", 3, inputs) or list(range(len(starts)))
    steps = numbers(node, "steps", 4, inputs) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise Refused(node, "its starts, ends and axes do not fit: the file is damaged")
    return [(axis_of(node, axis, rank), start, end, step)
            for start, end, axis, step in zip(starts, ends, axes, steps)]


def _slice(node, inputs):
    array = inputs[0]
    cut = [slice(None)] * array.ndim
    for axis, start, end, step in slices(node, inputs, array.ndim):
        last = None if step < 0 and end < -array.shape[axis] else end
        cut[axis] = slice(start, last, step)
    return array[tuple(cut)]


def _concat(node, inputs):
    axis = axis_of(node, node.attributes.get("axis", 1), inputs[0].ndim)
    _sized(node, (sum(a.size for a in inputs),))
    return np.concatenate(inputs, axis=axis)


def _filled(node, inputs):
    value = node.attributes.get("value")
    value = value() if callable(value) else np.zeros(1)
    return np.full(_sized(node, inputs[0].ravel()), value.ravel()[0])


def _expand(node, inputs):
    shape = tuple(int(n) for n in inputs[1].ravel())
    return np.broadcast_to(inputs[0], _sized(node, np.broadcast_shapes(inputs[0].shape, shape)))


def _matmul(node, inputs):
    a, b = inputs[:2]
    _sized(node, a.shape[:-1] + b.shape[:-2] + b.shape[-1:])
    return a @ b


def _constant(node):
    for name in ("value_float", "value_floats", "value_int", "value_ints"):
        if node.attributes.get(name) is not None:
            return number_array(np.array(node.attributes[name]), "a constant")
    value = node.attributes.get("value")
    if not callable(value):
        raise Refused(node, "it is a sparse constant, or text: export it as a dense tensor")
    return value()


_PAIRS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _divide, "Pow": np.power}
_SINGLE = {"Neg": np.negative, "Sqrt": np.sqrt, "Exp": np.exp, "Abs": np.abs,
           "Reciprocal": np.reciprocal, "Identity": np.positive, "Dropout": np.positive}
_SHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
_OTHERS = {"Gather": _gather, "Slice": _slice, "Concat": _concat, "ConstantOfShape": _filled,
           "Expand": _expand, "MatMul": _matmul}
FOLDED = {*_PAIRS, *_SINGLE, *_SHAPES, *_OTHERS, "Transpose", "Cast", "Shape", "Constant"}


def fold(node, inputs):
    """The array that @node makes of arrays."""
    if node.op == "Constant":
        return _constant(node)
    if not inputs or inputs[0] is None or (node.op in (*_PAIRS, "MatMul", "Gather", "Expand")
                                           and (len(inputs) < 2 or inputs[1] is None)):
        raise Refused(node, "an input of it is missing: the file is damaged")
    a = inputs[0]
    if node.op in _PAIRS:
        b = legacy_aligned(node, a.shape, inputs[1])
        broadcast_size(node, a, b)
        if node.op == "Pow":
            a = a.astype(np.float64)
        return np.asarray(_PAIRS[node.op](a, b))
    if node.op in _SINGLE:
        return np.asarray(_SINGLE[node.op](a))
    if node.op in _SHAPES:
        return a.reshape(new_shape(node, a.shape, inputs))
    if node.op == "Transpose":
        return a.transpose(permutation(node, a.ndim))
    if node.op == "Cast":
        return cast(node, a)
    if node.op == "Shape":
        return np.array(a.shape, dtype=np.int64)
    if node.op in _OTHERS and all(i is not None for i in inputs):
        return np.asarray(_OTHERS[node.op](node, inputs))
    raise Refused(node, "it computes a constant in a way that is not known here: export the "
                        "network with constants folded")
