#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Break a bound in a copy of the engine, and see that shapes finds it, or cells.

Each mutant is one change to a file of the engine.  A mutant that
survives is a bound that the fuzzer does not guard.  "make mutants" builds what is
linked; FUZZ_CC is the compiler, -k 11 runs one mutant.
"""
import os
import re
import shutil
import subprocess
import unittest

from pylib.paths import BUILD, ROOT

CASES = {"shapes": 60000, "cells": 8000}
FILES = ("engine.c", "model.c", "recurrent.c", "recurrent_check.c", "refuse.c", "curve.h",
         "engine.h", "parse.h", "recurrent.h", "tanh_table.h")
LITEFLOW = ROOT / "liteflow"
KERNEL = LITEFLOW / "linux/kernel/liteflow"
HEADER = LITEFLOW / "linux/include/linux/liteflow_engine.h"
OUT = BUILD / "liteflow/fuzz"
INCLUDES = ("lib/compat", "lib/include", "linux/include", "linux/include/uapi")
FOUND = re.compile(r"^WRONG: .*|^.*runtime error: .*|^==.*ERROR: AddressSanitizer: \S+.*", re.M)

# what, file, from, to
MUTANTS = [
    ("32-bit sums: one too many", "model.c", "least < -S32_MAX || most > S32_MAX ",
     "least < -S32_MAX || most > S32_MAX + 1LL "),
    ("32-bit sums: one too many below", "model.c", "least < -S32_MAX || most > S32_MAX ",
     "least < S32_MIN || most > S32_MAX "),
    ("32-bit sums: one too few", "model.c", "least < -S32_MAX || most > S32_MAX ",
     "least < -S32_MAX || most >= S32_MAX "),
    ("partial sums: the bias is left out", "model.c", "*most = max(bias, 0);", "*most = 0;"),
    ("partial sums: signs of weights", "model.c", "\t\tif (w < 0)\n\t\t\tswap(a, b);\n", ""),
    ("bias: one beyond 2^61", "model.c", "bias > LF_BIAS_MAX", "bias > LF_BIAS_MAX + 1"),
    ("bias: 2^61 itself", "model.c", "bias < -LF_BIAS_MAX", "bias <= -LF_BIAS_MAX"),
    ("input: 2^15", "model.c", "hi > (large ? S32_MAX : S16_MAX))",
     "hi > (large ? S32_MAX : S16_MAX + 1))"),
    ("input: -2^15", "model.c", "lo < (large ? S32_MIN : S16_MIN) || hi",
     "lo <= (large ? S32_MIN : S16_MIN) || hi"),
    ("input: product beyond 2^62", "model.c", "lo < -LF_BOUND || hi", "lo < -2 * LF_BOUND || hi"),
    ("output: product beyond 2^62", "model.c", "v > div_s64(LF_BOUND, scale.mult)",
     "v > div_s64(LF_BOUND, scale.mult) + 1"),
    ("output: product of 2^62", "model.c", "v > div_s64(LF_BOUND, scale.mult)",
     "v >= div_s64(LF_BOUND, scale.mult)"),
    ("output: argmax's index is not checked", "model.c",
     "return lf_check_output(p, 0, 0, shape->n_out - 1);", "return 0;"),
    ("width 1025", "model.c", "le16_to_cpu(b.n_out) > LITEFLOW_MAX_WIDTH",
     "le16_to_cpu(b.n_out) > LITEFLOW_MAX_WIDTH + 1"),
    ("17 layers", "model.c", "n_layers > LITEFLOW_MAX_LAYERS", "n_layers > LITEFLOW_MAX_LAYERS + 1"),
    ("shift 63", "model.c", "b.shift > LITEFLOW_MAX_SHIFT", "b.shift > LITEFLOW_MAX_SHIFT + 1"),
    ("1 MiB is refused", "model.c", "len > LITEFLOW_MAX_BLOB", "len >= LITEFLOW_MAX_BLOB"),
    ("scratch: too narrow", "model.c", "p->width = max(p->width, shape.n_out);", ""),
    ("memory: too little", "model.c", "biases + biases * s->n_in", "biases * s->n_in"),
    ("UTF-8: surrogates", "model.c", "(c >= 0xd800 && c < 0xe000)", "(c >= 0xd880 && c < 0xe000)"),
    ("argmax: the last of equals", "engine.c", "if (sum[row & 1] > most) {",
     "if (sum[row & 1] >= most) {"),
    ("argmax: nothing below 0", "engine.c", "most = S64_MIN", "most = 0"),
    ("pairs: no borrow", "engine.h", "return (acc - (s32)acc) >> 32;", "return acc >> 32;"),
    ("pairs: an odd last row writes its neighbour", "engine.c",
     "if (row + 1 < n)\n\t\t\ty[1]", "y[1]"),
    ("blocks: the last of odd inputs", "engine.c", "\tif (i < n) {\n", "\tif (i + 1 < n) {\n"),
    ("wide: 32-bit product", "engine.c", "acc += (s32)w[i] * x[i];",
     "acc = (s32)acc + (s32)w[i] * x[i];"),
    ("tanh: rounding", "curve.h", "+ LF_TANH_STEP / 2) >>", "+ LF_TANH_STEP / 2 - 1) >>"),
    ("tanh: end of the table", "curve.h", "LF_TANH_END - 1);", "LF_TANH_END);"),
    ("ReLU: negative", "engine.c", "layer->act == LITEFLOW_ACT_RELU ? 0 : S16_MIN", "S16_MIN"),
    ("saturation: 2^15", "engine.c", "act->least), S16_MAX);", "act->least), S16_MAX - 1);"),
    ("shift 62: rounding", "liteflow_engine.h", "(1LL << shift >> 1)",
     "(shift == 62 ? 0 : 1LL << shift >> 1)"),
    ("rounding: halves down", "liteflow_engine.h", "(1LL << shift >> 1)",
     "(1LL << shift >> 1) - !!shift"),
    ("output: not clamped below", "liteflow_engine.h", "v = v < scale->lo ? scale->lo : v;", ""),
    ("input: not clamped above", "liteflow_engine.h", "in = in > scale->hi ? scale->hi : in;", ""),
    ("step: 32-bit sums, one too many", "recurrent_check.c", "most <= S32_MAX;",
     "most <= S32_MAX + 1LL;"),
    ("step: 32-bit sums, 2^31 below", "recurrent_check.c", "least >= -S32_MAX",
     "least >= S32_MIN"),
    ("step: n's sums may be wide", "recurrent_check.c",
     "!lf_narrow(r.x_least, r.x_most) || !lf_narrow(r.h_least, r.h_most)",
     "!lf_narrow(r.x_least, r.x_most)"),
    ("step: what r is multiplied with", "recurrent_check.c", "BIT_ULL(46))", "BIT_ULL(47) + 1)"),
    ("step: a bias of n's state", "recurrent_check.c",
     "lf_read_bias(at->bias, row + s->n_out)", "0"),
    ("step: the scale of w_h", "recurrent_check.c", "true, at->b.shift_h,", "true, 0,"),
    ("step: the scale of w_x", "recurrent_check.c", "false, at->b.shift_x,", "false, 0,"),
    ("cell: shift of gates", "recurrent_check.c", "s->shift == LITEFLOW_MAX_SHIFT)", "0)"),
    ("cell: memory, too little", "recurrent_check.c", "return sizeof(s64) * lf_blocks(s, wide) *",
     "return sizeof(s64) * (lf_blocks(s, wide) - 1) *"),
    ("cell: state_len of an LSTM", "recurrent.h", "type == LITEFLOW_LAYER_LSTM ? 2 : 1", "1"),
    ("cell: 16 bits behind 32", "recurrent_check.c", "p->state_bits == 32 && at.b", "0 && at.b"),
    ("rnn: a negative state", "recurrent.c", "max_t(s64, v, 0), most)", "v, most)"),
    ("rnn: units that are none", "recurrent.c", "n - unit < units ? part : y + unit",
     "y + unit"),
    ("lstm: c does not saturate", "recurrent.c",
     "\tv = min_t(s64, max_t(s64, v, S32_MIN), S32_MAX);\n", ""),
    ("lstm: gates in another order", "recurrent.h", "2 * (nth % 2) + odd", "2 * odd + nth % 2"),
    ("lstm: an odd last unit", "recurrent.c",
     "\t\tif (unit + 1 < n)\n\t\t\ty[unit + 1] = lf_lstm_unit(",
     "\t\ty[unit + 1] = lf_lstm_unit("),
    ("gru: z and 1 - z", "recurrent.c", "(LF_ONE - z) * n + z * h", "z * n + (LF_ONE - z) * h"),
    ("gru: r on the inputs", "recurrent.c", "n = n_x + lf_rshift(r * n_h,",
     "n = n_h + lf_rshift(r * n_x,"),
    ("gate: half an angle", "recurrent.c", "lf_rshift(sum, shift + 1)", "lf_rshift(sum, shift)"),
    ("state: the new one too early", "recurrent.c", "\tfor (i = 0; i < cell->n_out; i++)\n"
     "\t\th[i] = y[i];", "\tfor (i = 1; i < cell->n_out; i++)\n\t\th[i] = y[i];"),
    ("dense behind 32 bits: products of 32", "recurrent.c", "acc += (s64)w[i] * x[i];",
     "acc += (s32)((u32)w[i] * (u32)x[i]);"),
    ("dense behind 32 bits: argmax of equals", "recurrent.c", "} else if (sum > most) {",
     "} else if (sum >= most) {"),
]


class Mutants(unittest.TestCase):
    def mutate(self, folder, name, old, new):
        """A copy of the engine in folder, with one change."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "linux").mkdir(parents=True)
        for file in FILES:
            shutil.copy(KERNEL / file, folder)
        shutil.copy(HEADER, folder / "linux")
        path = folder / ("linux" if name == HEADER.name else "") / name
        text = path.read_text(encoding="utf-8")
        self.assertEqual(text.count(old), 1, f"{name}: {old}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def check(self, *change):
        folder = OUT / "mutant"
        program = "cells" if change[0].startswith("recurrent") else "shapes"
        self.mutate(folder, *change)
        # check.c reads struct lf_model as the mutant has it
        sources = [*(folder / file for file in FILES if file.endswith(".c")),
                   *(OUT / f"{name}.o" for name in (program, "cases", "check", "judge",
                                                    "judge_cell", "testcell", "testmodel",
                                                    "compat"))]
        subprocess.run([os.environ.get("FUZZ_CC") or "clang", "-std=gnu11", "-O1", "-g",
                        "-Wno-everything", "-fsanitize=address,undefined",
                        "-fno-sanitize-recover=all", f"-I{folder}",
                        *(f"-I{LITEFLOW / name}" for name in INCLUDES),
                        "-o", folder / program, *sources, "-lm"], check=True)
        done = subprocess.run([folder / program, "-n", str(CASES[program])], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        self.assertTrue(done.returncode, f"survived {CASES[program]} cases")
        self.assertRegex(done.stderr, FOUND)


def add(nth, what, *change):
    def test(self):
        self.check(*change)
    test.__doc__ = what
    setattr(Mutants, f"test_{nth:02}", test)


for number, mutant in enumerate(MUTANTS, 1):
    add(number, *mutant)

if __name__ == "__main__":
    unittest.main(verbosity=2)
