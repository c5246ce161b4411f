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
