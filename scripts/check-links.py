#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do the links of the Markdown pages lead anywhere, and is the README short?

Relative links name a file or folder of the repository, and behind '#' a heading of
the page; folders in the README's table exist.
"""
import re
import sys

from pylib.arguments import Parser
from pylib.paths import ROOT

README_LINES = 130
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SKIPPED = {"build", ".git"}


def pages():
    for top in sorted(ROOT.iterdir()):
        if top.is_dir() and top.name not in SKIPPED:
            yield from sorted(top.rglob("*.md"))
        elif top.suffix == ".md":
            yield top


def anchors(text):
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        yield plain.replace(" ", "-")


def prose(text):
    """Without code, in which brackets mean something else"""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^    .*$", "", text, flags=re.M))


def faults(page):
    name = page.relative_to(ROOT)
    text = page.read_text()
    for target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        if not aim.exists():
            yield f"{name}: {target} does not exist"
        elif anchor and anchor not in anchors(aim.read_text()):
            yield f"{name}: {target}: no such heading"


def readme_faults():
    text = (ROOT / "README.md").read_text()
    lines = text.count("\n")
    if lines > README_LINES:
        yield f"README.md has {lines} lines, {README_LINES} at most"
    for folder in re.findall(r"^\| `([\w/.]+/)` \|", text, re.M):
        if folder != "build/" and not (ROOT / folder).is_dir():
            yield f"README.md: the table names {folder}, which does not exist"


def main():
    Parser(description=__doc__.splitlines()[0]).parse_args()
    found = list(readme_faults())
    number = 0
    for page in pages():
        number += 1
        found += faults(page)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"the links of {number} pages lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
