# SPDX-License-Identifier: GPL-2.0
"""A network's file as a graph of named tensors, whatever form it had.

The operators are ONNX's: readers of other forms translate theirs. Nothing in a file is
trusted; what does not fit is a Problem of one line.
"""
import dataclasses
import math

import numpy as np

from .pylib.errors import Problem

MAX_FILE = 32 << 20             # bytes; a model of the kernel has at most one MiB
MAX_ELEMENTS = 4 << 20          # of a constant
MAX_HELD = 16 << 20             # of all constants at one time
MAX_NODES = 1000                # that an output depends on
MAX_WIDTH = 1024                # LITEFLOW_MAX_WIDTH
MAX_LAYERS = 16                 # LITEFLOW_MAX_LAYERS
MAX_NAME = 60                   # characters of a name in a message


def shown(name):
    """A name of a file in quotes: printable, and not too long."""
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    return f'"{text[:MAX_NAME - 3]}..."' if len(text) > MAX_NAME else f'"{text}"'


def listed(names, most=8):
    """Quoted names for a message."""
    names = [shown(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class Refused(Problem):
    """A node that cannot be had: its name, its operator, why, and what to do."""

    def __init__(self, node, why):
        super().__init__(f"node {shown(node.title)} ({node.kind}): {why}")


@dataclasses.dataclass
class Node:
    """An operator and the names of its tensors; "" is an input that is left out.

    told: what the operator is called in a file whose operators are not ONNX's
    """
    name: str
    op: str
    inputs: list
    outputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    domain: str = ""
    told: str = ""

    @property
    def title(self):
        return self.name or next((name for name in self.outputs if name), "?")

    @property
    def kind(self):
        """The operator, as it is told."""
        return shown(self.told or (f"{self.domain}.{self.op}" if self.domain else self.op))[1:-1]


@dataclasses.dataclass
class Tensor:
    """An input of the graph. shape: sizes, None where one is not known; None: nothing known."""
    name: str
    shape: tuple = None
    integer: bool = False


@dataclasses.dataclass
class Graph:
    """
    inputs: name -> function that makes the Tensor; constants are not among them
    outputs: names
    constants: name -> function that makes the array
    opset: of ONNX; how operators read their attributes
    origin: what wrote the file, for people
    metadata: JSON text of names, units and ranges that the file brings, or None
    limits: tensor -> (lo, hi) that it can hold, of quantised files
    own_integers: of quantised files: (output's name, float64 [rows][inputs]) -> what the file's
        own integer arithmetic answers, float64 [rows][outputs], or None if that is not known
    """
    inputs: dict
    outputs: list
    nodes: list
    constants: dict
    opset: int
    origin: str
    metadata: str = None
    limits: dict = dataclasses.field(default_factory=dict)
    own_integers: object = None

    def producers(self):
        """Tensor -> its node; a name that two nodes make is a Problem."""
        made = {}
        for node in self.nodes:
            for name in node.outputs:
                if name and made.setdefault(name, node) is not node:
                    raise Problem(f"tensor {shown(name)} is made by two nodes: the file is damaged")
        return made

    def needed(self, output):
        """The nodes that @output depends on, in an order in which they can be computed."""
        made, order, state = self.producers(), [], {}
        stack = [(made[output], False)] if output in made else []
        while stack:
            node, done = stack.pop()
            if done:
                state[id(node)] = "done"
                order.append(node)
                continue
            if id(node) in state:
                continue
            state[id(node)] = "open"
            stack.append((node, True))
            for name in node.inputs:
                before = made.get(name)
                if before is None or state.get(id(before)) == "done":
                    continue
                if state.get(id(before)) == "open":
                    raise Refused(node, "it depends on itself: the file is damaged")
                stack.append((before, False))
        return order

    def tensors(self):
        """Names of all tensors that nodes make, in the file's order."""
        return [name for node in self.nodes for name in node.outputs if name]


def check_size(shape, what):
    """The shape as a tuple, if an array of it may be made."""
    shape = tuple(int(n) for n in shape)
    if any(n < 0 for n in shape) or len(shape) > 32 or math.prod(shape) > MAX_ELEMENTS:
        raise Problem(f"{what} has shape {'x'.join(map(str, shape[:8]))}: the file is damaged, or "
                      f"far larger than a model of the kernel (at most {MAX_WIDTH} wide)")
    return shape


def number_array(array, what):
    """Numbers as float64 or int64, as the kind is; others are a Problem."""
    if array.dtype.kind not in "fiub":
        raise Problem(f"{what} holds {array.dtype}, not real numbers")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
