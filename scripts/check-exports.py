#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Does a module of the series use every function that the series exports?

Reads the list of exports and the modules of a kernel that is built. The original
LiteFlow's names are for modules that are not here; they have an option of their own.
"""
import pathlib
import re
import subprocess
import sys

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

OURS = re.compile(r"(lf|jc|tlf)_")
LEGACY = BUILD / "linux/include/linux/liteflow_legacy.h"


def exports(built):
    for line in (built / "Module.symvers").read_text().splitlines():
        _, name, module, *_ = line.split("\t")
        if module == "vmlinux" and OURS.match(name):
            yield name


def modules(built):
    for name in (built / "modules.order").read_text().split():
        yield (built / name).with_suffix(".ko")
    # a module elsewhere, but in this kernel for its KUnit tests
    yield from built.glob("net/sched/sch_lemu_*.o")


def used(built):
    for module in modules(built):
        out = subprocess.run(["nm", "-u", module], check=True, capture_output=True, text=True)
        yield from re.findall(r"\bU (\w+)", out.stdout)


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("built", nargs="?", type=pathlib.Path, default=BUILD / "uml-debug",
                        metavar="BUILT", help="folder of a kernel that was built (build/uml-debug)")
    built = parser.parse_args().built
    if not (built / "Module.symvers").exists():
        sys.exit(f"check-exports.py: no kernel is built in {built}\n"
                 "  scripts/uml.sh --debug --build-only builds one with all modules")
    ours = set(exports(built))
    unused = ours - set(used(built)) - set(re.findall(r"\b(lf_\w+)\(", LEGACY.read_text()))
    print(f"exports {len(ours)}, without a module that uses them {len(unused)}")
    for name in sorted(unused):
        print(f"  {name}()")
    return 1 if unused or not ours else 0


if __name__ == "__main__":
    sys.exit(main())
