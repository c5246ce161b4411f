#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Counts the results in a log with KTAP: "N passed, N failed, N skipped".

Only the innermost results count.  A parent counts when it failed with no
failing child.  Missing results of a plan count as failures, and so does a log
without any result.  What a failed test said last is shown with it.  The status
is 0 when something ran and nothing failed.
"""

import argparse
import collections
import re
import sys

from pylib.arguments import Parser

RESULT = re.compile(r"(not )?ok \d+(?: -)?\s*(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*SKIP(.*))?$", re.I)
STAMP = re.compile(r"^\[ *\d+\.\d+\](\[[ TC]+\d+\])? ")
SKIP = re.compile(r"#\s*SKIP\s*(.*)", re.I)
SAID = 8        # lines before a failure


class Level:
    """One nesting depth: its plan and how far it got."""

    def __init__(self):
        self.plan = None
        self.done = 0
        self.reason = ""


def depth_and_text(line):
    """KUnit nests by four blanks, kselftest by '# '."""
    line = STAMP.sub("", line.rstrip())
    depth = 0
    while line.startswith(("    ", "# ")):
        line = line[4:] if line.startswith(" ") else line[2:]
        depth += 1
    return depth, line


class Count:
    """The results of one log."""

    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []
        self.said = collections.deque(maxlen=SAID)
        self.levels = {}
        self.children = {}      # depth -> [results below, failures below]

    def close(self, depth, name="the log"):
        """Plans below this depth are over: what is missing has failed."""
        reason = ""
        for below in [d for d in self.levels if d > depth]:
            level = self.levels.pop(below)
            if level.plan is not None and level.done < level.plan:
                self.fail(f"{level.plan - level.done} planned results are missing "
                          f"in {name}", below)
            self.count(below, level.done)
            reason = level.reason or reason
        return reason

    def count(self, depth, number):
        """Tell the parent that it had children."""
        entry = self.children.setdefault(depth - 1, [0, 0])
        entry[0] += number

    def fail(self, name, depth):
        """One failure, known to all parents."""
        self.failed.append("\n    ".join([name, *self.said]))
        for above in range(depth):
            self.children.setdefault(above, [0, 0])[1] += 1

    def result(self, depth, failed, name):
        """A line 'ok' or 'not ok'."""
        reason = self.close(depth, name)
        self.levels.setdefault(depth, Level()).done += 1
        below, failures = self.children.pop(depth, (0, 0))
        skip = SKIP.search(name)
        if failed:
            if not failures:
                self.fail(name, depth)
        elif below or failures:
            pass
        elif skip:
            self.skipped.append(f"{name[:skip.start()].strip()}: "
                                f"{skip.group(1) or reason}")
        else:
            self.passed.append(name)

    def line(self, line):
        """Any line of the log."""
        depth, text = depth_and_text(line)
        result, plan = RESULT.match(text), PLAN.match(text)
        if result:
            self.result(depth, bool(result.group(1)), result.group(2))
        elif plan:
            level = self.levels.setdefault(depth, Level())
            if level.done and depth:        # a sibling begins
                self.close(depth - 1)
                level = self.levels.setdefault(depth, Level())
            level.plan = int(plan.group(1))
            level.reason = (plan.group(2) or "").strip()
        if result or plan:
            self.said.clear()
        elif text.strip("# "):
            self.said.append(text)


def read(log):
    """The Count of an open log."""
    count = Count()
    for line in log:
        count.line(line)
    count.close(-1)
    return count


def main():
    """Command line."""
    top = Parser(description=__doc__.split("\n", maxsplit=1)[0])
    top.add_argument("log", type=argparse.FileType(errors="replace"))
    args = top.parse_args()
    count = read(args.log)
    if not (count.passed or count.failed or count.skipped):
        count.failed.append("there is no result in the log")
    for name in count.failed:
        print(f"not ok: {name}")
    for name in count.skipped:
        print(f"skipped: {name}")
    print(f"{len(count.passed)} passed, {len(count.failed)} failed, "
          f"{len(count.skipped)} skipped")
    sys.exit(1 if count.failed else 0)


if __name__ == "__main__":
    main()
