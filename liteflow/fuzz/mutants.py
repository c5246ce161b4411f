#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Break a bound in a copy of the engine, and see that shapes finds it.

Each mutant is one change to engine.c, model.c or liteflow_engine.h.  A mutant that
survives is a bound that the fuzzer does not guard.  "make mutants" builds what is
linked; FUZZ_CC is the compiler, -k 11 runs one mutant.
"""
import os
import re
import shutil
import subprocess
import unittest

from pylib.paths import BUILD, ROOT

CASES = 60000
LITEFLOW = ROOT / "liteflow"
KERNEL = LITEFLOW / "linux/kernel/liteflow"
HEADER = LITEFLOW / "linux/include/linux/liteflow_engine.h"
OUT = BUILD / "liteflow/fuzz"
INCLUDES = ("lib/compat", "lib/include", "linux/include", "linux/include/uapi")
FOUND = re.compile(r"^WRONG: .*|^.*runtime error: .*|^==.*ERROR: AddressSanitizer: \S+.*", re.M)

# what, file, from, to
MUTANTS = [
    ("32-bit sums: one too many", "model.c", "least < -S32_MAX || most > S32_MAX",
     "least < -S32_MAX || most > S32_MAX + 1LL"),
    ("32-bit sums: one too many below", "model.c", "least < -S32_MAX || most > S32_MAX",
     "least < S32_MIN || most > S32_MAX"),
    ("32-bit sums: one too few", "model.c", "least < -S32_MAX || most > S32_MAX",
     "least < -S32_MAX || most >= S32_MAX"),
    ("partial sums: the bias is left out", "model.c", "*most = max(bias, 0);", "*most = 0;"),
    ("partial sums: signs of weights", "model.c", "\t\tif (w < 0)\n\t\t\tswap(a, b);\n", ""),
    ("bias: one beyond 2^61", "model.c", "bias > LF_BIAS_MAX", "bias > LF_BIAS_MAX + 1"),
    ("bias: 2^61 itself", "model.c", "bias < -LF_BIAS_MAX", "bias <= -LF_BIAS_MAX"),
    ("input: 2^15", "model.c", "hi > S16_MAX)", "hi > S16_MAX + 1)"),
    ("input: -2^15", "model.c", "lo < S16_MIN || hi", "lo <= S16_MIN || hi"),
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
    ("pairs: no borrow", "engine.c", "return (acc - (s32)acc) >> 32;", "return acc >> 32;"),
    ("pairs: an odd last row writes its neighbour", "engine.c",
     "if (row + 1 < n)\n\t\t\ty[1]", "y[1]"),
    ("blocks: the last of odd inputs", "engine.c", "\tif (i < n) {\n", "\tif (i + 1 < n) {\n"),
    ("wide: 32-bit product", "engine.c", "acc += (s32)w[i] * x[i];",
     "acc = (s32)acc + (s32)w[i] * x[i];"),
    ("tanh: rounding", "engine.c", "+ LF_TANH_STEP / 2) >>", "+ LF_TANH_STEP / 2 - 1) >>"),
    ("tanh: end of the table", "engine.c", "LF_TANH_END - 1);", "LF_TANH_END);"),
    ("ReLU: negative", "engine.c", "layer->act == LITEFLOW_ACT_RELU ? 0 : S16_MIN", "S16_MIN"),
    ("saturation: 2^15", "engine.c", "act->least), S16_MAX);", "act->least), S16_MAX - 1);"),
    ("shift 62: rounding", "liteflow_engine.h", "(1LL << shift >> 1)",
     "(shift == 62 ? 0 : 1LL << shift >> 1)"),
    ("rounding: halves down", "liteflow_engine.h", "(1LL << shift >> 1)",
     "(1LL << shift >> 1) - !!shift"),
    ("output: not clamped below", "liteflow_engine.h", "v = v < scale->lo ? scale->lo : v;", ""),
    ("input: not clamped above", "liteflow_engine.h", "in = in > scale->hi ? scale->hi : in;", ""),
]


class Mutants(unittest.TestCase):
    def mutate(self, folder, name, old, new):
        """A copy of the engine in folder, with one change."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "linux").mkdir(parents=True)
        for file in ("engine.c", "model.c", "engine.h", "tanh_table.h"):
            shutil.copy(KERNEL / file, folder)
        shutil.copy(HEADER, folder / "linux")
        path = folder / ("linux" if name.endswith(".h") else "") / name
        text = path.read_text(encoding="utf-8")
        self.assertEqual(text.count(old), 1, f"{name}: {old}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def check(self, *change):
        folder = OUT / "mutant"
        self.mutate(folder, *change)
        # check.c reads struct lf_model as the mutant has it
        sources = [folder / "engine.c", folder / "model.c",
                   *(OUT / f"{name}.o" for name in ("shapes", "check", "judge", "compat"))]
        subprocess.run([os.environ.get("FUZZ_CC") or "clang", "-std=gnu11", "-O1", "-g",
                        "-Wno-everything", "-fsanitize=address,undefined",
                        "-fno-sanitize-recover=all", f"-I{folder}",
                        *(f"-I{LITEFLOW / name}" for name in INCLUDES),
                        "-o", folder / "shapes", *sources, "-lm"], check=True)
        done = subprocess.run([folder / "shapes", "-n", str(CASES)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        self.assertTrue(done.returncode, f"survived {CASES} cases")
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
