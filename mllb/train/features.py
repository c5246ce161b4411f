# SPDX-License-Identifier: GPL-2.0
"""The one Python definition of the model's features.

A decision is (bits, num): ten binary features packed into one integer and five
numeric ones in the kernel's raw units, as the tracepoint jc_sched_decision
prints them.  The network sees them as 15 inputs in the original's order.
"""
import csv
import gzip
import json
import os
from dataclasses import dataclass, fields

import numpy as np

# The 15 inputs, in model order.
NAMES = ("src_non_pref", "delta_hot", "cpu_idle", "cpu_not_idle",
         "cpu_newly_idle", "same_node", "prefer_src", "prefer_dst",
         "src_len", "src_load", "dst_load", "dst_len", "delta_faults",
         "extra_fails", "buddy_hot")
NUM_NAMES = ("src_len", "src_load", "dst_load", "dst_len", "delta_faults")
BIT_NAMES = tuple(n for n in NAMES if n not in NUM_NAMES)
# Model input that each bit / each numeric feature feeds.
BIT_INPUTS = tuple(NAMES.index(n) for n in BIT_NAMES)
NUM_INPUTS = tuple(NAMES.index(n) for n in NUM_NAMES)
# The network sees num / UNITS.
UNITS = (1, 1000, 1000, 1, 2000)

BIT = {name: 1 << k for k, name in enumerate(BIT_NAMES)}
DELTA = NUM_NAMES.index("delta_faults")

S64_MAX = 2 ** 63 - 1
S64_MIN = -2 ** 63

# The original collector's 30 columns, then what this kernel adds.
ORIGINAL_COLUMNS = (
    "ts curr_pid pid src_cpu dst_cpu imbalance src_len src_numa_len "
    "src_preferred_len delta cpu_idle cpu_not_idle cpu_newly_idle same_node "
    "prefer_src prefer_dst delta_faults total_faults dst_len src_load dst_load "
    "nr_fails cache_nice_tries buddy_hot throttled p_running test_aggressive "
    "can_migrate pc_0 pc_1").split()
FURTHER_COLUMNS = (
    "stock model reason extra_fails numa_gate bits num0 num1 num2 num3 num4 "
    "sd_level sd_flags idle_policy pc_cpu pc_age ns checksum").split()


class DataError(Exception):
    """Recorded data that cannot be used; the text says what to do."""


def saturate(value):
    """A Python int of any size -> the s64 that the arrays hold."""
    return max(S64_MIN, min(S64_MAX, value))


def has(bits, name):
    return (np.asarray(bits) & BIT[name]) != 0


def rule(bits, num):
    """The 6.12 rule in feature terms, before it forces a migration: 1 = migrate,
    0 = refuse. Forcing (extra_fails) is left to the kernel, so that what was
    forced can still be counted.

    num[4] is odd whenever the NUMA comparison applies at all (2 * difference
    + 1, so a tie, which the rule lets move, is positive), and 0 otherwise.
    """
    bits = np.asarray(bits)
    delta = np.asarray(num)[..., DELTA]
    gate = delta != 0
    cold = ~(has(bits, "delta_hot") | has(bits, "buddy_hot"))
    answer = np.where(gate & ~has(bits, "cpu_idle"), delta > 0, cold)
    answer = np.where(gate & has(bits, "prefer_dst"), True, answer)
    answer = np.where(gate & has(bits, "prefer_src"),
                      ~has(bits, "src_non_pref") & cold, answer)
    return answer.astype(np.int64)


def reachable():
    """All (bits, sign) that the kernel's gates let through.

    sign is that of num[4]: -1, +1, or 0 where the NUMA gate is closed.
    src_non_pref is taken as free behind an open gate, a little more than the
    kernel does (it looks only where the source is preferred).
    """
    out = []
    for bits in range(1 << len(BIT_NAMES)):
        on = {n for n in BIT_NAMES if bits & BIT[n]}
        if len(on & {"cpu_idle", "cpu_not_idle", "cpu_newly_idle"}) != 1:
            continue
        if not on & {"prefer_src", "prefer_dst", "src_non_pref"}:
            out.append((bits, 0))
        # An open gate means two different nodes, of which at most one is
        # the preferred one.
        if "same_node" not in on and not {"prefer_src", "prefer_dst"} <= on:
            out.extend(((bits, -1), (bits, 1)))
    return np.array(out, dtype=np.int64)


def clamp(num, lo, hi):
    return np.clip(np.asarray(num, dtype=np.int64), np.asarray(lo, np.int64),
                   np.asarray(hi, np.int64))


def inputs(bits, num, lo, hi):
    """(bits, num) -> the network's inputs, float64, shape (rows, 15)."""
    bits = np.atleast_1d(np.asarray(bits, dtype=np.int64))
    num = np.atleast_2d(np.asarray(num, dtype=np.int64))
    x = np.zeros((len(bits), len(NAMES)))
    for k, i in enumerate(BIT_INPUTS):
        x[:, i] = (bits >> k) & 1
    x[:, NUM_INPUTS] = clamp(num, lo, hi) / np.array(UNITS, dtype=np.float64)
    return x


@dataclass
class Rows:
    """Recorded decisions, one array entry each."""
    bits: np.ndarray        # int64
    num: np.ndarray         # int64, (rows, 5)
    moved: np.ndarray       # can_migrate: what happened, forcing included
    stock: np.ndarray       # the stock code's own answer: the label
    model: np.ndarray       # the running model's answer, -1 if not asked
    ts: np.ndarray
    workload: np.ndarray    # str
    tag: np.ndarray         # str

    def __len__(self):
        return len(self.bits)

    def __getitem__(self, sel):
        return Rows(*(getattr(self, f.name)[sel] for f in fields(self)))

    @property
    def forced(self):
        return has(self.bits, "extra_fails")

    @staticmethod
    def join(parts):
        return Rows(*(np.concatenate([getattr(p, f.name) for p in parts])
                      for f in fields(Rows)))


def find_csv(directory, tag):
    for suffix in (".csv.gz", ".csv"):
        path = os.path.join(directory, f"raw_{tag}{suffix}")
        if os.path.exists(path):
            return path
    raise DataError(f"no raw_{tag}.csv or raw_{tag}.csv.gz in {directory}: "
                    f"record it in the guest with mllb/collect -t {tag}")


def read_csv(path, tag):
    """One raw CSV -> (Rows, number of rows left out).

    Left out: rows that the stock code did not judge (the label would be the
    model's own answer), and, as in the original, running tasks and rows that
    never reached the judgement.
    """
    need = ("ts", "p_running", "test_aggressive", "can_migrate", "stock",
            "model", "bits", "num0", "num1", "num2", "num3", "num4")
    opener = gzip.open if path.endswith(".gz") else open
    got, left_out, line = [], 0, 1
    try:
        with opener(path, "rt", newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            missing = [n for n in need if n not in head]
            if missing:
                raise DataError(f"{path}: no column {', '.join(missing)}: "
                                "record it anew with mllb/collect")
            at = [head.index(n) for n in need]
            where = head.index("workload") if "workload" in head else None
            for line, rec in enumerate(reader, 2):
                if len(rec) != len(head):
                    raise DataError(f"{path}:{line}: {len(rec)} fields, the "
                                    f"header has {len(head)}: cut off?")
                v = [rec[i] for i in at]
                if v[1] != "0" or v[2] != "1" or v[4] == "-1":
                    left_out += 1
                    continue
                got.append((int(v[0]), int(v[3]), int(v[4]), int(v[5]),
                            int(v[6], 16), *(saturate(int(s)) for s in v[7:]),
                            tag if where is None else rec[where]))
    except (OSError, EOFError, ValueError) as err:
        raise DataError(f"{path}:{line}: {err}") from err
    if not got:
        raise DataError(f"{path}: no decision of the stock code in it "
                        f"({left_out} rows left out): record with the model "
                        "off, or in a TEST kernel")
    cols = list(zip(*got))
    as_int = [np.array(c, dtype=np.int64) for c in cols[:10]]
    rows = Rows(bits=as_int[4], num=np.stack(as_int[5:10], axis=1),
                moved=as_int[1], stock=as_int[2], model=as_int[3],
                ts=as_int[0], workload=np.array(cols[10]),
                tag=np.array([tag] * len(got)))
    return rows, left_out


def read_about(directory, tag):
    """What collect noted beside the CSV; {} for data of other origin."""
    try:
        with open(os.path.join(directory, f"raw_{tag}.json"),
                  encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def load(directory, tags):
    """Several recordings -> (Rows, rows left out)."""
    parts, left_out = [], 0
    for tag in tags:
        rows, n = read_csv(find_csv(directory, tag), tag)
        parts.append(rows)
        left_out += n
    return Rows.join(parts), left_out


def read_split(path):
    """mllb/workloads.split -> {workload: "train" or "held-out"}."""
    roles = {"train": "train", "training": "train", "held-out": "held-out"}
    split = {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except OSError as err:
        raise DataError(f"{path}: {err.strerror}: name the file that says "
                        "which workload is trained on with --split") from err
    for no, line in enumerate(lines, 1):
        word = line.split("#")[0].split()
        if not word:
            continue
        if len(word) != 2 or word[1] not in roles:
            raise DataError(f"{path}:{no}: expected \"WORKLOAD training\" or "
                            f"\"WORKLOAD held-out\", found {line.strip()!r}")
        if split.setdefault(word[0], roles[word[1]]) != roles[word[1]]:
            raise DataError(f"{path}:{no}: {word[0]} is in both sets")
    return split


def roles_of(rows, split):
    """The role of each row's workload; an unknown workload is refused."""
    unknown = sorted(set(rows.workload) - set(split))
    if unknown:
        raise DataError(f"workload {', '.join(unknown)} is not in the split "
                        "file: add it there as train or held-out")
    return np.array([split[w] for w in rows.workload])
