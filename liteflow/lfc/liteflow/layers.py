# SPDX-License-Identifier: GPL-2.0
"""A network as the engine has them: a chain of layers, fully connected behind recurrent ones."""
import dataclasses

import numpy as np

from .recurrent import sigmoid


@dataclasses.dataclass
class Lowered:
    """
    layers: (weights float64 [out][in], bias [out], activation), at least one
    cells: recurrent.Cell of each recurrent layer, which come before those
    states: the file's inputs that are nothing but first states
    offset, scale: float64 [inputs]: the first layer sees (value - offset) * scale; None: the value
    out_offset, out_scale: float64 [outputs]: likewise the last layer makes
        (answer - out_offset) * out_scale
    in_clip, out_clip: (lo, hi), float64: the file itself clips so; None: it does not
    in_limits, out_limits: (lo, hi) that the file's quantised tensors can hold; None: not quantised
    """
    layers: list
    input: str
    output: str
    offset: np.ndarray = None
    scale: np.ndarray = None
    out_offset: np.ndarray = None
    out_scale: np.ndarray = None
    in_clip: tuple = None
    out_clip: tuple = None
    in_limits: tuple = None
    out_limits: tuple = None
    cells: list = dataclasses.field(default_factory=list)
    states: tuple = ()

    @property
    def n_in(self):
        return self.cells[0].n_in if self.cells else self.layers[0][0].shape[1]

    @property
    def index(self):
        return self.layers[-1][2] == "argmax"

    @property
    def n_out(self):
        return 1 if self.index else self.layers[-1][0].shape[0]

    def run(self, values, sequence=True):
        """Answers to rows of values, float64 [rows][inputs], not clipped to ranges. They are a
        sequence to recurrent layers, or else one each."""
        x = np.asarray(values, dtype=np.float64)
        if self.in_clip:
            x = np.clip(x, *self.in_clip)
        if self.scale is not None:
            x = (x - self.offset) * self.scale
        if self.cells:
            x = x[:, None] if sequence else x[None]
            for cell in self.cells:
                x = cell.run(x)
            x = x[:, 0] if sequence else x[0]
        for weights, bias, activation in self.layers:
            x = x @ weights.T + bias
            if activation == "relu":
                x = np.maximum(x, 0)
            elif activation == "tanh":
                x = np.tanh(x)
            elif activation == "sigmoid":
                x = sigmoid(x)
            elif activation == "argmax":
                x = np.argmax(x, axis=1)[:, None].astype(np.float64)
        x = self.answers(x)
        return np.clip(x, *self.out_clip) if self.out_clip else x

    def answers(self, x):
        """What the last layer makes as what it stands for."""
        return x if self.out_scale is None else x / self.out_scale + self.out_offset
