# SPDX-License-Identifier: GPL-2.0
"""Features of a decision, and recordings of decisions.

A decision is (bits, num): ten binary features packed into one integer and five
numeric ones in the kernel's raw units, as the tracepoint jc_sched_decision
prints them. Names, order and the code that makes them of raw observations are
the kernel's: libjcfeatures.so holds its jc_features(). Nothing here transforms.
"""
import csv
import ctypes
import gzip
import json
import os
import subprocess

import numpy as np

from . import paths
from .columns import EXPLORE_COLUMNS, OUTCOME_COLUMNS
from .errors import Problem

TOP, BUILD = str(paths.ROOT), str(paths.BUILD)
TRAIN = os.path.join(TOP, "mllb", "train")
SPLIT = os.path.join(TOP, "mllb", "loads", "split")
LIBRARY = os.path.join(BUILD, "tools", "libjcfeatures.so")

S64_MAX = 2 ** 63 - 1
S64_MIN = -2 ** 63
MISSING = -1            # of an optional column: absent, empty or not known
SD_SHARE_CPUCAPACITY = 0x80


class DataError(Problem):
    """Recorded data that cannot be used; the text says what to do."""


def _library():
    """The kernel's feature code; made anew where its sources are newer."""
    made = subprocess.run(["make", "-s", "-C", TRAIN, f"BUILD={BUILD}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if made.returncode:
        raise DataError(f"{LIBRARY} cannot be made of the kernel's jc_mlp.h:\n"
                        + made.stdout.strip())
    return ctypes.CDLL(LIBRARY)


def _names(lib, array, count):
    n = ctypes.c_uint32.in_dll(lib, count).value
    return tuple(s.decode() for s in (ctypes.c_char_p * n).in_dll(lib, array))


_lib = _library()
OBS_NAMES = _names(_lib, "jcf_obs_names", "jcf_nr_obs")
BIT_NAMES = _names(_lib, "jcf_bit_names", "jcf_nr_bits")
NUM_NAMES = _names(_lib, "jcf_num_names", "jcf_nr_nums")
# Model input that each bit / each numeric feature feeds.
BIT_INPUTS = tuple(_lib.jcf_bit_input(k) for k in range(len(BIT_NAMES)))
NUM_INPUTS = tuple(_lib.jcf_num_input(k) for k in range(len(NUM_NAMES)))
# The 15 inputs, in model order.
NAMES = tuple(name for _, name in sorted(zip(BIT_INPUTS + NUM_INPUTS,
                                             BIT_NAMES + NUM_NAMES)))

BIT = {name: 1 << k for k, name in enumerate(BIT_NAMES)}
DELTA = NUM_NAMES.index("delta_faults")


def features(**obs):
    """Observations -> (bits, num), by the kernel's jc_features().

    A keyword per name in OBS_NAMES, each a number or an array of them; what
    is not named is 0. unsigned long ones may be given as uint64.
    """
    unknown = sorted(set(obs) - set(OBS_NAMES))
    if unknown:
        raise DataError("no such observation: " + ", ".join(unknown))
    cols = [np.atleast_1d(np.asarray(obs.get(name, 0))) for name in OBS_NAMES]
    n = max(len(c) for c in cols)
    rows = np.zeros((n, len(cols)), dtype=np.int64)
    for k, c in enumerate(cols):
        rows[:, k] = c.view(np.int64) if c.dtype == np.uint64 else c
    bits = np.zeros(n, dtype=np.uint32)
    num = np.zeros((n, len(NUM_NAMES)), dtype=np.int32)

    def pointer(a):
        return a.ctypes.data_as(ctypes.c_void_p)
    _lib.jcf_features(ctypes.c_size_t(n), pointer(rows), pointer(bits),
                      pointer(num))
    return bits.astype(np.int64), num.astype(np.int64)


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


def vector(bits, num):
    """(bits, num) -> what the kernel hands to the model, (rows, 15) integers."""
    bits = np.atleast_1d(np.asarray(bits, dtype=np.int64))
    x = np.zeros((len(bits), len(NAMES)), dtype=np.int64)
    for k, i in enumerate(BIT_INPUTS):
        x[:, i] = (bits >> k) & 1
    x[:, NUM_INPUTS] = np.atleast_2d(np.asarray(num, dtype=np.int64))
    return x


class Rows:
    """Recorded decisions: named columns of one length, as attributes.

    Always there, all but the last two int64: bits; num (rows, 5); answer =
    can_migrate, what held, flips and forcing included; stock = the stock
    code's own answer, the label; model = the running model's, -1 if not
    asked; ts; flipped and propensity (1/1000); the names in OUTCOME_COLUMNS,
    MISSING where nothing is known; what load() was asked for in extra;
    workload and tag, both text.
    """

    def __init__(self, **columns):
        self.columns = columns

    def __getattr__(self, name):
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(f"recordings were read without column {name}: "
                                 "name it in extra") from None

    def __len__(self):
        return len(self.columns["bits"])

    def __getitem__(self, sel):
        return Rows(**{k: v[sel] for k, v in self.columns.items()})

    @property
    def forced(self):
        return has(self.bits, "extra_fails")

    @staticmethod
    def join(parts):
        return Rows(**{k: np.concatenate([p.columns[k] for p in parts])
                       for k in parts[0].columns})


def find_csv(directory, tag):
    for suffix in (".csv.gz", ".csv"):
        path = os.path.join(directory, f"raw_{tag}{suffix}")
        if os.path.exists(path):
            return path
    raise DataError(f"no raw_{tag}.csv or raw_{tag}.csv.gz in {directory}: "
                    f"record it first with -t {tag}")


def _column(text):
    """Strings of a column -> int64, or as they are if they are no numbers.

    A number above S64_MAX keeps its 64 bits and turns negative.
    """
    text = np.asarray(text)
    try:
        return np.where(text == "", str(MISSING), text).astype(np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        ints = [int(s, 0) if s else MISSING for s in text]
    except ValueError:
        return text
    return np.array([i - 2 ** 64 if i > S64_MAX else i for i in ints],
                    dtype=np.int64)


def _columns(path):
    """The file's columns as lists of strings, by name."""
    opener = gzip.open if path.endswith(".gz") else open
    line = 1
    try:
        with opener(path, "rt", newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            got = []
            for line, rec in enumerate(reader, 2):
                if len(rec) != len(head):
                    raise DataError(f"{path}:{line}: {len(rec)} fields, the "
                                    f"header has {len(head)}: cut off?")
                got.append(rec)
    except (OSError, EOFError, ValueError, csv.Error) as err:
        raise DataError(f"{path}:{line}: {err}") from err
    return dict(zip(head, zip(*got))) if got else {n: () for n in head}


def read_csv(path, tag, extra=()):
    """One recording -> (Rows, number of rows left out).

    Left out: rows that the stock code did not judge (the label would be the
    model's own answer), and, as in the original, running tasks and rows that
    never reached the judgement.
    """
    cols = _columns(path)
    nums = [f"num{k}" for k in range(len(NUM_NAMES))]
    need = ["ts", "p_running", "test_aggressive", "can_migrate", "stock",
            "model", "bits", *nums]
    missing = [n for n in (*need, *extra) if n not in cols]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}: record it "
                        "anew")
    n = len(cols["bits"])
    got = {k: _column(cols[k]) for k in (*need, *extra)}
    for name in need:
        if got[name].dtype != np.int64:
            raise DataError(f"{path}: column {name} holds what is no number")
    keep = ((got["p_running"] == 0) & (got["test_aggressive"] == 1)
            & (got["stock"] >= 0))
    if not keep.any():
        raise DataError(f"{path}: no decision of the stock code in it "
                        f"({n} rows left out): record with the model off, or "
                        "in a TEST kernel")
    for name, default in EXPLORE_COLUMNS.items():
        got[name] = (_column(cols[name]) if name in cols else
                     np.full(n, default, dtype=np.int64))
    for name in OUTCOME_COLUMNS:
        got[name] = (_column(cols[name]) if name in cols else
                     np.full(n, MISSING, dtype=np.int64))
    got["num"] = np.stack([got.pop(k) for k in nums], axis=1)
    got["answer"] = got["can_migrate"]
    for name in {"can_migrate", "p_running", "test_aggressive"} - set(extra):
        del got[name]
    got["workload"] = np.asarray(cols.get("workload", [tag] * n))
    got["tag"] = np.array([tag] * n)
    return Rows(**got)[keep], int(n - keep.sum())


def read_about(directory, tag):
    """What the recorder noted beside the CSV; {} for data of other origin."""
    try:
        with open(os.path.join(directory, f"raw_{tag}.json"),
                  encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def load(directory, tags, extra=()):
    """Several recordings -> (Rows, rows left out)."""
    parts, left_out = [], 0
    for tag in tags:
        rows, n = read_csv(find_csv(directory, tag), tag, extra)
        parts.append(rows)
        left_out += n
    return Rows.join(parts), left_out


# Columns of a recording that observations() needs, beside what Rows has.
RAW_COLUMNS = tuple(n for n in OBS_NAMES if n not in (
    "migration_cost", "smt", "cookie_mismatch")) + ("sd_flags",)


def observations(rows, migration_cost):
    """Keywords for features() from raw columns: load(extra=RAW_COLUMNS).

    The cost is not recorded in every row but beside them; cookies are not
    recorded at all (core scheduling is off wherever there is no SMT).
    """
    obs = {n: getattr(rows, n) for n in RAW_COLUMNS if n != "sd_flags"}
    return {**obs, "migration_cost": migration_cost,
            "smt": (rows.sd_flags & SD_SHARE_CPUCAPACITY) != 0}


def read_split(path):
    """mllb/loads/split -> {workload: (role, pool)}, role "train" or "held-out".

    Workloads that decide too rarely to say anything alone share a pool; the
    others have "" for it.
    """
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
        if len(word) not in (2, 3) or word[1] not in roles:
            raise DataError(f"{path}:{no}: expected \"WORKLOAD training [POOL]\""
                            " or \"WORKLOAD held-out [POOL]\", found "
                            f"{line.strip()!r}")
        value = roles[word[1]], word[2] if len(word) == 3 else ""
        if split.setdefault(word[0], value) != value:
            raise DataError(f"{path}:{no}: {word[0]} is there twice and not "
                            "the same")
    return split


def roles_of(rows, split):
    """The role of each row's workload; an unknown workload is refused."""
    unknown = sorted(set(rows.workload) - set(split))
    if unknown:
        raise DataError(f"workload {', '.join(unknown)} is not in the split "
                        "file: add it there as train or held-out")
    return np.array([split[w][0] for w in rows.workload])
