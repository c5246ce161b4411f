#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do the files of kernel/liteflow call each other in one direction only?

Reads the symbol tables of built objects: one file calls another if it refers to a
function that the other defines. Prints "circles_of_calls N", and each circle.
Status 1: there is one.
"""
import pathlib
import subprocess
import sys
import tempfile

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

SOURCES = BUILD / "linux/kernel/liteflow"
KERNELS = ("kernel", "uml-plain", "uml-debug", "uml")
# The modules of the torture test are several files each, and no part of the core.
MODULES = ("lf_torture", "lf_torture_model")


def symbols(path):
    """Functions that an object defines, and names that it refers to"""
    defines, refers = set(), set()
    out = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        *_, kind, name = line.split()
        if kind == "U":
            refers.add(name)
        elif kind in "TW":
            defines.add(name)
    return defines, refers


def calls(objects):
    """{file: {file that it calls: a function}}"""
    tables = {path.stem: symbols(path) for path in objects}
    owner = {name: file for file, (defines, _) in tables.items() for name in defines}
    graph = {}
    for file, (_, refers) in tables.items():
        graph[file] = {owner[name]: name for name in sorted(refers)
                       if owner.get(name, file) != file}
    return graph


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        for file in graph[todo.pop()]:
            if file not in seen:
                seen.add(file)
                todo.append(file)
    return seen


def shortest_circle(graph, start):
    """Files from start to start again"""
    paths = [[start]]
    for path in paths:
        for file in sorted(graph[path[-1]]):
            if file == start:
                return path + [start]
            if file not in path:
                paths.append(path + [file])
    raise AssertionError("the caller knows that there is one")


def circles(graph):
    """One circle of each group of files that all reach each other"""
    below = {file: reachable(graph, file) for file in graph}
    found, done = [], set()
    for file in sorted(graph):
        if file in below[file] and file not in done:
            done |= {other for other in below[file] if file in below[other]}
            found.append(shortest_circle(graph, file))
    return found


def layers(graph):
    """Lowest first: each file after all that it calls; without circles only"""
    order = []
    while len(order) < len(graph):
        order += [sorted(file for file in graph
                         if file not in order and set(graph[file]) <= set(order))[0]]
    return order


def report(folder, sources=None):
    """@sources: objects of files that are not there are left over from earlier"""
    objects = sorted(path for path in folder.glob("*.o")
                     if path.stem not in MODULES and not path.stem.endswith(".mod") and
                     (not sources or (sources / path.name).with_suffix(".c").exists()))
    if len(objects) < 2:
        sys.exit(f"check-layers.py: there are no objects in {folder}\n"
                 "  build a kernel, as with scripts/uml.sh --build-only")
    graph = calls(objects)
    found = circles(graph)
    print(f"circles_of_calls {len(found)}")
    for circle in found:
        for file, called in zip(circle, circle[1:]):
            print(f"  {file}.c calls {graph[file][called]}() of {called}.c")
    if not found:
        print("layers", *layers(graph))
    return 1 if found else 0


def prove():
    """It must see a circle, and must not see one where there is none."""
    sources = {"low": "int low(void) { return 1; }",
               "high": "int low(void); int high(void) { return low(); }"}
    circle = {"low": "int high(void); int low(void) { return high(); }"}
    for files, wanted in ((sources, 0), ({**sources, **circle}, 1)):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file, text in files.items():
                subprocess.run(["cc", "-x", "c", "-c", "-", "-o", folder / f"{file}.o"],
                               input=text, check=True, text=True)
            if report(folder) != wanted:
                sys.exit("check-layers.py: it does not see what it has to")
    return 0


def main():
    cmd = Parser(description=__doc__.splitlines()[0])
    cmd.add_argument("folder", nargs="?", type=pathlib.Path,
                     help="objects of kernel/liteflow; default: of a kernel that is built")
    cmd.add_argument("--prove", action="store_true", help="check the check, on two small files")
    args = cmd.parse_args()
    if args.prove:
        return prove()
    built = [BUILD / kernel / "kernel/liteflow" for kernel in KERNELS]
    folder = args.folder or next((path for path in built if path.is_dir()), built[0])
    return report(folder, SOURCES)


if __name__ == "__main__":
    sys.exit(main())
