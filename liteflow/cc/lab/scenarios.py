# SPDX-License-Identifier: GPL-2.0
"""The file `scenarios`, and the runs that come of it."""
import dataclasses
import itertools
import pathlib
import random

from pylib.errors import Problem

FILE = pathlib.Path(__file__).resolve().parent / "scenarios"
PACKET = 1514
SMALLEST_BUFFER = 8 * PACKET
BESIDE_GAP = 5
FIGURES = ("cells", "noise", "loss", "step", "fair", "beside", "short", "user", "prefer")
# What the path does beside its bottleneck: options of `traffic` by the same names.
NOISE = ("bursts", "jitter", "reorder", "slots", "thin", "police")
DEFAULTS = {"loss": "0", "flows": "1", "gap": "5", "rival": "", "order": "", "size": "",
            "interval": "", "prefer": "", **dict.fromkeys(NOISE, "")}
NEEDED = ("figure", "cc", "mbit", "rtt", "bdp", "seconds", "seeds")
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
        return {self.cc, self.params["rival"]} - {""}

    @property
    def mbit(self):
        return capacity(self.params["mbit"])

    @property
    def buffer(self):
        bdp = max(self.mbit[:2]) * 1e3 * self.number("rtt") / 8
        return max(int(bdp * self.number("bdp")), SMALLEST_BUFFER)

    def seconds(self):
        """Virtual seconds, all flows."""
        if self.figure == "fair":
            return (self.number("flows") - 1) * self.number("gap") + self.number("seconds")
        if self.figure == "beside":
            return BESIDE_GAP + self.number("seconds")
        return self.number("seconds")

    def starts(self):
        """[(congestion control, start)] of the long flows."""
        jitter = random.Random(self.name)
        if self.figure == "beside":
            pair = [self.cc, self["rival"]]
            if self["order"] == "rival":
                pair.reverse()
            return [(cc, at * BESIDE_GAP + jitter.random() / 10) for at, cc in enumerate(pair)]
        return [(self.cc, at * self.number("gap") + jitter.random() / 10)
                for at in range(int(self["flows"]))]

    def arguments(self):
        """Of the program `traffic`."""
        args = ["--capacity", self["mbit"], "--rtt", self["rtt"], "--buffer", str(self.buffer),
                "--loss", self["loss"], "--seed", str(self.seed), "--time", f"{self.seconds():g}"]
        if self["size"]:
            args += ["--short", f"{self.cc}:{self['size']}"]
        if self["cc"] in AGENTS:
            args += ["--agent", f"{self['cc'].removeprefix('remote-')}:{self['interval']}"]
        for name in NOISE:
            if self[name]:
                args += [f"--{name}", self[name]]
        if self["prefer"]:
            args += ["--prefer", self["prefer"]]
        return args + [f"{cc}:{at:.4f}" for cc, at in self.starts()]

    def cost(self):
        """Packets to push through, about: what a run's time goes with."""
        high, low, _ = self.mbit
        return self.seconds() * ((high + low) / 2 * 1e6 / 8 / PACKET + 400)


def _parse_line(line):
    words = line.split()
    params = dict(DEFAULTS)
    for word in words[1:]:
        key, sep, value = word.partition("=")
        if not sep or key not in (*NEEDED, *DEFAULTS):
            raise ScenarioError(f"'{word}' is no KEY=VALUE of a scenario")
        params[key] = value
    missing = [key for key in NEEDED if key not in params]
    if missing:
        raise ScenarioError(f"{words[0]} lacks {', '.join(missing)}")
    if params["figure"] not in FIGURES:
        raise ScenarioError(f"{words[0]}: no figure '{params['figure']}'")
    return words[0], params


def _expand(name, part, params):
    """All combinations; those that differ only in bdp, but not in the buffer, once."""
    varied = [key for key, value in params.items() if "," in value]
    seen = set()
    for values in itertools.product(*(params[key].split(",") for key in varied)):
        one = {**params, **dict(zip(varied, values))}
        what = "-".join(value if key in ("cc", "rival", "order") else f"{key}{value}"
                        for key, value in one.items()
                        if key in varied and key != "seeds").replace(":", "_")
        for seed in range(1, int(params["seeds"]) + 1):
            run = Run("-".join(filter(None, (name, what, f"s{seed}"))), name, part, one, seed)
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
