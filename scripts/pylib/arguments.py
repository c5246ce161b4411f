# SPDX-License-Identifier: GPL-2.0
"""Command lines: what liteflow/lib/tool/tool.h is for programs in C."""
import argparse
import re

from .paths import ROOT

TOOL = dict(re.findall(r'^#define TOOL_(VERSION|BUGS)\s+"(.*)"$',
                       (ROOT / "liteflow/lib/tool/tool.h").read_text(encoding="utf-8"), re.M))


class Parser(argparse.ArgumentParser):
    """With --version, and where to report bugs as the last line of --help."""

    def __init__(self, **options):
        super().__init__(**options)
        self.add_argument("--version", action="version", help="print the version and exit",
                          version=f"{self.prog.rpartition('/')[2]} {TOOL['VERSION']}")

    def format_help(self):
        return f"{super().format_help()}\nReport bugs to {TOOL['BUGS']}.\n"
