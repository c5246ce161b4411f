#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Decisions per second of each named load, counted by the kernel; the stock rule decides.

Runs in the guest (or on hardware) on a kernel with CONFIG_JC_SCHED, the model
off.  With --table it prints the table of an earlier run, anywhere.
"""
import argparse
import json
import pathlib
import time

import jcguest
import loads
from jcguest import Problem

FEW = 20        # per second: 5,000 decisions of it would take four minutes


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("load", nargs="*", help="loads (default: all of workloads.split)")
    parser.add_argument("--tools", type=pathlib.Path,
                        default=jcguest.HERE.parent.parent / "build" / "tools",
                        help="folder with jc_sched, burn, fibo and wakebench")
    parser.add_argument("--seconds", type=int, default=10, help="of each load (default 10)")
    parser.add_argument("--migration-cost-us", type=int, default=0, metavar="US",
                        help="the scheduler's migration cost meanwhile (default: as it is)")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")
    parser.add_argument("--table", type=pathlib.Path, nargs="+", metavar="JSON",
                        help="measure nothing: print these runs side by side, as Markdown")
    args = parser.parse_args()
    loads.check_arguments(parser, args.load, args.seconds)
    return args


def measure(args):
    progress = jcguest.Progress(len(args.load) or len(loads.read_split()))
    out, failed = {}, []
    jcguest.switch(args.tools, "off")
    with jcguest.Decisions():
        for name in args.load or loads.read_split():
            progress.say(name)
            jcguest.reset_jc_stats()
            begin = time.monotonic()
            try:
                done = jcguest.run_load(args.tools, ["run", name, str(args.seconds)],
                                        args.seconds + 90)
            except Problem as problem:
                # One load that fails must not cost the rates of all others.
                print(f"  failed: {problem}", flush=True)
                failed.append(name)
                continue
            if done is None:
                continue
            stats = jcguest.jc_stats()
            out[name] = {"seconds": round(time.monotonic() - begin, 2),
                         **{key: stats[key] for key in
                            ("decisions", "accepted", "refused", "forced")}}
            print(f"  {stats['decisions'] / out[name]['seconds']:.1f} decisions per second",
                  flush=True)
    if not sum(row["decisions"] for row in out.values()):
        raise Problem("no load made the balancer decide anything")
    return out, failed


def table(runs):
    """Markdown lines; runs: list of the JSON files' contents."""
    split = loads.read_split()
    head = ["load", "role", "pool"]
    for run in runs:
        cost = f"{run['kernel']['migration_cost_us']} us"
        head += [f"decisions/s at {cost}", "refused", "forced"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * 3 + " ---: |" * (len(head) - 3)]
    for name, (role, pool) in split.items():
        cells = [f"`{name}`", role, pool or ""]
        for run in runs:
            row = run["loads"].get(name)
            if not row:
                cells += ["-", "-", "-"]
                continue
            rate = row["decisions"] / row["seconds"]
            share = [f"{100 * row[key] / row['decisions']:.1f} %" if row["decisions"] else "-"
                     for key in ("refused", "forced")]
            cells += [f"{rate:.1f}" if rate < FEW else f"{rate:.0f}", *share]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def main():
    args = parse_arguments()
    if args.table:
        runs = [json.loads(path.read_text()) for path in args.table]
    else:
        jcguest.set_migration_cost(args.migration_cost_us)
        rates, failed = measure(args)
        runs = [{"kernel": jcguest.kernel_facts(), "seconds_each": args.seconds,
                 "loads": rates, "failed": failed}]
        if args.out:
            args.out.write_text(json.dumps(runs[0], indent=1))
    print("\n".join(table(runs)))
    return 1 if runs[-1]["failed"] else 0


if __name__ == "__main__":
    jcguest.main_guard(main)
