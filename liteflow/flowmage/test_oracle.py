#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The analysis against the kernel: what programs do to their maps when header bits are flipped."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import test_analyze

ORACLE = test_analyze.BUILD / "liteflow/obj-flowmage/oracle"
# of the bits, every so many is flipped
EVERY = os.environ.get("EVERY", "6")
LINE = re.compile(r"(\S+) runs (\d+) touched (\d+) contradictions (\d+)")
SKIP = 4


def oracle(*args):
    return subprocess.run([ORACLE, "--every", EVERY, *args], stdout=subprocess.PIPE, text=True,
                          check=False)


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Oracle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        test_analyze.compile_all()
        done = oracle()
        if done.returncode == SKIP:
            raise unittest.SkipTest(done.stdout.strip())

    def test_functions(self):
        done = oracle(*sorted(test_analyze.OBJECTS.glob("*.o")))
        lines = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
        notes = [line for line in done.stdout.splitlines() if line[0] == "#"]
        counts = [tuple(map(int, line.groups()[1:])) for line in lines if line]
        for note in notes:
            print(note.replace("%s/" % test_analyze.OBJECTS, ""))
        for line in lines:
            if line:
                print(pathlib.PurePath(line[1]).name, line[0].partition(" ")[2])
        print("fm_oracle_packets %d packets" % sum(runs for runs, _, _ in counts))
        print("fm_oracle_contradictions %d packets" % sum(wrong for _, _, wrong in counts))
        self.assertEqual(sum(wrong for _, _, wrong in counts), 0, notes)
        self.assertEqual(done.returncode, 0)
        self.assertGreaterEqual(len(counts), 45)
        # it saw something: most of them write
        self.assertGreaterEqual(sum(seen > 0 for _, seen, _ in counts), 35)
        for line in lines:
            if line:
                self.assertGreaterEqual(int(line[2]), 1000, line[0])

    def test_breaks(self):
        """Wrong claims, and writes that are denied, are seen."""
        for name in ("count_source", "conntrack_both", "subnet20", "count_all", "count_protocol"):
            done = oracle("--break", test_analyze.OBJECTS / (name + ".o"))
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertGreater(int(LINE.search(done.stdout)[4]), 100, done.stdout)


if __name__ == "__main__":
    unittest.main()
