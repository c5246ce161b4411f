#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of lemulab: what it runs, and what it makes of the results."""
import json
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pylib import programs                  # noqa: E402

lemulab = programs.load(HERE / "lemulab")
FIGURES = {"mbit": 4.0, "p50_ms": 40.0, "p95_ms": 50.0, "queue_ms": 12.0, "loss": 0.5}


def results(kind, **changes):
    return {run: {**FIGURES, **changes} for run in lemulab.links(kind, 3)}


class Lemulab(unittest.TestCase):
    def test_runs(self):
        runs = lemulab.links("network a-1", 3)
        self.assertEqual(len({run.link for run in runs}), 2 * 12)
        self.assertEqual(len({run.name for run in runs}), 3 * 24)
        # a name is a word of a line
        self.assertNotIn(" ", "".join(run.name for run in runs))

    def test_arguments(self):
        run = lemulab.Run("lemu+", "bbr", 2, 20, 10000, 1)
        self.assertEqual(run.arguments(65, {}), "--bottleneck lemu --capacity 2 --rtt 20 --buffer 10000 "
                         "--time 65 --seed 1001 bbr:0")
        run = lemulab.Run("network a-1", "bbr", 2, 20, 10000, 1)
        self.assertIn("--bottleneck lemu:lemu ", run.arguments(65, {}))
        run = lemulab.Run("netem", "bbr", 2, 20, 10000, 1)
        self.assertIn("netem:12.000:0.5000 ", run.arguments(65, lemulab.fit(results("tbf"), "tbf")))

    def test_figures(self):
        rtt = [9e6] * lemulab.SETTLED + [1000 * ms for ms in range(1, 101)]
        found = lemulab.figures({
            "flows": [{"kbit": [0] * lemulab.SETTLED + [2000] * 100, "rtt_us": rtt}],
            "queue": {"mean_us": 1500, "packets": 990, "drops": 10}})
        self.assertEqual(found["mbit"], 2)
        self.assertAlmostEqual(found["p50_ms"], 50.5)
        self.assertAlmostEqual(found["p95_ms"], 95.95)
        self.assertEqual((found["queue_ms"], found["loss"]), (1.5, 1))

    def test_verdict(self):
        for name, off, fits in (("mbit", 1.019, True), ("mbit", 0.979, False), ("p50_ms", 1.04, True),
                                ("p95_ms", 1.06, False), ("p50_ms", 0.94, False)):
            found = {**FIGURES, name: FIGURES[name] * off}
            self.assertEqual(lemulab.compare(found, FIGURES)[1], fits, name)

    def test_tables(self):
        far = results("network a-1")
        one = next(run for run in far if run.cc == "bbr")
        for run in far:
            if run.link == one.link:
                far[run] = {**FIGURES, "mbit": 5.0}
        lines, last = lemulab.tables(lemulab.medians({**results("lemu"), **far}),
                                     ["network a-1"], "lemu", 3)
        last = {name: value for name, value, _ in last}
        self.assertEqual(last["lemu_tcp_bbr_a_1_queue"], "11")
        self.assertEqual(last["lemu_tcp_cubic_a_1_queue"], "12")
        self.assertEqual(last["lemu_tcp_bbr_a_1_queue_worst_goodput"], "25.0")
        self.assertEqual(sum(" no " in line for line in lines), 1)

    def test_kept(self):
        """Results of an earlier report, but not of another network with the name of one."""
        with tempfile.TemporaryDirectory() as folder:
            a, b = (pathlib.Path(folder) / name for name in ("a-1.json", "b.json"))
            a.write_text("1")
            b.write_text("2")
            every = {**results("lemu"), **results("network a-1"), **results("network b")}
            path = pathlib.Path(folder) / "tcp.json"
            path.write_text(json.dumps({
                "models": {"a-1": lemulab.digest(a), "b": "other"},
                "lemu": [lemulab.record(run, found) for run, found in every.items()]}))
            found = lemulab.kept(path, [a, b])
            self.assertEqual(found, {"lemu": {**results("lemu"), **results("network a-1")},
                                     "codel": {}})
            path.write_text('{"lemu": [{}]}')
            with self.assertRaisesRegex(lemulab.Problem, "no tcp.json of this program"):
                lemulab.kept(path, [a])


if __name__ == "__main__":
    unittest.main()
