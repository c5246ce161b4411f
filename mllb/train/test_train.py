#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of features, rule, models, integer reference, export and training.

Needs lfctl (make lfctl) and a C compiler; what needs torch or matplotlib is
skipped by name where they are missing.
"""
import csv
import importlib.util
import io
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from contextlib import redirect_stdout

import numpy as np

from pylib import columns
from pylib import programs
from pylib import features as ft
from pylib import model as md
from pylib.model import Model

HERE = os.path.dirname(os.path.abspath(__file__))
MLLB = os.path.dirname(HERE)
train, evaluate = (programs.load(pathlib.Path(HERE) / name) for name in ("train", "eval"))
KERNEL = os.path.join(MLLB, "linux", "kernel", "sched")
ULONG_MAX = 2 ** 64 - 1
HAVE_TORCH = importlib.util.find_spec("torch") is not None
HAVE_PLOTS = importlib.util.find_spec("matplotlib") is not None
NEEDS_TORCH = unittest.skipUnless(HAVE_TORCH, "python3-torch is not installed")


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


class Losses(unittest.TestCase):
    """A recording that is not whole is warned about."""

    def test_losses(self):
        self.assertIsNone(train.losses("t", {}))
        self.assertIsNone(train.losses("t", {"rows": 5, "lost": 0}))
        self.assertIn("lost 5 decisions, 5.00 %", train.losses("t", {"rows": 95, "lost": 5}))
        self.assertIn("interrupted", train.losses("t", {"rows": 95}))


class Features(unittest.TestCase):
    def test_orders(self):
        self.assertEqual(ft.NAMES, tuple(
            "src_non_pref delta_hot cpu_idle cpu_not_idle cpu_newly_idle "
            "same_node prefer_src prefer_dst src_len src_load dst_load dst_len "
            "delta_faults extra_fails buddy_hot".split()))
        self.assertEqual(ft.NUM_INPUTS, (8, 9, 10, 11, 12))
        self.assertEqual(ft.BIT_INPUTS, (0, 1, 2, 3, 4, 5, 6, 7, 13, 14))
        self.assertEqual(len(columns.ORIGINAL_COLUMNS), 30)

    def test_the_apps_names(self):
        path = os.path.join(KERNEL, "jc_mlp.c")
        with open(path, encoding="utf-8") as file:
            found = re.search(r"jc_input_names\[[^=]*= \{([^{}]*)\}", file.read())
        self.assertTrue(found, f"no jc_input_names in {path}")
        self.assertEqual(tuple(re.findall(r'"([a-z_]+)"', found.group(1))),
                         ft.NAMES, "other names than those of the features")

    def test_by_hand(self):
        """jc_features() through the library, against its description."""
        base = {"delta": 10, "migration_cost": 100, "src_len": 5, "dst_len": 3,
                "src_load": 7000, "dst_load": 5, "cpu_idle": 1}
        bits, num = ft.features(**base)
        self.assertEqual(bits[0], ft.BIT["delta_hot"] | ft.BIT["cpu_idle"])
        self.assertEqual(num[0].tolist(), [3, 7000, 5, 3, 0])
        bits, num = ft.features(**{**base, "numa_gate": 1, "delta_faults": -7,
                                   "prefer_src": 1, "src_preferred_len": 4})
        self.assertEqual(num[0, ft.DELTA], -13)
        self.assertTrue(ft.has(bits[0], "src_non_pref"))
        for change, hot in (({"delta": 100}, 0), ({"migration_cost": 0}, 0),
                            ({"migration_cost": 2 ** 32 - 1, "delta": 10 ** 12}, 1),
                            ({"smt": 1}, 0), ({"idle_policy": 1}, 0),
                            ({"delta": 200, "cookie_mismatch": 1}, 1)):
            bits, _ = ft.features(**{**base, **change})
            self.assertEqual(int(ft.has(bits[0], "delta_hot")), hot, change)

        for change, on in (({"same_node": 1}, {"same_node"}),
                           ({"buddy_hot": 1}, {"buddy_hot"}),
                           ({"buddy_hot": 1, "smt": 1}, set()),
                           ({"nr_fails": 3, "cache_nice_tries": 2}, {"extra_fails"}),
                           ({"nr_fails": 2, "cache_nice_tries": 2}, set()),
                           ({"cpu_not_idle": 1}, {"cpu_not_idle"}),
                           ({"cpu_newly_idle": 1}, {"cpu_newly_idle"}),
                           ({"prefer_dst": 1, "numa_gate": 1}, {"prefer_dst"})):
            bits, _ = ft.features(migration_cost=0, **change)
            self.assertEqual({n for n in ft.BIT if ft.has(bits[0], n)}, on)

    def test_saturates(self):
        loads = np.array([0, 2 ** 31 - 1, 2 ** 31, 2 ** 63, ULONG_MAX],
                         dtype=np.uint64)
        _, num = ft.features(src_load=loads, dst_load=loads, cpu_idle=1)
        want = [0] + [2 ** 31 - 1] * 4
        self.assertEqual(num[:, 1].tolist(), want)
        self.assertEqual(num[:, 2].tolist(), want)
        _, num = ft.features(delta_faults=[2 ** 62, -2 ** 62], numa_gate=1)
        self.assertEqual(num[:, 4].tolist(), [2 ** 25 + 1, -2 ** 25 + 1])

    def test_unknown_observation(self):
        with self.assertRaisesRegex(ft.DataError, "src_lenn"):
            ft.features(src_lenn=3)

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
        for faults, gate, want in ((0, 1, 1), (-1, 1, 0), (0, 0, 0)):
            _, num = ft.features(delta_faults=faults, numa_gate=gate)
            self.assertEqual(ft.rule(bits, num[0]), want)

    def test_reachable(self):
        combos = ft.reachable()
        self.assertEqual(len(np.unique(combos, axis=0)), len(combos))
        # 3 idle states * hot 2 * buddy 2 * fails 2 * (closed: same node or
        # not; open: preferred none, src or dst * non_pref 2 * sign 2)
        self.assertEqual(len(combos), 24 * (2 + 3 * 2 * 2))


class Recordings(unittest.TestCase):
    HEAD = [*columns.ORIGINAL_COLUMNS, *columns.FURTHER_COLUMNS]

    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.dir = self.tmp.name
        self.addCleanup(self.tmp.cleanup)

    def csv(self, tag, rows, workload="w", more=()):
        """A recording; a row is a dict of what is not the default."""
        default = dict.fromkeys(self.HEAD, "0")
        default.update(test_aggressive="1", reason="rule", bits="0x4",
                       sd_flags="0x5", checksum="0xabcd", model="-1",
                       pc_0=str(ULONG_MAX), num1="1024", workload=workload)
        head = [*self.HEAD, *more, "workload"]
        with open(os.path.join(self.dir, f"raw_{tag}.csv"), "w",
                  encoding="ascii", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(head)
            for row in rows:
                out.writerow([{**default, **row}.get(n, "") for n in head])

    def test_read(self):
        self.csv("a", [
            {"ts": 5, "can_migrate": 1, "stock": 1, "bits": "0x5",
             "num1": 2 ** 31 - 1, "src_load": ULONG_MAX},
            {"ts": 6, "can_migrate": 1, "stock": -1, "model": 1},
            {"ts": 7, "stock": 0, "num4": -3},
            {"ts": 8, "p_running": 1}, {"ts": 9, "test_aggressive": 0}])
        rows, left_out = ft.load(self.dir, ["a"], ("src_load", "reason", "ts"))
        self.assertEqual((len(rows), left_out), (2, 3))
        self.assertEqual(rows.bits.tolist(), [5, 4])
        self.assertEqual(rows.num.tolist(), [[0, 2 ** 31 - 1, 0, 0, 0],
                                             [0, 1024, 0, 0, -3]])
        self.assertEqual(rows.answer.tolist(), [1, 0])
        self.assertEqual(rows.ts.tolist(), [5, 7])
        self.assertEqual(rows.src_load.view(np.uint64)[0], ULONG_MAX)
        self.assertEqual(rows.reason.tolist(), ["rule", "rule"])
        self.assertEqual(rows.flipped.tolist(), [0, 0])
        self.assertEqual(rows.propensity.tolist(), [1000, 1000])
        self.assertEqual(rows.wait_ns.tolist(), [ft.MISSING] * 2)
        self.assertEqual(set(rows.workload) | set(rows.tag), {"w", "a"})
        with self.assertRaisesRegex(AttributeError, "dst_load"):
            rows.dst_load

    def test_what_followed(self):
        self.csv("b", [{"stock": 1, "flipped": 1, "propensity": 250, "moved": 0,
                        "wait_ns": 12345678901, "back": ""},
                       {"stock": 0, "flipped": 0, "propensity": 750, "moved": 1,
                        "wait_ns": -1, "back": 1}],
                 more=("flipped", "propensity", "moved", "wait_ns", "back"))
        rows, _ = ft.load(self.dir, ["b"])
        self.assertEqual(rows.flipped.tolist(), [1, 0])
        self.assertEqual(rows.propensity.tolist(), [250, 750])
        self.assertEqual(rows.moved.tolist(), [0, 1])
        self.assertEqual(rows.wait_ns.tolist(), [12345678901, -1])
        self.assertEqual(rows.back.tolist(), [-1, 1])
        self.csv("c", [{"stock": 1}])
        both = ft.load(self.dir, ["b", "c"])[0]
        self.assertEqual(both.propensity.tolist(), [250, 750, 1000])
        self.assertEqual(both[both.flipped == 1].tag.tolist(), ["b"])

    def test_raw_columns_give_the_features(self):
        """The kernel's own code makes of raw columns what the kernel printed."""
        self.csv("r", [
            {"stock": 1, "delta": 400000, "src_len": 3, "src_preferred_len": 2,
             "cpu_newly_idle": 1, "numa_gate": 1, "prefer_src": 1,
             "delta_faults": -4, "src_load": ULONG_MAX, "dst_load": 9,
             "dst_len": 1, "nr_fails": 3, "cache_nice_tries": 2,
             "bits": "0x153", "num0": 1, "num1": 2 ** 31 - 1, "num2": 9,
             "num3": 1, "num4": -7},
            {"stock": 1, "delta": 400000, "src_len": 2, "cpu_idle": 1,
             "same_node": 1, "sd_flags": "0x80", "bits": "0x24", "num1": 0}])
        rows, _ = ft.load(self.dir, ["r"], ft.RAW_COLUMNS)
        bits, num = ft.features(**ft.observations(rows, 500000))
        self.assertEqual([hex(b) for b in bits], [hex(b) for b in rows.bits])
        np.testing.assert_array_equal(num, rows.num)
        bits, _ = ft.features(**ft.observations(rows, 300000))
        self.assertNotEqual(bits[0], rows.bits[0])

    def test_recorded_rows(self):
        """The same of what a guest recorded: a decision of each sort."""
        sample = os.path.join(HERE, "sample")
        rows, left_out = ft.load(sample, ["sample"], ft.RAW_COLUMNS)
        cost = ft.read_about(sample, "sample")["machine"]["migration_cost_ns"]
        bits, num = ft.features(**ft.observations(rows, int(cost)))
        np.testing.assert_array_equal(bits, rows.bits)
        np.testing.assert_array_equal(num, rows.num)
        np.testing.assert_array_equal(ft.rule(bits, num), rows.stock)
        self.assertEqual((len(rows), left_out), (66, 0))
        self.assertGreater((rows.stock == 0).sum(), 10)
        self.assertGreater(len(np.unique(rows.bits)), 40)

    def test_bad_csv(self):
        with self.assertRaisesRegex(ft.DataError, "-t gone"):
            ft.load(self.dir, ["gone"])

        def write(text):
            with open(self.dir + "/raw_d.csv", "w", encoding="ascii") as f:
                f.write(text)
        write("ts,pid\n1,2\n")
        with self.assertRaisesRegex(ft.DataError, "no column p_running"):
            ft.load(self.dir, ["d"])
        write("ts,pid\n1,2\n1\n")
        with self.assertRaisesRegex(ft.DataError, "raw_d.csv:3: 1 fields"):
            ft.load(self.dir, ["d"])
        self.csv("d", [{"stock": "x"}])
        with self.assertRaisesRegex(ft.DataError, "column stock"):
            ft.load(self.dir, ["d"])
        self.csv("e", [{"stock": -1}])
        with self.assertRaisesRegex(ft.DataError, "model off"):
            ft.load(self.dir, ["e"])

    def test_split_file(self):
        path = self.dir + "/split"

        def split(text):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            return ft.read_split(path)
        self.assertEqual(split("# x\na training\nb held-out thin # y\n"),
                         {"a": ("train", ""), "b": ("held-out", "thin")})
        for text in ("a\n", "a maybe\n", "a training\na held-out\n",
                     "a training b c\n"):
            with self.assertRaises(ft.DataError):
                split(text)
        self.csv("f", [{"stock": 0}], "stranger")
        rows, _ = ft.load(self.dir, ["f"])
        with self.assertRaisesRegex(ft.DataError, "stranger"):
            ft.roles_of(rows, {"a": ("train", "")})

    def recording(self, tag, loads, seed, step=10 ** 7):
        """Rule-following decisions: what a guest would record, load after load."""
        rng = np.random.default_rng(seed)
        combos = ft.reachable()
        out, ts = [], 0
        for name, n in loads:
            for c in combos[rng.integers(len(combos), size=n)]:
                ts += step
                bits = int(c[0])
                d = int(c[1]) * (2 * int(rng.integers(900)) + 1)
                extra = bits & ft.BIT["extra_fails"]
                before = int(ft.rule(bits, [0, 0, 0, 0, d]))
                answer = int(before or extra > 0)
                out.append({
                    "ts": ts, "can_migrate": answer, "stock": before,
                    "bits": hex(bits), "num0": int(rng.integers(90)),
                    "num1": int(rng.integers(90000)),
                    "num2": int(rng.integers(90000)),
                    "num3": int(rng.integers(90)), "num4": d,
                    "extra_fails": int(extra > 0), "workload": name,
                    "reason": "forced" if answer > before else "rule"})
        self.csv(tag, out)

    def split_file(self):
        with open(self.dir + "/split", "w", encoding="ascii") as f:
            f.write("seen training\nmore training\nnew held-out thin\n"
                    "newer held-out thin\nnewest held-out\n")
        return self.dir + "/split"

    def test_neighbours_never_straddle_the_split(self):
        self.recording("s1", [("seen", 300), ("new", 50), ("more", 300)], 1)
        self.recording("s2", [("more", 200), ("seen", 200)], 2)
        rows, _ = ft.load(self.dir, ["s1", "s2"])
        role = ft.roles_of(rows, ft.read_split(self.split_file()))
        tr, va = train.split_time(rows, role == "train")
        held = role == "held-out"
        self.assertFalse((tr & va).any() or (tr & held).any()
                         or (va & held).any())
        self.assertGreater(tr.sum(), 600)
        self.assertGreater(va.sum(), 150)
        for tag in ("s1", "s2"):
            at = rows.tag == tag
            for one, other in ((tr, va), (tr, held), (va, held)):
                a, b = rows.ts[at & one], rows.ts[at & other]
                if len(a) and len(b):
                    self.assertGreaterEqual(
                        np.abs(a[:, None] - b[None]).min(), train.GAP_NS)
            for name in ("seen", "more"):
                here = at & (rows.workload == name)
                self.assertTrue((here & va).any(), name)
                self.assertLess(rows.ts[here & tr].max(),
                                rows.ts[here & va].min())

    def train(self, out, *more):
        """The command in a process of its own."""
        return subprocess.run(
            [os.path.join(HERE, "train"), "-t", "t1", "-t", "t2", "-d",
             self.dir, "--split", self.split_file(), "--synthetic-rows",
             "4000", "--epochs", "6", "--steps", "40", "--batch", "512",
             "--restarts", "1", "-o", os.path.join(self.dir, out), *more],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)

    @NEEDS_TORCH
    def test_train_end_to_end(self):
        self.recording("t1", [("seen", 1500)], 1)
        self.recording("t2", [("new", 500), ("newer", 300)], 2)
        plots = (["--plots", self.dir + "/png"] if HAVE_PLOTS else [])
        run = self.train("x.json", "--export", self.dir, *plots)
        self.train("y.json")
        other = self.train("z.json", "--seed", "2")
        data = {}
        for name in ("x.json", "y.json", "x.lfm", "y.lfm", "z.lfm"):
            with open(os.path.join(self.dir, name), "rb") as f:
                data[name] = f.read()
        self.assertEqual(data["x.json"], data["y.json"], "not deterministic")
        self.assertEqual(data["x.lfm"], data["y.lfm"], "not deterministic")
        self.assertNotEqual(data["x.lfm"], data["z.lfm"], other.stdout)
        # So short a training may leave wrong answers, and says so.
        wrong = int(re.search(r"train_wrong (\d+)", run.stdout).group(1))
        self.assertEqual(run.returncode, int(wrong > 0), run.stdout)
        model = Model.load(self.dir + "/x.json")
        self.assertEqual(model.blob.data, data["x.lfm"])
        # Four fifths of the training workload less the gap, nothing of others.
        self.assertRegex(model.provenance, "119[0-9] rows trained on, 300 later")
        self.assertRegex(model.provenance, r"Held out .*: new 500 [0-9.]+, "
                         r"newer 300 [0-9.]+\.")
        self.assertIn("0 of 2300 rows differ from the rule", run.stdout)
        for name in ("confusion", "roc", "calibration", "training"):
            if HAVE_PLOTS:
                with open(f"{self.dir}/png/{name}.png", "rb") as f:
                    self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")
        with open(self.dir + "/jc_golden.h", encoding="utf-8") as f:
            self.assertIn("100 recorded in a guest", f.read())
        self.evaluated()

    def evaluated(self):
        out = io.StringIO()
        with redirect_stdout(out):
            evaluate.main([self.dir + "/x.json", "-t", "t1", "t2", "-d",
                           self.dir, "--split", self.dir + "/split",
                           "--decisions", "200", "--rarer", "40"])
        lines = out.getvalue().strip().split("\n")
        fig = {li.split()[0]: li.split()[1] for li in lines if li[0] != "#"}
        self.assertEqual(fig["jc_rule_agreement"], "100.0000")
        self.assertGreater(float(fig["jc_agreement"]),
                           float(fig["jc_majority"]))
        self.assertNotIn("jc_rows.seen", fig)
        self.assertEqual(int(fig["jc_rows.new"])
                         + int(fig["jc_rows.thin"]), int(fig["jc_rows"]))
        self.assertIn("# thin: newer", lines)

    @NEEDS_TORCH
    def test_train_refuses(self):
        self.recording("t1", [("new", 30)], 1)
        self.recording("t2", [("newer", 30)], 1)
        run = self.train("x.json")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no recorded row of a training workload", run.stdout)
        self.assertFalse(os.path.exists(self.dir + "/x.json"))
        self.assertEqual(self.train("x.json", "--epochs", "0").returncode, 2)
        run = self.train("none/x.json")
        self.assertEqual(run.returncode, 2)
        self.assertIn("none is no folder", run.stdout)


class Training(unittest.TestCase):
    @NEEDS_TORCH
    def test_scaling_keeps_the_function(self):
        rng = np.random.default_rng(8)
        params = [rng.normal(size=(15, 10)), rng.normal(size=10),
                  rng.normal(size=10), rng.normal(size=1)]
        bits, num, _ = train.synthetic(rng, 3000)
        x = md.network_inputs(bits, num, train.LO, train.HI) * train.Data.factor
        logit = np.maximum(x @ params[0] + params[1], 0) @ params[2] + params[3]
        model, k = train.scaled_model(params, "q", logit)
        out = md.forward_float(model, bits, num) - 0.5
        np.testing.assert_allclose(out * k, logit, atol=1e-5)
        blob = model.blob.run(ft.vector(bits, num))[:, 0] / 65536 - 0.5
        self.assertLess(np.abs(blob - out).max(), 0.01)

    def test_synthetic_rows_reach_all(self):
        bits, num, label = train.synthetic(np.random.default_rng(0), 20000)
        seen = {(int(b), int(s)) for b, s in zip(bits, np.sign(num[:, 4]))}
        self.assertEqual(len(seen), len(ft.reachable()))
        np.testing.assert_array_equal(label, ft.rule(bits, num))
        self.assertGreater(num[:, 0].max(), 500)
        self.assertEqual(num[:, 1].max(), 2 ** 31 - 1)

    def test_class_weights(self):
        label = np.array([1] * 90 + [0] * 10)
        w = train.class_weights(label, "balanced")
        self.assertAlmostEqual(w[label == 0].sum(), w[label == 1].sum())
        self.assertAlmostEqual(w.mean(), 1)
        self.assertTrue((train.class_weights(label, "none") == 1).all())
        self.assertTrue((train.class_weights(label[:90], "balanced") == 1).all())

    def test_near(self):
        ts = np.array([0, 50, 99, 100, 300])
        self.assertEqual(train.near(ts, np.array([200]), 100).tolist(),
                         [False] * 5)
        self.assertEqual(train.near(ts, np.array([150, 310]), 100).tolist(),
                         [False, False, True, True, True])
        self.assertFalse(train.near(ts, np.array([], dtype=int), 100).any())


class Evaluation(unittest.TestCase):
    def test_figures(self):
        want = np.array([1] * 90 + [0] * 10)
        got = np.array([1] * 90 + [1] * 9 + [0])
        fig = {n: v for n, v, _ in evaluate.figures(want, got)}
        self.assertEqual(fig["agreement"], 91)
        self.assertEqual(fig["majority"], 90)
        self.assertEqual(fig["rows_rarer"], 10)
        self.assertEqual(fig["recall_min"], 10)

    @unittest.skipUnless(HAVE_PLOTS, "python3-matplotlib is not installed")
    def test_curves(self):
        import plots
        want = np.array([0, 0, 1, 1])
        self.assertEqual(plots.roc(want, np.array([1, 2, 3, 4]))[2], 1)
        self.assertEqual(plots.roc(want, np.array([1, 1, 1, 1]))[2], 0.5)
        self.assertEqual(plots.roc(want, np.array([4, 3, 2, 1]))[2], 0)
        self.assertEqual(plots.confusion(want, np.array([0, 1, 1, 1])).tolist(),
                         [[1, 1], [0, 2]])
        mean, seen, n = plots.calibration(want, np.array([.05, .95, .95, 1]))
        self.assertEqual((seen.tolist(), n.tolist()), ([0, 2 / 3], [1, 3]))


def load_tests(loader, tests, _pattern):
    """What test_models.py has runs with these."""
    tests.addTests(loader.loadTestsFromName("test_models"))
    return tests


if __name__ == "__main__":
    unittest.main()
