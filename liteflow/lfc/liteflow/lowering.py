# SPDX-License-Identifier: GPL-2.0
"""From a graph to the layers of a model; what the engine does not have is refused."""
import collections
import dataclasses
import difflib
import math

import numpy as np

from . import affine
from .folding import (FLOAT_TYPES, FOLDED, INTEGER_TYPES, axis_of, fold, new_shape, numbers,
                      permutation, slices)
from .graph import MAX_HELD, MAX_NODES, MAX_WIDTH, Refused, check_size, listed, shown
from .layers import Lowered
from .pylib.errors import Problem
from .recurrent import GATES, state_inputs
from .refusals import NO_BRANCH, NO_PART, UNKNOWN, WHY

MAX_WEIGHTS = (1 << 20) // 2    # LITEFLOW_MAX_BLOB, of 16 bits each
MAX_NUMBER = 1e30               # NET_MAX_NUMBER of lfctl
ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
SHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
OPEN_END = (1 << 31) - 1        # of a Slice: to the end, however long


class Lowering:
    """One pass through the nodes that an output depends on."""

    def __init__(self, graph, n_in):
        self.graph = graph
        self.n_in = n_in            # that were named; None: as the file says
        self.values, self.made = {}, {}
        self.input = None
        self.states = {}            # input -> tensors that are only first states
        self.recurrent = False

    # -- tensors -------------------------------------------------------------

    def enter(self, name, node):
        """The graph's input @name as a flow."""
        self.input = name
        tensor = self.graph.inputs[name]()
        shape = tensor.shape
        if shape is None:
            if not self.n_in:
                raise Problem(f"the file does not say how many values its input {shown(name)} "
                              "has: name them with --like, --app or --data")
            shape = (None, self.n_in)
        # the batch: what lies before the axes that hold the inputs, all that is not known
        lead = max([at + 1 for at, n in enumerate(shape) if n is None], default=0)
        if lead == len(shape) and lead:
            lead -= 1               # not even the last one is known
            shape = shape[:-1] + (self.n_in or 0,)
            if not self.n_in:
                raise Problem(f"the file does not say how many values its input {shown(name)} "
                              "has: name them with --like, --app or --data")
        sizes = check_size((n or 1 for n in shape), f"input {shown(name)}")
        leads = [at for at in range(lead, max(len(sizes), 1))
                 if not self.n_in or math.prod(sizes[at:]) == self.n_in]
        if not leads:
            leads = [at for at in range(lead, max(len(sizes), 1))]
        if self.n_in:
            lead = leads[-1]
        elif self.recurrent:
            lead = max(len(sizes) - 1, 0)       # the values of one step
        else:
            lead = max(lead, min(1, len(sizes) - 1))
        count = math.prod(sizes[lead:])
        if not 1 <= count <= MAX_WIDTH:
            raise Problem(f"input {shown(name)} has {count} values, 1 to {MAX_WIDTH} are possible")
        if self.n_in and count != self.n_in:
            raise Problem(f"the network has {math.prod(sizes[max(1, lead):] or sizes)} inputs, "
                          f"{self.n_in} are named: name those of this network")
        return affine.start(sizes, lead, tensor.integer,
                            [affine.OPEN if n is None else "" for n in shape])

    def value(self, name, node):
        """Array or flow of a tensor; None where it is left out."""
        if not name or any(name in made for made in self.states.values()):
            return None
        if name not in self.values:
            if name in self.graph.constants:
                self.values[name] = self.graph.constants[name]()
            elif name in self.graph.inputs:
                self.values[name] = self.enter(name, node)
            elif name in self.made:
                raise self.second(name)
            else:
                raise Refused(node, f"its input {shown(name)} is nowhere: the file is damaged")
        return self.values[name]

    def second(self, name):
        node = self.made[name]
        if node.op in GATES:
            return Refused(node, f"its output {shown(name)}, the cell's state, is used: the engine "
                                 "keeps it to itself, use the hidden state")
        return Refused(node, f"its output {shown(name)} is used, only the first one is possible: "
                             "cut the graph before it with --output")

    # -- the pass ------------------------------------------------------------

    def run(self, output):
        order = self.graph.needed(output)
        if len(order) > MAX_NODES:
            raise Problem(f"the output {shown(output)} depends on {len(order)} operators, at most "
                          f"{MAX_NODES} are read: that is no network of the kernel's size")
        self.made = {name: node for node in order for name in node.outputs}
        if not order:
            raise Problem(f"the output {shown(output)} is no node's: there is no network before it")
        self.recurrent = any(node.op in GATES for node in order)
        self.states = state_inputs([name for name in self.graph.inputs if name not in self.made],
                                   order, output)
        hidden = set().union(*self.states.values())
        order = [node for node in order if not hidden.intersection(node.outputs)]
        # what can never be had is told before anything that depends on shapes
        for node in order:
            self.known(node)
        uses = collections.Counter([output])
        for node in order:
            uses.update(node.inputs)
        entered = [name for name in self.graph.inputs if uses[name] and name not in self.made
                   and name not in self.states]
        if len(entered) > 1:
            node = next(node for node in order if entered[1] in node.inputs)
            raise Refused(node, f"the network has the inputs {listed(entered)}, only one tensor is "
                                "possible: join them to one")
        for node in order:
            inputs = [self.value(name, node) for name in node.inputs]
            try:
                with np.errstate(all="ignore"):
                    result = self.apply(node, inputs)
            except (ValueError, TypeError, IndexError, OverflowError, AttributeError) as error:
                text = " ".join(str(error).split())[:100]
                raise Refused(node, f"its shapes or attributes do not fit ({text}): the file is "
                                    "damaged, or made for another version of ONNX") from error
            # only recurrent layers have two
            self.values.update(zip(node.outputs, result if isinstance(result, tuple) else
                                   [result]))
            self.forget(node, uses)
        if output not in self.values:
            raise self.second(output)
        return self.values[output]

    def forget(self, node, uses):
        """Drop what nobody needs any more, and look at the rest: large files have large tables."""
        uses.subtract(node.inputs)
        for name in node.inputs:
            if uses[name] <= 0:
                self.values.pop(name, None)
        held = sum(value.size for value in self.values.values() if isinstance(value, np.ndarray))
        if held > MAX_HELD:
            raise Refused(node, f"the constants around it have {held} numbers, far more than a "
                                "model of the kernel")

    def known(self, node):
        if node.domain and (node.domain, node.op) != ("ai.onnx.ml", "Scaler"):
            raise Refused(node, WHY.get(node.op, "an operator that is not ONNX's own; export the "
                                                 "network without it"))
        live = [name for name in node.inputs if name in self.made or name in self.graph.inputs]
        if hasattr(self, "on_" + node.op) or not live and node.op not in WHY:
            return
        if node.op in FOLDED:
            return      # perhaps of constants
        raise Refused(node, WHY.get(node.op, UNKNOWN))

    def apply(self, node, inputs):
        if not node.outputs or not node.outputs[0] and node.op not in GATES:
            raise Refused(node, "it makes nothing: the file is damaged")
        live = [i for i in inputs if isinstance(i, (affine.Flow, affine.States))]
        if not live:
            return fold(node, inputs)
        if node.op == "Concat" and all(isinstance(i, affine.Flow) and i.last for i in inputs):
            return self.last_states(node, inputs)
        if any(isinstance(i, affine.States) for i in live):
            return self.of_states(node, inputs)
        method = getattr(self, "on_" + node.op, None)
        if method is None:
            raise Refused(node, WHY.get(node.op, UNKNOWN))
        if len(live) > 1 and node.op not in GATES:
            raise Refused(node, "two of its inputs depend on the network's: " + NO_BRANCH)
        flow = live[0]
        if flow.index and node.op not in ("Cast", "Identity", *SHAPES):
            raise Refused(node, "it uses ArgMax's answer; ArgMax can only be the last: cut the "
                                "graph there with --output")
        if flow.ranked and node.op not in ("ArgMax", "Identity", "Cast", "Dropout", *SHAPES):
            raise self.probabilities(flow.ranked)
        return method(node, inputs, flow)

    @staticmethod
    def probabilities(node):
        return Refused(node, "the engine computes no probabilities; cut the graph before it: "
                             f"--output {node.inputs[0] if node.inputs else '?'}, or end it "
                             "with ArgMax")

    @staticmethod
    def constant(node, inputs, at, name):
        value = inputs[at] if at < len(inputs) else None
        if not isinstance(value, np.ndarray):
            raise Refused(node, f"its {name} is " + ("missing: the file is damaged"
                          if value is None else "no constant: " + NO_BRANCH))
        return value

    # -- linear operators ----------------------------------------------------

    def pair(self, node, inputs):
        """(constant, is the flow the first one?)"""
        if len(inputs) != 2 or any(i is None for i in inputs):
            raise Refused(node, "it does not have two inputs: the file is damaged")
        first = isinstance(inputs[0], affine.Flow)
        return inputs[1 if first else 0], first

    def on_Add(self, node, inputs, flow):
        return affine.add(node, flow, self.pair(node, inputs)[0])

    def on_Sub(self, node, inputs, flow):
        constant, first = self.pair(node, inputs)
        if first:
            return affine.add(node, flow, -constant)
        return affine.add(node, affine.multiply(node, flow, np.array(-1.0)), constant)

    def on_Mul(self, node, inputs, flow):
        return affine.multiply(node, flow, self.pair(node, inputs)[0])

    def on_Div(self, node, inputs, flow):
        constant, first = self.pair(node, inputs)
        if not first:
            raise Refused(node, "it divides by what depends on the inputs, the engine cannot; "
                                "compute that before the network")
        if flow.integer:
            raise Refused(node, "it divides integers and drops the rest, the engine cannot: cast "
                                "to float first")
        if (constant == 0).any():
            raise Refused(node, "it divides by 0: a constant input? Leave it out of the network")
        return affine.multiply(node, flow, 1 / constant)

    def on_Neg(self, node, inputs, flow):
        return affine.multiply(node, flow, np.array(-1.0))

    def on_Scaler(self, node, inputs, flow):
        """ai.onnx.ml: (x - offset) * scale"""
        offset, scale = (np.array(node.attributes.get(name) or [default], dtype=np.float64)
                         for name, default in (("offset", 0), ("scale", 1)))
        return affine.multiply(node, affine.add(node, flow, -offset), scale)

    def on_MatMul(self, node, inputs, flow):
        constant, first = self.pair(node, inputs)
        return affine.multiply_matrix(node, flow, constant, left=not first)

    def on_Gemm(self, node, inputs, flow):
        alpha, beta = (1.0 if node.attributes.get(name) is None else float(node.attributes[name])
                       for name in ("alpha", "beta"))
        parts = []
        for at, name in ((0, "transA"), (1, "transB")):
            part = inputs[at] if at < len(inputs) else None
            if part is None or len(part.shape) != 2:
                raise Refused(node, "it wants two matrices: the file is damaged, or the inputs "
                                    "named do not have the number that the network wants")
            if node.attributes.get(name):
                part = part.T if isinstance(part, np.ndarray) else \
                    affine.transpose(node, part, [1, 0])
            parts.append(part)
        a, b = parts
        c = inputs[2] if len(inputs) > 2 else None
        if flow is c:
            product = fold(dataclasses.replace(node, op="MatMul"), parts) * alpha
            return affine.add(node, affine.multiply(node, flow, np.array(beta)), product)
        left = isinstance(a, np.ndarray)
        out = affine.multiply_matrix(node, b if left else a, a if left else b, left)
        out = affine.multiply(node, out, np.array(alpha))
        return out if c is None else affine.add(node, out, c * beta)

    def on_BatchNormalization(self, node, inputs, flow):
        if node.attributes.get("training_mode") or \
                (self.graph.opset < 7 and not node.attributes.get("is_test")):
            raise Refused(node, "it is in training mode: export the network in evaluation mode")
        if node.attributes.get("spatial") == 0:
            raise Refused(node, "it has spatial=0, which newer ONNX has not: export it anew")
        scale, bias, mean, var = (self.constant(node, inputs, at, name) for at, name in
                                  enumerate(("scale", "bias", "mean", "variance"), 1))
        epsilon = node.attributes.get("epsilon")
        deviation = np.sqrt(var + (1e-5 if epsilon is None else epsilon))
        if not (deviation > 0).all():
            raise Refused(node, "a variance is not above 0: the file is damaged")
        # channels are axis 1, whatever follows
        behind = (1,) * max(len(flow.shape) - 2, 0)
        factor, constant = (v.reshape(v.shape + behind)
                            for v in (scale / deviation, bias - mean * scale / deviation))
        if factor.ndim > len(flow.features):
            raise Refused(node, "its channels are not among the inputs: do the inputs named have "
                                "the number that the network wants?")
        return affine.add(node, affine.multiply(node, flow, factor), constant)

    # -- recurrent layers ----------------------------------------------------

    def recur(self, node, inputs, flow):
        if flow is not inputs[0]:
            raise Refused(node, "its input X is a constant, what depends on the network's inputs "
                                "goes elsewhere: the engine computes no weights")
        return affine.recur(node, flow, inputs)

    on_RNN = on_GRU = on_LSTM = recur

    @staticmethod
    def last_states(node, inputs):
        """As PyTorch puts those of all layers together"""
        axis = axis_of(node, node.attributes.get("axis", 1), len(inputs[0].shape))
        if any(flow.shape != inputs[0].shape or flow.shape[axis] != 1 or flow.mark(axis)
               for flow in inputs):
            raise Refused(node, "it joins states of different layers: " + NO_BRANCH)
        return affine.States(tuple(inputs), axis)

    def of_states(self, node, inputs):
        """One of several layers' states, as h[-1] is written"""
        states, at, keep = inputs[0], None, True
        if isinstance(states, affine.States):
            rank = len(states.parts[0].shape)
            if node.op == "Gather" and len(inputs) > 1 and isinstance(inputs[1], np.ndarray) and \
                    inputs[1].size == 1 and \
                    axis_of(node, node.attributes.get("axis") or 0, rank) == states.axis:
                at, keep = int(inputs[1].ravel()[0]), inputs[1].ndim > 0
            elif node.op == "Slice":
                cuts = slices(node, inputs, rank)
                places = range(len(states.parts))
                if len(cuts) == 1 and cuts[0][0] == states.axis:
                    places = places[slice(*cuts[0][1:])]
                if len(places) == 1:
                    at = places[0]
        if at is None:
            raise Refused(node, "it uses the states of several layers, an answer comes from the "
                                "last one: use that alone, as h[-1]")
        flow = states.take(node, at)
        return flow if keep else affine.without(node, flow, [states.axis])

    def on_Gather(self, node, inputs, flow):
        """The only one of an axis, or the last step of a sequence"""
        at = inputs[1] if len(inputs) > 1 else None
        if flow is not inputs[0] or not isinstance(at, np.ndarray) or at.size != 1 or at.ndim > 1:
            raise Refused(node, NO_PART)
        axis = axis_of(node, node.attributes.get("axis") or 0, len(flow.shape))
        index = int(at.ravel()[0])
        mark = flow.mark(axis)
        if mark == affine.OPEN:
            raise Refused(node, "it takes one row of a batch, a model answers one row anyway: "
                                "leave it out")
        if mark == affine.TIME:
            if index != -1:
                raise Refused(node, f"it takes step {index} of a sequence, a model answers at each "
                                    "step: take the last one, -1")
            flow = flow.but(last=True)
        elif flow.shape[axis] != 1 or index not in (0, -1):
            raise Refused(node, NO_PART)
        return flow if at.ndim else affine.without(node, flow, [axis])

    def on_Slice(self, node, inputs, flow):
        """All of an axis, or the last step of a sequence"""
        if flow is not inputs[0]:
            raise Refused(node, NO_PART)
        for axis, begin, end, step in slices(node, inputs, len(flow.shape)):
            mark, n = flow.mark(axis), flow.shape[axis]
            if step == 1 and begin == 0 and end >= OPEN_END:
                continue
            if step == 1 and begin == -1 and end >= OPEN_END and mark == affine.TIME:
                flow = flow.but(last=True)
            elif mark or range(n)[slice(begin, end, step)] != range(n):
                raise Refused(node, NO_PART)
        return flow

    # -- what changes no value -----------------------------------------------

    def on_Identity(self, node, inputs, flow):
        return flow

    def on_Dropout(self, node, inputs, flow):
        training = inputs[2] if len(inputs) > 2 else None
        if training is not None and (not isinstance(training, np.ndarray) or training.any()):
            raise Refused(node, "it is in training mode: export the network in evaluation mode")
        if self.graph.opset < 7 and node.attributes.get("is_test") == 0:
            raise Refused(node, "it is in training mode: export the network in evaluation mode")
        return flow

    def on_Cast(self, node, inputs, flow):
        to = node.attributes.get("to")
        if isinstance(to, bytes):       # until opset 5
            raise Refused(node, "it names its type as text, as ONNX did until opset 5: export it "
                                "anew")
        if to in INTEGER_TYPES and (flow.index or flow.integer):
            return flow
        if FLOAT_TYPES.get(to, "bfloat16") != "bfloat16":
            return flow.but(integer=False)
        raise Refused(node, "it rounds values or limits them, the engine cannot: cast to float")

    def reshape(self, node, inputs, flow):
        shape = new_shape(node, flow.shape, inputs)
        axes = numbers(node, "axes", 1, inputs) if node.op in ("Squeeze", "Unsqueeze") else None
        if axes is None:
            return affine.reshape(node, flow, shape)
        axes = {axis_of(node, axis, max(len(shape), len(flow.shape))) for axis in axes}
        if node.op == "Squeeze":
            return affine.without(node, flow, axes)
        marks = iter([flow.mark(axis) for axis in range(len(flow.shape))])
        return affine.reshape(node, flow, shape, ["" if axis in axes else next(marks)
                                                  for axis in range(len(shape))])

    on_Reshape = on_Flatten = on_Squeeze = on_Unsqueeze = reshape

    def on_Transpose(self, node, inputs, flow):
        return affine.transpose(node, flow, permutation(node, len(flow.shape)))

    def on_Shape(self, node, inputs, flow):
        return np.array(flow.shape, dtype=np.int64)

    # -- activations ---------------------------------------------------------

    def activation(self, node, inputs, flow):
        activation = ACTIVATIONS[node.op]
        layers = flow.base.layers
        if activation == "relu" and layers and layers[-1][2] == "relu" and \
                affine.unchanged(flow) and not flow.clip:
            return flow
        return affine.finish(flow, activation)

    on_Relu = on_Tanh = on_Sigmoid = activation

    def on_Clip(self, node, inputs, flow):
        bounds = []
        for at, name, default in ((1, "min", -math.inf), (2, "max", math.inf)):
            value = inputs[at] if at < len(inputs) else None
            if value is None:
                value = node.attributes.get(name)
                value = np.array(default if value is None else value, dtype=np.float64)
            elif isinstance(value, affine.Flow):
                raise Refused(node, "its limits depend on the inputs: give it constants")
            bounds.append(value)
        lo, hi = bounds
        if np.isnan(lo).any() or np.isnan(hi).any():
            raise Refused(node, "a limit is NaN: the file is damaged")
        if (lo == 0).all() and (hi == math.inf).all() and not flow.clip:
            return self.activation(dataclasses.replace(node, op="Relu"), inputs, flow)
        # float's own limits are no limits
        most = float(np.finfo(np.float32).max)
        if (lo <= -most).all() and (hi >= most).all():
            return flow
        return affine.clip(node, flow, lo, hi)

    def across(self, node, flow, axes):
        """Are the axes all that have features?"""
        lead = len(flow.lead)
        sizes = math.prod(flow.shape[axis] for axis in axes)
        if any(axis < lead for axis in axes) or sizes != flow.count:
            raise Refused(node, "it does not go over all values of the layer before: set its axis "
                                "to theirs")

    def on_Softmax(self, node, inputs, flow):
        rank = len(flow.shape)
        new = self.graph.opset >= 13
        axis = node.attributes.get("axis")
        axis = axis_of(node, (-1 if new else 1) if axis is None else axis, rank, 0 if new else 1)
        axis = min(axis, rank - 1)
        self.across(node, flow, [axis] if new else list(range(axis, rank)))
        return flow.but(ranked=node)

    on_LogSoftmax = on_Softmax

    def on_ArgMax(self, node, inputs, flow):
        rank = len(flow.shape)
        axis = axis_of(node, (numbers(node, "axis", None, inputs) or [0])[0], rank)
        self.across(node, flow, [axis])
        if node.attributes.get("select_last_index"):
            raise Refused(node, "of equal values it takes the last one, the engine the first: "
                                "leave select_last_index out")
        keep = node.attributes.get("keepdims")
        features = list(flow.features)
        features[axis - len(flow.lead)] = 1
        if keep is not None and not keep:
            del features[axis - len(flow.lead)]
        if flow.clip:
            flow = affine.unclipped(flow)
        layers = flow.base.layers
        if layers and layers[-1][2] in ("tanh", "sigmoid") and affine.unchanged(flow):
            # these keep the order
            base = dataclasses.replace(flow.base,
                                       layers=layers[:-1] + (layers[-1][:2] + ("argmax",),))
            flow = flow.but(base=base)
        else:
            flow = affine.finish(flow, "argmax")
        return flow.but(coef=affine.identity(flow.base.width, flow.features)[
            (slice(None), *(slice(0, 1),) * len(flow.features))].reshape(
                (flow.base.width + 1, *features)), index=True, ranked=None, integer=True)


def _finished(flow):
    """(flow with all that it is in layers, out_offset, out_scale)"""
    if flow.ranked:
        raise Lowering.probabilities(flow.ranked)
    if flow.index or (flow.base.layers and affine.unchanged(flow)):
        return flow, None, None
    last = flow.base.layers[-1][2] if flow.base.layers else "none"
    if last != "none" and flow.plain and flow.count == flow.base.width:
        factor, constant = affine.diagonal(flow)
        if ((factor > 0) if last == "relu" else (factor != 0)).all():
            return flow, constant, 1 / factor
    clip = flow.clip
    return affine.finish(flow.but(clip=None), "none").but(clip=clip), None, None


def choose_output(graph, wanted):
    """Name of the tensor that is the network's answer."""
    known = list(graph.outputs) + graph.tensors()
    if wanted is not None:
        if wanted in known:
            return wanted
        near = difflib.get_close_matches(wanted, known, 3, 0.5) or known[-5:]
        raise Problem(f"there is no tensor {shown(wanted)}; did you mean {listed(near)}? "
                      "--list shows all")
    if len(graph.outputs) != 1:
        made = graph.producers()
        told = ", ".join(f"{shown(name)} ({made[name].kind})" if name in made else shown(name)
                         for name in graph.outputs[:8])
        raise Problem(f"the file has {len(graph.outputs)} outputs" + (f", {told}" if told else "")
                      + ": choose one with --output, --list shows all tensors")
    return graph.outputs[0]


def _limits(graph, name, n):
    limits = graph.limits.get(name)
    return limits and tuple(np.full(n, float(end)) for end in limits)


def lower(graph, output=None, n_in=None):
    """Graph -> Lowered; @n_in: as many inputs are named, None: nobody named them"""
    output = choose_output(graph, output)
    lowering = Lowering(graph, n_in)
    flow = lowering.run(output)
    if isinstance(flow, affine.States):
        raise Problem(f"the output {shown(output)} is the states of several layers: choose another "
                      "with --output, which comes from the last one")
    if not isinstance(flow, affine.Flow):
        raise Problem(f"the output {shown(output)} does not depend on any input: choose another "
                      "with --output")
    with np.errstate(all="ignore"):
        flow, offset, scale = _finished(flow)
        base = flow.base
        out = Lowered(list(base.layers), lowering.input, output, out_offset=offset,
                      out_scale=scale, cells=list(base.cells), states=tuple(lowering.states))
        out.in_clip = base.clip
        if base.scale is not None:
            out.scale, out.offset = base.scale, -base.shift / base.scale
    if flow.clip and not flow.index:
        out.out_clip = tuple(np.asarray(bound, dtype=np.float64).ravel() for bound in flow.clip)
    tables = [cell.arrays for cell in out.cells] + [layer[:2] for layer in out.layers]
    count = sum(array.size for arrays in tables for array in arrays if array.ndim == 2)
    if count > MAX_WEIGHTS:
        raise Problem(f"the network has {count} weights, a model has room for {MAX_WEIGHTS}: take "
                      "a smaller one")
    for at, arrays in enumerate(tables):
        if not all(np.isfinite(array).all() for array in arrays):
            raise Problem(f"layer {at + 1} has weights that are no finite numbers (NaN or "
                          "infinity): train it anew")
        if max(np.abs(array).max() for array in arrays) > MAX_NUMBER:
            raise Problem(f"layer {at + 1} has weights beyond {MAX_NUMBER:g}: train it anew")
    for pair in (out.in_clip, out.out_clip):
        if pair and any(np.isnan(end).any() for end in pair):
            raise Problem("the limits of a Clip are no numbers")
    for array in (out.offset, out.scale, out.out_offset, out.out_scale):
        if array is not None and not np.isfinite(array).all():
            raise Problem("constants before or behind the layers are no finite numbers")
    out.in_limits = _limits(graph, lowering.input, out.n_in)
    out.out_limits = _limits(graph, output, out.n_out)
    return out
