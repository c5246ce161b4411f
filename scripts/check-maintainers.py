#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do the series' sections of MAINTAINERS cover its files?

Every new file belongs to one of the sections, every pattern names a file of the
series, and sections and patterns stand in alphabetical order.
"""
import fnmatch
import re
import sys

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

LINUX = BUILD / "linux"
AUTHORS = "The JC_SCHED authors"


def sections(text):
    """Of the list behind the explanations: [(heading, lines)]"""
    found, lines = [], []
    for line in text.split("Maintainers List\n", 1)[1].splitlines():
        if re.match(r"[A-Z]:\t", line):
            lines.append(line)
        elif line and not line[0].isspace():
            lines = []
            found.append((line, lines))
    return found


def matches(pattern, path):
    """As get_maintainer.pl: '*' stays within a folder, '/' at the end takes all below."""
    if pattern.endswith("/"):
        return path.startswith(pattern)
    return (fnmatch.fnmatchcase(path, pattern) and
            path.count("/") == pattern.count("/"))


def faults(found, new_files):
    ours = [i for i, (_, lines) in enumerate(found) if any(AUTHORS in x for x in lines)]
    if not ours:
        yield "no section names the authors of the series"
    patterns = []
    for i in ours:
        heading, lines = found[i]
        if not found[i - 1][0] < heading < found[i + 1][0]:
            yield f"{heading} is not in alphabetical order"
        own = [line[3:] for line in lines if line.startswith("F:")]
        if own != sorted(own):
            yield f"{heading}: patterns are not in alphabetical order"
        patterns += own
        for tag in "MSF":
            if not any(line.startswith(tag + ":") for line in lines):
                yield f"{heading} has no {tag}: line"
    for pattern in patterns:
        if not any(matches(pattern, path) for path in new_files):
            yield f"{pattern} matches no file of the series"
    for path in new_files:
        if not any(matches(pattern, path) for pattern in patterns):
            yield f"{path} belongs to no section"


def main():
    Parser(description=__doc__.splitlines()[0]).parse_args()
    manifest = (ROOT / "patches" / "manifest").read_text()
    new_files = re.findall(r"^\d\d-\S+ (\S+)$", manifest, re.M)
    wrong = list(faults(sections((LINUX / "MAINTAINERS").read_text()), new_files))
    for fault in wrong:
        print(f"MAINTAINERS: {fault}", file=sys.stderr)
    if not wrong:
        print(f"MAINTAINERS: {len(new_files)} new files have their sections")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
