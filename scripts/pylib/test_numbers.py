#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of numbers, files, paths and errors; runs anywhere."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from pylib import files, numbers
from pylib.errors import Problem
from pylib.paths import ROOT


class Numbers(unittest.TestCase):
    def test_percent(self):
        self.assertEqual(numbers.percent(1, 4), 25)
        self.assertIsNone(numbers.percent(0, 0))
        self.assertEqual(numbers.percent(0, 0, -1), -1)

    def test_texts(self):
        self.assertEqual(numbers.share_text(0.1234), "12.3 %")
        self.assertEqual(numbers.share_text(None), "-")
        self.assertEqual(numbers.share_text(float("nan")), "-")
        self.assertEqual(numbers.change_text(1.012, 0.997), "+1.20 -0.30")

    def test_quantile(self):
        buckets = [(0, 9, 10), (10, 19, 0), (20, 39, 10)]
        self.assertAlmostEqual(numbers.quantile(buckets, 0.5), 10)
        self.assertAlmostEqual(numbers.quantile(buckets, 0.75), 30)
        self.assertAlmostEqual(numbers.quantile(buckets, 1), 40)
        self.assertIsNone(numbers.quantile([], 0.5))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "x.json"

    def test_round_trip(self):
        files.save(self.path, {"a": [1, 2]})
        self.assertEqual(files.load(self.path), {"a": [1, 2]})
        self.assertEqual([entry.name for entry in self.path.parent.iterdir()], ["x.json"])

    def test_a_failure_leaves_the_old_file(self):
        files.save(self.path, 1)
        with self.assertRaises(TypeError):
            files.save(self.path, {"a": object()})
        self.assertEqual(files.load(self.path), 1)
        self.assertEqual([entry.name for entry in self.path.parent.iterdir()], ["x.json"])

    def test_what_cannot_be_read(self):
        with self.assertRaisesRegex(Problem, "x.json: No such file.*: make it"):
            files.load(self.path, "make it")
        self.path.write_text("{")
        with self.assertRaisesRegex(Problem, "x.json: "):
            files.load(self.path)


class Paths(unittest.TestCase):
    def test_where_build_is(self):
        for build, expected in (("", ROOT / "build"), ("other", ROOT / "other"), ("/o", "/o")):
            done = subprocess.run([sys.executable, "-c", "from pylib import paths; "
                                   "print(paths.BUILD)"], cwd=ROOT / "scripts", check=True,
                                  env={**os.environ, "BUILD": build}, capture_output=True, text=True)
            self.assertEqual(done.stdout.strip(), str(expected))


class Errors(unittest.TestCase):
    def end(self, body):
        done = subprocess.run([sys.executable, "-c", "from pylib import errors\n"
                               f"def main():\n    {body}\nerrors.run(main)"],
                              cwd=ROOT / "scripts", capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def test_status(self):
        self.assertEqual(self.end("return 3"), (3, ""))
        self.assertEqual(self.end("return None"), (0, ""))

    def test_one_line(self):
        self.assertEqual(self.end("raise errors.Problem('no kernel')"), (1, "-c: no kernel\n"))
        self.assertEqual(self.end("open('/none')"),
                         (1, "-c: /none: No such file or directory\n"))
        self.assertEqual(self.end("raise KeyboardInterrupt"), (130, "-c: interrupted\n"))
        self.assertEqual(self.end("raise BrokenPipeError"), (1, ""))

    def test_a_fault_of_the_program_shows_where(self):
        status, text = self.end("return 1 / 0")
        self.assertEqual(status, 1)
        self.assertIn("Traceback", text)


if __name__ == "__main__":
    unittest.main()
