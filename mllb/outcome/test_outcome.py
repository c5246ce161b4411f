#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of the outcome experiment's parts on made-up data; runs anywhere."""
import csv
import gzip
import importlib.util
import json
import pathlib
import random
import subprocess
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
from pylib import features as ft
from pylib import programs
from pylib import model as md
import setup as st
from pylib.columns import EXPLORE_COLUMNS, FURTHER_COLUMNS, ORIGINAL_COLUMNS
from pylib.paths import TOOLS

BURN = TOOLS / "burn"
plain, join, analyse = (programs.load(HERE / name) for name in ("plain_models", "join", "analyse"))


class SetupTest(unittest.TestCase):
    def test_own_files(self):
        loads, policies = st.read_loads(), st.read_policies()
        self.assertEqual({load.role for load in loads.values()}, set(st.ROLES))
        self.assertEqual({p.kind for p in policies.values()}, set(st.KINDS))
        command = loads["burn-gather"].command("burn", 8, 1.3, 500, 7)
        self.assertEqual(command[:3], ["burn", "-n", "16"])
        self.assertIn("1.3", command)

    def test_mistakes_are_named(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "x"
            for text, read in (("a nothing 1 1 -p", st.read_loads), ("a training x 1", st.read_loads),
                               ("a other", st.read_policies), ("a baseline b=c", st.read_policies),
                               ("a baseline migration_cost=much", st.read_policies)):
                path.write_text(text)
                with self.assertRaisesRegex(st.SetupError, "x:1: "):
                    read(path)


class PlainModelTest(unittest.TestCase):
    """By the blob's integers, as the kernel computes."""

    def ask(self, model, names, src_load=0, dst_load=0, delta=0):
        bits = sum(ft.BIT[name] for name in names)
        return int(md.decide(model, np.array([bits]), np.array([[3, src_load, dst_load, 0,
                                                                 delta]]))[0])

    def test_never_across(self):
        model = plain.never_across()
        combos = ft.reachable()
        rng = np.random.default_rng(1)
        num = np.stack([rng.integers(0, top, len(combos)) for top in (500, 1 << 31, 1 << 31, 500)]
                       + [combos[:, 1]], axis=1)
        got = md.decide(model, combos[:, 0], num)
        want = ft.rule(combos[:, 0], num) * ft.has(combos[:, 0], "same_node")
        # Behind an open gate within a node there is nothing: the kernel closes it.
        self.assertTrue((got == want)[combos[:, 1] == 0].all())
        self.assertFalse(got[~ft.has(combos[:, 0], "same_node")].any())

    def test_threshold(self):
        model = plain.threshold("t", 1.2, 1.3)
        for load, want in ((1100, 0), (1300, 1), (2 ** 31, 1)):
            self.assertEqual(self.ask(model, ["cpu_idle"], load), want, load)
            self.assertEqual(self.ask(model, ["cpu_idle", "same_node"], load), 1)
            self.assertEqual(self.ask(model, ["cpu_idle", "same_node", "delta_hot"], load), 0)
        self.assertEqual(self.ask(model, ["prefer_src"], 2400, 0, -1), 0)
        self.assertEqual(self.ask(model, ["prefer_src"], 2600, 0, -1), 1)
        self.assertEqual(self.ask(model, ["prefer_dst"], 0, 2000, 1), 1)


MS = 1000000


class JoinTest(unittest.TestCase):
    def line(self, who, cpu, ms, event, text):
        return f"  {who} [{cpu:03d}] d.... {ms / 1000:12.6f}: {event}: {text}\n"

    def test_outcome(self):
        names = [*ORIGINAL_COLUMNS, *FURTHER_COLUMNS, *EXPLORE_COLUMNS]
        decision = " ".join(f"{n}={ {'pid': 7, 'src_cpu': 1, 'dst_cpu': 5}.get(n, 0) }"
                            for n in names)
        run = "comm=burn-home0 pid=7 runtime={} [ns]"
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "t-burn-x-0.trace"
            path.write_text(
                self.line("burn-home0-7", 1, 90, "sched_stat_runtime", run.format(5 * MS))
                + self.line("<idle>-0", 5, 100, "jc_sched_decision", decision)
                + self.line("<idle>-0", 5, 100.5, "sched_migrate_task",
                            "comm=burn-home0 pid=7 prio=120 orig_cpu=1 dest_cpu=5")
                + self.line("<idle>-0", 5, 102, "sched_stat_wait",
                            "comm=burn-home0 pid=7 delay=9 [ns]")
                + self.line("burn-home0-7", 5, 112, "sched_stat_runtime", run.format(10 * MS))
                + self.line("<idle>-0", 1, 120, "sched_migrate_task",
                            "comm=burn-home0 pid=7 prio=120 orig_cpu=5 dest_cpu=1")
                + self.line("burn-home0-7", 1, 130, "sched_stat_runtime", run.format(4 * MS))
                + self.line("burn-home0-7", 1, 400, "sched_stat_runtime", run.format(1 * MS)))
            done = subprocess.run([HERE / "join", "-t", "x", "-o", tmp, path], check=True,
                                  capture_output=True, text=True)
            self.assertIn("1 rows, 0 left out", done.stdout)
            with gzip.open(pathlib.Path(tmp) / "raw_x.csv.gz", "rt") as file:
                row = next(csv.DictReader(file))
        want = {"moved": 1, "wait_ns": 2 * MS, "back": 1, "crossings": 2, "own_home_ns": 4 * MS,
                "own_away_ns": 10 * MS, "home_ns": 4 * MS, "away_ns": 10 * MS, "home": 0}
        self.assertEqual({key: int(row[key]) for key in want}, want)
        self.assertEqual(row["workload"], "burn-x")


@unittest.skipUnless(importlib.util.find_spec("torch"), "python3-torch is not installed")
class TrainTest(unittest.TestCase):
    def test_finds_what_pays(self):
        """Made-up rows: to move across pays iff the loads differ by more than 1500."""
        rng = np.random.default_rng(3)
        with tempfile.TemporaryDirectory() as tmp:
            with gzip.open(pathlib.Path(tmp) / "raw_x.csv.gz", "wt") as file:
                names = [*ORIGINAL_COLUMNS, *FURTHER_COLUMNS, *EXPLORE_COLUMNS, *join.OUTCOMES,
                         "workload"]
                out = csv.DictWriter(file, names)
                out.writeheader()
                for k in range(8000):
                    same, src, dst = rng.random() < 0.5, rng.integers(4000), rng.integers(2000)
                    flip = rng.random() < 0.3
                    yes = int(not flip)
                    pays = 30 if src - dst > 1500 else -30
                    work = int((200 + (0 if same else yes * pays) + rng.normal(0, 20)) * MS)
                    bits = ft.BIT["cpu_idle"] | (ft.BIT["same_node"] if same else 0)
                    row = dict.fromkeys(names, 0)
                    row.update(ts=k, pid=k, test_aggressive=1, can_migrate=yes, stock=1, model=-1,
                               reason="rule", bits=hex(bits), num1=src, num2=dst, flipped=int(flip),
                               src_load=src, dst_load=dst, same_node=int(same),
                               propensity=300 if flip else 700, home_ns=work, checksum="0x0",
                               sd_flags="0x0", workload="burn-crowd", horizon_ns=200 * MS)
                    out.writerow(row)
            target = pathlib.Path(tmp) / "m.json"
            subprocess.run([HERE / "train", "-t", "x", "-d", tmp, "-o", target, "--price-ms", "0",
                            "--epochs", "40"], check=True, capture_output=True)
            model = md.Model.load(str(target))
        bits = np.full(4, ft.BIT["cpu_idle"])
        num = np.array([[1, 3500, 300, 0, 0], [1, 2800, 300, 0, 0], [1, 900, 300, 0, 0],
                        [1, 1500, 1500, 0, 0]])
        self.assertEqual(list(md.decide(model, bits, num)), [1, 1, 0, 0])
        self.assertEqual(list(md.decide(model, bits | ft.BIT["same_node"], num)), [1, 1, 1, 1])


@unittest.skipUnless(BURN.exists(), f"no {BURN}: make tools")
class BurnTest(unittest.TestCase):
    def burn(self, *options):
        return subprocess.run([BURN, *options], capture_output=True, text=True, check=False)

    def values(self, *options):
        done = self.burn("--stats", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def test_waits(self):
        values = self.values("-n", "3", "-c", "60", "-b", "5", "-z", "1", "--histogram")
        steps = [[int(n) for n in part.split(":")]
                 for part in values["wait_histogram"].split(",") if part]
        self.assertEqual(sum(count for _, count in steps), int(values["wait_samples"]))
        lows = [low for low, _ in steps]
        self.assertEqual(lows, sorted(set(lows)))
        self.assertIn(int(values["wait_p99_us"]), lows)
        self.assertLess(int(values["wait_p50_us"]), float(values["makespan_ms"]) * 1000)

    def test_own_work_is_exact(self):
        # time that a hypervisor takes away is charged to the task: the least is its own
        runs = [self.values("-n", "2", "-c", "80", "-P", "4", "-b", "7") for _ in range(5)]
        burned = [float(values["burned_ms"]) for values in runs]
        self.assertGreaterEqual(min(burned), 2 * 80)
        self.assertLess(min(burned), 2 * 80 * 1.3)
        for values in runs:
            self.assertGreaterEqual(float(values["makespan_ms"]), 80 * 0.95)

    def test_cost_of_distance(self):
        values = self.values("-n", "2", "-c", "40", "-m", "64", "-R", "2", "-C", "100")
        away, burned = float(values["away_percent"]) / 100, float(values["burned_ms"])
        want = away * burned / 2 + int(values["crossings"]) * 0.1
        self.assertAlmostEqual(float(values["charged_ms"]), want, delta=0.5)
        self.assertEqual(float(values["simulated_remote"]), 2)

    def test_a_home_needs_memory(self):
        for options in (("-R", "1.3"), ("-H", "spread"), ("-H", "far", "-m", "64"),
                        ("-R", "0.5", "-m", "64")):
            self.assertEqual(self.burn(*options).returncode, 2, options)


class AnalyseTest(unittest.TestCase):
    def records(self, factor, crossings):
        chance = random.Random(factor)
        for turn in range(8):
            for load in ("burn-a", "burn-b"):
                for policy, f, c in (("stock", 1, 40), ("outcome", factor, crossings)):
                    yield {"round": turn, "policy": policy, "load": load, "remote": 1.3,
                           "move_us": 0, "waits": [[1000, 980], [int(2000 * f), 20]],
                           "burn": {"makespan_ms": 2000 * f * chance.uniform(0.995, 1.005),
                                    "away_percent": 1},
                           "moves": {**dict.fromkeys(("migrations_active_across",
                                                      "migrations_numa_across",
                                                      "migrations_wakeup_across", "hot_gained"), 0),
                                     "migrations_balance_across": c}}

    def judged(self, factor, crossings):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "runs.json"
            path.write_text("".join(json.dumps(r) + "\n"
                                    for r in self.records(factor, crossings)))
            subprocess.run([HERE / "analyse", path], check=True, capture_output=True)
            return json.loads((pathlib.Path(tmp) / "result.json").read_text())

    def test_verdicts(self):
        good, slow = self.judged(0.97, 20), self.judged(1.05, 39)
        self.assertTrue(all(good["met"].values()), good["met"])
        self.assertAlmostEqual(good["crossnode_fewer_percent_min"], 50)
        self.assertFalse(slow["met"]["makespan_geometric_mean"] or slow["met"]["makespan_each"])
        self.assertFalse(slow["met"]["crossnode"] or slow["met"]["p99"])


if __name__ == "__main__":
    unittest.main()
