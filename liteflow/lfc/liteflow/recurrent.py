# SPDX-License-Identifier: GPL-2.0
"""ONNX's RNN, GRU and LSTM as the engine has them.

The formulas are those of ONNX's operators, which agree with PyTorch's but for the order of the
gates. What differs in them is refused by its name. A query of the kernel is one step of the
sequence, and the engine keeps the state between queries; at first it is zero.
"""
import dataclasses

import numpy as np

from .graph import MAX_WIDTH, Refused

MAX_RECURRENT = 4               # LITEFLOW_MAX_RECURRENT
# of each operator: ONNX's order of the gates, the engine's, the functions that it has
GATES = {"RNN": ("i", "i", ["tanh"]), "GRU": ("zrh", "rzh", ["sigmoid", "tanh"]),
         "LSTM": ("iofc", "ifco", ["sigmoid", "tanh", "tanh"])}
STATES = (5, 6)                 # inputs initial_h and initial_c
STEP = "a query is one step: export it with a sequence of one step, or with dynamic_axes for it"


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


@dataclasses.dataclass(frozen=True)
class Cell:
    """
    A recurrent layer. Rows of all gates, the first gate's first, in the engine's order.

    kind: "rnn", "gru" or "lstm"
    relu: is the activation of an rnn ReLU?
    w_x: float64 [gates * units][inputs]
    w_h: float64 [gates * units][units]
    b_x, b_h: float64 [gates * units]
    """
    kind: str
    relu: bool
    w_x: np.ndarray
    w_h: np.ndarray
    b_x: np.ndarray
    b_h: np.ndarray

    @property
    def n_in(self):
        return self.w_x.shape[1]

    @property
    def units(self):
        return self.w_h.shape[1]

    @property
    def bounded(self):
        """Is what leaves it within -1..1?"""
        return not self.relu

    @property
    def arrays(self):
        return self.w_x, self.w_h, self.b_x, self.b_h

    def run(self, x):
        """float64 [steps][lanes][inputs] -> [steps][lanes][units]; each lane begins with zeroes."""
        h = np.zeros((x.shape[1], self.units))
        c = np.zeros_like(h)
        out = np.empty(x.shape[:2] + (self.units,))
        for at, of_x in enumerate(x @ self.w_x.T + self.b_x):
            of_h = h @ self.w_h.T + self.b_h
            if self.kind == "rnn":
                h = np.maximum(of_x + of_h, 0) if self.relu else np.tanh(of_x + of_h)
            elif self.kind == "gru":
                n = self.units
                r, z = (sigmoid((of_x + of_h)[:, g * n:(g + 1) * n]) for g in (0, 1))
                h = (1 - z) * np.tanh(of_x[:, 2 * n:] + r * of_h[:, 2 * n:]) + z * h
            else:
                i, f, g, o = np.split(of_x + of_h, 4, axis=1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            out[at] = h
        return out


def _constant(node, inputs, at, name, shape):
    """Input @at as an array of @shape; None where it is left out."""
    value = inputs[at] if at < len(inputs) else None
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise Refused(node, f"its {name} depends on the network's inputs, the engine has it as "
                            "constant: train it with fixed ones")
    if shape is not None and value.shape != shape:
        raise Refused(node, f"its {name} has shape {'x'.join(map(str, value.shape))}, not "
                            f"{'x'.join(map(str, shape))}: the file is damaged")
    return value


def _functions(node):
    """Names of its activations, in small letters."""
    told = node.attributes.get("activations")
    if told is None:
        return GATES[node.op][2]
    return [name.decode("ascii", "replace").lower() if isinstance(name, bytes) else str(name)
            for name in told]


def _attributes(node):
    """Refuses what the engine does not have; is it a ReLU?"""
    have = node.attributes
    direction = have.get("direction", b"forward")
    if direction not in (b"forward", None):
        raise Refused(node, f"its direction is {bytes(direction).decode('ascii', 'replace')}, "
                            "which needs the inputs of the future: train it forward")
    functions = _functions(node)
    relu = node.op == "RNN" and functions == ["relu"]
    if functions != GATES[node.op][2] and not relu:
        raise Refused(node, f"its activations are {', '.join(functions)[:60]}, the engine has "
                      f"{', '.join(GATES[node.op][2])}{' or relu' if node.op == 'RNN' else ''}: "
                      "train it with those")
    if have.get("clip") is not None:
        raise Refused(node, "it clips its sums, the engine does not: train it without clip")
    if have.get("input_forget"):
        raise Refused(node, "it couples the gates of input and forgetting, the engine does not: "
                            "train it with input_forget=0, or take a GRU")
    if node.op == "GRU" and not have.get("linear_before_reset"):
        raise Refused(node, "its reset gate acts before the product (linear_before_reset=0), the "
                            "engine's behind it: train it as PyTorch has it, in Keras with "
                            "reset_after=True")
    return relu


def _parameters(node, inputs, width):
    """(w_x, w_h, b_x, b_h) in the engine's order; @width: values that come in."""
    order, wanted, _ = GATES[node.op]
    gates = len(order)
    w_h = _constant(node, inputs, 2, "R", None)
    if w_h is None or w_h.ndim != 3 or w_h.shape[0] != 1:
        raise Refused(node, "its R is no matrix of one direction: the file is damaged")
    n = w_h.shape[2]
    if not 1 <= n <= MAX_WIDTH:
        raise Refused(node, f"{n} units, 1 to {MAX_WIDTH} are possible: take a smaller network")
    if node.attributes.get("hidden_size") not in (None, n):
        raise Refused(node, f"its hidden_size is {node.attributes['hidden_size']}, its R is of "
                            f"{n}: the file is damaged")
    _constant(node, inputs, 2, "R", (1, gates * n, n))
    w_x = _constant(node, inputs, 1, "W", None)
    if w_x is not None and w_x.ndim == 3 and w_x.shape[2] != width:
        raise Refused(node, f"{width} values meet weights for {w_x.shape[2]}: do the inputs named "
                            "have the number that the network wants?")
    w_x = _constant(node, inputs, 1, "W", (1, gates * n, width))
    if w_x is None:
        raise Refused(node, "its W is missing: the file is damaged")
    bias = _constant(node, inputs, 3, "B", (1, 2 * gates * n))
    if bias is None:
        bias = np.zeros((1, 2 * gates * n))

    def ordered(rows):
        rows = rows.astype(np.float64).reshape((gates, n) + rows.shape[1:])
        rows = rows[[order.index(gate) for gate in wanted]]
        return rows.reshape((gates * n,) + rows.shape[2:])
    return ordered(w_x[0]), ordered(w_h[0]), ordered(bias[0, :gates * n]), \
        ordered(bias[0, gates * n:])


def _begins_with_zeros(node, inputs):
    for at, name in zip(STATES, ("initial_h", "initial_c")):
        value = _constant(node, inputs, at, name, None)
        if value is not None and value.any():
            raise Refused(node, f"its {name} is not zero, the engine begins with zeroes: train it "
                                "so")
    lengths = _constant(node, inputs, 4, "sequence_lens", None)
    if lengths is not None and (lengths != 1).any():
        raise Refused(node, f"its sequence_lens are not 1, {STEP}")
    peepholes = _constant(node, inputs, 7, "P", None)
    if peepholes is not None and peepholes.any():
        raise Refused(node, "it has peepholes (P), the engine has none: train it without")


def read(node, inputs, width):
    """The Cell of an operator that @width values come into; they may be mixed by the caller."""
    relu = _attributes(node)
    _begins_with_zeros(node, inputs)
    return Cell(node.op.lower(), relu, *_parameters(node, inputs, width))


def state_inputs(names, order, output):
    """
    Those of the graph's inputs @names that are nothing but initial states, as of a network that
    hands its state in and out: {name: all tensors that come of it}
    """
    found = {}
    for name in names:
        made, sinks = {name}, 0
        for node in order:
            places = [at for at, read_name in enumerate(node.inputs) if read_name in made]
            if not places:
                continue
            if node.op in GATES and set(places) <= set(STATES):
                sinks += 1
            elif node.op in ("Identity", "Cast", "Slice", "Split", "Gather", "Squeeze",
                             "Unsqueeze", "Transpose", "Reshape") and places == [0]:
                made.update(node.outputs)
            else:
                sinks = 0
                break
        if sinks and output not in made:
            found[name] = made
    return found
