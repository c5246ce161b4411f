# SPDX-License-Identifier: GPL-2.0
"""A model's blob in exact integers, by include/uapi/linux/liteflow_model.h.

Nothing here is shared with LiteFlow's engine: the two are tested against each
other.  Only what the scheduler takes: dense layers, ReLU, then none.
"""
import struct
import zlib

import numpy as np

from . import features as ft
from .errors import Problem

MAGIC = 0x4E4E464C
HEADER = struct.Struct("<IHHIIHHHHII32s32s")
SCALE = struct.Struct("<32siiiiB3s")
LAYER = struct.Struct("<BBBBHH")
ACT_NONE, ACT_RELU = 0, 1
S16_MIN, S16_MAX = -32768, 32767
THRESHOLD = 32768           # of the output: 0.5


class BlobError(Problem):
    """Bytes that are no such model; the text says why."""


def rshift(v, shift):
    """v / 2^shift, rounded to the nearest, halves up; ints or int64 arrays."""
    return (v + (1 << (shift - 1))) >> shift if shift else v


class Scale:
    """How one input is quantised, or one output made."""

    def __init__(self, name, lo, hi, offset, mult, shift):
        self.name = name
        self.lo, self.hi, self.offset = lo, hi, offset
        self.mult, self.shift = mult, shift

    def numbers(self):
        return self.lo, self.hi, self.offset, self.mult, self.shift

    def quantise(self, v):
        v = np.clip(np.asarray(v, dtype=np.int64), self.lo, self.hi)
        return rshift((v - self.offset) * self.mult, self.shift)

    def output(self, v):
        v = rshift(v * self.mult, self.shift) + self.offset
        return np.clip(v, self.lo, self.hi)


class Layer:
    """A dense layer; weights [n_out][n_in], int64."""

    def __init__(self, act, shift, bias, weights):
        self.act, self.shift = act, shift
        self.bias, self.weights = bias, weights

    def activate(self, a, last):
        """A row's sum -> what leaves the layer; never falls where a rises."""
        if self.act == ACT_RELU:
            a = np.maximum(a, 0)
        if last:
            return a
        return np.clip(rshift(a, self.shift), S16_MIN, S16_MAX)


def _text(raw):
    return raw.split(b"\0")[0].decode()


class Blob:
    """A parsed model."""

    def __init__(self, data):
        self.data = bytes(data)
        try:
            self._parse()
        except (struct.error, UnicodeDecodeError) as err:
            raise BlobError(f"cut off or damaged: {err}") from err

    def _parse(self):
        data = self.data
        (magic, version, _, total, self.crc, n_in, n_out, n_layers, state,
         prov_len, _, name, units) = HEADER.unpack_from(data)
        if magic != MAGIC or version != 1 or total != len(data) or state:
            raise BlobError("no model of version 1, or cut off")
        if zlib.crc32(data[:12] + bytes(4) + data[16:]) != self.crc:
            raise BlobError("the checksum is not that of the bytes")
        self.name, self.units = _text(name), _text(units)
        at = HEADER.size
        scales = []
        for _ in range(n_in + n_out):
            raw, *numbers, _ = SCALE.unpack_from(data, at)
            scales.append(Scale(_text(raw), *numbers))
            at += SCALE.size
        self.inputs, self.outputs = scales[:n_in], scales[n_in:]
        shapes = [LAYER.unpack_from(data, at + i * LAYER.size)
                  for i in range(n_layers)]
        at += n_layers * LAYER.size
        self.layers = []
        for i, (_, act, shift, _, cols, rows) in enumerate(shapes):
            if act not in (ACT_NONE, ACT_RELU):
                raise BlobError(f"layer {i}: activation {act}; the scheduler "
                                "takes relu and none")
            bias = np.frombuffer(data, "<i8", rows, at).astype(np.int64)
            w = np.frombuffer(data, "<i2", rows * cols, at + 8 * rows)
            self.layers.append(Layer(act, shift, bias, w.astype(np.int64)
                                     .reshape(rows, cols)))
            at += (8 * rows + 2 * rows * cols + 7) // 8 * 8
        self.provenance = data[at:at + prov_len].decode()
        if at + (prov_len + 7) // 8 * 8 != len(data):
            raise BlobError("its lengths do not add up")

    def same_numbers(self, other):
        """True if all but names and provenance is the same."""
        def numbers(blob):
            return ([s.numbers() for s in blob.inputs + blob.outputs],
                    [(x.act, x.shift, x.bias.tolist(), x.weights.tolist())
                     for x in blob.layers])
        return numbers(self) == numbers(other)

    def run(self, values):
        """Rows of inputs -> rows of outputs, int64.

        int64 matmul: exact, numpy does not route integers through BLAS.
        """
        values = np.atleast_2d(np.asarray(values, dtype=np.int64))
        x = np.stack([s.quantise(values[:, i])
                      for i, s in enumerate(self.inputs)], axis=1)
        for layer in self.layers:
            a = layer.bias + x @ layer.weights.T
            x = layer.activate(a, layer is self.layers[-1])
        return np.stack([s.output(x[:, i])
                         for i, s in enumerate(self.outputs)], axis=1)

    def bounds(self, lo, hi):
        """Exact least and greatest outputs, or wider ones, over a box of inputs.

        Every step is monotonous, so the ends of an interval are enough; what
        two rows have in common is not used, which can only widen the result.
        """
        a = [s.quantise(v) for s, v in zip(self.inputs, lo)]
        b = [s.quantise(v) for s, v in zip(self.inputs, hi)]
        a, b = np.array(a, dtype=np.int64), np.array(b, dtype=np.int64)
        for layer in self.layers:
            up, down = np.maximum(layer.weights, 0), np.minimum(layer.weights, 0)
            last = layer is self.layers[-1]
            least = layer.bias + up @ a + down @ b
            most = layer.bias + up @ b + down @ a
            a, b = layer.activate(least, last), layer.activate(most, last)
        return ([int(s.output(v)) for s, v in zip(self.outputs, a)],
                [int(s.output(v)) for s, v in zip(self.outputs, b)])


def box(blob, bits, sign):
    """All that the kernel can ask with these bits and that sign of faults."""
    lo = np.array([s.lo for s in blob.inputs], dtype=np.int64)
    hi = np.array([s.hi for s in blob.inputs], dtype=np.int64)
    for k, i in enumerate(ft.BIT_INPUTS):
        lo[i] = hi[i] = bits >> k & 1
    # Differences are odd, or 0 where the gate is closed.
    at = ft.NUM_INPUTS[ft.DELTA]
    first = int(np.clip(sign, lo[at], hi[at]))
    if sign <= 0:
        hi[at] = first
    if sign >= 0:
        lo[at] = first
    return lo, hi


def prove(blob):
    """Compare with the rule over ALL inputs that the kernel can produce.

    For each reachable combination of bits and sign of delta_faults, bound the
    output over every queue length, load and difference (the clamp makes the
    box finite).  Returns a list of (bits, sign, verdict, margin): "proved" =
    the rule's answer throughout, "wrong" = the other answer throughout, "open"
    = the bounds alone do not decide; margin = distance of the output from 0.5
    on the rule's side, at least.
    """
    out = []
    for bits, sign in ft.reachable():
        (least,), (most,) = blob.bounds(*box(blob, int(bits), int(sign)))
        want = int(ft.rule(bits, [0, 0, 0, 0, sign]))
        if least > THRESHOLD:
            got = "proved" if want else "wrong"
        elif most <= THRESHOLD:
            got = "wrong" if want else "proved"
        else:
            got = "open"
        margin = (least - THRESHOLD if want else THRESHOLD - most) / 65536
        out.append((int(bits), int(sign), got, margin))
    return out
