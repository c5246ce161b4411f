# SPDX-License-Identifier: GPL-2.0
"""What the tests of lfctl share."""
import json
import os
import subprocess
import tempfile
import unittest

from pylib.paths import BUILD


class Lfctl(unittest.TestCase):
    def lfctl(self, *args, env=None):
        return subprocess.run([BUILD / "liteflow/lfctl", *args], stdout=subprocess.PIPE, env=env,
                              stderr=subprocess.PIPE, text=True, check=False)

    def result(self, name, problem):
        """One of many in a test: the others are tried as well."""
        with self.subTest(name):
            self.assertFalse(problem)

    @staticmethod
    def said(done):
        """A problem, also if nothing was said."""
        return "status %d, %s" % (done.returncode, done.stderr)


class Packed(Lfctl):
    """Each test has a folder of its own, with m.json and what was made of it, m.lfm."""

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def pack(self, text, *args):
        for name in ("m.json", "m.lfm"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        with open(self.path("m.json"), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        return self.lfctl("model", "pack", self.path("m.json"), *args)

    def refused(self, name, text, reason, *args):
        """One line with the reason, status 1, no file."""
        self.refusal(name, self.pack(text, *args), reason)

    def refusal(self, name, done, reason):
        lines = done.stderr.splitlines()
        problem = None
        if done.returncode != 1:
            problem = "status %d\n%s" % (done.returncode, done.stderr)
        elif len(lines) != 1 or not lines[0].startswith("lfctl: "):
            problem = "not one line: " + done.stderr
        elif reason not in lines[0]:
            problem = "'%s' is not in: %s" % (reason, lines[0])
        elif os.path.exists(self.path("m.lfm")):
            problem = "a file was written"
        elif done.stdout:
            problem = "output: " + done.stdout
        self.result(name, problem)
