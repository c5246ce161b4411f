#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run loads with bad models, with the guard off and on, and with the stock rule.

In the guest. All sides of a round have the same seeds, their order changes from
round to round. Writes OUT as JSON: a list of runs with burn's figures, the counters
of jc_sched and what the guard says of itself.
"""
import argparse
import json
import os
import pathlib
import subprocess

import jcguest
from jcguest import Problem

# Options of burn; {n} is the CPUs. In the first three all tasks are gathered again and
# again where only balancing gets them away: wakeups stay within the node.
LOADS = {
    "gather-naps": "-n {n} -p -a node:0 -b 3 -z 1 -P 30 -c 3000",
    "gather-short": "-n {n} -p -a node:0 -b 4 -z 1 -P 50 -c 3000",
    "gather-cpu": "-n {n} -p -a cpu:0 -P 60 -c 2400",
    "mixed": "-n {3n} -b 12 -z 4 -s 40 -N 5 -m 512 -P 4 -a node:0 -c 1000",
}
KEEP = ("decisions", "refused", "forced", "guarded", "guard_trips", "model_asked", "stock_asked")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file to write")
    parser.add_argument("--tools", type=pathlib.Path, required=True,
                        help="folder with jc_sched and burn")
    parser.add_argument("--models", type=pathlib.Path, nargs="*", default=[], metavar="FILE",
                        help="bad models (.lfm or .json), asked with the guard off and on")
    parser.add_argument("--good", type=pathlib.Path, nargs="*", default=[], metavar="FILE",
                        help="models that should not trip; 'builtin' is always among them")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    return args


def check_kernel():
    state = jcguest.jc_state()
    if state.get("guard", "not built") == "not built" or not jcguest.GUARD.exists():
        raise Problem("this kernel has no guard: boot one with CONFIG_JC_SCHED_GUARD")
    if state.get("mode") != "toggle":
        raise Problem(f"this kernel's mode is '{state.get('mode')}': stock and model can only "
                      "be compared in one boot in toggle")


def put(tools, model, guarded):
    """Switches off, and on again with this model: the guard knows nothing of it."""
    jcguest.switch(tools, "off")
    jcguest.write_text(jcguest.GUARD, "1" if guarded else "0")
    if model is None:
        return
    if model == "builtin":
        jcguest.reset_model(tools)
    else:
        jcguest.load_model(tools, model)
    jcguest.switch(tools, "on")


def run(tools, load, seed):
    cpus = os.cpu_count()
    options = LOADS[load].format(**{"n": cpus, "3n": 3 * cpus}).split()
    done = subprocess.run([tools / "burn", *options, "-r", str(seed), "-S", "-t", "120"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"burn {' '.join(options)}: status {done.returncode}: {done.stderr.strip()}")
    return {key: float(value) for key, value in jcguest.parse_words(done.stdout).items()
            if key in ("makespan_ms", "wait_ms", "wait_p99_us", "migrations", "crossings")}


def main():
    args = parse_arguments()
    check_kernel()
    sides = [("stock", None, False)]
    for path in args.models:
        sides += [(path.stem, path, False), (path.stem, path, True)]
    sides += [(path if path == "builtin" else path.stem, path, True)
              for path in ["builtin", *args.good]]
    progress = jcguest.Progress(args.rounds * len(args.loads))
    runs = []
    try:
        for number in range(args.rounds):
            for load in args.loads:
                first = number % len(sides)
                for name, model, guarded in sides[first:] + sides[:first]:
                    put(args.tools, model, guarded)
                    jcguest.reset_jc_stats()
                    figures = run(args.tools, load, number + 1)
                    stats = jcguest.jc_stats()
                    state = jcguest.jc_state()
                    runs.append({"round": number, "load": load, "side": name,
                                 "guarded": guarded, **figures,
                                 "jc": {key: stats[key] for key in KEEP},
                                 "guard": {key: value for key, value in state.items()
                                           if key.startswith("guard")}})
                    if model and not stats["model_asked"]:
                        raise Problem(f"{name} was on, but not asked once under {load}")
                args.out.write_text(json.dumps(runs, indent=1) + "\n")
                progress.say(f"round {number + 1}: {load}")
    finally:
        put(args.tools, None, True)
    return 0


jcguest.main_guard(main)
