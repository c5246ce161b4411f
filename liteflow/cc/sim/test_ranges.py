#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of what scenarios are drawn from, and of the definition of score and reward.

Needs 'make -C liteflow/cc/sim'.
"""
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import network as nw
import simlib as sl

ONE = 65536
THIRDS = (ONE // 3,) * 3
# Of the scenarios of the usual ranges with the seeds 0 to 199, as they have always been.
USUAL = "80bd1e08e01f6f2a"
SHIPPED = os.path.join(sl.HERE, "..", "models", "cc.json")


def digest(scenarios):
    """Of all their numbers, but for what C libraries differ in."""
    total = hashlib.sha256()
    for s in scenarios:
        total.update(" ".join(f"{v:.9g}" for v in np.frombuffer(bytes(s))).encode())
    return total.hexdigest()[:16]


class Ranges(unittest.TestCase):
    def test_usual_ones_are_as_before(self):
        self.assertEqual(digest(sl.draw(seed, True) for seed in range(200)), USUAL)
        usual = sl.Ranges({name: value[0] if name.startswith("chance_") else value[:2]
                           for name, value in sl.usual_ranges().items()})
        self.assertEqual(digest(sl.draw(seed, True, usual) for seed in range(200)), USUAL)
        self.assertEqual(digest(sl.draw(seed, True, sl.Ranges({})) for seed in range(200)), USUAL)

    def test_moved(self):
        ranges = sl.Ranges({"capacity": [40e6, 60e6], "rtt": [0.035, 0.045], "loss": 0.05,
                            "chance_loss": 1, "chance_bursts": 0, "buffer": [1, 2],
                            "chance_steps": 0, "flows": [40, 50], "chance_many": 1,
                            "chance_other_rtts": 0})
        flows = set()
        for s in (sl.draw(seed, ranges=ranges) for seed in range(300)):
            self.assertTrue(40e6 <= s.step_rate[0] <= 60e6)
            self.assertTrue(0.035 <= s.flow[0].rtt <= 0.045)
            self.assertAlmostEqual(s.loss, 0.05)
            self.assertEqual((s.loss_burst, s.n_steps), (0, 1))
            flows.add(sum(s.flow[i].kind == sl.LITEFLOW for i in range(int(s.n_flows))))
        self.assertTrue(40 <= min(flows) < max(flows) <= 50, flows)

    def test_steps_may_leave_a_narrow_range(self):
        ranges = sl.Ranges({"capacity": 50e6, "chance_steps": 1})
        rates = [s.step_rate[i] for s in (sl.draw(seed, ranges=ranges) for seed in range(50))
                 for i in range(int(s.n_steps))]
        self.assertLess(min(rates), 25e6)
        self.assertGreater(max(rates), 100e6)
        wide = sl.Ranges({"capacity": [1e4, 1e5], "chance_steps": 1})
        self.assertLess(max(sl.draw(seed, ranges=wide).step_rate[0] for seed in range(50)), 1.001e5)

    def test_refuses(self):
        for bad, says in (([], "object"), ({"speed": 1}, "no 'speed'"), ({"loss": 2}, "within"),
                          ({"loss": [0.1, 0.01]}, "[0.1, 0.01]"), ({"loss": "a"}, "'a'"),
                          ({"loss": [1]}, "[1]"), ({"loss": float("nan")}, "nan"),
                          ({"loss": True}, "True"), ({"chance_loss": [0, 1]}, "probability"),
                          ({"chance_loss": 1.5}, "probability"), ({"loss": None}, "None")):
            with self.assertRaises(sl.SimError) as caught:
                sl.Ranges(bad)
            self.assertIn(says, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))

    def train(self, folder, *args):
        return subprocess.run([sys.executable, os.path.join(sl.HERE, "train"), "-o",
                               os.path.join(folder, "x.json"), *args], capture_output=True,
                              check=False, text=True)

    def test_train_refuses(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ranges.json")
            for text, says in ((None, "No such file"), ("{", "not JSON"), ('{"a": 1}', "no 'a'")):
                if text is not None:
                    with open(path, "w", encoding="utf-8") as f:
                        f.write(text)
                run = self.train(folder, "--ranges", path)
                self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
                self.assertIn(says, run.stderr)
                self.assertIn(path, run.stderr)

    def test_train(self):
        """From a network on, which needs no torch."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ranges.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump({"capacity": 20e6, "chance_many": 0}, f)
            args = ["--start", SHIPPED, "--generations", "1", "--pairs", "2", "--scenarios", "4",
                    "--validate", "4"]
            run = self.train(folder, "--ranges", path, *args)
            self.assertEqual(run.returncode, 0, run.stderr)
            with open(os.path.join(folder, "x.json"), encoding="utf-8") as f:
                self.assertIn('{"capacity": 20000000.0, "chance_many": 0}', json.load(f)["provenance"])
            # of before there was another rule
            state = os.path.join(folder, "x.state")
            with np.load(state) as kept:
                older = {name: kept[name] for name in kept.files if name not in ("rule", "averaged")}
            with open(state, "wb") as f:
                np.savez(f, **older)
            self.assertEqual(self.train(folder, "--ranges", path, *args).returncode, 0)
            run = self.train(folder, "--ranges", path, "--rule", "aurora", *args)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
            self.assertIn("--rule pull", run.stderr)
            # what other ranges left is no beginning
            run = self.train(folder, *args)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
            self.assertIn("--ranges", run.stderr)


class Score(unittest.TestCase):
    """net/ipv4/tcp_liteflow_reward.c against floating point"""

    def setUp(self):
        self.lib = sl.library()
        self.lib.tlf_ln.argtypes = [sl.ctypes.c_uint64]
        self.lib.tlf_utility.argtypes = [sl.ctypes.c_uint64] * 3
        self.lib.tlf_delay_cost.argtypes = [sl.ctypes.c_uint32] * 2

    def test_logarithm(self):
        rng = np.random.default_rng(1)
        for v in [1, 2, 2 ** 63, 2 ** 64 - 1] + [int(2 ** e) for e in rng.uniform(0, 63.9, 5000)]:
            self.assertAlmostEqual(self.lib.tlf_ln(v) / ONE, math.log(v), delta=3 / ONE)

    def test_terms(self):
        rng = np.random.default_rng(2)
        for _ in range(2000):
            rate, fair = (int(2 ** e) for e in rng.uniform(10, 40, 2))
            little = fair // 50 + 1
            self.assertAlmostEqual(self.lib.tlf_utility(rate, fair, little) / ONE,
                                   math.log((rate + little) / (fair + little)), delta=5 / ONE)
            waits = rng.uniform(0, 20, 2)
            want = sum(math.log1p(w) for w in waits) / 10
            self.assertAlmostEqual(self.lib.tlf_delay_cost(*(int(w * ONE) for w in waits)) / ONE,
                                   want, delta=3 / ONE)

    def test_of_a_run(self):
        """The score is what its definition says of the figures beside it."""
        for s in (sl.draw(seed, True) for seed in range(30)):
            r = sl.run(s, gains=sl.GAINS, preferences=True)[0]
            p = list(s.preferences)
            want = 3 * (p[0] * r.utility - p[1] * r.delay_cost - p[2] * r.loss_cost)
            self.assertAlmostEqual(r.score, want, delta=0.001)
            self.assertAlmostEqual(r.loss_cost, 2 * r.loss, delta=0.0001)

    def test_rewards(self):
        """Of one path, mean rewards differ as the rates' logarithms do, less the cost of queues."""
        params = nw.read(SHIPPED)[1]
        s = sl.scenario(50e6, 0.04, duration=30)
        good = sl.run(s, params)[0]
        want = math.log(good.goodput[0] / 8 / 16e6)
        self.assertAlmostEqual(good.reward, want, delta=0.15)
        # twice the capacity: ln 2 more
        twice = sl.run(sl.scenario(100e6, 0.04, duration=30), params)[0]
        self.assertAlmostEqual(twice.reward - good.reward, math.log(2), delta=0.15)
        # a network that always wants less: worse by score and by reward
        less = np.zeros(sl.n_params(30), dtype=np.float32)
        less[-1] = -1
        bad = sl.run(s, less)[0]
        self.assertLess(bad.score, good.score - 0.1)
        self.assertLess(bad.reward, good.reward - 0.1)


if __name__ == "__main__":
    unittest.main()
