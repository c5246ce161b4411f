# SPDX-License-Identifier: GPL-2.0
"""Errors that a user can do something about, and how a program ends with one."""
import pathlib
import sys


class Problem(Exception):
    """What is wrong and what to do about it: one line."""


def run(main):
    """Run main() and exit with its status.

    A Problem becomes one line on standard error and status 1.
    """
    try:
        sys.exit(main())
    except Problem as problem:
        print(f"{pathlib.Path(sys.argv[0]).name}: {problem}", file=sys.stderr)
        sys.exit(1)
