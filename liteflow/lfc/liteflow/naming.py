# SPDX-License-Identifier: GPL-2.0
"""Names, units and ranges of a model's inputs and outputs, and where they come from."""
import dataclasses
import json
import math
import pathlib

import numpy as np

from . import rows as rows_module
from .graph import MAX_WIDTH, listed, shown
from .pylib import kinds, lfctl
from .pylib.errors import Problem

KEYS = {"inputs": ("name", "unit", "lo", "hi", "offset", "scale"),
        "outputs": ("name", "unit", "lo", "hi", "offset", "scale")}
MAX_JSON = 16 << 20             # bytes; one with half a million weights has 10 million
TOP_KEYS = ("format", "version", "name", "units", "provenance", "bits", "checksum", "inputs",
            "outputs", "layers")
MAX_NAME = 31                   # LITEFLOW_NAME_LEN, less the zero byte
MARGIN = 0.25                   # of the span of answers to ROWS, on either side


@dataclasses.dataclass
class Source:
    """What one place says. inputs, outputs: a dict of some of KEYS each; None: not said."""
    label: str
    inputs: list = None
    outputs: list = None
    name: str = None
    units: str = None


# -- JSON: --like, and what the network's file brings ---------------------------

def _object(pairs):
    out = {}
    for key, value in pairs:
        if key in out:
            raise Problem(f"the key {shown(key)} is there twice")
        out[key] = value
    return out


def _text(value, what, most=MAX_NAME):
    if not isinstance(value, str) or len(value.encode("utf-8", "replace")) > most or \
            not all(32 <= ord(c) < 127 for c in value):
        raise Problem(f"{what} must be printable ASCII of at most {most} characters")
    return value


def _number(value, what):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or \
            not abs(value) <= 1e30:
        raise Problem(f"{what} must be a finite number")
    return float(value)


def _ios(model, kind):
    listing = model.get(kind)
    if listing is None:
        return None
    if not isinstance(listing, list) or not 1 <= len(listing) <= MAX_WIDTH:
        raise Problem(f"{kind}: a list of 1 to {MAX_WIDTH} objects is wanted")
    out, seen = [], set()
    for at, io in enumerate(listing):
        where = f"{kind}[{at}]"
        if not isinstance(io, dict):
            raise Problem(f"{where} must be an object")
        unknown = [key for key in io if key not in KEYS[kind]]
        if unknown:
            raise Problem(f"{where}: unknown key {shown(unknown[0])}")
        clean = {key: _text(value, f"{where}: the name") if key == "name" else
                 _number(value, f"{where}: {key}") for key, value in io.items()}
        if "name" in clean:
            if not clean["name"] or clean["name"] in seen:
                raise Problem(f"{where}: its name is empty, or that of another one")
            seen.add(clean["name"])
        for key in ("unit", "scale"):
            if key in clean and abs(clean[key]) < 1e-30 or clean.get("unit", 1) < 0:
                raise Problem(f"{where}: {key} must not be {clean[key]:g}")
        out.append(clean)
    return out


def from_json(text, label):
    """JSON of a model, any part of which may be missing -> Source"""
    try:
        model = json.loads(text, object_pairs_hook=_object)
        if not isinstance(model, dict):
            raise Problem("a JSON object is wanted")
        if model.get("format", "liteflow-model") != "liteflow-model":
            raise Problem('"format" is not "liteflow-model"')
        if model.get("version", 1) != 1:
            raise Problem('"version" is not 1')
        unknown = [key for key in model if key not in TOP_KEYS]
        if unknown:
            raise Problem(f"unknown key {shown(unknown[0])}")
        source = Source(label, _ios(model, "inputs"), _ios(model, "outputs"))
        for key in ("name", "units"):
            if key in model:
                setattr(source, key, _text(model[key], f'"{key}"'))
    except (ValueError, RecursionError) as error:
        raise Problem(f"{label}: not the JSON of a model: "
                      f"{' '.join(str(error).split())[:100]}") from error
    except Problem as problem:
        raise Problem(f"{label}: {problem}") from problem
    # JSON of a model that says no unit means 1
    for io in (source.inputs or []) + (source.outputs or []):
        io.setdefault("unit", 1.0)
    return source


def like(value):
    """A path, or a model as it is read from JSON -> Source"""
    if isinstance(value, dict):
        try:
            return from_json(json.dumps(value), "like")
        except (TypeError, ValueError, RecursionError) as error:
            raise Problem(f"like is no JSON: {error}") from error
    path = pathlib.Path(value)
    kinds.check_file(path, "JSON of a model", kinds.MODEL_JSON, kinds.JSON)
    try:
        if path.stat().st_size > MAX_JSON:
            raise Problem(f"{path}: not the JSON of a model: far too large")
        return from_json(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: not the JSON of a model: no text in UTF-8") from error


def app(name):
    """What the running kernel says of an app -> Source"""
    done = lfctl.run("--json", "app", "show", name)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"lfctl failed with {done.returncode}"])[-1]
        raise Problem(f"--app {name}: {said.replace('lfctl: ', '', 1)}")
    try:
        info = json.loads(done.stdout)
        info = info[0] if isinstance(info, list) else info
        n_in, n_out = int(info["n-in"]), int(info["n-out"])
        features = info.get("features") or []
        units = _text(info.get("units") or "", "the tag of the units")
        names = [{"name": _text(f, "a name")} for f in features]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Problem(f"--app {name}: lfctl printed what is not understood ({error!r}): are lfctl "
                      "and lfc of one version?") from error
    inputs = names if len(names) == n_in else [{} for _ in range(n_in)]
    return Source(f"--app {name}", inputs, [{} for _ in range(n_out)], units=units)


def agree(like_source, app_source):
    """The app would not take a model of another one's names or units."""
    for key, said, kernel in (("units", like_source.units, app_source.units), *(
            (f"input {at}", mine.get("name"), its.get("name")) for at, (mine, its) in
            enumerate(zip(like_source.inputs or [], app_source.inputs or [])))):
        if said is not None and kernel and said != kernel:
            raise Problem(f"{like_source.label} says {key} {shown(said)}, {app_source.label} "
                          f"{shown(kernel)}: the app takes no model like that")


# -- all of it together --------------------------------------------------------

def power_of_ten(span):
    """A unit that gives a span some 10,000 steps or more."""
    return float(f"1e{math.floor(math.log10(span / 10000))}") if span > 0 else 1.0


def _merged(sources, kind, count):
    """What the sources say of each input or output; the first that says it counts."""
    out = [{} for _ in range(count)]
    for source in sources:
        listing = getattr(source, kind)
        if listing is None:
            continue
        if len(listing) != count:
            raise Problem(f"{source.label} has {len(listing)} {kind}, the network {count}")
        for io, said in zip(out, listing):
            # two ends of one range: not one of here and one of there
            if "lo" in io or "hi" in io:
                said = {key: value for key, value in said.items() if key not in ("lo", "hi")}
            for key, value in said.items():
                io.setdefault(key, value)
    for at, io in enumerate(out):
        io.setdefault("name", f"{kind[:-1].replace('put', '')}{at}")
    return out


def _natural(lowered):
    """(lo, hi) of each output as the network itself bounds it, or None: tanh is at most 1."""
    weights, bias, last = lowered.layers[-1]
    if last == "argmax":
        return [0.0], [len(bias) - 1.0]
    ends = {"tanh": (-1, 1), "sigmoid": (0, 1)}
    if last in ends:
        both = [lowered.answers(np.full(len(bias), float(end))) for end in ends[last]]
        return np.minimum(*both), np.maximum(*both)
    if len(lowered.layers) > 1:
        before = ends.get(lowered.layers[-2][2])
    else:
        before = (-1, 1) if lowered.cells and lowered.cells[-1].bounded else None
    if before is None:
        return None
    lo, hi = (bias + np.minimum(weights * end, weights * other).sum(1) if end < other else
              bias + np.maximum(weights * end, weights * other).sum(1)
              for end, other in (before, before[::-1]))
    if last == "relu":
        lo, hi = np.maximum(lo, 0), np.maximum(hi, 0)
    return lowered.answers(lo), lowered.answers(hi)


def _missing(ios, kind, key, what):
    names = [io["name"] for io in ios if key not in io]
    return f"the {what} of the {kind[:-1] if len(names) == 1 else kind} {listed(names)}" \
        if names else ""


def _limit(io, clip, at, label):
    """The range of @io within what the file itself clips to."""
    if clip is None:
        return
    lo, hi = (float(end[at]) for end in clip)
    io["lo"] = max(io.get("lo", -math.inf), lo)
    io["hi"] = min(io.get("hi", math.inf), hi)
    if io["lo"] > io["hi"]:
        raise Problem(f"{label} {shown(io['name'])}: the network clips it to {lo:g}..{hi:g}, "
                      "which is outside of the range that is named")
    for key in ("lo", "hi"):
        if not math.isfinite(io[key]):
            del io[key]


def _rounded(io):
    """9 digits, as weights have; a range of a file's float32 then reads as it was meant."""
    return {key: value if key == "name" else float(f"{value:.9g}") for key, value in io.items()}


class Naming:
    """Collects what is said before the network is known, and fills in the rest after that."""

    def __init__(self, sources, data=None, percentile=0, unit=None):
        self.sources = list(sources)
        self.data, self.percentile, self.unit = data, percentile, unit
        self.rows = None
        self.notes = []

    def count(self):
        """Number of inputs, if somebody says it."""
        for source in self.sources:
            if source.inputs is not None:
                return len(source.inputs)
        return None

    def read_rows(self, n_in):
        """Reads --data, as soon as the number of inputs is known."""
        if self.data is None or self.rows is not None:
            return
        names = None
        for source in self.sources:
            if source.inputs and all("name" in io for io in source.inputs):
                names = [io["name"] for io in source.inputs]
                break
        self.rows = rows_module.read(self.data, names, n_in)
        if self.rows.width != n_in:
            raise Problem(f"{self.data}: rows of {self.rows.width} inputs, the network has {n_in}")

    def fill(self, lowered):
        """(inputs, outputs) of the JSON; a Problem names what is missing."""
        self.read_rows(lowered.n_in)
        sources = list(self.sources)
        if self.rows is not None and self.rows.names:
            sources.append(Source(str(self.data), [{"name": n} for n in self.rows.names]))
        inputs = _merged(sources, "inputs", lowered.n_in)
        outputs = _merged(sources, "outputs", lowered.n_out)
        self._file_ranges(inputs, lowered.in_limits)
        self._file_ranges(outputs, lowered.out_limits)
        if self.unit is not None:
            for io in inputs + outputs:
                io.setdefault("unit", self.unit)
        if lowered.index:
            outputs[0].update(unit=1.0, lo=0.0, hi=float(len(lowered.layers[-1][1]) - 1))
        if self.rows is not None:
            self._data_ranges(inputs)
        for at, io in enumerate(inputs):
            _limit(io, lowered.in_clip, at, "input")
        self._output_ranges(lowered, inputs, outputs)
        self._complain(inputs, outputs)
        return [_rounded(io) for io in inputs], [_rounded(io) for io in outputs]

    @staticmethod
    def _file_ranges(ios, limits):
        """Ranges of quantised tensors, where nobody names others."""
        for at, io in enumerate(ios):
            if limits is None:
                return
            if "lo" not in io and "hi" not in io:
                io["lo"], io["hi"] = (float(end[at]) for end in limits)
                io.setdefault("unit", power_of_ten(io["hi"] - io["lo"]))

    def _data_ranges(self, inputs):
        """ROWS were asked for, so their ranges are the ones that count."""
        still = []
        for at, io in enumerate(inputs):
            if "unit" not in io:
                continue
            lo, hi = self.rows.range(at, self.percentile)
            io["lo"], io["hi"] = lo * io["unit"], hi * io["unit"]
            if lo == hi:
                still.append(io["name"])
        if still:
            self.notes.append(f"note: {self.data}: {listed(still)} never change"
                              f"{'s'[len(still) > 1:]}; the model clamps other values to that one")

    def _output_ranges(self, lowered, inputs, outputs):
        natural = None if lowered.out_clip is not None else _natural(lowered)
        answers = None
        for at, io in enumerate(outputs):
            _limit(io, lowered.out_clip, at, "output")
            if "lo" in io and "hi" in io:
                continue
            if natural is not None:
                lo, hi = (float(end[at]) for end in natural)
                if lo == hi:            # it never moves, but a range has to have a width
                    margin = max(float(np.abs(natural).max()) / 20, io.get("unit", 0))
                    lo, hi = lo - margin, hi + margin
            elif self.rows is not None and not any("unit" not in i for i in inputs):
                if answers is None:
                    answers = lowered.run(self.rows.table * np.array([i["unit"] for i in inputs]))
                lo, hi = float(answers[:, at].min()), float(answers[:, at].max())
                # one that hardly moves has a twentieth of the greatest answer on either side
                margin = max(MARGIN * (hi - lo), float(np.abs(answers).max()) / 20,
                             io.get("unit", 0))
                lo, hi = lo - margin, hi + margin
            else:
                continue
            io.setdefault("lo", lo)
            io.setdefault("hi", hi)
            _limit(io, lowered.out_clip, at, "output")

    def _complain(self, inputs, outputs):
        wants = []
        for ios, kind in ((inputs, "inputs"), (outputs, "outputs")):
            for io in ios:
                if ("lo" in io) != ("hi" in io):
                    io.pop("lo", None)
                    io.pop("hi", None)
            wants += [_missing(ios, kind, "unit", "unit"),
                      _missing(ios, kind, "lo", "range (lo, hi)")]
        wants = [want for want in wants if want]
        if wants:
            how = []
            if any("unit" in want for want in wants):
                how.append("--unit UNIT")
            if any("range" in want for want in wants) and self.data is None:
                how.append("--data ROWS")
            raise Problem(f"missing: {'; '.join(wants)}: give --like MODEL.json"
                          + (", or " + " and ".join(how) if how else ""))
