#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The guest's side of mllb/outcome/run: all policies in turn, in one boot.

Appends one JSON object per line to OUT: first a header, then one for each run of a
load under a policy, with burn's figures, the moves by cause (jcguest.difference())
and the counters of jc_sched.  Within a round all policies run the same load with
the same seed one after the other; the order rotates from round to round.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from pylib import guest as jcguest
from pylib import errors
from pylib.errors import Problem
import setup as st  # noqa: E402

NUMA = jcguest.DEBUG / "sched" / "numa_balancing"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--policies", required=True, help="names, comma separated")
    parser.add_argument("--policy-file", type=pathlib.Path, default=st.HERE / "policies")
    parser.add_argument("--loads", required=True, help="names, comma separated")
    parser.add_argument("--costs", required=True, help="R:M,R:M…")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no round after this")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--migration-cost-us", type=int, required=True)
    parser.add_argument("--numa-scan-ms", type=int, required=True)
    return parser.parse_args()


class Machine:
    """Puts a policy in place."""

    def __init__(self, args):
        self.tools = args.tools
        self.cost_ns = args.migration_cost_us * 1000
        self.loaded = None
        # The policies themselves are compared, bad ones among them.
        if jcguest.GUARD.exists():
            jcguest.write_text(jcguest.GUARD, "0")
        if args.numa_scan_ms:
            for name in ("scan_delay_ms", "scan_period_min_ms"):
                jcguest.write_text(NUMA / name, str(args.numa_scan_ms))

    def use(self, policy):
        jcguest.write_text(jcguest.MIGRATION_COST,
                           str(int(self.cost_ns * policy.migration_cost)))
        if policy.model and policy.model != self.loaded:
            self.load(policy.model)
        jcguest.switch(self.tools, "on" if policy.model else "off")

    def load(self, model):
        if model == "builtin":
            jcguest.reset_model(self.tools)
        else:
            jcguest.load_model(self.tools, st.TOP / model)
        self.loaded = model

    def reset(self):
        jcguest.switch(self.tools, "off")
        jcguest.write_text(jcguest.MIGRATION_COST, str(self.cost_ns))


def run_burn(command):
    env = dict(os.environ, LC_ALL="C")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                              env=env)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{' '.join(command)}: not done after 300 s") from error
    if done.returncode:
        raise Problem(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    values = jcguest.parse_words(done.stdout)
    histogram = values.pop("wait_histogram", "")
    waits = [[int(n) for n in part.split(":")] for part in histogram.split(",") if part]
    return {name: float(value) for name, value in values.items()}, waits


def one_run(machine, counters, cpus, policy, load, cost, seed, scale):
    remote, move_us = cost
    machine.use(policy)
    if policy.model:
        jcguest.reset_jc_stats()
    before = counters.snapshot()
    burn, waits = run_burn(load.command(machine.tools / "burn", cpus, remote, move_us, seed,
                                        scale))
    moves = jcguest.difference(before, counters.snapshot())
    stats = jcguest.jc_stats()
    if policy.model and stats["fallback"]:
        raise Problem(f"{policy.name}: the model could not be asked {stats['fallback']} times")
    return {"burn": burn, "waits": waits, "moves": moves, "jc": stats if policy.model else None}


def main():
    args = parse_arguments()
    loads, policies = st.read_loads(), st.read_policies(args.policy_file)
    try:
        loads = [loads[name] for name in args.loads.split(",")]
        policies = [policies[name] for name in args.policies.split(",")]
    except KeyError as error:
        raise Problem(f"no load or policy named {error}") from error
    costs = [tuple(float(x) for x in part.split(":")) for part in args.costs.split(",")]
    state = jcguest.jc_state()
    if state.get("mode") != "toggle":
        raise Problem(f"this kernel's mode is '{state.get('mode')}': stock code and models can be "
                      "compared in toggle only")
    counters, machine = jcguest.Counters(), Machine(args)
    begin = time.monotonic()
    total = args.rounds * len(loads) * len(costs) * len(policies)
    number = 0
    with open(args.out, "a", encoding="utf-8") as out:
        def put(record):
            out.write(json.dumps(record) + "\n")
            out.flush()

        put({"header": {"state": state, "kernel": os.uname().release,
                        "cpus": len(counters.nodes), "nodes": len(set(counters.nodes.values())),
                        "migration_cost_us": args.migration_cost_us,
                        "numa_scan_ms": args.numa_scan_ms, "scale": args.scale}})
        try:
            for turn in range(args.first_round, args.first_round + args.rounds):
                if time.monotonic() - begin > args.seconds:
                    print(f"time is over before round {turn}", flush=True)
                    break
                at = turn % len(policies)
                order = policies[at:] + policies[:at]
                # Each other round backwards, so that no policy follows the same one.
                order = order[::-1] if turn % 2 else order
                for cost in costs:
                    for load in loads:
                        for policy in order:
                            record = one_run(machine, counters, len(counters.nodes), policy,
                                             load, cost, turn + 1, args.scale)
                            put({"round": turn, "policy": policy.name, "load": load.name,
                                 "remote": cost[0], "move_us": cost[1], **record})
                            number += 1
                        elapsed = time.monotonic() - begin
                        left = elapsed / number * (total - number)
                        print(f"[{number}/{total}] round {turn} R {cost[0]:g} M {cost[1]:g} "
                              f"{load.name} … {elapsed:.0f} s elapsed, some {left:.0f} s left",
                              flush=True)
        finally:
            machine.reset()
            counters.close()


if __name__ == "__main__":
    try:
        errors.run(main)
    except st.SetupError as problem:
        sys.exit(f"guest_run: {problem}")
