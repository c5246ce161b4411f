#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Train the migration network from recorded decisions of the stock code.

The network imitates the rule; its output o decides "migrate" at o > 0.5.  It
is trained on the logit k * (o - 0.5) with BCEWithLogits; k is chosen when the
weights are written as Q16 integers, and every figure is then taken again with
the integer reference, which computes what the kernel computes.
"""
import argparse
import os
import sys
import time

import numpy as np

import features as ft
import reference as ref
from model import HIDDEN, Model, ModelError

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))

# Clamps, raw units: src_len, src_load, dst_load, dst_len, delta_faults.
# Queues to 512 tasks and the load of 1024 nice-0 tasks; beyond, the clamp
# answers as at the end of the range.  The rule uses only the sign of the fault
# difference, and the smallest one (+-1) is 1/2000 at the input: a clamp at
# +-1 keeps the sign at full strength whatever the size.
LO = (-2, 0, 0, 0, -1)
HI = (510, 1048576, 1048576, 512, 1)


def parse_args(argv):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-t", "--tag", action="append", nargs="+", default=[],
                   help="recordings raw_TAG.csv[.gz]; none: rule-labelled "
                   "rows only")
    p.add_argument("-d", "--dir", default=os.path.join(TOP, "build", "data"),
                   help="folder of the recordings (build/data)")
    p.add_argument("-o", "--output", required=True, metavar="MODEL.json")
    p.add_argument("--split", metavar="FILE",
                   default=os.path.join(TOP, "mllb", "workloads.split"),
                   help="which workload is trained on, which held out")
    p.add_argument("--export", metavar="DIR",
                   help="also write jc_weights.h and jc_golden.h there")
    p.add_argument("--name", default="cfs-6.12")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--date", default="undated",
                   help="date for the provenance, YYYY-MM-DD")
    p.add_argument("--timing", help="what the recordings ran on, for the "
                   "provenance (as collect noted it)")
    p.add_argument("--synthetic-rows", type=int, default=100000)
    p.add_argument("--synthetic-share", type=float, default=0.5,
                   help="weight of rule-labelled rows in the loss when there "
                   "are recorded ones (0.5)")
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--steps", type=int, default=150, help="steps an epoch")
    p.add_argument("--batch", type=int, default=2048)
    p.add_argument("--patience", type=int, default=12,
                   help="epochs without a better validation before stopping")
    p.add_argument("--restarts", type=int, default=8)
    p.add_argument("--l1", type=float, default=0.3,
                   help="L1 on the weights of queue lengths and loads")
    p.add_argument("--budget", type=float, default=150, help="seconds")
    args = p.parse_args(argv)
    args.tag = [t for group in args.tag for t in group]
    if not 0 < args.synthetic_share < 1:
        p.error("--synthetic-share must lie between 0 and 1")
    return args


def synthetic(rng, n):
    """Rule-labelled rows: every reachable combination, wide numbers."""
    combos = ft.reachable()
    pick = combos[rng.integers(len(combos), size=n)]
    num = np.zeros((n, 5), dtype=np.int64)

    def wide(top):
        return np.expm1(rng.uniform(0, np.log1p(top), n)).astype(np.int64)

    num[:, 0] = wide(1000) - 2
    num[:, 3] = wide(1000)
    for k in (1, 2):
        load = wide(4_000_000)
        load[rng.random(n) < 0.02] = ft.S64_MAX
        num[:, k] = load
    # Half of the differences are the smallest ones (raw +-1, +-3).
    size = np.where(rng.random(n) < 0.5, rng.integers(0, 2, n), wide(1_000_000))
    num[:, ft.DELTA] = np.where(pick[:, 1] > 0, 2 * size + 1,
                                np.where(pick[:, 1] < 0, -2 * size - 1, 0))
    return pick[:, 0], num, ft.rule(pick[:, 0], num)


def split_time(rows, share=0.2):
    """The last part in time of each recording and workload validates."""
    valid = np.zeros(len(rows), dtype=bool)
    key = np.char.add(np.char.add(rows.tag, "\n"), rows.workload)
    for k in np.unique(key):
        at = np.flatnonzero(key == k)
        at = at[np.argsort(rows.ts[at], kind="stable")]
        valid[at[int(len(at) * (1 - share)):]] = True
    return valid


def scores(want, got):
    """(agreement, lowest recall of an answer that occurs), in 0..1."""
    recalls = [np.mean(got[want == c] == c) for c in (0, 1) if (want == c).any()]
    return float(np.mean(want == got)), float(min(recalls))


class Data:
    """Inputs in training space: everything about 0..1, the sign +-1."""

    # x * FACTOR = training space.
    factor = np.ones(len(ft.NAMES))
    for _k, _i in enumerate(ft.NUM_INPUTS):
        factor[_i] = ft.UNITS[_k] / HI[_k]

    def __init__(self, torch, bits, num, label):
        self.bits, self.num, self.label = bits, num, label
        x = ft.inputs(bits, num, LO, HI) * self.factor
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = torch.tensor(label, dtype=torch.float32)


def quantise(params, name, provenance, logits):
    """Training-space parameters -> Q16 model.

    The output scale k and one scale per hidden unit are free (ReLU is
    homogeneous): choose them so that typical outputs are near 0 and 1, that
    all weights fit, and that what is small in one layer is not rounded away.
    """
    w1, b1, w2, b2 = (p.astype(np.float64) for p in params)
    top = 120.0
    kern = w1 * Data.factor[:, None]
    big = np.maximum(np.abs(kern).max(axis=0), np.abs(b1))  # must fit
    mid = np.maximum(np.abs(w1).max(axis=0), np.abs(b1))    # must be precise
    live = (mid > 1e-6) & (np.abs(w2) > 1e-6)
    k = 2 * float(np.median(np.abs(logits)))
    k = max(k, float((big * np.abs(w2))[live].max()) / (top * top), 1.0)
    out = w2 / k
    scale = np.zeros(HIDDEN)
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.sqrt(np.abs(out) / mid)
        scale[live] = np.clip(best, np.abs(out) / top, top / big)[live]
        new_w2 = np.where(live, out / np.where(live, scale, 1), 0)
    return Model.from_float(name, kern * scale, b1 * scale, new_w2,
                            b2 / k + 0.5, LO, HI, provenance)


def train_once(torch, args, seed, rec, syn, val, deadline):
    """One restart -> best parameters by validation."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    n_in = len(ft.NAMES)
    w1 = torch.randn(n_in, HIDDEN) * 0.7
    b1 = torch.randn(HIDDEN) * 0.3
    w2 = torch.randn(HIDDEN) * 0.7
    b2 = torch.zeros(1)
    params = [w1, b1, w2, b2]
    for p in params:
        p.requires_grad_(True)
    opt = torch.optim.Adam(params, lr=1e-2)
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
    sparse = [i for i in ft.NUM_INPUTS if ft.NAMES[i] != "delta_faults"]

    def forward(x):
        return torch.relu(x @ w1 + b1) @ w2 + b2

    n_rec = int(args.batch * (1 - args.synthetic_share)) if rec else 0
    weight = torch.ones(args.batch)
    if rec:
        weight[:n_rec] = (1 - args.synthetic_share) / n_rec
        weight[n_rec:] = args.synthetic_share / (args.batch - n_rec)
    else:
        weight /= args.batch
    best, since = None, 0
    for epoch in range(args.epochs):
        # Warm for two thirds, then down: the last part settles the margin.
        lr = 1e-2 * min(1.0, 3.0 * (1 - epoch / args.epochs) + 0.02)
        for group in opt.param_groups:
            group["lr"] = lr
        for _ in range(args.steps):
            at = torch.from_numpy(rng.integers(len(syn.y), size=args.batch - n_rec))
            x, y = syn.x[at], syn.y[at]
            if rec:
                at = torch.from_numpy(rng.integers(len(rec.y), size=n_rec))
                x, y = torch.cat((rec.x[at], x)), torch.cat((rec.y[at], y))
            loss = (loss_of(forward(x), y) * weight).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
            with torch.no_grad():
                # L1 as a proximal step, so that useless weights become 0.
                w = w1[sparse]
                w1[sparse] = torch.sign(w) * torch.relu(w.abs() - lr * args.l1)
        with torch.no_grad():
            score = []
            for part in val:
                out = forward(part.x)
                agree, recall = scores(part.label, (out > 0).numpy().astype(int))
                score += [recall, agree]
            loss = float(loss_of(out, part.y).mean())
        # Recall first, then agreement, then the loss (which still falls, and
        # so widens the margin, when every answer is right already).
        key = (min(score[0::2]), min(score[1::2]), -loss)
        if best is None or key[:2] > best[0][:2]:
            since = 0
        elif key[:2] < best[0][:2]:
            since += 1
        if best is None or key > best[0]:
            best = (key, [p.detach().numpy().copy() for p in params],
                    out.numpy().copy())
        if since >= args.patience or time.monotonic() > deadline:
            break
    return best, epoch + 1


def report(model, rows_sets):
    """Print and return the figures of the integer reference."""
    proof = ref.prove(model)
    verdicts = [v for _, _, v, _ in proof]
    fig = {"combinations": len(verdicts),
           "margin": round(min(m for _, _, _, m in proof), 4),
           "proved": verdicts.count("proved"),
           "open": verdicts.count("open"),
           "wrong": verdicts.count("wrong")}
    for name, (bits, num, label) in rows_sets.items():
        agree, recall = scores(label, ref.decide(model, bits, num))
        fig[f"{name}_agreement"] = round(100 * agree, 4)
        fig[f"{name}_recall_min"] = round(100 * recall, 4)
    return fig


def per_workload(rows, role, valid):
    """Provenance: rows of each workload and their share of "migrate"."""
    out = {}
    for name in sorted(set(rows.workload)):
        at = rows.workload == name
        out[str(name)] = {
            "set": str(role[at][0]),
            "rows": int(at.sum()), "validation": int((at & valid).sum()),
            "forced": int(rows.forced[at].sum()),
            "migrate_percent": round(100 * float(rows.stock[at].mean()), 2)}
    return out


def timing(args):
    """Whose clock the recordings ran by: decides what delta_hot is worth."""
    if args.timing:
        return args.timing
    if not args.tag:
        return "none, no recorded rows"
    seen = set()
    for tag in args.tag:
        m = ft.read_about(args.dir, tag).get("machine")
        if not m:
            seen.add(f"{tag}: unknown")
            continue
        vendor = "" if m["vendor"] == "unknown" else m["vendor"] + ", "
        seen.add(f"{tag}: {vendor}CPU \"{m['cpu']}\""
                 + (" (emulated: TCG)" if "TCG" in m["cpu"] else "")
                 + f", {m['cpus']} CPUs, nodes {m['nodes']}, clocksource "
                 f"{m['clocksource']}, migration cost "
                 f"{m.get('migration_cost_ns', 'unknown')} ns")
    return "; ".join(sorted(seen))


def main(argv=None):
    args = parse_args(argv)
    try:
        import torch
    except ImportError:
        sys.exit("train: python3-torch is missing: apt-get install python3-torch")
    torch.set_num_threads(1)        # deterministic, and one core is enough
    torch.use_deterministic_algorithms(True)
    begin = time.monotonic()
    rng = np.random.default_rng(args.seed)

    prov = {"date": args.date, "tags": args.tag, "seed": args.seed,
            "label": "the stock code's answer, before forcing",
            "timing": timing(args),
            "packages": {"python": sys.version.split()[0],
                         "numpy": np.__version__, "torch": torch.__version__}}
    rec, val, sets, workloads = None, [], {}, {}
    if args.tag:
        rows, left_out = ft.load(args.dir, args.tag)
        role = ft.roles_of(rows, ft.read_split(args.split))
        train_role = role == "train"
        if not train_role.any():
            raise ft.DataError("no recorded row of a training workload")
        valid = np.zeros(len(rows), dtype=bool)
        valid[train_role] = split_time(rows[train_role])
        workloads = per_workload(rows, role, valid)
        known = ft.rule(rows.bits, rows.num) == rows.stock
        prov["rows_left_out"] = left_out
        prov["rows_lost"] = {t: ft.read_about(args.dir, t).get("lost", "unknown")
                             for t in args.tag}
        prov["rows_not_following_rule"] = int((~known).sum())
        for name, w in workloads.items():
            print(f"train: {name:16} {w['set']:8} rows {w['rows']:8} "
                  f"migrate {w['migrate_percent']:6.2f} % "
                  f"forced {w['forced']}")
        print(f"train: {prov['rows_not_following_rule']} of {len(rows)} rows "
              "differ from the rule in feature terms")
        for name, at in (("train", train_role & ~valid), ("validation", valid),
                         ("held_out", ~train_role)):
            if at.any():
                sets[name] = rows.bits[at], rows.num[at], rows.stock[at]
        rec = Data(torch, *sets["train"])
        val.append(Data(torch, *sets["validation"]))
    syn = Data(torch, *synthetic(rng, args.synthetic_rows))
    # Fresh ones, never trained on; reported apart from recorded rows.
    sets["synthetic"] = synthetic(rng, 200000)
    val.append(Data(torch, *synthetic(rng, 20000)))
    prov["recorded"] = workloads
    prov["rows"] = {
        "recorded_trained_on": 0 if rec is None else len(rec.y),
        "rule_labelled": args.synthetic_rows,
        "rule_labelled_weight": args.synthetic_share if rec else 1.0,
        "rule_labelled_use": "training only; not in any figure but "
                             "synthetic_*"}

    best = None
    for restart in range(args.restarts):
        seed = args.seed * 1000 + restart
        deadline = begin + args.budget
        (key, params, logits), epochs = train_once(torch, args, seed, rec, syn,
                                                   val, deadline)
        model = quantise(params, args.name, prov, logits)
        fig = report(model, {k: v for k, v in sets.items()
                             if k in ("synthetic", "validation")})
        print(f"train: restart {restart}: {epochs} epochs, recall {key[0]:.5f} "
              f"agreement {key[1]:.5f} loss {-key[2]:.2e}; integers: "
              + " ".join(f"{k} {v}" for k, v in fig.items()))
        rank = (key[0], key[1], fig["proved"], -fig["wrong"], key[2])
        if best is None or rank > best[0]:
            best = (rank, model, restart)
        if fig["proved"] == fig["combinations"]:
            break
        if time.monotonic() > begin + args.budget:
            print("train: time budget used up", file=sys.stderr)
            break
    _, model, restart = best
    prov["restart"] = restart
    prov["figures"] = report(model, sets)
    model.save(args.output)
    for k, v in prov["figures"].items():
        print(f"train_{k} {v} "
              + ("percent" if "agreement" in k or "recall" in k else
                 "output" if k == "margin" else "count"))
    print(f"train_seconds {time.monotonic() - begin:.1f} s")
    print(f"train: {args.output} checksum 0x{model.checksum:08x}")
    if args.export:
        import export
        export.write(model, args.export, args.dir, args.tag)
    if prov["figures"]["wrong"]:
        sys.exit("train: the model contradicts the rule for "
                 f"{prov['figures']['wrong']} combinations: do not use it; "
                 "try another --seed or more --restarts")


if __name__ == "__main__":
    try:
        main()
    except (ft.DataError, ModelError) as err:
        sys.exit(f"train: {err}")
