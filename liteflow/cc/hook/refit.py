# SPDX-License-Identifier: GPL-2.0
"""Going on with a network's training, on scenarios like the path as it is seen.

It refits in the simulator and tries nothing on live traffic: a score belongs to all flows of
an episode, and no exploration is built into the kernel.
"""
import dataclasses
import hashlib
import math
import os
import pathlib
import subprocess
import sys

import numpy as np

from pylib import files, lfctl
from pylib.errors import Problem
import observe
from simlib import RULES

SIM = pathlib.Path(__file__).resolve().parent.parent / "sim"
MODELS = SIM.parent / "models"
# Of a refit: as many networks in as many scenarios as ten generations take a minute and a half
# of CPU for, with what validation takes.
SIZE = {"pairs": 24, "scenarios": 40, "validate": 200, "every": 2, "averaged": 3}
OF_MODULE = pathlib.Path("/sys/module/tcp_liteflow/parameters/rule")
KEPT = 32               # models that were handed over: more than an app has slots
SEED = 7                # another one than that of training from scratch: other scenarios


class Folder:
    """What is kept from one call to the next."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        if not self.path.is_dir() or not os.access(self.path, os.W_OK):
            raise Problem(f"{path} is no folder that can be written to")
        self.counters = self.path / "counters.json"     # of connections, at the last look
        self.seen = self.path / "seen.json"             # what the ranges are of
        self.ranges = self.path / "ranges.json"
        self.how = self.path / "how.json"               # how it is trained
        self.start = self.path / "start.json"           # the network that the refit began with
        self.state = self.path / "refit.state"
        self.best = self.path / "refit.json"
        self.kept = self.path / "kept"                  # what was handed over, by digest

    def load_seen(self):
        """observe.Seen, or None."""
        if not self.seen.exists():
            return None
        values = files.load(self.seen)
        try:
            return observe.Seen(**{**values, "rtt": tuple(values["rtt"]),
                                   "rate": tuple(values["rate"])})
        except (TypeError, KeyError):
            raise Problem(f"{self.seen}: of another version: remove it") from None

    def load_how(self):
        """How the refit is trained, as how() has it; {}: by an older version."""
        return files.load(self.how) if self.how.exists() else {}

    def begin(self, seen, active, rule):
        """A refit of this network, whose JSON text is given, to this path and for this rule."""
        for path in (self.state, self.best):
            path.unlink(missing_ok=True)
        self.start.write_text(active, encoding="utf-8")
        files.save(self.how, how(rule))
        files.save(self.ranges, observe.ranges(seen))
        # last: what is not whole is begun again
        files.save(self.seen, dataclasses.asdict(seen))


def how(rule):
    """What a refit keeps from begin to end: train does not go on with anything else."""
    return {"rule": rule, **SIZE}


def rule_of_module():
    """What an answer means here; the usual where the module is not loaded."""
    try:
        return RULES[int(OF_MODULE.read_text(encoding="ascii"))]
    except OSError:
        return RULES[0]
    except (ValueError, IndexError):
        raise Problem(f"{OF_MODULE}: none of {', '.join(RULES)}: of another version") from None


def text_of(active, folder):
    """The JSON text of the active model, of which a request says `file`, JSON or packed, or
    `digest`; a packed one is one of those known here."""
    name, digest = active.get("file"), active.get("digest")
    if name:
        try:
            data = pathlib.Path(name).read_bytes()
        except OSError as error:
            raise Problem(f"{name}: {error.strerror}") from None
        if data.lstrip()[:1] == b"{":
            return data.decode("utf-8", errors="replace")
        digest = hashlib.sha256(data).hexdigest()
    if not digest:
        raise Problem("standard input: no file and no digest of the active model, to start from")
    kept = folder.kept / f"{digest}.json"
    if digest.isalnum() and kept.exists():
        # it is the newest again
        kept.touch()
        return kept.read_text(encoding="utf-8")
    for known in [*sorted(folder.path.glob("*.json")), *sorted(MODELS.glob("*.json"))]:
        text = known.read_text(encoding="utf-8", errors="replace")
        if '"liteflow-model"' in text and digest_of(text) == digest:
            return text
    raise Problem(f"{name or 'the active model'}: neither JSON nor packed from a model in "
                  f"{folder.path} or {MODELS}: put its JSON into {folder.path}")


def digest_of(text):
    """As the kernel and lfd tell it, of the packed model; "": lfctl does not take it."""
    try:
        return hashlib.sha256(lfctl.pack(text)[0]).hexdigest()
    except Problem:
        return ""


def keep(model, folder):
    """Keep the text of a model that is handed over: it may be the active one when training has
    long gone on. The oldest leave."""
    folder.kept.mkdir(exist_ok=True)
    text = model.read_text(encoding="utf-8")
    name = hashlib.sha256(lfctl.pack(text)[0]).hexdigest()
    new = folder.kept / f"{name}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(new.with_suffix(".json"))
    old = sorted(folder.kept.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in old[:-KEPT]:
        path.unlink()


def generations_done(folder):
    if not folder.state.exists():
        return 0
    with np.load(folder.state, allow_pickle=False) as state:
        return int(state["generation"])


def validations(folder):
    """[(generation, score)] so far"""
    if not folder.state.exists():
        return []
    with np.load(folder.state, allow_pickle=False) as state:
        return [tuple(row) for row in state["log"]]


def train(folder, app, args):
    """Some more generations of the plan, with the hook's arguments; False: there are none left."""
    done = generations_done(folder)
    if done >= args.plan:
        return False
    command = [sys.executable, str(SIM / "train"), "-o", str(folder.best), "--app", app,
               "--start", str(folder.start), "--ranges", str(folder.ranges), "--state",
               str(folder.state), "--generations", str(args.plan), "--until", str(done + args.each),
               "--rule", args.rule, "--seed", str(SEED), "--threads", str(args.threads)]
    for name, value in SIZE.items():
        command += [f"--{name}", str(value)]
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         check=False)
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"status {run.returncode}"]
        raise Problem(f"training failed: {said[-1]}")
    return True


def stability(folder):
    """exp(best score) in validation: about the part of what could be had, 1 if all of it."""
    log = validations(folder)
    return math.exp(max(score for _, score in log)) if log else None


def candidate(folder):
    """Path of the network that is best in validation so far, or None."""
    return folder.best if folder.best.exists() else None


def gain(folder):
    """(score of what the refit began with, best score)"""
    log = validations(folder)
    return (log[0][1], max(score for _, score in log)) if log else None
