#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run one mixed load with the model off and on in turn, within one boot.

Writes OUT as JSON: the kernel's own state, and per phase and part the metrics
of jcguest.difference(), burn's figures and the counters of jc_sched.
"""
import argparse
import json
import pathlib
import re

import jcguest
from jcguest import Problem

# name, kind, amount: "run" takes seconds; "fixed" takes CPU ms per task of a burn
# load and loops of a messaging load
PARTS = (
    ("burn-mixed", "fixed", 2000),
    ("burn-mem", "fixed", 2000),
    ("messaging", "fixed", 200),
    ("ng-numa-remote", "run", 2),
    ("ng-node-full", "run", 2),
    ("ng-cache", "run", 2),
    ("ng-oversubscribed", "run", 2),
    ("ng-hdd", "run", 2),
    ("ng-matrix", "run", 2),
    ("ng-fft", "run", 2),
    ("ng-mix", "run", 2),
)
# The report's runs have these as well.
MORE_PARTS = (
    ("hackbench", "fixed", 2000),
    ("fibo", "fixed", 20),
    ("wakebench", "fixed", 100),
    ("compile", "fixed", 8),
)
# Load that times single decisions; it is no part of the comparison.
TIMING = ("messaging", 3)
BOGO_ROW = re.compile(r"^metrc: \[\d+\] (\S+)\s+(\d+)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+([\d.]+)", re.M)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file to write")
    parser.add_argument("--tools", type=pathlib.Path, required=True,
                        help="folder with jc_sched and burn")
    parser.add_argument("--phases", default="off,on,off,on",
                        help="states of the switch in turn (default %(default)s)")
    parser.add_argument("--pairs", type=int, metavar="N",
                        help="instead of --phases: off and on, N times")
    parser.add_argument("--more", action="store_true",
                        help="hackbench, fibo, wakebench and compile, too")
    parser.add_argument("--model", type=pathlib.Path,
                        help="load this one first (jc_sched model load)")
    parser.add_argument("--null", action="store_true",
                        help="never switch, on any kernel: the columns then show the noise")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="factor on the amounts of all parts (default 1)")
    args = parser.parse_args()
    if args.pairs is not None:
        args.phases = ",".join(["off,on"] * args.pairs)
    args.parts = PARTS + (MORE_PARTS if args.more else ())
    args.phases = args.phases.split(",")
    if not args.phases or set(args.phases) - {"on", "off"}:
        parser.error("--phases takes a list of on and off")
    if not 0.1 <= args.scale <= 100:
        parser.error("--scale must be from 0.1 to 100")
    return args


def run_part(args, name, kind, amount, seed, before, counters):
    """Returns the part's metrics (None if its tool is absent) and the snapshot after it."""
    amount = max(round(amount * args.scale), 1)
    output = jcguest.run_load(args.tools, [kind, name, str(amount)], 120 * args.scale + 60, seed)
    if output is None:
        return None, before
    after = counters.snapshot()
    metrics = jcguest.difference(before, after)
    if kind == "fixed":
        values = {key: float(value) for key, value in jcguest.parse_words(output).items()}
        if values.get("timed_out"):
            raise Problem(f"{name} did not finish its work")
        metrics.update({f"load_{key}": value for key, value in values.items()})
    metrics["bogo_per_s"] = {row[0]: float(row[2]) for row in BOGO_ROW.findall(output)}
    return metrics, after


def check_mode():
    state = jcguest.jc_state()
    if state.get("mode") != "toggle":
        raise Problem(f"this kernel's mode is '{state.get('mode')}': the model can be switched "
                      "under load with the stock code as the other side only in toggle")
    return state


def check_decisions(word, stats):
    if word == "on" and not stats["model_asked"]:
        raise Problem("the model was on, but made no decision: is a sched_ext scheduler loaded? "
                      f"See {jcguest.STATE}")
    if word == "off" and stats["decisions"]:
        raise Problem(f"the model was off, but {jcguest.STATS} counts {stats['decisions']} "
                      "decisions: is its tracepoint enabled?")


def time_sides(args, progress):
    """{"off": (samples, median ns) of the stock rule, "on": … of the model}"""
    times = {}
    for word in ("off", "on"):
        progress.say(f"time per decision (model {word}): {TIMING[0]}")
        jcguest.switch(args.tools, word)
        times[word] = jcguest.time_decisions(
            lambda: jcguest.run_load(args.tools, ["run", TIMING[0], str(TIMING[1])], 120))
    return times


def run_phases(args, counters, progress):
    seen = {"off": 0, "on": 0}
    for word in args.phases:
        seen[word] += 1
        label = f"{'A' if word == 'off' else 'B'}{seen[word]}"
        if not args.null:
            jcguest.switch(args.tools, word)
            jcguest.reset_jc_stats()
        parts, snapshot = {}, counters.snapshot()
        for name, kind, amount in args.parts:
            progress.say(f"{label} (model {'absent' if args.null else word}): {name}")
            # Each A has its B with the same seed.
            parts[name], snapshot = run_part(args, name, kind, amount, seen[word], snapshot,
                                             counters)
        stats = None
        if not args.null:
            stats = jcguest.jc_stats()
            check_decisions(word, stats)
        yield {"label": label, "model": word, "parts": parts, "jc": stats}


def main():
    args = parse_arguments()
    state = {} if args.null else check_mode()
    if args.model:
        jcguest.load_model(args.tools, args.model)
        state = jcguest.jc_state()
    counters = jcguest.Counters()
    progress = jcguest.Progress(len(args.phases) * len(args.parts) + (0 if args.null else 2))
    times = {}
    try:
        phases = list(run_phases(args, counters, progress))
        if not args.null:
            times = time_sides(args, progress)
    finally:
        if not args.null:
            jcguest.switch(args.tools, "off")
        counters.close()
    args.out.write_text(json.dumps({"state": state, "cpus": len(counters.nodes),
                                    "nodes": len(set(counters.nodes.values())),
                                    "phases": phases, "decision_ns": times}, indent=1))


jcguest.main_guard(main)
