#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""How often the model answers like the stock code, on recorded decisions.

Prints "name value unit" lines, pooled and per workload (name.WORKLOAD), by the
integers of the blob, which the kernel computes.  Counted are unforced
decisions: where too many balances have failed, the task moves whatever either
of them says.  A workload that is too thin to say anything alone is counted in
its pool of the split file.
"""
import argparse
import os
import sys

import numpy as np

import features as ft
from model import Model, ModelError, decide, forward_float

REST = "pool-rest"          # of what is thin and in no pool


def percent(part, whole):
    return 100.0 * part / whole if whole else float("nan")


def figures(want, got):
    """(name, value, unit) of one set of decisions."""
    n, moved = len(want), int(want.sum())
    out = [("rows", n, "decisions"),
           ("rows_rarer", min(moved, n - moved), "decisions"),
           ("agreement", percent(int((want == got).sum()), n), "percent"),
           ("majority", percent(max(moved, n - moved), n), "percent")]
    recalls = []
    for answer, name in ((1, "migrate"), (0, "refuse")):
        at = want == answer
        if at.any():
            recalls.append(percent(int((got[at] == answer).sum()),
                                   int(at.sum())))
            out.append((f"recall_{name}", recalls[-1], "percent"))
    if recalls:
        out.append(("recall_min", min(recalls), "percent"))
    return out


def show(figs, suffix=""):
    for name, value, unit in figs:
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        print(f"jc_{name}{suffix} {text} {unit}")


def units(rows, split, decisions, rarer):
    """{name: (mask, names in it)}: workloads, and pools of the thin ones."""
    out, pools = {}, {}
    for name in np.unique(rows.workload):
        at = rows.workload == name
        moved = int(rows.stock[at].sum())
        n = int(at.sum())
        if n >= decisions and min(moved, n - moved) >= rarer:
            out[str(name)] = at, [str(name)]
        else:
            pool = split.get(name, ("", ""))[1] or REST
            mask, names = pools.setdefault(pool, (np.zeros(len(rows), bool), []))
            pools[pool] = mask | at, [*names, str(name)]
    return {**out, **pools}


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("model", metavar="MODEL.json")
    p.add_argument("-t", "--tag", action="append", nargs="+", required=True)
    p.add_argument("-d", "--dir", default=os.path.join(ft.BUILD, "data"))
    p.add_argument("--split", metavar="FILE",
                   default=os.path.join(ft.TOP, "mllb", "workloads.split"))
    p.add_argument("--set", choices=("held-out", "train", "all"),
                   default="held-out", help="which workloads (held-out)")
    p.add_argument("--forced", action="store_true",
                   help="count forced decisions as well")
    p.add_argument("--decisions", type=int, default=5000, metavar="N",
                   help="a workload with fewer is counted in its pool (5000)")
    p.add_argument("--rarer", type=int, default=500, metavar="N",
                   help="the same for the rarer answer (500)")
    args = p.parse_args(argv)

    model = Model.load(args.model)
    rows, left_out = ft.load(args.dir, [t for g in args.tag for t in g])
    split = ft.read_split(args.split)
    if args.set != "all":
        rows = rows[ft.roles_of(rows, split) == args.set]
    forced = int(rows.forced.sum())
    if not args.forced:
        rows = rows[~rows.forced]
    if not len(rows):
        raise ft.DataError(f"no such decision of {args.set} workloads in "
                           "these recordings: name others with -t")
    want = rows.stock
    got = decide(model, rows.bits, rows.num)
    show(figures(want, got))
    # What any function of these features that equals the rule would reach.
    show([("rule_agreement",
           percent(int((ft.rule(rows.bits, rows.num) == want).sum()),
                   len(want)), "percent"),
          ("fixed_float_same",
           percent(int((got == (forward_float(model, rows.bits, rows.num)
                                > 0.5)).sum()), len(got)), "percent"),
          ("rows_forced", forced, "decisions"),
          ("rows_left_out", left_out, "decisions")])
    thin = []
    for name, (at, names) in units(rows, split, args.decisions,
                                   args.rarer).items():
        figs = figures(want[at], got[at])
        show(figs, f".{name}")
        few = dict((n, v) for n, v, _ in figs)
        if few["rows"] < args.decisions or few["rows_rarer"] < args.rarer:
            thin.append(name)
        if names != [name]:
            print(f"# {name}: {' '.join(names)}")
    if thin:
        print(f"# thin, fewer than {args.decisions} decisions or {args.rarer} of"
              f" the rarer answer: {' '.join(thin)}")


if __name__ == "__main__":
    try:
        main()
    except (ft.DataError, ModelError) as err:
        sys.exit(f"eval: {err}")
    except BrokenPipeError:
        sys.exit(1)
