#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Train the migration network from recorded decisions of the stock code.

The network imitates the rule; its output o decides "migrate" at o > 0.5.  It
is trained on the logit k * (o - 0.5) with BCEWithLogits; k is chosen when the
weights are written.  Every figure is taken with the blob that lfctl makes of
them, in the integers that the kernel computes.
"""
import argparse
import os
import sys
import time

import numpy as np

import features as ft
import reference as ref
from model import (HIDDEN, PROVENANCE_MAX, SCALE, Model, ModelError, decide,
                   forward_float, network_inputs)

# Clamps, raw units: src_len, src_load, dst_load, dst_len, delta_faults.
# Queues to 512 tasks and the load of 1024 nice-0 tasks; beyond, the clamp
# answers as at the end of the range.  The rule uses only the sign of the fault
# difference, and the smallest one (+-1) is 1/2000 at the input: a clamp at
# +-1 keeps the sign at full strength whatever the size.
LO = (-2, 0, 0, 0, -1)
HI = (510, 1048576, 1048576, 512, 1)

# Decisions of one balancing pass are microseconds apart, and a task stays hot
# for milliseconds: none so near to each other may be on both sides of a split.
GAP_NS = 100_000_000

LEARNING_RATE = 1e-2
MARGIN = 0.1                # of the output from 0.5: worth no further restart
BETTER = 0.995              # a loss that is below so much of the best is better


def parse_args(argv):
    p = argparse.ArgumentParser(prog="mllb/train",
                                description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("-t", "--tag", action="append", nargs="+", default=[],
                   help="recordings raw_TAG.csv[.gz]; none: rule-labelled "
                   "rows only")
    p.add_argument("-d", "--dir", default=os.path.join(ft.BUILD, "data"),
                   help="folder of the recordings (build/data)")
    p.add_argument("-o", "--output", required=True, metavar="MODEL.json",
                   help="the model as text; its blob MODEL.lfm beside it")
    p.add_argument("--split", metavar="FILE",
                   default=os.path.join(ft.TOP, "mllb", "workloads.split"),
                   help="which workload is trained on, which held out")
    p.add_argument("--export", metavar="DIR",
                   help="also write jc_weights.h and jc_golden.h there")
    p.add_argument("--plots", metavar="DIR",
                   help="also write confusion matrix, ROC, calibration and "
                   "training curves there (needs python3-matplotlib)")
    p.add_argument("--name", default="cfs-6.12")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--date", help="date for the provenance, YYYY-MM-DD")
    p.add_argument("--timing", help="what the recordings ran on, for the "
                   "provenance (as the recorder noted it)")
    p.add_argument("--synthetic-rows", type=int, default=100000, metavar="N",
                   help="rows labelled by the rule for regions that no load "
                   "visits (100000); in no figure on recorded rows")
    p.add_argument("--synthetic-share", type=float, default=0.5,
                   help="their weight in the loss when there are recorded "
                   "ones (0.5)")
    p.add_argument("--class-weight", choices=("balanced", "none"),
                   default="balanced", help="balanced: both answers of recorded "
                   "rows weigh the same (balanced)")
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--steps", type=int, default=150, help="steps an epoch")
    p.add_argument("--batch", type=int, default=2048)
    p.add_argument("--patience", type=int, default=12,
                   help="epochs without a better validation before stopping")
    p.add_argument("--restarts", type=int, default=8,
                   help="at most; the first one that is proved with a margin "
                   f"of {MARGIN:g} is taken, else the best one")
    p.add_argument("--l1", type=float, default=0.3,
                   help="L1 on the weights of queue lengths and loads")
    args = p.parse_args(argv)
    args.tag = [t for group in args.tag for t in group]
    if not 0 < args.synthetic_share < 1:
        p.error("--synthetic-share must lie between 0 and 1")
    for name in ("synthetic_rows", "epochs", "steps", "batch", "restarts"):
        if getattr(args, name) < 1:
            p.error(f"--{name.replace('_', '-')} must be at least 1")
    folder = os.path.dirname(os.path.abspath(args.output))
    if not os.access(folder, os.W_OK):
        p.error(f"--output: {folder} is no folder that can be written to")
    return args


def synthetic(rng, n):
    """Rule-labelled rows: every reachable combination, wide numbers."""
    combos = ft.reachable()
    pick = combos[rng.integers(len(combos), size=n)]
    num = np.zeros((n, len(SCALE)), dtype=np.int64)

    def wide(top):
        return np.expm1(rng.uniform(0, np.log1p(top), n)).astype(np.int64)

    num[:, 0] = wide(1000) - 2
    num[:, 3] = wide(1000)
    for k in (1, 2):
        load = wide(4_000_000)
        load[rng.random(n) < 0.02] = 2 ** 31 - 1
        num[:, k] = load
    # Half of the differences are the smallest ones (raw +-1, +-3).
    size = np.where(rng.random(n) < 0.5, rng.integers(0, 2, n), wide(1_000_000))
    num[:, ft.DELTA] = np.where(pick[:, 1] > 0, 2 * size + 1,
                                np.where(pick[:, 1] < 0, -2 * size - 1, 0))
    return pick[:, 0], num, ft.rule(pick[:, 0], num)


def near(ts, other, gap=GAP_NS):
    """True where a time is within gap of any of the other times."""
    other = np.sort(other)
    if not len(other):
        return np.zeros(len(ts), dtype=bool)
    at = np.searchsorted(other, ts)
    after = np.abs(other[np.minimum(at, len(other) - 1)] - ts)
    before = np.abs(ts - other[np.maximum(at - 1, 0)])
    return np.minimum(after, before) < gap


def split_time(rows, train_role, share=0.2, gap=GAP_NS):
    """(train, validation), each a mask over rows of training workloads.

    The last part in time of each recording and workload validates. Rows that
    are nearer than gap to one that validates or is held out are in neither.
    """
    train = np.array(train_role, dtype=bool)
    valid = np.zeros(len(rows), dtype=bool)
    for tag in np.unique(rows.tag):
        here = rows.tag == tag
        for name in np.unique(rows.workload[here & train_role]):
            at = np.flatnonzero(here & (rows.workload == name))
            ts = np.sort(rows.ts[at])
            valid[at] = rows.ts[at] >= ts[int(len(ts) * (1 - share))]
        valid &= ~(here & near(rows.ts, rows.ts[here & ~train_role], gap))
        other = valid | ~train_role
        train &= ~(here & near(rows.ts, rows.ts[here & other], gap))
    return train & ~valid, valid


def scores(want, got):
    """(agreement, lowest recall of an answer that occurs), in 0..1."""
    recalls = [np.mean(got[want == c] == c) for c in (0, 1) if (want == c).any()]
    return float(np.mean(want == got)), float(min(recalls))


def class_weights(label, how):
    """Weight of each row in the loss; the mean is 1."""
    weight = np.ones(len(label))
    if how == "balanced":
        for c in (0, 1):
            share = np.mean(label == c)
            if 0 < share < 1:
                weight[label == c] = 0.5 / share
    return weight


class Data:
    """Inputs in training space: everything about 0..1, the sign +-1."""

    # What the network sees, times this = training space.
    factor = np.ones(len(ft.NAMES))
    for _k, _i in enumerate(ft.NUM_INPUTS):
        factor[_i] = 1 / (SCALE[_k] * HI[_k])

    def __init__(self, torch, bits, num, label, weighting="none"):
        self.bits, self.num, self.label = bits, num, label
        x = network_inputs(bits, num, LO, HI) * self.factor
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = torch.tensor(label, dtype=torch.float32)
        self.w = torch.tensor(class_weights(label, weighting),
                              dtype=torch.float32)


def scaled_model(params, name, logits):
    """Training-space parameters -> (Model, k), output 0.5 + logit / k.

    Typical outputs become 0 and 1; each hidden unit gets the scale at which
    its largest weight is as large as that of the output (ReLU is homogeneous).
    """
    w1, b1, w2, b2 = (p.astype(np.float64) for p in params)
    k = max(2 * float(np.median(np.abs(logits))), 1.0)
    size = np.maximum(np.abs(w1).max(axis=0), np.abs(b1))
    live = (size > 1e-6) & (np.abs(w2) > 1e-6)
    scale = np.where(live, np.sqrt(np.abs(w2) / k / np.where(live, size, 1)), 0)
    w2 = np.where(live, w2 / k / np.where(live, scale, 1), 0)
    kern = np.where(np.abs(w1) < 1e-6, 0, w1) * Data.factor[:, None]
    return Model(name, kern * scale, b1 * scale, w2, b2 / k + 0.5, LO, HI), k


class Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, restart, epochs, begin):
        self.restart, self.epochs, self.begin = restart, epochs, begin
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()

    def show(self, epoch, loss, valid, best):
        now = time.monotonic()
        if not self.live and now - self.last < 15:
            return
        self.last = now
        done = 20 * (epoch + 1) // self.epochs
        text = (f"train: {now - self.begin:5.0f} s  restart {self.restart}  "
                f"[{'#' * done}{'.' * (20 - done)}] epoch "
                f"{epoch + 1}/{self.epochs}  loss {loss:.2e}  "
                f"validation {valid:.2e}  best {best:.2e}")
        print(("\r" + text + "\033[K") if self.live else text,
              end="" if self.live else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def train_once(torch, args, restart, rec, syn, val, begin):
    """One restart -> (rank, params, logits of validation, curves)."""
    seed = args.seed * 1000 + restart
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    w1 = torch.randn(len(ft.NAMES), HIDDEN) * 0.7
    b1 = torch.randn(HIDDEN) * 0.3
    w2 = torch.randn(HIDDEN) * 0.7
    b2 = torch.zeros(1)
    params = [w1, b1, w2, b2]
    for p in params:
        p.requires_grad_(True)
    opt = torch.optim.Adam(params, lr=LEARNING_RATE)
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
    sparse = [i for i in ft.NUM_INPUTS if ft.NAMES[i] != "delta_faults"]

    def forward(x):
        return torch.relu(x @ w1 + b1) @ w2 + b2

    n_rec = int(args.batch * (1 - args.synthetic_share)) if rec else 0
    share = torch.ones(args.batch) / args.batch
    if rec:
        share[:n_rec] = (1 - args.synthetic_share) / n_rec
        share[n_rec:] = args.synthetic_share / (args.batch - n_rec)
    best, best_loss, since, curves = None, np.inf, 0, []
    progress = Progress(restart, args.epochs, begin)
    for epoch in range(args.epochs):
        # Warm for two thirds, then down: the last part settles the margin.
        lr = LEARNING_RATE * min(1.0, 3.0 * (1 - epoch / args.epochs) + 0.02)
        for group in opt.param_groups:
            group["lr"] = lr
        total = 0.0
        for _ in range(args.steps):
            at = torch.from_numpy(rng.integers(len(syn.y),
                                               size=args.batch - n_rec))
            x, y, w = syn.x[at], syn.y[at], syn.w[at]
            if rec:
                at = torch.from_numpy(rng.integers(len(rec.y), size=n_rec))
                x, y, w = (torch.cat((rec.x[at], x)), torch.cat((rec.y[at], y)),
                           torch.cat((rec.w[at], w)))
            loss = (loss_of(forward(x), y) * w * share).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += float(loss)
            with torch.no_grad():
                # L1 as a proximal step, so that useless weights become 0.
                w = w1[sparse]
                w1[sparse] = torch.sign(w) * torch.relu(w.abs() - lr * args.l1)
        with torch.no_grad():
            agree, recall, loss = [], [], 0.0
            for part in val:
                out = forward(part.x)
                a, r = scores(part.label, (out > 0).numpy().astype(int))
                agree.append(a)
                recall.append(r)
                loss += float((loss_of(out, part.y) * part.w).mean()) / len(val)
        curves.append((total / args.steps, loss, min(agree), min(recall)))
        # Recall first, then agreement, then the loss (which still falls, and
        # so widens the margin, when every answer is right already).
        key = (min(recall), min(agree), -loss)
        since += 1
        if (best is None or key[:2] > best[0][:2]
                or key[:2] == best[0][:2] and loss < BETTER * best_loss):
            since, best_loss = 0, loss
        if best is None or key > best[0]:
            best = (key, [p.detach().numpy().copy() for p in params],
                    out.numpy().copy())
        progress.show(epoch, curves[-1][0], loss, -best[0][2])
        if since >= args.patience:
            break
    progress.end()
    return (*best, curves)


def figures(model, sets):
    """Figures of the blob: the proof, then agreement on sets of rows."""
    proof = ref.prove(model.blob)
    verdicts = [v for _, _, v, _ in proof]
    fig = {"combinations": len(verdicts),
           "margin": round(min(m for _, _, _, m in proof), 4),
           "proved": verdicts.count("proved"), "open": verdicts.count("open"),
           "wrong": verdicts.count("wrong")}
    for name, (bits, num, label) in sets.items():
        agree, recall = scores(label, decide(model, bits, num))
        fig[f"{name}_agreement"] = round(100 * agree, 4)
        fig[f"{name}_recall_min"] = round(100 * recall, 4)
        out = model.blob.run(ft.vector(bits, num))[:, 0] / 65536
        exact = np.clip(forward_float(model, bits, num), -8, 9)
        fig[f"{name}_off_float"] = round(float(np.abs(out - exact).max()), 6)
    return fig


def timing(args):
    """Whose clock the recordings ran by: decides what delta_hot is worth."""
    if args.timing:
        return args.timing
    seen = {}
    for tag in args.tag:
        m = ft.read_about(args.dir, tag).get("machine")
        text = "unknown"
        if m:
            cpu = m.get("cpu", "unknown")
            text = (f"{cpu}" + (" (emulated)" if "TCG" in cpu else "")
                    + f", {m.get('cpus')} CPUs, nodes {m.get('nodes')}, "
                    f"migration cost {m.get('migration_cost_ns')} ns")
        seen.setdefault(text, []).append(tag)
    return "; ".join(f"{' '.join(tags)}: {text}" for text, tags in seen.items())


def balance(rows, role):
    """Per workload: (role, rows, percent migrate, forced)."""
    out = {}
    for name in sorted(set(rows.workload)):
        at = rows.workload == name
        out[str(name)] = (str(role[at][0]), int(at.sum()),
                          100 * float(rows.stock[at].mean()),
                          int(rows.forced[at].sum()))
    return out


def provenance(args, versions, workloads, counts, fig, restart):
    """The text that goes into the model, below 2 KiB."""
    lines = ["Imitates the migration rule of Linux 6.12: label = answer of the "
             "stock code before forcing."]
    listed = []
    for role, text in (("train", "Trained on"), ("held-out", "Held out")):
        part = [f"{n} {w[1]} {w[2]:.1f}"
                for n, w in workloads.items() if w[0] == role]
        if part:
            listed.append(f"{text} (rows, % migrate): {', '.join(part)}.")
    if workloads:
        lost = [ft.read_about(args.dir, t).get("lost") for t in args.tag]
        lost = "an unknown number of" if None in lost else sum(lost)
        lines.append(f"Recordings {' '.join(args.tag)} ({timing(args)}), {lost} "
                     f"events lost; {counts['train']} rows trained on, "
                     f"{counts['validation']} later ones validate, "
                     f"{counts['gap']} between are in neither.")
    else:
        lines.append("NO recorded decision is in here.")
    lines.append(f"{args.synthetic_rows} made up rows carry the rule's answer"
                 + (f" (weight {args.synthetic_share:g})" if workloads else "")
                 + "; they are in no figure on recorded ones.")
    for name, what in (("validation", "Validation"),
                       ("held_out", "Held out, unforced"),
                       ("synthetic", "Made up afresh")):
        if f"{name}_agreement" in fig:
            lines.append(f"{what}, {counts[name]} rows: agreement "
                         f"{fig[name + '_agreement']} %, lowest recall "
                         f"{fig[name + '_recall_min']} %.")
    lines.append(f"{fig['proved']} of {fig['combinations']} reachable "
                 "combinations give the rule's answer for every queue length, "
                 "load and fault difference; the output keeps "
                 f"{fig['margin']} from 0.5.")
    lines.append(f"Seed {args.seed}, restart {restart}"
                 + (f", {args.date}" if args.date else "") + "; "
                 + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".")
    whole = "\n".join([lines[0], *listed, *lines[1:]])
    if len(whole.encode()) <= PROVENANCE_MAX:
        return whole
    # More workloads than fit: their number must do.
    return "\n".join([lines[0], f"{len(workloads)} workloads.", *lines[1:]])


def load_recorded(args):
    """(rows, role, train, valid, workloads) of the recordings; says what is there."""
    rows, left_out = ft.load(args.dir, args.tag)
    role = ft.roles_of(rows, ft.read_split(args.split))
    if not (role == "train").any():
        raise ft.DataError("no recorded row of a training workload")
    train, valid = split_time(rows, role == "train")
    if not train.any() or not valid.any():
        raise ft.DataError("too few rows to train and to validate on: record "
                           "the training workloads for longer")
    workloads = balance(rows, role)
    for name, (which, n, migrate, forced) in workloads.items():
        print(f"train: {name:18} {which:8} rows {n:8} migrate {migrate:6.2f} %"
              f" forced {forced}")
    differ = int((ft.rule(rows.bits, rows.num) != rows.stock).sum())
    print(f"train: {differ} of {len(rows)} rows differ from the rule in feature "
          f"terms, {left_out} rows left out")
    return rows, role, train, valid, workloads


def main(argv=None):
    args = parse_args(argv)
    try:
        import torch
    except ImportError:
        sys.exit("train: python3-torch is missing: apt-get install "
                 "python3-torch, and run this by /usr/bin/python3")
    if args.plots:
        import plots        # refuses at once where matplotlib is missing
    torch.set_num_threads(1)        # deterministic, and one core is enough
    torch.use_deterministic_algorithms(True)
    begin = time.monotonic()
    rng = np.random.default_rng(args.seed)
    versions = {"python": sys.version.split()[0], "numpy": np.__version__,
                "torch": torch.__version__}
    rows, rec, val, sets, workloads, counts = None, None, [], {}, {}, {}
    if args.tag:
        rows, role, train, valid, workloads = load_recorded(args)
        for name, at in (("train", train), ("validation", valid),
                         ("held_out", (role == "held-out") & ~rows.forced)):
            counts[name] = int(at.sum())
            if at.any():
                sets[name] = rows.bits[at], rows.num[at], rows.stock[at]
        counts["gap"] = int(((role == "train") & ~train & ~valid).sum())
        rec = Data(torch, *sets["train"], args.class_weight)
        val.append(Data(torch, *sets["validation"], args.class_weight))
        moved = float(sets["train"][2].mean())
        print(f"train: {counts['train']} rows trained on, {100 * moved:.2f} % "
              f"migrate, class weights {args.class_weight}; "
              f"{counts['validation']} validate; {counts['gap']} in the gap of "
              f"{GAP_NS / 1e6:g} ms")
    syn = Data(torch, *synthetic(rng, args.synthetic_rows))
    # Fresh ones, never trained on; reported apart from recorded rows.
    sets["synthetic"] = synthetic(rng, 50000)
    counts["synthetic"] = len(sets["synthetic"][0])
    val.append(Data(torch, *synthetic(rng, 20000)))

    best = None
    for restart in range(args.restarts):
        key, params, logits, curves = train_once(torch, args, restart, rec,
                                                 syn, val, begin)
        model, k = scaled_model(params, args.name, logits)
        fig = figures(model, {n: s for n, s in sets.items()
                              if n in ("synthetic", "validation")})
        print(f"train: restart {restart}: {len(curves)} epochs, recall "
              f"{key[0]:.5f} agreement {key[1]:.5f} loss {-key[2]:.2e}; blob: "
              + " ".join(f"{n} {v}" for n, v in fig.items()))
        rank = (key[0], key[1], fig["proved"], -fig["wrong"], fig["margin"])
        if best is None or rank > best[0]:
            best = (rank, model, restart, curves, k)
        if fig["proved"] == fig["combinations"] and fig["margin"] >= MARGIN:
            break
    _, model, restart, curves, k = best
    fig = figures(model, sets)
    model = model.with_provenance(provenance(args, versions, workloads, counts,
                                             fig, restart))
    lfm = model.save(args.output)
    for name, v in fig.items():
        unit = ("percent" if "agreement" in name or "recall" in name else
                "output" if name == "margin" or "float" in name else "count")
        print(f"train_{name} {v} {unit}")
    print(f"train_seconds {time.monotonic() - begin:.1f} s")
    print(f"train: {args.output}, {lfm}: checksum 0x{model.checksum:08x}")
    if args.export:
        import export
        export.write(model, args.export, rows)
    if args.plots:
        name = "held_out" if "held_out" in sets else (
            "validation" if "validation" in sets else "synthetic")
        plots.write(args.plots, model, k, curves, name, *sets[name])
    if fig["wrong"]:
        sys.exit(f"train: the model contradicts the rule for {fig['wrong']} "
                 "combinations: do not use it; try another --seed or more "
                 "--restarts")


if __name__ == "__main__":
    try:
        main()
    except (ft.DataError, ModelError) as err:
        sys.exit(f"train: {err}")
    except OSError as err:
        sys.exit(f"train: {err.filename}: {err.strerror}")
