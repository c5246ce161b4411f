#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Record the stock code's decisions under several loads, one after the other, with dump_lb.

Runs in the guest; the model stays off.  DATA/raw_TAG.csv grows load by load; OUT
says how many rows each gave and how many were lost.
"""
import argparse
import json
import os
import pathlib
import subprocess

import jcguest
import loads
from jcguest import Problem

NO_ROWS, COMMAND_FAILED = 3, 4      # exit status of dump_lb


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", type=pathlib.Path, required=True,
                        help="folder with jc_sched, dump_lb and the loads' programs")
    parser.add_argument("--tag", required=True, help="names the recording")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="its folder")
    parser.add_argument("--loads", help="comma separated (default: the training ones)")
    parser.add_argument("--seconds", type=int, default=20, help="of each load (default 20)")
    parser.add_argument("--migration-cost-us", type=int, default=0, metavar="US",
                        help="the scheduler's migration cost meanwhile (default: as it is)")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")
    args = parser.parse_args()
    args.loads = args.loads.split(",") if args.loads else loads.names("training")
    loads.check_arguments(parser, args.loads, args.seconds)
    return args


def record(args, name):
    command = [args.tools / "dump_lb", "-q", "-t", args.tag, "-o", f"{args.data}/", "-a", "-w",
               name, "--", jcguest.WORKLOADS, "run", name, str(args.seconds)]
    done = subprocess.run(command, env=dict(os.environ, JC_TOOLS=str(args.tools)),
                          capture_output=True, text=True, check=False,
                          timeout=args.seconds + 180)
    if done.returncode in (NO_ROWS, COMMAND_FAILED):
        print(f"  {done.stderr.strip()[-300:]}", flush=True)
    elif done.returncode:
        raise Problem(f"dump_lb, {name}: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.returncode


def main():
    args = parse_arguments()
    jcguest.switch(args.tools, "off")
    jcguest.set_migration_cost(args.migration_cost_us)
    for suffix in (".csv", ".json"):
        (args.data / f"raw_{args.tag}{suffix}").unlink(missing_ok=True)
    progress, status = jcguest.Progress(len(args.loads)), {}
    for name in args.loads:
        progress.say(name)
        status[name] = record(args, name)
    about = args.data / f"raw_{args.tag}.json"
    if not about.exists():
        raise Problem("no load made the balancer decide anything")
    about = json.loads(about.read_text())
    print(f"{about['rows']} decisions, {about['lost']} lost")
    if args.out:
        args.out.write_text(json.dumps({"kernel": jcguest.kernel_facts(), "rows": about["rows"],
                                        "lost": about["lost"], "status": status,
                                        "about": about}, indent=1))


if __name__ == "__main__":
    jcguest.main_guard(main)
