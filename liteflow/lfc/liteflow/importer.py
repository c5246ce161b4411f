# SPDX-License-Identifier: GPL-2.0
"""A network's file to a model of lfctl: reads it, names its values, writes JSON or a blob."""
import dataclasses
import os
import pathlib
import re
import tempfile

import numpy as np

from . import naming, onnxfile, tflite
from .graph import MAX_FILE, Graph, listed, shown
from .lowering import lower
from .pylib import kinds, lfctl
from .pylib.errors import Problem

MAX_PROVENANCE = 4096           # LITEFLOW_MAX_PROVENANCE
LEAST_ROWS = 100                # that lfctl model pack --data wants
OWN_ROWS = 2000                 # to compare a quantised file's own integers on
FORMAT, VERSION = "liteflow-model", 1


@dataclasses.dataclass
class Imported:
    """
    model: the JSON of lfctl(8) as a dict
    notes: lines that people should see
    lowered: the layers that it was made of
    rows: the Rows of --data, or None
    """
    model: dict
    notes: list
    lowered: object
    rows: object = None

    def pack_options(self):
        """Layers without tanh and sigmoid have their ranges from --data, too."""
        hidden = {"none" if layer.get("type") == "lstm" else layer.get("activation")
                  for layer in self.model["layers"][:-1]}
        if self.rows is None or not hidden & {"none", "relu"}:
            return []
        if self.rows.count < LEAST_ROWS:
            self.notes.append(f"note: {self.rows.path}: {self.rows.count} rows are too few for "
                              f"ranges of hidden layers, {LEAST_ROWS} are needed")
            return []
        return ["--data", str(self.rows.path)]

    def summary(self):
        layers = self.model["layers"]
        sizes, kinds, macs = [len(self.model["inputs"])], [], 0
        for layer in layers:
            kind = layer.get("type")
            kinds.append(" ".join(filter(None, (kind, layer.get("activation")))))
            sizes.append(len(layer["w_h"][0] if kind else layer["bias"]))
            macs += len(layer["w_h"]) * (sizes[-2] + sizes[-1]) if kind else sizes[-2] * sizes[-1]
        return f"{'-'.join(map(str, sizes))} {', '.join(kinds)}; {macs} multiply-adds"


def read_bytes(path):
    """The bytes of a file that is not too large to be a network."""
    path = pathlib.Path(path)
    try:
        if path.is_dir():
            kinds.check_file(path, "a network's file")
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise Problem(f"{path}: more than {MAX_FILE >> 20} MiB: far larger than a model of the "
                      "kernel")
    return data


def read_graph(data, folder=None):
    """Bytes of a file -> Graph, by what is in it."""
    if data[4:8] == tflite.MAGIC:
        return tflite.read(data)
    if not data:
        raise Problem("an empty file")
    kinds.check(data, "a network", kinds.ONNX)
    return onnxfile.read(data, folder)


def _sources(graph, like, app):
    sources = []
    if like is not None:
        sources.append(naming.like(like))
    if app is not None:
        sources.append(naming.app(app))
    if like is not None and app is not None:
        naming.agree(*sources)
    if graph.metadata is not None:
        sources.append(naming.from_json(graph.metadata, "the file's metadata"))
    return sources


def _affine(sources, kind, count):
    """(offset, scale) float64 [count] of the first source that tells inputs or outputs with any."""
    for source in sources:
        listing = getattr(source, kind)
        if listing and len(listing) == count and \
                any("offset" in io or "scale" in io for io in listing):
            return (np.array([io.get("offset", 0.0) for io in listing]),
                    np.array([io.get("scale", 1.0) for io in listing]))
    return None


def _normalised(lowered, inputs, outputs):
    """The network of plain values, of one of (value - offset) * scale; pairs as _affine()'s."""
    def plain(pair, offset, scale):
        if pair is None:
            return None
        ends = [end / scale + offset for end in pair]
        return np.minimum(*ends), np.maximum(*ends)

    def both(offset, scale, own_offset, own_scale):
        """One offset and scale of two in a row."""
        if own_scale is None:
            return offset, scale
        return offset + own_offset / scale, scale * own_scale

    changes = {}
    if inputs:
        changes["offset"], changes["scale"] = both(*inputs, lowered.offset, lowered.scale)
        changes.update(in_clip=plain(lowered.in_clip, *inputs),
                       in_limits=plain(lowered.in_limits, *inputs))
    if outputs and not lowered.index:
        changes["out_offset"], changes["out_scale"] = both(*outputs, lowered.out_offset,
                                                           lowered.out_scale)
        changes.update(out_clip=plain(lowered.out_clip, *outputs),
                       out_limits=plain(lowered.out_limits, *outputs))
    return dataclasses.replace(lowered, **changes)


def _compensated(lowered, offset, scale):
    """The same function with these offsets and scales, taken back by the first layer."""
    if lowered.cells:
        cell = lowered.cells[0]
        cell = dataclasses.replace(cell, w_x=cell.w_x / scale, b_x=cell.b_x + cell.w_x @ offset)
        return dataclasses.replace(lowered, cells=[cell] + lowered.cells[1:], offset=offset,
                                   scale=scale)
    weights, bias, activation = lowered.layers[0]
    first = weights / scale, bias + weights @ offset, activation
    return dataclasses.replace(lowered, layers=[first] + lowered.layers[1:], offset=offset,
                               scale=scale)


def _model_name(name, sources, path):
    for source in sources:
        name = name or source.name
    if not name and path is not None:
        name = re.sub(r"[^!-~]", "_", pathlib.Path(path).stem)[:naming.MAX_NAME]
    name = name or "network"
    if len(name) > naming.MAX_NAME or not all(32 <= ord(c) < 127 for c in name):
        raise Problem(f"--name must be printable ASCII of at most {naming.MAX_NAME} characters")
    return name


def _cells(cells):
    """The recurrent layers' JSON. A ReLU's state may add up over many steps, so it has 32 bits
    where all layers above it can have them."""
    out, wide = [], True
    for cell in reversed(cells):
        wide = wide and cell.relu
        made = {"type": cell.kind}
        if cell.kind == "rnn":
            made["activation"] = "relu" if cell.relu else "tanh"
        if wide:
            made["state_bits"] = 32
        for key, array in zip(("w_x", "w_h", "b_x", "b_h"), cell.arrays):
            made[key] = lfctl.row(array.tolist()) if array.ndim == 1 else \
                [lfctl.row(row) for row in array.tolist()]
        out.append(made)
    return out[::-1]


def _assembled(lowered, inputs, outputs, name, units, provenance):
    for ios, offset, scale in ((inputs, lowered.offset, lowered.scale),
                               (outputs, lowered.out_offset, lowered.out_scale)):
        for at, io in enumerate(ios):
            for key, array, usual in (("offset", offset, 0), ("scale", scale, 1)):
                io.pop(key, None)
                if array is not None and float(array[at]) != usual:
                    io[key] = lfctl.row([array[at]])[0]
    order = ("name", "unit", "lo", "hi", "offset", "scale")
    return {"format": FORMAT, "version": VERSION, "name": name, "units": units,
            "provenance": provenance,
            "inputs": [{key: io[key] for key in order if key in io} for io in inputs],
            "outputs": [{key: io[key] for key in order if key in io} for io in outputs],
            "layers": _cells(lowered.cells) +
                      [{"activation": activation,
                        "weights": [lfctl.row(row) for row in weights.tolist()],
                        "bias": lfctl.row(bias.tolist())}
                       for weights, bias, activation in lowered.layers]}


def _own_integers(graph, lowered):
    """How far the integers of a quantised file are from what is made of it: a line."""
    span = OWN_ROWS * lowered.n_in
    unit = np.random.default_rng(1).random(span).reshape(OWN_ROWS, lowered.n_in)
    lo, hi = lowered.in_limits
    rows = lo + unit * (hi - lo)
    try:
        own = graph.own_integers(lowered.output, rows)
    except (ValueError, IndexError, OverflowError, FloatingPointError):
        own = None
    if own is None or own.shape != (OWN_ROWS, lowered.n_out):
        return "note: how the file's own integers would answer is not known here"
    here = lowered.run(rows)
    if lowered.index:
        return f"the file's own integers answer {100 * (own != here).mean():.2f} % of " \
            f"{OWN_ROWS} random rows otherwise"
    if lowered.out_limits:
        here = np.clip(here, *lowered.out_limits)
    span = here.max(0) - here.min(0)
    off = 100 * np.abs(own - here) / np.where(span > 0, span, 1)
    return f"the file's own integers are up to {off.max():.3g} % of the answers' span (mean " \
        f"{off.mean():.3g} %) from this model, on {OWN_ROWS} random rows"


def convert(data, path=None, like=None, app=None, rows=None, percentile=0, output=None, name=None,
            unit=None, normalised=False):
    """
    Bytes of a network's file -> Imported. Arguments as lfc's options are; @path: where it lay,
    for external data and for names. A Problem of one line where it cannot be had.
    """
    graph = data if isinstance(data, Graph) else \
        read_graph(data, pathlib.Path(path).parent if path else None)
    sources = _sources(graph, like, app)
    names = naming.Naming(sources, rows, percentile, unit)
    lowered = lower(graph, output, names.count())
    if output is not None and graph.metadata is not None and \
            len(sources[-1].outputs or []) != lowered.n_out:
        sources[-1].outputs = None      # those of the whole network
    affine = _affine(sources, "inputs", lowered.n_in)
    notes = [_own_integers(graph, lowered)] if lowered.in_limits else []
    if normalised:
        behind = _affine(sources, "outputs", lowered.n_out)
        if affine is None and behind is None:
            raise Problem("--normalised: nothing that names the inputs has an offset or a scale")
        lowered = _normalised(lowered, affine, behind)
    elif affine is not None and lowered.scale is None:
        lowered = _compensated(lowered, *affine)
        if (affine[1] != 1).any():
            notes.append("note: the named inputs have a scale; the network is taken to want plain "
                         "values, --normalised says that it wants (value - offset) * scale")
    inputs, outputs = names.fill(lowered)
    units = next((source.units for source in sources if source.units is not None), "")
    provenance = f"{pathlib.Path(path).name + ': ' if path else ''}{graph.origin}; by lfc"
    provenance = shown(provenance)[1:-1] if len(provenance) > MAX_PROVENANCE // 4 else provenance
    model = _assembled(lowered, inputs, outputs, _model_name(name, sources, path), units,
                       "".join(c if c.isprintable() else "?" for c in provenance))
    if lowered.states:
        notes.append(f"note: {listed(lowered.states)}: only the state before a step, which the "
                     "engine keeps, and which is zero at first")
    notes += names.notes
    return Imported(model, notes, lowered, names.rows)


def write(imported, target, options=()):
    """Writes JSON to a path that ends in .json, else the blob that lfctl packs of it.

    "-": standard output, as JSON. Returns what lfctl said. An existing file stays whole.
    """
    text = lfctl.text(imported.model)
    if str(target) == "-":
        print(text, end="", flush=True)
        return ""
    target = pathlib.Path(target)
    said = ""
    if target.suffix == ".json":
        data = text.encode()
    else:
        data, said = lfctl.pack(text, *imported.pack_options(), *options)
    _replace(target, data)
    return said


def _replace(target, data):
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)    # a device or a pipe is not to be replaced
            return
        handle, new = tempfile.mkstemp(prefix=target.name + ".", dir=target.parent)
    except OSError as error:
        raise Problem(f"{target}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o644)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, target)
    except BaseException as error:
        pathlib.Path(new).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Problem(f"{target}: {error.strerror}") from error
        raise
