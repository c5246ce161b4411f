#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Help, manual page and completion name the same commands and options."""

import os
import re
import subprocess
import unittest

import case

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return f.read()


def completed(*words):
    """What bash would offer behind these words; the last one is begun."""
    script = """. "$0"; complete() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _lfctl; printf '%s\\n' "${COMPREPLY[@]}" """
    done = subprocess.run(["bash", "-c", script, os.path.join(HERE, "lfctl.bash-completion"),
                           "lfctl", *words], stdout=subprocess.PIPE, text=True, check=False)
    return set(done.stdout.split())


def differ(a, b):
    return a != b and "only here: %s, only there: %s" % (sorted(a - b), sorted(b - a))


class Words(case.Lfctl):
    def test_words(self):
        helped = self.lfctl("help")
        commands = {" ".join(re.split(r"\s+", line.strip())[1:3]) if line.split()[1] in
                    ("app", "model") else line.split()[1]
                    for line in helped.stdout.splitlines() if line.startswith("  lfctl ")}
        self.result("help lists commands", len(commands) < 20 or helped.returncode or helped.stderr)
        page = read("lfctl.8").replace("\\-", "-")
        synopsis = page[page.index(".SH SYNOPSIS"):page.index(".SH DESCRIPTION")]
        listed = set(re.findall(r"^\\fBlfctl ([a-z ]+)\\fR", synopsis, re.M))
        self.result("the page has the same commands", differ(commands, listed))
        offered = {w for w in completed("") if w[0] != "-"}
        grouped = {"%s %s" % (g, w) for g in ("app", "model") for w in completed(g, "")
                   if w[0] != "-"}
        self.result("completion has the same commands",
                    differ(commands, (offered - {"app", "model"}) | grouped))
        for command in sorted(commands - {"help"}):
            done = self.lfctl(*command.split(), "--help")
            options = set(re.findall(r"(--[a-z][a-z-]*)", done.stdout))
            own = options - {"--json", "--help", "--usage", "--version"}
            self.result("%s --help" % command, done.returncode or done.stderr or
                        "Report bugs to" not in done.stdout)
            self.result("%s: completion has its options" % command,
                        differ(options, completed(*command.split(), "-")))
            self.result("%s: the page has its options" % command,
                        sorted(o for o in own if o not in page))
            self.result("help %s is the same" % command,
                        self.lfctl("help", *command.split()).stdout != done.stdout)
        version = self.lfctl("--version")
        changes = read("../../scripts/deb/changelog").splitlines()[0]
        self.result("the version is that of the packages", version.returncode or
                    "(%s)" % version.stdout.split()[1] not in changes)
        self.result("a command knows it, too", self.lfctl("model", "pack", "--version").stdout !=
                    version.stdout)
        for args, meant in ((["modle"], "model"), (["stat"], "stats"),
                            (["model", "instal"], "install"),
                            (["app", "lst"], "list"), (["hlep"], "help"),
                            (["help", "montor"], "monitor")):
            done = self.lfctl(*args)
            self.result("a mistyped word: " + " ".join(args), None if done.returncode == 2 and
                        'did you mean "%s"?' % meant in done.stderr else self.said(done))
        done = self.lfctl("xyzzy")
        self.result("a word that is near to none", "did you mean" in done.stderr or
                    done.returncode != 2)
        self.result("model --help lists the group", "lfctl model pack" not in
                    self.lfctl("model", "--help").stdout)


if __name__ == "__main__":
    unittest.main()
