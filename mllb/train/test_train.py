#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of features, rule, model file, integer reference, export, training."""
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import zlib
from contextlib import redirect_stdout

import numpy as np

import eval as evaluate
import export
import features as ft
import reference as ref
from model import NUM_LIMIT, ONE, W_LIMIT, Model, ModelError

HERE = os.path.dirname(os.path.abspath(__file__))
COLLECT = os.path.join(os.path.dirname(HERE), "collect")
HAVE_TORCH = importlib.util.find_spec("torch") is not None


def random_model(seed=0):
    return export.wide_model(np.random.default_rng(seed))


def stock(on, same_pref, dst_better):
    """The text of 6.12's can_migrate_task(), written as the kernel has it.

    on = names of set features; same_pref: (src_nid == preferred, dst_nid ==
    preferred); dst_better = dst_weight >= src_weight.
    """
    def degrades():
        if not on["gate"]:
            return -1
        if same_pref[0]:
            return 1 if on["src_non_pref"] else -1
        if same_pref[1]:
            return 0
        if on["cpu_idle"]:
            return -1
        return 0 if dst_better else 1
    hot = degrades()
    if hot == -1:
        hot = int(on["buddy_hot"] or on["delta_hot"])
    return int(hot <= 0)


def trace_line(**change):
    """A line as the tracepoint prints it."""
    values = dict.fromkeys(ft.ORIGINAL_COLUMNS + ft.FURTHER_COLUMNS, "0")
    values.update(test_aggressive="1", reason="rule", bits="0x4",
                  sd_flags="0x5", checksum="0xabcd", model="-1", pc_cpu="-1",
                  num0="1", num1="1024", num2="0", num3="0", num4="0")
    values.update({k: str(v) for k, v in change.items()})
    return "jc_sched_decision: " + " ".join(f"{k}={v}"
                                            for k, v in values.items())


class Features(unittest.TestCase):
    def test_orders(self):
        self.assertEqual(len(ft.NAMES), 15)
        self.assertEqual(ft.NUM_INPUTS, (8, 9, 10, 11, 12))
        self.assertEqual(ft.BIT_INPUTS, (0, 1, 2, 3, 4, 5, 6, 7, 13, 14))
        self.assertEqual(len(ft.ORIGINAL_COLUMNS), 30)

    def test_rule_is_the_kernels(self):
        seen = 0
        for bits, sign in ft.reachable():
            on = {n: bool(bits & m) for n, m in ft.BIT.items()}
            on["gate"] = sign != 0
            for size in (1, 3, 2001):
                want = stock(on, (on["prefer_src"], on["prefer_dst"]), sign > 0)
                got = ft.rule(int(bits), [0, 0, 0, 0, int(sign) * size])
                self.assertEqual(int(got), want, (hex(bits), sign))
                seen += 1
        self.assertEqual(seen, 3 * len(ft.reachable()))

    def test_tie_moves(self):
        bits = ft.BIT["cpu_not_idle"] | ft.BIT["delta_hot"]
        self.assertEqual(ft.rule(bits, [0, 0, 0, 0, 2 * 0 + 1]), 1)
        self.assertEqual(ft.rule(bits, [0, 0, 0, 0, 2 * -1 + 1]), 0)
        self.assertEqual(ft.rule(bits, [0, 0, 0, 0, 0]), 0)

    def test_reachable(self):
        combos = ft.reachable()
        self.assertEqual(len(np.unique(combos, axis=0)), len(combos))
        # 3 idle states * hot 2 * buddy 2 * fails 2 * (closed: same node or
        # not; open: preferred none, src or dst * non_pref 2 * sign 2)
        self.assertEqual(len(combos), 24 * (2 + 3 * 2 * 2))

    def test_inputs(self):
        lo, hi = [-2, 0, 0, 0, -7], [10, 5000, 5000, 10, 7]
        x = ft.inputs(ft.BIT["buddy_hot"] | ft.BIT["src_non_pref"],
                      [99, ft.S64_MAX, 1500, -3, -9], lo, hi)
        self.assertEqual(x.shape, (1, 15))
        want = [1, 0, 0, 0, 0, 0, 0, 0, 10, 5.0, 1.5, 0, -7 / 2000, 0, 1]
        np.testing.assert_allclose(x[0], want)

    def test_saturate(self):
        self.assertEqual(ft.saturate(2 ** 64 - 1), ft.S64_MAX)
        self.assertEqual(ft.saturate(-2 ** 70), ft.S64_MIN)


class Reference(unittest.TestCase):
    def test_bounds(self):
        acc, out = ref.bounds()
        self.assertLess(acc, 2 ** 62)
        self.assertLess(out, 2 ** 62)

    def test_rounding(self):
        self.assertEqual([ref.div_round(a, 1000) for a in
                          (499, 500, 1500, -499, -500, -1500)],
                         [0, 1, 2, 0, -1, -2])
        self.assertEqual(ref.div_round(-7, 1), -7)

    @staticmethod
    def by_hand(model, bits, num):
        """Unbounded integers, straight from the definition."""
        out = model.b2 * 65536
        for j in range(10):
            acc = int(model.b1[j]) * 4096
            for k, i in enumerate(ft.BIT_INPUTS):
                if bits >> k & 1:
                    acc += int(model.w1[i, j]) * 4096
            for k, i in enumerate(ft.NUM_INPUTS):
                v = max(int(model.lo[k]), min(int(model.hi[k]), num[k]))
                acc += v * ref.div_round(int(model.w1[i, j]) * 4096,
                                         ft.UNITS[k])
            out += min(max(acc, 0) // 4096, 2 ** 31 - 1) * int(model.w2[j])
        return out

    def test_no_wrap(self):
        rng = np.random.default_rng(3)
        for model in (random_model(), export.limit_model(rng)):
            for row in export.extreme_rows(rng, 300):
                want = self.by_hand(model, row[0], row[1:6])
                num = [ft.saturate(v) for v in row[1:6]]
                got = int(ref.forward_fixed(model, row[0], num)[0])
                self.assertEqual(got, want)
                self.assertLess(abs(want), 2 ** 63)

    def test_limit_reaches_the_bound(self):
        model = export.limit_model(np.random.default_rng(0))
        bit_w, num_w, b1 = ref.prepare(model)
        acc = b1[0] + bit_w[:, 0].sum() + (num_w[:, 0] * NUM_LIMIT).sum()
        self.assertEqual(int(acc), ref.bounds()[0])

    def test_near_float(self):
        rng = np.random.default_rng(4)
        rows = export.random_rows(rng, 2000)
        bits = np.array([r[0] for r in rows])
        num = np.array([r[1:6] for r in rows])
        model = random_model()
        fixed = ref.forward_fixed(model, bits, num) / 2 ** 32
        flt = ref.forward_float(model, bits, num)
        self.assertLess(np.abs(fixed - flt).max(), 0.05)
        self.assertGreater(np.mean((fixed > .5) == (flt > .5)), 0.999)

    def test_prove_sees_a_wrong_model(self):
        zero = [[0] * 10] * 15
        always = Model("always", zero, [0] * 10, [0] * 10, ONE, [0] * 5,
                       [1] * 5)
        proof = ref.prove(always)
        wrong = [p for p in proof if p[2] == "wrong"]
        refuse = [c for c in ft.reachable()
                  if not ft.rule(int(c[0]), [0, 0, 0, 0, int(c[1])])]
        self.assertEqual(len(wrong), len(refuse))
        self.assertEqual(len(proof) - len(wrong),
                         sum(p[2] == "proved" for p in proof))

    def test_prove_sees_a_long_queue_fault(self):
        # The original's fault: a weight that refuses from a length on.
        w1 = np.zeros((15, 10), dtype=int)
        w1[8, 0] = ONE // 64
        model = Model("queue", w1, [0] * 10, [-ONE] + [0] * 9, 2 * ONE,
                      [-2, 0, 0, 0, -1], [510, 1, 1, 1, 1])
        self.assertTrue(any(p[2] == "open" for p in ref.prove(model)))


class ModelFile(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "m.json")

    def tearDown(self):
        self.dir.cleanup()

    def test_checksum(self):
        m = Model("m", np.arange(150).reshape(15, 10), range(10),
                  range(-10, 0), -1, [-1] * 5, [7] * 5)
        ints = [*range(150), *range(10), *range(-10, 0), -1, *[-1] * 5,
                *[7] * 5]
        data = b"".join((i & 0xffffffff).to_bytes(4, "little") for i in ints)
        self.assertEqual(m.checksum, zlib.crc32(data))

    def test_round_trip(self):
        m = random_model()
        m.save(self.path)
        self.assertEqual(Model.load(self.path).stream(), m.stream())

    def refuse(self, change, text):
        random_model().save(self.path)
        with open(self.path, encoding="utf-8") as f:
            doc = json.load(f)
        change(doc)
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump(doc, f)
        with self.assertRaisesRegex(ModelError, text):
            Model.load(self.path)

    def test_refused(self):
        def swap(doc):
            doc["features"][0], doc["features"][1] = doc["features"][1::-1]
        self.refuse(lambda d: d.update(b2_q16=d["b2_q16"] + 1), "checksum")
        self.refuse(lambda d: d.update(version=2), "version")
        self.refuse(lambda d: d.pop("w2_q16"), "w2_q16")
        self.refuse(swap, "order")
        self.refuse(lambda d: d.update(b2_q16=W_LIMIT), "128")
        self.refuse(lambda d: d["features"][8].update(hi=NUM_LIMIT + 1), "2.24")
        self.refuse(lambda d: d["features"][8].update(lo=5, hi=-5), "lo > hi")
        self.refuse(lambda d: d["features"][9].update(unit=1), "units")
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("{")
        with self.assertRaisesRegex(ModelError, "JSON"):
            Model.load(self.path)


class Export(unittest.TestCase):
    def test_dump_weights(self):
        lines = export.dump_weights(random_model()).split("\n")
        self.assertEqual(len(lines), 18)
        self.assertEqual(sum(len(li.split(",")) for li in lines), 171)

    def test_headers(self):
        m = random_model(2)
        m.provenance = {"rows": {"rule_labelled": 5}}
        for text in (export.weights_header(m), export.golden_header(m, None)):
            for line in text.split("\n"):
                self.assertLessEqual(len(line.expandtabs(8)), 100, line)
        self.assertIn(f".checksum = 0x{m.checksum:08x},",
                      export.weights_header(m))
        self.assertIn("NO recorded decision", export.weights_header(m))

    def test_compiles(self):
        """The headers' C numbers are the model's numbers."""
        m = random_model(5)
        prog = r"""
        #include <stdio.h>
        int main(void) {
            const int *w = &jc_mlp_default.w1[0][0];
            for (int i = 0; i < 181; i++) printf("%d ", w[i]);
            unsigned long long sum = 0;
            int n = sizeof(jc_golden) / sizeof(jc_golden[0]);
            for (int i = 0; i < n; i++)
                sum += jc_golden[i].fixed + jc_golden[i].delta +
                       jc_golden[i].src_load;
            printf("\n%d %llu %d\n", n, sum, (int)sizeof(jc_golden_limit));
            return 0; }"""
        types = ("typedef int s32; typedef long long s64; typedef unsigned "
                 "u32;\ntypedef unsigned long long u64; typedef unsigned short"
                 " u16;\ntypedef unsigned char u8;\nstruct jc_mlp_model { "
                 "const char *name; s32 w1[15][10], b1[10], w2[10], b2, lo[5], "
                 "hi[5]; u32 checksum; };\n")
        with tempfile.TemporaryDirectory() as d:
            gold = "".join(li + "\n" for li in
                           export.golden_header(m, None).split("\n")
                           if not li.startswith("#include"))
            with open(d + "/t.c", "w", encoding="utf-8") as f:
                f.write(types + export.weights_header(m) + gold + prog)
            try:
                subprocess.run(["cc", "-Wall", "-Wextra", "-Werror",
                                "-Wno-unused-const-variable", "-o", d + "/t",
                                d + "/t.c"], check=True)
            except FileNotFoundError:
                self.skipTest("no C compiler")
            out = subprocess.run([d + "/t"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.split("\n")
        self.assertEqual(np.array(out[0].split(), dtype="<i4").tobytes(),
                         m.stream())
        sample = export.golden_rows(None, export.GOLDEN_ROWS)
        _, fixed = export.outputs(m, sample)
        want = sum(int(f) - 2 ** 31 + r[5] + r[2]
                   for f, r in zip(fixed, sample)) % 2 ** 64
        self.assertEqual(out[1].split()[:2],
                         [str(len(sample)), str(want)])

    def test_sample_keeps_rare_classes(self):
        n = 3000
        bits = np.full(n, ft.BIT["cpu_idle"])
        bits[7] |= ft.BIT["extra_fails"]
        rows = ft.Rows(bits, np.zeros((n, 5), dtype=int), np.ones(n, int),
                       np.ones(n, int), np.ones(n, int), np.arange(n),
                       np.array(["w"] * n), np.array(["t"] * n))
        got = export.recorded_rows(np.random.default_rng(0), rows, 50)
        self.assertEqual(len(got), 50)
        self.assertTrue(any(r[0] & ft.BIT["extra_fails"] for r in got))


class Recordings(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.dir = self.tmp.name

    def tearDown(self):
        self.tmp.cleanup()

    def collect(self, tag, lines, workload="w", ok=True):
        path = os.path.join(self.dir, tag + ".trace")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        run = subprocess.run(
            [sys.executable, COLLECT, "-t", tag, "-o", self.dir, "-w",
             workload, "--from", path], stderr=subprocess.PIPE, text=True,
            check=False)
        self.assertEqual(run.returncode == 0, ok, run.stderr)
        return run.stderr

    def test_collect_and_read(self):
        err = self.collect("a", [
            trace_line(ts=5, can_migrate=1, stock=1, bits="0x5",
                       num1=2 ** 64 - 1),
            "CPU:1 [LOST 12 EVENTS]",
            trace_line(ts=6, can_migrate=1, stock=-1, model=1,
                       reason="model"),
            "  burn-1 [000] d.s2. 1.5: " + trace_line(ts=7, stock=0, num4=-3),
            trace_line(ts=8, p_running=1, stock=0),
        ])
        self.assertIn("12 events were lost", err)
        self.assertIn("1 rows are the model's own", err)
        rows, left_out = ft.load(self.dir, ["a"])
        self.assertEqual((len(rows), left_out), (2, 2))
        self.assertEqual(rows.bits.tolist(), [5, 4])
        self.assertEqual(rows.num[0].tolist(), [1, ft.S64_MAX, 0, 0, 0])
        self.assertEqual(rows.num[1, 4], -3)
        self.assertEqual(rows.moved.tolist(), [1, 0])
        self.assertEqual(set(rows.workload), {"w"})
        self.assertEqual(ft.read_about(self.dir, "a")["lost"], 12)

    def test_collect_refuses(self):
        self.assertIn("no decision", self.collect("b", ["nothing"], ok=False))
        line = trace_line().replace(" bits=0x4", "")
        self.assertIn("has no bits", self.collect("c", [line], ok=False))
        self.assertFalse(os.path.exists(self.dir + "/raw_c.csv.gz"))

    def test_bad_csv(self):
        with self.assertRaisesRegex(ft.DataError, "mllb/collect -t gone"):
            ft.load(self.dir, ["gone"])
        path = self.dir + "/raw_d.csv"
        with open(path, "w", encoding="ascii") as f:
            f.write("ts,pid\n1,2\n")
        with self.assertRaisesRegex(ft.DataError, "no column"):
            ft.load(self.dir, ["d"])
        self.collect("e", [trace_line(stock=-1)])
        with self.assertRaisesRegex(ft.DataError, "model off"):
            ft.load(self.dir, ["e"])

    def test_split(self):
        path = self.dir + "/split"

        def split(text):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            return ft.read_split(path)
        self.assertEqual(split("# x\na training\nb held-out # y\n"),
                         {"a": "train", "b": "held-out"})
        for text in ("a\n", "a maybe\n", "a training\na held-out\n"):
            with self.assertRaises(ft.DataError):
                split(text)
        self.collect("f", [trace_line(stock=0)], "stranger")
        rows, _ = ft.load(self.dir, ["f"])
        with self.assertRaisesRegex(ft.DataError, "stranger"):
            ft.roles_of(rows, {"a": "train"})

    def recording(self, tag, workload, n, seed):
        """Rule-following decisions: what a guest would record."""
        rng = np.random.default_rng(seed)
        combos = ft.reachable()
        lines = []
        for t, c in enumerate(combos[rng.integers(len(combos), size=n)]):
            bits, d = int(c[0]), int(c[1]) * (2 * int(rng.integers(900)) + 1)
            extra = bits & ft.BIT["extra_fails"]
            before = int(ft.rule(bits, [0, 0, 0, 0, d]))
            answer = int(before or extra > 0)
            lines.append(trace_line(
                ts=t, can_migrate=answer, stock=before, bits=hex(bits),
                num0=int(rng.integers(90)), num1=int(rng.integers(90000)),
                num2=int(rng.integers(90000)), num3=int(rng.integers(90)),
                num4=d, extra_fails=int(extra > 0),
                reason="forced" if answer > before else "rule"))
        self.collect(tag, lines, workload)

    @unittest.skipUnless(HAVE_TORCH, "python3-torch is not installed")
    def test_train_end_to_end(self):
        import train
        self.recording("t1", "seen", 1500, 1)
        self.recording("t2", "new", 800, 2)
        with open(self.dir + "/split", "w", encoding="ascii") as f:
            f.write("seen training\nnew held-out\n")
        args = ["-t", "t1", "t2", "-d", self.dir, "--split",
                self.dir + "/split", "--synthetic-rows", "4000", "--epochs",
                "8", "--steps", "40", "--batch", "512", "--restarts", "1"]
        sums, text = [], io.StringIO()
        for name in ("x.json", "y.json"):
            with redirect_stdout(text):
                try:
                    train.main([*args, "-o", os.path.join(self.dir, name)])
                except SystemExit:
                    pass    # so short a training may leave wrong answers
            sums.append(Model.load(os.path.join(self.dir, name)).stream())
        self.assertEqual(sums[0], sums[1], "training is not deterministic")
        model = Model.load(self.dir + "/x.json")
        prov = model.provenance
        self.assertEqual(prov["recorded"]["new"]["set"], "held-out")
        # Four fifths of the training workload, nothing of the other one.
        self.assertEqual(prov["rows"]["recorded_trained_on"], 1200)
        self.assertEqual(prov["rows_not_following_rule"], 0)
        out = io.StringIO()
        with redirect_stdout(out):
            evaluate.main([self.dir + "/x.json", "-t", "t1", "t2", "-d",
                           self.dir, "--split", self.dir + "/split"])
        fig = {li.split()[0]: li.split()[1]
               for li in out.getvalue().strip().split("\n")}
        self.assertEqual(fig["jc_rule_agreement"], "100.0000")
        self.assertGreater(float(fig["jc_agreement"]),
                           float(fig["jc_majority"]))
        self.assertEqual(fig["jc_rows"], fig["jc_rows.new"])
        self.assertNotIn("jc_rows.seen", fig)
        head = export.golden_header(model, ft.load(self.dir, ["t1"])[0])
        self.assertIn("500 recorded in a guest", head)

    @unittest.skipUnless(HAVE_TORCH, "python3-torch is not installed")
    def test_quantise_keeps_the_function(self):
        import train
        rng = np.random.default_rng(8)
        params = [rng.normal(size=(15, 10)), rng.normal(size=10),
                  rng.normal(size=10), rng.normal(size=1)]
        bits, num, _ = train.synthetic(rng, 3000)
        x = ft.inputs(bits, num, train.LO, train.HI) * train.Data.factor
        logit = np.maximum(x @ params[0] + params[1], 0) @ params[2] + params[3]
        model = train.quantise(params, "q", {}, logit)
        out = ref.forward_float(model, bits, num) - 0.5
        k = (logit @ out) / (out @ out)
        # Loads reach 1000 at the input: Q16 leaves their weights 1 % or so.
        self.assertLess(np.abs(logit - k * out).max(),
                        0.05 * np.abs(logit).max())


class Evaluation(unittest.TestCase):
    def test_figures(self):
        want = np.array([1] * 90 + [0] * 10)
        got = np.array([1] * 90 + [1] * 9 + [0])
        fig = {n: v for n, v, _ in evaluate.figures(want, got)}
        self.assertEqual(fig["agreement"], 91)
        self.assertEqual(fig["majority"], 90)
        self.assertEqual(fig["rows_rarer"], 10)
        self.assertEqual(fig["recall_min"], 10)


if __name__ == "__main__":
    unittest.main()
