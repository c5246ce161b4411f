# SPDX-License-Identifier: GPL-2.0
"""Going on with a network's training, on scenarios like the path as it is seen.

It refits in the simulator and tries nothing on live traffic: a score belongs to all flows of
an episode, and no exploration is built into the kernel.
"""
import dataclasses
import math
import os
import pathlib
import subprocess
import sys

import numpy as np

from pylib import files, lfctl
from pylib.errors import Problem
import observe

SIM = pathlib.Path(__file__).resolve().parent.parent / "sim"
MODELS = SIM.parent / "models"
# Of a refit: as many networks in as many scenarios as ten generations take a minute and a half
# of CPU for, with what validation takes.
SIZE = {"pairs": 24, "scenarios": 40, "validate": 200, "every": 2}
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
        self.start = self.path / "start.json"           # the network that the refit began with
        self.state = self.path / "refit.state"
        self.best = self.path / "refit.json"

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

    def begin(self, seen, active):
        """A refit of this network, whose JSON text is given, to this path."""
        for path in (self.state, self.best):
            path.unlink(missing_ok=True)
        self.start.write_text(active, encoding="utf-8")
        files.save(self.ranges, observe.ranges(seen))
        # last: what is not whole is begun again
        files.save(self.seen, dataclasses.asdict(seen))


def text_of(active, folder):
    """The JSON text of the active model: it is JSON, or a packed one of those known here."""
    try:
        data = pathlib.Path(active).read_bytes()
    except OSError as error:
        raise Problem(f"{active}: {error.strerror}") from None
    if data.lstrip()[:1] == b"{":
        return data.decode("utf-8", errors="replace")
    for known in [*sorted(folder.path.glob("*.json")), *sorted(MODELS.glob("*.json"))]:
        text = known.read_text(encoding="utf-8")
        if '"liteflow-model"' in text and lfctl.pack(text)[0] == data:
            return text
    raise Problem(f"{active}: neither JSON nor packed from a model in {folder.path} or {MODELS}: "
                  "put its JSON there")


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


def train(folder, app, plan, more, threads):
    """Some more generations of the plan; False: there are none left."""
    done = generations_done(folder)
    if done >= plan:
        return False
    command = [sys.executable, str(SIM / "train"), "-o", str(folder.best), "--app", app,
               "--start", str(folder.start), "--ranges", str(folder.ranges), "--state",
               str(folder.state), "--generations", str(plan), "--until", str(done + more),
               "--seed", str(SEED), "--threads", str(threads)]
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
