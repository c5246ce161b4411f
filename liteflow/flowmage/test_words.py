#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Help and manual page of flowmage name the same commands and options."""
import pathlib
import re
import unittest

import fmcase

HERE = pathlib.Path(__file__).resolve().parent


class Words(fmcase.Flowmage):
    def test_words(self):
        helped = self.flowmage("help")
        self.assertEqual((helped.returncode, helped.stderr), (0, ""))
        commands = set(re.findall(r"^  flowmage ([a-z]+) ", helped.stdout, re.M)) - {"help"}
        self.assertGreater(len(commands), 4)
        page = (HERE / "flowmage.8").read_text(encoding="utf-8").replace("\\-", "-")
        synopsis = page[page.index(".SH SYNOPSIS"):page.index(".SH DESCRIPTION")]
        self.assertEqual(set(re.findall(r"^\\fBflowmage ([a-z]+)", synopsis, re.M)) - {"help"},
                         commands)
        for command in sorted(commands):
            with self.subTest(command):
                done = self.flowmage(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("Report bugs to", done.stdout)
                self.assertEqual(self.flowmage("help", command).stdout, done.stdout)
                options = set(re.findall(r"(--[a-z][a-z-]*)", done.stdout))
                options -= {"--help", "--usage", "--version"}
                self.assertEqual({o for o in options if o not in page}, set())

    def test_mistyped(self):
        for word, meant in (("slove", "solve"), ("aply", "apply"), ("verfy", "verify")):
            done = self.flowmage(word)
            self.assertEqual(done.returncode, 2)
            self.assertIn('did you mean "%s"?' % meant, done.stderr)
        self.assertEqual(self.flowmage().returncode, 2)
        self.assertEqual(self.flowmage("--nothing").returncode, 2)


if __name__ == "__main__":
    unittest.main()
