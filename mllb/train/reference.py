# SPDX-License-Identifier: GPL-2.0
"""The kernel's fixed-point forward pass in integers, and its float twin.

Formats: weights Q16, first-layer sums Q28, hidden units Q16 (saturated to
s32), output Q32.  |w| < 2^23 in Q16 and |num| <= 2^24 bound every sum below
2^63 (see bounds()), so nothing can wrap.
"""
import numpy as np

import features as ft
from model import NUM_LIMIT, ONE, W_LIMIT

ACC_SHIFT = 12              # Q16 -> Q28
HALF_Q32 = 1 << 31
S32_MAX = 2 ** 31 - 1
S32_MIN = -2 ** 31


def div_round(a, unit):
    """a / unit to nearest, halves away from zero (DIV_ROUND_CLOSEST)."""
    a = int(a)
    q = (abs(a) + unit // 2) // unit
    return q if a >= 0 else -q


def prepare(model):
    """The tables that the kernel prepares once at load, all Q28."""
    bit_w = np.array([[int(w) << ACC_SHIFT for w in model.w1[i]]
                      for i in ft.BIT_INPUTS], dtype=np.int64)
    num_w = np.array([[div_round(int(w) << ACC_SHIFT, unit)
                       for w in model.w1[i]]
                      for i, unit in zip(ft.NUM_INPUTS, ft.UNITS)],
                     dtype=np.int64)
    b1 = np.array([int(b) << ACC_SHIFT for b in model.b1], dtype=np.int64)
    return bit_w, num_w, b1


def _hidden(acc):
    return np.minimum(np.maximum(acc, 0) >> ACC_SHIFT, S32_MAX)


def forward_fixed(model, bits, num):
    """Output in Q32, int64, one per row."""
    bit_w, num_w, b1 = prepare(model)
    bits = np.atleast_1d(np.asarray(bits, dtype=np.int64))
    num = ft.clamp(np.atleast_2d(num), model.lo, model.hi)
    on = (bits[:, None] >> np.arange(len(ft.BIT_NAMES))) & 1
    # int64 matmul: exact, numpy does not route integers through BLAS.
    acc = b1 + on @ bit_w + num @ num_w
    return (model.b2 << 16) + _hidden(acc) @ model.w2


def forward_float(model, bits, num):
    """The same Q16 weights in float64."""
    x = ft.inputs(bits, num, model.lo, model.hi)
    h = np.maximum(x @ (model.w1 / ONE) + model.b1 / ONE, 0)
    return h @ (model.w2 / ONE) + model.b2 / ONE


def decide(model, bits, num):
    return (forward_fixed(model, bits, num) > HALF_Q32).astype(np.int64)


def out_q16(model, bits, num):
    """round(float out * 65536), saturated to s32: the golden value."""
    out = np.rint(forward_float(model, bits, num) * ONE)
    return np.clip(out, S32_MIN, S32_MAX).astype(np.int64)


def bounds():
    """Largest |first-layer sum| and |output| for any permitted model."""
    acc = ((W_LIMIT - 1) << ACC_SHIFT) * (1 + len(ft.BIT_NAMES))
    for unit in ft.UNITS:
        acc += NUM_LIMIT * div_round((W_LIMIT - 1) << ACC_SHIFT, unit)
    out = ((W_LIMIT - 1) << 16) + 10 * S32_MAX * (W_LIMIT - 1)
    return acc, out


def _interval_out(model, bits, num_lo, num_hi):
    """Exact integer bounds of the output over a box of clamped numbers."""
    bit_w, num_w, b1 = prepare(model)
    acc_lo, acc_hi = b1.copy(), b1.copy()
    for k in range(len(ft.BIT_NAMES)):
        if bits >> k & 1:
            acc_lo += bit_w[k]
            acc_hi += bit_w[k]
    for k in range(len(ft.UNITS)):
        a, b = num_w[k] * num_lo[k], num_w[k] * num_hi[k]
        acc_lo += np.minimum(a, b)
        acc_hi += np.maximum(a, b)
    h_lo, h_hi = _hidden(acc_lo), _hidden(acc_hi)
    a, b = h_lo * model.w2, h_hi * model.w2
    base = model.b2 << 16
    return base + int(np.minimum(a, b).sum()), base + int(np.maximum(a, b).sum())


def prove(model):
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
        lo, hi = model.lo.copy(), model.hi.copy()
        # Differences are odd, or 0 where the gate is closed; clamped.
        first = ft.clamp([0, 0, 0, 0, sign], model.lo, model.hi)[ft.DELTA]
        if sign <= 0:
            hi[ft.DELTA] = first
        if sign >= 0:
            lo[ft.DELTA] = first
        o_lo, o_hi = _interval_out(model, int(bits), lo, hi)
        want = int(ft.rule(bits, [0, 0, 0, 0, sign]))
        if o_lo > HALF_Q32:
            got = "proved" if want else "wrong"
        elif o_hi <= HALF_Q32:
            got = "wrong" if want else "proved"
        else:
            got = "open"
        margin = (o_lo - HALF_Q32 if want else HALF_Q32 - o_hi) / 2 ** 32
        out.append((int(bits), int(sign), got, margin))
    return out
