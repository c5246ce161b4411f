# SPDX-License-Identifier: GPL-2.0
"""Networks as models of LiteFlow, in TorchScript, and their inputs' scales."""
import json
import os
import pathlib

import numpy as np
import torch

from . import cells, native
from .pylib import lfctl
from .pylib.errors import Problem

UNITS = "bytes"
# of logits: far from 0 nothing is decided
LOGIT_RANGE, LOGIT_UNIT = 100, 2.0 ** -12
# packets of the sequences that show how large states become, and what is kept free above
STATE_STEPS, STATE_MARGIN = 2048, 2


class Scaling:
    """Bytes to the network's values: (value - 0) * scale, clamped to a range before.

    All that is in bytes has one scale, 1 over the largest packet, so that a byte is a byte
    everywhere in the network; capacity is over its largest. Without normalize all are 1.
    """

    def __init__(self, ranges, normalize=True):
        # a range that is a point is none for the engine
        self.ranges = {name: (float(ranges[name][0]), float(max(ranges[name][1], 1)))
                       for name in cells.INPUTS}
        self.bytes = self.ranges["size"][1] if normalize else 1.0
        capacity = self.ranges["capacity"][1] if normalize else 1.0
        self.scale = [1 / self.bytes, 1 / self.bytes, 1 / capacity, 1 / self.bytes]

    def about(self):
        return [{"name": name, "unit": 1, "lo": self.ranges[name][0], "hi": self.ranges[name][1],
                 "scale": scale} for name, scale in zip(cells.INPUTS, self.scale)]

    def inputs(self, sequences):
        """The network's inputs of data.Sequences, float32 [steps][4][lanes]; lanes are filled up
        with copies of the last sequence to a multiple of native.LANES by tensors()."""
        x = sequences.inputs()
        for at, name in enumerate(cells.INPUTS):
            np.clip(x[:, at], *self.ranges[name], out=x[:, at])
            x[:, at] *= np.float32(self.scale[at])
        return torch.from_numpy(x)

    def tensors(self, sequences):
        """(inputs, backlog, dropped) for the network and its losses, [steps][...][lanes]."""
        spare = -len(sequences) % native.LANES
        if spare:
            sequences = sequences.at(np.minimum(np.arange(len(sequences) + spare),
                                                len(sequences) - 1))
        backlog = np.ascontiguousarray(sequences.backlog.T) * np.float32(1 / self.bytes)
        return (self.inputs(sequences), torch.from_numpy(backlog),
                torch.from_numpy(np.ascontiguousarray(sequences.dropped.T).astype(np.float32)))


def torch_layer(layer, inputs):
    """A layer as PyTorch's own module, batch first; None for what PyTorch has not."""
    if isinstance(layer, cells.TorchLayer):
        cell = layer.cell
        made = type(cell)(cell.input_size, cell.hidden_size, batch_first=True)
        made.load_state_dict(cell.state_dict())
        return made
    if isinstance(layer, cells.PlainLayer):
        made = torch.nn.RNN(inputs, layer.wh.shape[0], batch_first=True,
                            nonlinearity="relu" if layer.relu else "tanh")
        with torch.no_grad():
            made.weight_ih_l0.copy_(layer.wx)
            made.weight_hh_l0.copy_(layer.wh)
            made.bias_ih_l0.copy_(layer.bias)
            made.bias_hh_l0.zero_()
        return made
    return None


class Whole(torch.nn.Module):
    """The network on plain values: [batch][steps][4] in bytes to [batch][steps][3], in bytes and
    logits. Every sequence starts from zeros."""

    def __init__(self, net, scaling):
        super().__init__()
        self.stack = torch.nn.ModuleList(
            torch_layer(layer, net.units if at else len(cells.INPUTS))
            for at, layer in enumerate(net.stack))
        self.head = torch.nn.Linear(net.units, len(cells.OUTPUTS))
        self.head.load_state_dict(net.head.state_dict())
        self.register_buffer("lo", torch.tensor([scaling.ranges[n][0] for n in cells.INPUTS]))
        self.register_buffer("hi", torch.tensor([scaling.ranges[n][1] for n in cells.INPUTS]))
        self.register_buffer("scale", torch.tensor(scaling.scale))
        self.register_buffer("unit", torch.tensor([scaling.bytes, 1.0, 1.0]))

    def forward(self, rows):
        x = torch.minimum(torch.maximum(rows, self.lo), self.hi) * self.scale
        for layer in self.stack:
            x = layer(x)[0]
        return self.head(x) * self.unit


def torchscript(net, scaling, path):
    """Whole as TorchScript. A relu-LSTM has no such form: nothing is written."""
    if net.kind != "lstm_relu":
        whole = Whole(net, scaling).eval()
        torch.jit.trace(whole, torch.zeros(1, 2, len(cells.INPUTS))).save(str(path))


def _rows(tensor):
    return [lfctl.row(row) for row in tensor.detach().numpy()]


def _layer(layer, state_max):
    """A recurrent layer as lfctl(8) describes it."""
    if isinstance(layer, cells.PlainLayer):
        kind = {"type": "rnn", "activation": "relu" if layer.relu else "tanh"}
        if layer.relu:
            # a backlog adds up for thousands of packets, so that 16 bits are few
            kind.update(state_bits=32, state_max=state_max)
        wx, wh, bx = layer.wx, layer.wh, layer.bias
        bh = torch.zeros_like(bx)
    else:
        kind = {"type": layer.kind}
        if layer.kind == "lstm":
            kind["state_max"] = state_max
        wx, wh = layer.cell.weight_ih_l0, layer.cell.weight_hh_l0
        bx, bh = layer.cell.bias_ih_l0, layer.cell.bias_hh_l0
    return {**kind, "w_x": _rows(wx), "w_h": _rows(wh), "b_x": lfctl.row(bx.detach().numpy()),
            "b_h": lfctl.row(bh.detach().numpy())}


def state_maxima(net, inputs):
    """Of each layer, the largest magnitude of its state (an LSTM's: of its cell) in sequences
    [steps][4][lanes], and a margin; 1 where it is bounded anyway."""
    top, x = [], inputs
    with torch.no_grad():
        for layer in net.stack:
            above, largest, state = layer(x)[0], 0.0, None
            if isinstance(layer, cells.TorchLayer) and layer.kind == "lstm":
                # PyTorch shows the cell of the last step only
                for at in range(len(x)):
                    state = layer(x[at:at + 1], state)[1]
                    largest = max(largest, float(state[1].abs().max()))
            elif getattr(layer, "relu", False):
                largest = float(above.max())
            top.append(float(f"{STATE_MARGIN * largest:.4g}") or 1.0)
            x = above
    return top


def model(net, scaling, name, provenance, maxima):
    """The JSON of lfctl(8), as a dict. maxima: of state_maxima()."""
    span = scaling.ranges["queue"][1] + scaling.ranges["work"][1]
    logit = {"unit": LOGIT_UNIT, "lo": -LOGIT_RANGE, "hi": LOGIT_RANGE}
    stack = [_layer(layer, top) for layer, top in zip(net.stack, maxima)]
    head = {"type": "dense", "activation": "none", "weights": _rows(net.head.weight),
            "bias": lfctl.row(net.head.bias.detach().numpy())}
    # a network that strays says so: what uses it sees backlogs that no queue has
    return {"format": "liteflow-model", "version": 1, "name": name[:31], "units": UNITS,
            "provenance": provenance, "inputs": scaling.about(),
            "outputs": [{"name": "backlog", "unit": 1, "lo": -span, "hi": span,
                         "scale": scaling.scale[0]}, {"name": "keep", **logit},
                        {"name": "drop", **logit}],
            "layers": [*stack, head]}


def _take(tensor, rows, name):
    """Fill a parameter; Problem if the model's has another shape."""
    rows = torch.tensor(rows)
    if rows.shape != tensor.shape:
        raise Problem(f"--init: the model's {name} is {list(rows.shape)}, this network's "
                      f"{list(tensor.shape)}: give --hidden_size and --num_layers as there")
    with torch.no_grad():
        tensor.copy_(rows)


def begin_with(net, scaling, made):
    """Take the weights of a model's JSON. Its scales may be others: they go into the weights."""
    kinds = ["rnn_" + layer.get("activation", "") if layer.get("type") == "rnn" else
             layer.get("type", "dense") for layer in made["layers"]]
    if kinds != [net.kind] * len(net.stack) + ["dense"]:
        raise Problem(f"--init: the model's layers are {', '.join(kinds)}; this network has "
                      f"{len(net.stack)} of {net.kind}")
    theirs = [io.get("scale", 1) for io in made["inputs"]]
    change = torch.tensor([a / b for a, b in zip(theirs, scaling.scale)])
    for layer, rows in zip(net.stack, made["layers"]):
        if isinstance(layer, cells.PlainLayer):
            _take(layer.wx, rows["w_x"], "w_x")
            _take(layer.wh, rows["w_h"], "w_h")
            _take(layer.bias, [a + b for a, b in zip(rows["b_x"], rows["b_h"])], "bias")
        else:
            for name, key in (("weight_ih_l0", "w_x"), ("weight_hh_l0", "w_h"),
                              ("bias_ih_l0", "b_x"), ("bias_hh_l0", "b_h")):
                _take(getattr(layer.cell, name), rows[key], key)
    _take(net.head.weight, made["layers"][-1]["weights"], "head")
    _take(net.head.bias, made["layers"][-1]["bias"], "head")
    first = net.stack[0]
    with torch.no_grad():
        (first.wx if isinstance(first, cells.PlainLayer) else first.cell.weight_ih_l0).mul_(change)
        # the backlog in this network's unit
        for tensor in (net.head.weight, net.head.bias):
            tensor[0] *= scaling.scale[0] / made["outputs"][0].get("scale", 1)


def save(path, made):
    """A model's JSON with a row of weights on a line; others see the old file or the new one."""
    path = pathlib.Path(path)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")

    def lines(value, indent):
        many = isinstance(value, (list, dict)) and value and \
            any(isinstance(one, (list, dict)) for one in (
                value.values() if isinstance(value, dict) else value))
        if not many:
            return json.dumps(value)
        pad = " " * (indent + 1)
        if isinstance(value, dict):
            inside = [f"{json.dumps(key)}: {lines(one, indent + 1)}" for key, one in value.items()]
            return "{\n" + pad + f",\n{pad}".join(inside) + " }"
        return "[\n" + pad + f",\n{pad}".join(lines(one, indent + 1) for one in value) + " ]"
    try:
        new.write_text(lines(made, 0) + "\n", encoding="utf-8")
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def pack(source, target):
    """lfctl model pack; returns what it said. Problem: it refuses the model."""
    done = lfctl.run("model", "pack", str(source), "-o", str(target))
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        raise Problem(f"{source} is trained, but lfctl does not pack it: "
                      f"{said.splitlines()[-1] if said else 'it says nothing'}")
    return said
