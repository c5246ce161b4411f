#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Counts the instructions of a function that can run while its static keys are as built.

Static branches are NOPs or jumps in the object file; following only what they
do as built leaves out every block that a key has still to switch on.  Calls of
the other functions named are followed, so that it does not matter which of them
the compiler has inlined.
Prints "INSTRUCTIONS SITES CALLS": the instructions within reach of the function's
entry, how many static branches are among them, and how many calls were followed.
"""

import re
import subprocess
import sys

from pylib.arguments import Parser

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
TARGET = re.compile(r"^([0-9a-f]+) <([^+>]+)")
END = ("ret", "retq", "ud2", "hlt")


def objdump(*args):
    """objdump's lines."""
    return subprocess.run(["objdump", *args], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()


def disassemble(obj, symbol):
    """address -> (next address, operation, operands, relocation or None)"""
    code, last = {}, None
    for line in objdump("-dr", "--no-show-raw-insn", f"--disassemble={symbol}", obj):
        found = LINE.match(line)
        if not found:
            continue
        at, operation, rest = int(found[1], 16), found[2], found[3]
        if operation.startswith("R_X86_64"):
            code[last][3] = rest
            continue
        if last is not None:
            code[last][0] = at
        code[at] = [None, operation, rest, None]
        last = at
    return code


def jump_sites(obj):
    """The addresses in .text that the jump table names."""
    sites = set()
    for line in objdump("-r", "-j", "__jump_table", obj):
        found = re.search(r"^([0-9a-f]+) R_X86_64_PC32 +\.text\+0x([0-9a-f]+)$", line)
        # An entry has the site at 0, the target at 4 and the key at 8.
        if found and int(found[1], 16) % 16 == 0:
            sites.add(int(found[2], 16))
    return sites


def reachable(code, entry, follow):
    """What can run from entry on, and which calls were followed."""
    seen, todo, calls = set(), [entry], set()
    while todo:
        at = todo.pop()
        while at in code and at not in seen:
            seen.add(at)
            following, operation, rest, relocation = code[at]
            target = None if relocation else TARGET.match(rest)
            if target and operation.startswith("j"):
                todo.append(int(target[1], 16))
            if target and operation == "call" and target[2] in follow:
                todo.append(int(target[1], 16))
                calls.add(at)
            if operation in END or operation.startswith("jmp"):
                break
            at = following
    return seen, calls


def main():
    """Command line."""
    top = Parser(description=__doc__.split("\n", maxsplit=1)[0])
    top.add_argument("object")
    top.add_argument("function")
    top.add_argument("called", nargs="*", help="functions that are part of it")
    args = top.parse_args()
    code = disassemble(args.object, args.function)
    if not code:
        sys.exit(f"offpath.py: {args.object} has no function {args.function}")
    entry = min(code)
    for name in args.called:
        code.update(disassemble(args.object, name))
    run, calls = reachable(code, entry, args.called)
    sites = jump_sites(args.object) & run
    # Padding is no instruction that the source asked for.
    count = sum(1 for at in run if at in sites or not code[at][1].startswith(("nop", "xchg")))
    print(count, len(sites), len(calls))


if __name__ == "__main__":
    main()
