# SPDX-License-Identifier: GPL-2.0
"""The file `scenarios`, and the runs that come of it."""
import dataclasses
import itertools
import math
import os
import pathlib
import random

from pylib.errors import Problem
from pylib.paths import ROOT

FILE = pathlib.Path(__file__).resolve().parent / "scenarios"
EXTERNAL = FILE.with_name("scenarios.external")
SEALED = "scenarios.sealed"
# Recordings of others, which are not part of this repository.
TRACES = pathlib.Path(os.environ.get("SHARED_DATA") or ROOT / ".." / "shared" / "data") / "traces"
PACKET = 1514
SMALLEST_BUFFER = 8 * PACKET
BESIDE_GAP = 5
FIGURES = ("cells", "all", "near", "noise", "path", "loss", "step", "fair", "many", "rtts",
           "beside", "short", "user", "prefer", "prefers", "external", "external-beside", "sealed")
# Names of several congestion controls, for cc=.
FURTHER = ("reno", "vegas", "westwood", "illinois", "nv", "cdg")
EVERY = ("liteflow", "cubic", "bbr", *FURTHER)
GROUPS = {"further": ",".join(FURTHER), "every": ",".join(EVERY)}
# What the path does beside its bottleneck: options of `traffic` by the same names.
NOISE = ("bursts", "jitter", "reorder", "slots", "thin", "police")
ELEMENTS = ("arrivals", "stall", "rtts", "back", "reverse")
CHANGES = ("reroute", "redraw")
# What `traffic` does itself, packet by packet, in place of tbf; and what that costs.
GATED = ("trace", "arrivals", "stall")
GATED_COST = 8
DEFAULTS = {"loss": "0", "flows": "1", "gap": "5", "rival": "", "order": "", "size": "",
            "interval": "", "prefer": "", "packets": "", "trace": "",
            **dict.fromkeys((*NOISE, *ELEMENTS, *CHANGES), "")}
NEEDED = ("figure", "cc", "mbit", "rtt", "seconds", "seeds")
# What a file's name cannot have.
NO_NAME = str.maketrans(":/", "_+")
AGENTS = ("remote-newest", "remote-each")


class ScenarioError(Problem):
    """A line that cannot be used; the text says why."""


def capacity(text):
    """'100:20:2' -> (100.0, 20.0, 2.0); '100' -> (100.0, 100.0, 0.0)"""
    parts = [float(part) for part in text.split(":")]
    if len(parts) == 1:
        return parts[0], parts[0], 0.0
    if len(parts) != 3:
        raise ScenarioError(f"mbit={text} is neither MBIT nor MBIT:MBIT:SECONDS")
    return tuple(parts)


def numbers(key, text, form):
    """'80:10' -> [80.0, 10.0], as many as the form has, each of them above 0; a part of the form
    that has a '-' is two numbers, the first not above the second."""
    def part(word, shape):
        values = [float(value) for value in word.split("-")]
        if len(values) != shape.count("-") + 1 or min(values) <= 0 or values != sorted(values):
            raise ValueError
        return values if "-" in shape else values[0]

    words, shapes = text.split(":"), form.split(":")
    try:
        if len(words) != len(shapes):
            raise ValueError
        return [part(word, shape) for word, shape in zip(words, shapes)]
    except ValueError:
        raise ScenarioError(f"{key}={text} is not {form}") from None


@dataclasses.dataclass(frozen=True)
class Run:
    """One run: which set it belongs to, its parameters (all strings), its seed."""
    name: str
    set: str
    part: str
    params: dict
    seed: int

    def __getitem__(self, key):
        return self.params[key]

    def number(self, key):
        return float(self.params[key])

    @property
    def figure(self):
        return self.params["figure"]

    @property
    def cc(self):
        """What the kernel calls the flow's congestion control."""
        return "liteflow" if self.params["cc"] in AGENTS else self.params["cc"]

    @property
    def ccs(self):
        return {self.cc, self.params["rival"], self.params["reverse"]} - {""}

    @property
    def mbit(self):
        return capacity(self.params["mbit"])

    @property
    def buffer(self):
        if self["packets"]:
            return int(self["packets"]) * PACKET
        bdp = max(self.mbit[:2]) * 1e3 * self.number("rtt") / 8
        return max(int(bdp * self.number("bdp")), SMALLEST_BUFFER)

    def seconds(self):
        """Virtual seconds, all flows."""
        if self.figure == "fair":
            return (self.number("flows") - 1) * self.number("gap") + self.number("seconds")
        if self.figure in ("beside", "external-beside"):
            return BESIDE_GAP + self.number("seconds")
        return self.number("seconds")

    def starts(self):
        """[(congestion control, start)] of the long flows."""
        jitter = random.Random(self.name)
        if self["rival"]:
            pair = [self.cc, self["rival"]]
            if self["order"] == "rival":
                pair.reverse()
            return [(cc, at * BESIDE_GAP + jitter.random() / 10) for at, cc in enumerate(pair)]
        return [(self.cc, at * self.number("gap") + jitter.random() / 10)
                for at in range(int(self["flows"]))]

    def changes(self):
        """[(second, Mbit/s, RTT in ms)] of a path that does not stay as it is, the first at 0"""
        if self["redraw"]:
            every, mbit, rtt = numbers("redraw", self["redraw"], "SECONDS:MBIT-MBIT:MS-MS")
            # the same path for all congestion controls
            dice = random.Random(f"{self.set} {self.seed}")
            return [(at * every, dice.uniform(*mbit), dice.uniform(*rtt))
                    for at in range(math.ceil(self.seconds() / every))]
        if self["reroute"]:
            rtt, every = numbers("reroute", self["reroute"], "MS:SECONDS")
            return [(at * every, self.mbit[0], rtt if at % 2 else self.number("rtt"))
                    for at in range(math.ceil(self.seconds() / every))]
        return []

    def trace(self):
        """The file, or None."""
        return TRACES / self["trace"] if self["trace"] else None

    def arguments(self, traces=pathlib.Path()):
        """Of the program `traffic`. Where the traces are makes no other run."""
        capacity_, rtt = self["mbit"], self["rtt"]
        changes = self.changes()
        if changes:
            _, *first = changes.pop(0)
            capacity_, rtt = (f"{value:.3f}" for value in first)
        args = ["--capacity", capacity_, "--rtt", rtt, "--buffer", str(self.buffer),
                "--loss", self["loss"], "--seed", str(self.seed), "--time", f"{self.seconds():g}"]
        if self["size"]:
            args += ["--short", f"{self.cc}:{self['size']}"]
        if self["cc"] in AGENTS:
            args += ["--agent", f"{self['cc'].removeprefix('remote-')}:{self['interval']}"]
        for change in changes:
            args += ["--change", ":".join(f"{value:.3f}" for value in change)]
        if self["trace"]:
            args += ["--trace", str(traces / self["trace"])]
        for name in (*NOISE, *ELEMENTS):
            if self[name]:
                args += [f"--{name}", self[name]]
        if self["prefer"]:
            args += ["--prefer", self["prefer"]]
        return args + [f"{cc}:{at:.4f}" for cc, at in self.starts()]

    def cost(self):
        """Packets to push through, about: what a run's time goes with."""
        high, low, _ = self.mbit
        packets = (high + low) / 2 * 1e6 / 8 / PACKET
        if any(self[name] for name in GATED):
            packets *= GATED_COST
        return self.seconds() * (packets + 400)


def _parse_line(line):
    words = line.split()
    params = dict(DEFAULTS)
    for word in words[1:]:
        key, sep, value = word.partition("=")
        if not sep or key not in (*NEEDED, "bdp", *DEFAULTS):
            raise ScenarioError(f"'{word}' is no KEY=VALUE of a scenario")
        params[key] = GROUPS.get(value, value) if key == "cc" else value
    missing = [key for key in NEEDED if key not in params]
    if missing:
        raise ScenarioError(f"{words[0]} lacks {', '.join(missing)}")
    params.setdefault("bdp", "")
    if bool(params["bdp"]) == bool(params["packets"]):
        raise ScenarioError(f"{words[0]} needs bdp or packets, and not both")
    if params["figure"] not in FIGURES:
        raise ScenarioError(f"{words[0]}: no figure '{params['figure']}'")
    if ":" in params["mbit"] and any(params[key] for key in (*CHANGES, "trace")):
        raise ScenarioError(f"{words[0]}: mbit has steps beside {', '.join(CHANGES)} or trace")
    return words[0], params


def _expand(name, part, params):
    """All combinations; those that differ only in bdp, but not in the buffer, once."""
    varied = [key for key, value in params.items() if "," in value]
    seen = set()
    for values in itertools.product(*(params[key].split(",") for key in varied)):
        one = {**params, **dict(zip(varied, values))}
        what = "-".join(value if key in ("cc", "rival", "order") else f"{key}{value}"
                        for key, value in one.items()
                        if key in varied and key != "seeds").translate(NO_NAME)
        for seed in range(1, int(params["seeds"]) + 1):
            run = Run("-".join(filter(None, (name, what, f"s{seed}"))), name, part, one, seed)
            run.changes()
            same = (*(value for key, value in one.items() if key != "bdp"), run.buffer, seed)
            if same not in seen:
                seen.add(same)
                yield run


def results(folder, path):
    """Where the results of this file's runs are."""
    return folder / ("cclab" if path.resolve() == FILE else path.name)


def load(path=FILE):
    """All runs of the file, in its order."""
    part, runs, names = None, [], set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        try:
            if line.startswith("["):
                part = line.strip("[]")
                continue
            if part not in ("full", "quick"):
                raise ScenarioError("a set before [full] or [quick]")
            name, params = _parse_line(line)
            if name in names:
                raise ScenarioError(f"a second set '{name}'")
            names.add(name)
            runs += _expand(name, part, params)
        except (ValueError, ScenarioError) as error:
            raise ScenarioError(f"{path}:{number}: {error}") from None
    return runs
