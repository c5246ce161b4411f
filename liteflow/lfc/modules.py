# SPDX-License-Identifier: GPL-2.0
"""Modules of PyTorch beside torch.nn's, for the tests of the exporter."""
import torch
from torch import nn


class Normalise(nn.Module):
    """(x - mean) / deviation, as people write it"""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("mean", torch.randn(width) / 4)
        self.register_buffer("deviation", torch.rand(width) + 0.5)

    def forward(self, x):
        return (x - self.mean) / self.deviation


class Scale(nn.Module):
    """Answers in other units"""

    def forward(self, x):
        return 2 - x * 1.5


class Argmax(nn.Module):
    """The best of several, perhaps by way of its probability"""

    def __init__(self, softmax):
        super().__init__()
        self.softmax = softmax

    def forward(self, x):
        return torch.argmax(torch.softmax(x, -1) if self.softmax else x, dim=-1)


class Recurrent(nn.Module):
    """Layers with state, then @head. @how: what the head gets: "all" answers, the "last" one, it
    as a sequence of one ("slice"), the state of the last layer ("h") or of the only one ("only").
    "state": the state goes in and out."""

    def __init__(self, before, cell, head, how):
        super().__init__()
        self.before, self.cell, self.head, self.how = before, cell, head, how

    def forward(self, x, *state):
        y, state = self.cell(self.before(x), *state)
        h = state[0] if isinstance(state, tuple) else state
        steps = y.transpose(0, 1) if y.dim() == 3 and self.cell.batch_first else y
        if self.how == "state":
            return (self.head(y), *(state if isinstance(state, tuple) else (state,)))
        return self.head({"all": lambda: y, "last": lambda: steps[-1], "slice": lambda: steps[-1:],
                          "h": lambda: h[-1], "only": lambda: h.squeeze(0)}[self.how]())
