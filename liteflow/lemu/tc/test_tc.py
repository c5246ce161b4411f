#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""q_lemu.so in the tc that is installed: it loads, and understands or refuses words.

What the kernel makes of them is for the kselftests in selftests/liteflow_lemu.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[2] / "scripts"))

from pylib.paths import BUILD  # noqa: E402

PLUGIN = BUILD / "liteflow/tc/q_lemu.so"
PATH = "/usr/sbin:/sbin:" + os.environ["PATH"]
TC = shutil.which("tc", path=PATH)
WORDS = {"capacity", "queue", "delay", "app", "noapp", "ecn", "noecn", "limit"}


def symbols(file, *args):
    out = subprocess.run(["nm", "-D", *args, file], check=True, capture_output=True, text=True)
    return {line.split()[-1].split("@")[0] for line in out.stdout.splitlines()}


@unittest.skipUnless(TC, "no tc is installed")
class Plugin(unittest.TestCase):
    def tc(self, *words):
        """A device that no machine has: words that are understood end there, with status 1
        and a message of tc about the device."""
        return subprocess.run([TC, "qdisc", "add", "dev", "lemu-nowhere", "root", "lemu", *words],
                              env={"PATH": PATH, "TC_LIB_DIR": str(PLUGIN.parent), "LC_ALL": "C"},
                              capture_output=True, text=True, check=False)

    def understood(self, *words):
        done = self.tc(*words)
        self.assertIn("lemu-nowhere", done.stderr, words)
        self.assertNotIn("lemu:", done.stderr, words)

    def refused(self, text, *words):
        done = self.tc(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        line = done.stderr.splitlines()[0]
        self.assertTrue(line.startswith("lemu: "), line)
        self.assertIn(text, line)
        self.assertNotIn("lemu-nowhere", done.stderr)

    def test_symbols(self):
        """tc exports all that the plugin needs, and finds what it looks for."""
        self.assertIn("lemu_qdisc_util", symbols(PLUGIN, "--defined-only"))
        needed = symbols(PLUGIN, "--undefined-only")
        libc = {name for name in needed if name.startswith("_") or name in {
            "stderr", "fprintf", "fwrite", "fputs", "snprintf", "strcmp", "strlen", "memcpy"}}
        self.assertEqual(needed - libc - symbols(TC, "--defined-only"), set())

    def test_help(self):
        done = self.tc("help")
        self.assertEqual(done.returncode, 1)
        usage = done.stderr
        page = (HERE / "tc-lemu.8").read_text(encoding="utf-8")
        synopsis = page[page.index(".SH SYNOPSIS"):page.index(".SH DESCRIPTION")]
        for word in WORDS:
            self.assertRegex(usage, r"\b%s\b" % word)
            self.assertRegex(synopsis, r"%s\b" % word)

    def test_page(self):
        """The page explains each statistic that the plugin prints."""
        source = (HERE / "q_lemu.c").read_text(encoding="utf-8")
        page = (HERE / "tc-lemu.8").read_text(encoding="utf-8")
        printed = set(re.findall(r'print_u(?:64|32)\("\w+", "[ \\n]*([a-z_]+)', source))
        self.assertGreater(len(printed), 8)
        self.assertEqual({name for name in printed if name not in page}, set())

    def test_understood(self):
        self.understood("capacity", "2mbit", "queue", "5kb")
        self.understood("queue", "1514b", "capacity", "8kbit", "delay", "10ms", "ecn", "limit", "7")
        self.understood("app", "lemu", "capacity", "8tbit", "queue", "1gb", "delay", "3600s",
                        "noecn", "limit", "auto")
        self.understood("noapp", "delay", "0")

    def test_refused(self):
        for text, *words in (
                ('capacity "0"', "capacity", "0"), ('capacity "7kbit"', "capacity", "7kbit"),
                ('capacity "9tbit"', "capacity", "9tbit"), ("capacity", "capacity", "quick"),
                ("capacity: its value is missing", "queue", "5kb", "capacity"),
                ('queue "0"', "queue", "0"), ('queue "2gb"', "queue", "2gb"),
                ('queue "-1"', "queue", "-1"), ('queue ""', "queue", ""),
                ('delay "-1ms"', "delay", "-1ms"), ('delay "3601s"', "delay", "3601s"),
                ('limit "0"', "limit", "0"), ('limit "4294967296"', "limit", "4294967296"),
                ('limit "-1"', "limit", "-1"), ('app ""', "app", ""), ("app", "app", "x" * 32),
                ('"blue" is no option', "blue"), ('"" is no option', ""),
                ("ecn: given twice", "ecn", "ecn"),
                ("queue: given twice", "queue", "5kb", "queue", "6kb")):
            with self.subTest(words):
                self.refused(text, *words)


if __name__ == "__main__":
    unittest.main()
