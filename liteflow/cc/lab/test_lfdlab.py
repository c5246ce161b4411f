#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of lfdlab: its cases, its decisions, and what it makes of results."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pylib import programs                  # noqa: E402
from pylib.paths import BUILD               # noqa: E402
import lfdcases                             # noqa: E402

lfdlab = programs.load(HERE / "lfdlab")
TRAFFIC = BUILD / "liteflow" / "traffic"


def result(folder, case, variant, levels, installs=(), seconds=120):
    """A run's file: goodput as a level in each third."""
    n = seconds * lfdlab.SAMPLES_PER_S // 3
    kbit = [int(1e3 * level) for level in levels for _ in range(n)]
    cc = variant if variant in ("bbr", "cubic") else "liteflow"
    log = [{"n": at, "note": "x", "cpu_s": 1, "install": True, "at_s": when}
           for at, when in enumerate(installs)]
    path = folder / f"{case}-{variant}.json"
    path.write_text(json.dumps({
        "case": case, "variant": variant, "seconds": seconds, "refits": log, "every": 10,
        "result": {"queue": {"us": [2000] * len(kbit)},
                   "flows": [{"cc": cc, "start": 0, "kbit": kbit}]}}), encoding="utf-8")
    return lfdlab.Result(path)


class Cases(unittest.TestCase):
    def test_traffic_takes_them(self):
        if not TRAFFIC.exists():
            self.skipTest("traffic is not built")
        for case in lfdcases.CASES.values():
            for seconds in (90, 1200):
                args = case.arguments("liteflow", seconds)
                done = subprocess.run([TRAFFIC, *args, "--no-such-option"], capture_output=True,
                                      text=True, check=False)
                # all before it was taken
                self.assertIn("no-such-option", done.stderr, case.name)

    def test_changes(self):
        changes = lfdcases.CASES["swing"].changes(60)
        self.assertEqual(changes[0], (20, 20))
        self.assertIn((40, 100), changes)
        self.assertEqual([at for at, _ in changes], sorted(at for at, _ in changes))
        self.assertEqual(lfdcases.CASES["loss"].changes(60), [])

    def test_flows_come_and_go(self):
        flows = lfdcases.CASES["churn"].flows("liteflow", 120)
        starts = [float(f.split(":")[1]) for f in flows]
        ends = [float(f.split(":")[2]) for f in flows]
        self.assertEqual(max(ends), 120)
        for at in (25.5, 40.5, 60.5, 77.5, 100.5, 119):
            self.assertEqual(sum(a <= at < b for a, b in zip(starts, ends)), 2, at)


class Decisions(unittest.TestCase):
    def test_settled(self):
        refits = lfdlab.Refits(None, None, None)
        for value, settled in ((0.5, False), (0.7, False), (0.72, True), (0.9, False)):
            refits.values.append(value)
            self.assertEqual(refits.settled(), settled, value)


class Results(unittest.TestCase):
    def test_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            known = {"loss": {
                "refit": result(folder, "loss", "refit", (50, 40, 30), installs=(55, 100)),
                "shipped": result(folder, "loss", "shipped", (50, 20, 20)),
                "reference": result(folder, "loss", "reference", (50, 44, 40))}}
            lines = {name: value for name, value, _ in lfdlab.figures(known)}
            self.assertEqual(lines, {"lfd_recovered_loss": "75.0", "lfd_installs_loss": "2",
                                     "lfd_gain_loss": "1.50", "lfd_recovered": "75.0"})
            one = known["loss"]["refit"]
            self.assertEqual((one.installs(0), one.installs(1), one.installs(2)),
                             ([], [55], [100]))
            self.assertEqual(one.queue_ms(1), 2)
            # the level of the phase is there after what is averaged over
            self.assertEqual(one.recovered_s(1, 39), 0)
            self.assertIsNone(one.recovered_s(1, 41))


if __name__ == "__main__":
    unittest.main()
