# SPDX-License-Identifier: GPL-2.0
"""The arithmetic of quantised TFLite files, as TensorFlow's reference kernels do it.

Only to say how far it is from the network that the file means.
"""
import math

import numpy as np

ACCUMULATOR = np.iinfo(np.int32)


def _round(values):
    """Halves away from zero, as C's round()."""
    return np.where(values < 0, -np.floor(0.5 - values), np.floor(values + 0.5))


def quantise(tensor, values):
    """float64 -> the tensor's integers, int64"""
    info = np.iinfo(tensor.dtype)
    return np.clip(_round(values / tensor.scale[0]) + tensor.zero[0], info.min,
                   info.max).astype(np.int64)


def dequantise(tensor, values):
    return (values - tensor.zero[0]) * tensor.scale[0]


def multiplier(real):
    """real = m / 2^31 * 2^shift, m an integer of 32 bits"""
    fraction, shift = math.frexp(real)
    m = int(_round(np.float64(fraction) * 2 ** 31))
    return (m // 2, shift + 1) if m == 2 ** 31 else (m, shift)


def scaled(sums, real):
    """int64 sums times a real factor, in the two rounding steps of gemmlowp"""
    m, shift = multiplier(real)
    product = np.clip(sums << max(shift, 0), ACCUMULATOR.min, ACCUMULATOR.max) * m
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31))
    down = max(-shift, 0)
    if down > 62:
        return np.zeros_like(high)
    mask = (1 << down) - 1
    return (high >> down) + ((high & mask) > (mask >> 1) + (high < 0))


class Arithmetic:
    """
    inputs: the tensors that the graph is entered by
    steps: (operator, tensors in, tensor out, fused activation) of each, in order
    """

    def __init__(self, inputs, steps):
        self.inputs, self.steps = inputs, steps

    def run(self, output, rows):
        """Answers of the tensor named @output, float64 [rows][outputs], or None."""
        if len(self.inputs) != 1:
            return None
        entered = self.inputs[0]
        values = {entered.number: quantise(entered, rows) if entered.quantised else rows}
        for op, sources, out, fused in self.steps:
            if sources[0].number not in values:
                continue        # of constants
            with np.errstate(all="ignore"):
                made = self._step(op, sources, out, fused, values[sources[0].number])
            if made is None:
                return None
            values[out.number] = made
            if out.name == output:
                break
        else:
            return None
        return dequantise(out, made) if out.quantised else np.asarray(made, dtype=np.float64)

    def _step(self, op, sources, out, fused, x):
        before = sources[0]
        if op in ("Reshape", "Squeeze"):
            return x
        if op == "ArgMax":
            return x.argmax(1)[:, None]
        if not before.quantised:
            return quantise(out, x) if op == "QUANTIZE" and out.quantised else None
        if op == "DEQUANTIZE":
            return dequantise(before, x)
        if not out.quantised or len(out.scale) != 1 or len(before.scale) != 1:
            return None
        if op == "FULLY_CONNECTED":
            return self._dense(sources, out, fused, x)
        real = dequantise(before, x)
        if op == "Tanh":
            return quantise(out, np.tanh(real))
        if op == "Sigmoid":
            return quantise(out, 1 / (1 + np.exp(-np.clip(real, -700, 700))))
        if op == "Relu":
            return quantise(out, np.maximum(real, 0))
        return quantise(out, real) if op == "QUANTIZE" else None

    @staticmethod
    def _dense(sources, out, fused, x):
        before, weights = sources[:2]
        if not weights.quantised or fused not in (None, "Relu", "RELU6", "RELU_N1_TO_1"):
            return None
        table = weights.integers().astype(np.int64)
        zero = weights.zero if len(weights.zero) == 1 else weights.zero[:, None]
        sums = (x - before.zero[0]) @ (table - zero).T
        if len(sources) > 2 and sources[2] is not None:
            sums = sums + sources[2].integers().astype(np.int64).ravel()
        factors = before.scale[0] * weights.scale / out.scale[0]
        if len(factors) == 1:
            y = scaled(sums, factors[0])
        else:
            y = np.stack([scaled(sums[:, at], f) for at, f in enumerate(factors)], axis=1)
        info = np.iinfo(out.dtype)
        y = np.clip(y + out.zero[0], info.min, info.max)
        ends = {"Relu": (0, math.inf), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}.get(fused)
        if ends:
            lo, hi = (info.max if math.isinf(end) else quantise(out, np.float64(end))
                      for end in ends)
            y = np.clip(y, lo, hi)
        return y
