#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run held-out loads on a TEST kernel and count where model and stock code agree.

Writes OUT as JSON: the kernel's state and the counters of jc_sched per load.
"""
import argparse
import json
import pathlib

import jcguest
from jcguest import Problem


MIGRATION_COST = pathlib.Path("/sys/kernel/debug/sched/migration_cost_ns")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file to write")
    parser.add_argument("--tools", type=pathlib.Path, required=True,
                        help="folder with jc_sched and burn")
    parser.add_argument("--loads", default="messaging-threads:10,burn-gather:8,burn-shared:6,"
                        "burn-stagger:4,ng-switch:4",
                        help="NAME:SECONDS, comma separated (default %(default)s)")
    parser.add_argument("--migration-cost-us", type=int, default=5000, metavar="US",
                        help="the scheduler's migration cost meanwhile (default %(default)s: "
                        "its own 500, scaled to a guest that is some ten times slower than "
                        "hardware, or hardly a task would be cache-hot; 0 leaves it)")
    args = parser.parse_args()
    try:
        args.loads = [(name, int(seconds)) for name, seconds in
                      (part.split(":") for part in args.loads.split(","))]
    except ValueError:
        parser.error("--loads takes NAME:SECONDS,NAME:SECONDS…")
    return args


def main():
    args = parse_arguments()
    state = jcguest.jc_state()
    if state.get("mode") != "test":
        raise Problem(f"this kernel's mode is '{state.get('mode')}': both answers to each "
                      "decision exist only in test")
    if args.migration_cost_us:
        jcguest.write_text(MIGRATION_COST, str(args.migration_cost_us * 1000))
    jcguest.switch(args.tools, "on")
    progress = jcguest.Progress(len(args.loads))
    loads = {}
    for name, seconds in args.loads:
        progress.say(f"TEST (stock decides, model beside it): {name}")
        jcguest.reset_jc_stats()
        if jcguest.run_load(args.tools, ["run", name, str(seconds)], seconds + 60) is not None:
            loads[name] = jcguest.jc_stats()
    jcguest.switch(args.tools, "off")
    if not sum(stats["model_asked"] and stats["stock_asked"] for stats in loads.values()):
        raise Problem("no decision was answered by both the model and the stock code")
    args.out.write_text(json.dumps({"state": state, "migration_cost_us": args.migration_cost_us,
                                    "loads": loads}, indent=1))


jcguest.main_guard(main)
