#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What "make install" leaves works by itself, away from the tree."""
import importlib.util
import os
import pathlib
import subprocess
import tempfile
import unittest

from linkrnn.pylib.paths import BUILD, ROOT

HERE = ROOT / "liteflow" / "lemu"


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.programs = self.dir / "usr" / "bin"
        self.ran(0, "make", "-s", "-C", HERE, "install", f"BUILD={BUILD}", f"DESTDIR={self.dir}")

    def ran(self, status, *args):
        """Output of a command that must end with a status; BUILD leads nowhere."""
        env = {**os.environ, "BUILD": str(self.dir / "nowhere"),
               "LFCTL": str(BUILD / "liteflow" / "lfctl")}
        done = subprocess.run(list(map(str, args)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, cwd=self.dir,
                              env=env)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def about(self, name):
        self.assertRegex(self.ran(0, self.programs / name, "--version"), f"^{name} [0-9.]+\n$")
        self.assertTrue((self.dir / f"usr/share/man/man1/{name}.1").exists())

    def test_run(self):
        self.assertEqual(sorted(path.name for path in self.programs.iterdir()),
                         ["lemu-live", "lemu-run", "lemu-trace", "lemu-train"])
        self.about("lemu-run")
        self.about("lemu-trace")
        self.about("lemu-live")
        self.ran(0, self.programs / "lemu-trace", "simulate", "-n", 1, "-p", 64, "-o", "traces")
        trace, = (self.dir / "traces").iterdir()
        model = self.dir / "usr/share/lemu/models/bytequeue-16.json"
        self.assertIn("decisions right, %", self.ran(0, self.programs / "lemu-run", model, trace))

    @unittest.skipUnless(importlib.util.find_spec("torch"), "python3-torch is not installed")
    def test_train(self):
        train = self.programs / "lemu-train"
        self.about(train.name)
        self.assertIn("\nlemu-train: error: ", self.ran(2, train, "--nothing"))
        self.ran(0, train, "-e", 1, "--kilo_training_samples", 0.125,
                 "--kilo_val_samples", 0.03125, "--kilo_test_samples", 0.03125, "--seq_len", 32,
                 "-o", "net")
        self.assertTrue((self.dir / "net" / "model.lfm").exists())


if __name__ == "__main__":
    unittest.main()
