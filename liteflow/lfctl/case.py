# SPDX-License-Identifier: GPL-2.0
"""What the tests of lfctl share."""
import subprocess
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
