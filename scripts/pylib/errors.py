# SPDX-License-Identifier: GPL-2.0
"""Errors that a user can do something about, and how a program ends with one."""
import os
import pathlib
import sys


class Problem(Exception):
    """What is wrong and what to do about it: one line.

    Modules derive their own from it where somebody has to tell them apart.
    """


def run(main):
    """Run main() and exit with its status.

    A Problem, or a file that cannot be used, becomes one line on standard error and
    status 1. Nobody reads the output any more: status 1, no line. Ctrl-C: status 130.
    """
    name = pathlib.Path(sys.argv[0]).name
    try:
        status = main()
        sys.stdout.flush()
        sys.exit(status)
    except BrokenPipeError:
        # or Python complains when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error
        print(f"{name}: {what}", file=sys.stderr)
        sys.exit(1)
    except Problem as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(130)
