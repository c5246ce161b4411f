#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The network that is the byte queue: packed, and run over a random sequence of packets."""
import pathlib
import random
import subprocess
import tempfile
import unittest

from linkrnn.pylib.paths import BUILD

MODEL = pathlib.Path(__file__).resolve().parent / "models" / "bytequeue-exact.json"
LFCTL = BUILD / "liteflow" / "lfctl"
PACKETS = 20000


def queue(packets, limit):
    """[(backlog, dropped)] of whole bytes."""
    backlog, out = 0, []
    for work, size in packets:
        backlog = max(backlog - work, 0)
        dropped = backlog + size > limit
        backlog += 0 if dropped else size
        out.append((backlog, dropped))
    return out


class Exact(unittest.TestCase):
    def check(self, limit, most_work):
        rng = random.Random(limit)
        packets = [(rng.choice((0, rng.randrange(most_work))), rng.randrange(60, 1515))
                   for _ in range(PACKETS)]
        with tempfile.TemporaryDirectory() as folder:
            packed, rows = pathlib.Path(folder) / "exact.lfm", pathlib.Path(folder) / "rows"
            subprocess.run([LFCTL, "model", "pack", MODEL, "-o", packed], check=True,
                           capture_output=True)
            rows.write_text("".join(f"{work} {size} 625 {limit}\n" for work, size in packets))
            done = subprocess.run([LFCTL, "model", "run", packed, rows, "--sequence"], check=True,
                                  capture_output=True, text=True)
        answers = [tuple(map(int, line.split())) for line in done.stdout.splitlines()
                   if line[:1].isdigit() or line[:1] == "-"]
        expected = queue(packets, limit)
        self.assertEqual([(backlog, drop > keep) for backlog, keep, drop in answers], expected)
        self.assertGreater(sum(dropped for _, dropped in expected), PACKETS // 100)

    def test_small(self):
        self.check(3000, 2000)

    def test_usual(self):
        self.check(20000, 1500)

    def test_large(self):
        self.check(1000000, 1200)


if __name__ == "__main__":
    unittest.main()
