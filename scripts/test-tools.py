#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every program that was built says its version and where to report bugs. KTAP.

usage: test-tools.py BUILD
"""

import os
import subprocess
import sys

PROGRAMS = [
    "tools/jc_sched", "tools/burn", "tools/fibo", "tools/wakebench", "tools/dump_lb", "tools/queues",
    "liteflow/lfctl", "liteflow/traffic", "liteflow/ccsim/ccsim",
]


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


def version():
    """That of the packages."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "deb/changelog"), encoding="utf-8") as f:
        return f.readline().split("(")[1].split(")")[0]


def problem(path):
    name = os.path.basename(path)
    done = run(path, "--version")
    if done.returncode or done.stdout.split() != [name, version()]:
        return "--version: status %d, %s" % (done.returncode, done.stdout)
    done = run(path, "--help")
    if done.returncode or not done.stdout.splitlines()[-1].startswith("Report bugs to "):
        return "--help: status %d, %s" % (done.returncode, done.stdout)
    done = run(path, "--no-such-option")
    if done.returncode != 2:
        return "a wrong option: status %d, %s" % (done.returncode, done.stdout)
    return None


def hints(build):
    """Mistyped commands, and the word that was meant."""
    for words, meant in ((["sttus"], "status"), (["model", "shw"], "show"), (["modle"], "model")):
        done = run(os.path.join(build, "tools/jc_sched"), *words)
        good = done.returncode == 2 and '(did you mean "%s"?)' % meant in done.stdout
        yield "jc_sched " + " ".join(words), None if good else done.stdout or "no output"


def main():
    build = sys.argv[1]
    results = []
    for path in PROGRAMS:
        name, path = os.path.basename(path), os.path.join(build, path)
        if os.path.exists(path):
            results.append((name, problem(path)))
        else:
            results.append((name + " # SKIP not built", None))
    results += hints(build)
    print("TAP version 13\n1..%d" % len(results))
    for n, (name, bad) in enumerate(results, 1):
        if bad:
            print("# " + bad.strip().replace("\n", "\n# "))
        print("%s %d %s" % ("not ok" if bad else "ok", n, name))
    return any(bad for _, bad in results)


if __name__ == "__main__":
    sys.exit(main())
