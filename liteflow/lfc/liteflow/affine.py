# SPDX-License-Identifier: GPL-2.0
"""The values that flow through a network, as affine functions of the last finished layer.

A graph is gone through once with a Flow instead of numbers. What is linear changes its
coefficients; an activation makes a layer of them and starts anew. So constants before,
between and behind layers, and linear layers in a row, need no rules of their own.
"""
import dataclasses
import math

import numpy as np

from . import recurrent
from .folding import broadcast_size, legacy_aligned, reshaped
from .graph import MAX_LAYERS, MAX_WIDTH, Refused
from .pylib.errors import Problem

OPEN, TIME = "open", "time"     # marks of axes


@dataclasses.dataclass(frozen=True)
class Base:
    """
    width: of the last finished layer, or of the inputs
    cells: the recurrent layers, which come before all others
    layers: (weights float64 [out][in], bias [out], activation) of each
    scale, shift: float64 [inputs]: the first layer sees value * scale + shift; None: the value
    clip: (lo, hi), float64 [inputs]: values are clipped to that before; None: they are not
    """
    width: int
    layers: tuple = ()
    cells: tuple = ()
    scale: np.ndarray = None
    shift: np.ndarray = None
    clip: tuple = None

    @property
    def bare(self):
        """Are there no layers yet, but the inputs?"""
        return not self.layers and not self.cells


@dataclasses.dataclass(frozen=True)
class Flow:
    """
    base: what it is a function of
    coef: float64 [width + 1][features...]: the factor of each value of the base, then the
        constant
    lead: sizes of the tensor's axes before the features': the batch, 1 where not known
    plain: each value is of one value of the base, in order: nothing was mixed
    clip: (lo, hi) of all values, float64 [features...]; None: nothing was clipped
    clipped_by: the node that did it
    integer: the file computes with integers
    ranked: the Softmax that it went through: only which value is the largest is known
    index: an ArgMax ended it
    marks: of each axis, OPEN: the file does not say how long it is; TIME: nor how many steps
        that a recurrent layer went through it has; "": it is as long as it is. Axes at the end
        that are left out have none
    last: it is of the last step of a sequence only
    """
    base: Base
    coef: np.ndarray
    lead: tuple = ()
    plain: bool = True
    clip: tuple = None
    clipped_by: object = None
    integer: bool = False
    ranked: object = None
    index: bool = False
    marks: tuple = ()
    last: bool = False

    @property
    def features(self):
        return self.coef.shape[1:]

    @property
    def shape(self):
        return self.lead + self.features

    @property
    def count(self):
        return math.prod(self.features)

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def mark(self, axis):
        return self.marks[axis] if axis < len(self.marks) else ""

    def leading(self, more):
        """With @more axes of one row in front"""
        return self.but(lead=(1,) * more + self.lead, marks=("",) * more + self.marks)


def identity(width, features):
    return np.vstack([np.eye(width), np.zeros((1, width))]).reshape((width + 1,) + features)


def start(shape, lead, integer, marks=()):
    """The inputs themselves; @lead: so many axes are the batch."""
    width = math.prod(shape[lead:])
    return Flow(Base(width), identity(width, tuple(shape[lead:])), tuple(shape[:lead]),
                integer=integer, marks=tuple(marks))


def diagonal(flow):
    """(factor, constant) per value, float64 [width], of a plain flow"""
    table = flow.coef.reshape(flow.base.width + 1, -1)
    return np.diagonal(table[:-1]).copy(), table[-1].copy()


def unchanged(flow):
    """Are these the values of the base, as they are?"""
    if not flow.plain or flow.count != flow.base.width:
        return False
    factor, constant = diagonal(flow)
    return bool((factor == 1).all() and (constant == 0).all())


# -- operators -----------------------------------------------------------------

def _aligned(node, flow, constant):
    """(flow, constant) such that NumPy's broadcasting does what the operator means."""
    constant = legacy_aligned(node, flow.shape, constant)
    extra = constant.ndim - len(flow.features)
    if extra > 0:
        if any(n != 1 for n in constant.shape[:extra]):
            raise Refused(node, "its constant differs from row to row of the batch, a model "
                                "answers one row: export the network with a batch of 1")
        constant = constant.reshape(constant.shape[extra:])
        flow = flow.leading(max(extra - len(flow.lead), 0))
    shape = broadcast_size(node, flow.coef[0], constant)
    if math.prod(shape) > MAX_WIDTH:
        raise Refused(node, f"it makes {math.prod(shape)} values, at most {MAX_WIDTH} are "
                            "possible: take a smaller network")
    if shape != flow.features:
        coef = flow.coef.reshape(flow.coef.shape[:1] + (1,) * (len(shape) - len(flow.features))
                                 + flow.features)
        coef = np.broadcast_to(coef, coef.shape[:1] + shape)
        clip = flow.clip and tuple(np.broadcast_to(bound, shape) for bound in flow.clip)
        flow = flow.but(coef=coef, clip=clip, plain=flow.plain and flow.count == math.prod(shape))
    return flow, np.broadcast_to(constant, shape)


def add(node, flow, constant):
    flow, constant = _aligned(node, flow, constant)
    coef = flow.coef.copy()
    coef[-1] += constant
    return flow.but(coef=coef, clip=flow.clip and tuple(b + constant for b in flow.clip))


def multiply(node, flow, constant):
    flow, constant = _aligned(node, flow, constant)
    clip = flow.clip
    if clip:
        # 0 times an open end is 0 here
        ends = [np.where(constant == 0, 0, bound * constant) for bound in clip]
        clip = np.minimum(*ends), np.maximum(*ends)
    return flow.but(coef=flow.coef * constant, clip=clip)


def clip(node, flow, lo, hi):
    """@lo, @hi: arrays that broadcast to the values"""
    before = flow.clip or (np.full(flow.features, -math.inf), np.full(flow.features, math.inf))
    for bound in (lo, hi):
        if broadcast_size(node, flow.coef[0], bound) != flow.features:
            raise Refused(node, "its limits have more values than what it clips")
    # as ONNX has it, the upper limit last
    bounds = tuple(np.minimum(np.maximum(end, lo), hi) for end in before)
    return flow.but(clip=bounds, clipped_by=node)


def unclipped(flow):
    """Clipped inputs become the inputs' ranges; anywhere else it is refused."""
    if flow.clip is None:
        return flow
    if not flow.base.bare or not flow.plain or flow.base.scale is not None:
        raise Refused(flow.clipped_by, "values can be clipped as inputs and as outputs, the engine "
                      "cannot do it between layers: use Relu, Tanh or Sigmoid there")
    factor, constant = diagonal(flow)
    if (factor == 0).any():
        raise Refused(flow.clipped_by, "it clips what does not depend on the inputs")
    ends = [(bound.ravel() - constant) / factor for bound in flow.clip]
    base = dataclasses.replace(flow.base, clip=(np.minimum(*ends), np.maximum(*ends)))
    return flow.but(base=base, clip=None, clipped_by=None)


def finish(flow, activation):
    """A flow that starts behind a new layer."""
    flow = unclipped(flow)
    if len(flow.base.layers) + len(flow.base.cells) == MAX_LAYERS:
        raise Problem(f"the network has more than {MAX_LAYERS} layers, which is as many as are "
                      "possible")
    table = flow.coef.reshape(flow.base.width + 1, -1)
    layer = table[:-1].T.copy(), table[-1].copy(), activation
    base = dataclasses.replace(flow.base, width=flow.count, layers=flow.base.layers + (layer,))
    return flow.but(base=base, coef=identity(flow.count, flow.features), plain=True)


def _scaled(flow):
    """What is done to each input alone becomes its scale."""
    if flow.plain and flow.base.bare and flow.base.scale is None:
        factor, constant = diagonal(flow)
        if (factor != 0).all() and not unchanged(flow):
            base = dataclasses.replace(flow.base, scale=factor, shift=constant)
            return flow.but(base=base, coef=identity(flow.base.width, flow.features))
    return flow


def _before_mixing(flow, count):
    """The flow that @count values are now mixed of: inputs are scaled, or a layer finished."""
    flow = _scaled(unclipped(flow))
    width, middle = flow.base.width, flow.count
    # one layer instead of two, unless that takes more multiply-adds
    if not flow.plain and width * count > width * middle + middle * count:
        return finish(flow, "none")
    return flow


def multiply_matrix(node, flow, matrix, left=False):
    """flow @ matrix; left: matrix @ flow"""
    if matrix.ndim > 2:
        extra = matrix.ndim - 2
        if any(n != 1 for n in matrix.shape[:extra]):
            raise Refused(node, "a batch of weights is not possible: export the network with "
                                "one matrix a layer")
        matrix = matrix.reshape(matrix.shape[extra:])
        flow = flow.leading(max(extra + 2 - len(flow.shape), 0))
    # from the left, the batch would be mixed
    if left and len(flow.shape) > 1 and len(flow.features) < 2:
        flow = merged(node, flow)
    features = flow.features
    if not features or not matrix.ndim:
        raise Refused(node, "a single number is no matrix: the file is damaged")
    if left and len(features) > 1:
        inner, outer = -2, -1
        shape = features[:-2] + matrix.shape[:-1] + features[-1:]
    elif left:
        inner, outer = -1, -1
        shape = matrix.shape[:-1]
    else:
        inner, outer = -1, 0
        shape = features[:-1] + matrix.shape[1:]
    if features[inner] != matrix.shape[outer if left else 0]:
        raise Refused(node, f"{features[inner]} values meet weights for "
                            f"{matrix.shape[outer if left else 0]}: do the inputs named have the "
                            "number that the network wants?")
    count = math.prod(shape)
    if not 1 <= count <= MAX_WIDTH:
        raise Refused(node, f"a layer of {count} values, 1 to {MAX_WIDTH} are possible: take a "
                            "smaller network")
    flow = _before_mixing(flow, count)
    if not left:
        coef = flow.coef @ matrix
    elif len(features) > 1:
        coef = matrix @ flow.coef
    else:
        coef = flow.coef @ matrix.T
    return flow.but(coef=coef, plain=False)


def merged(node, flow):
    """All axes as features, where the batch has one row."""
    if math.prod(flow.lead) != 1:
        raise Refused(node, f"it mixes the {math.prod(flow.lead)} rows of the batch, a model "
                            "answers one: export the network with a batch of 1")
    coef = flow.coef.reshape(flow.coef.shape[:1] + flow.shape)
    bounds = flow.clip and tuple(bound.reshape(flow.shape) for bound in flow.clip)
    return flow.but(coef=coef, lead=(), clip=bounds)


def reshape(node, flow, shape, marks=None):
    """All values in the same order; @shape: with the batch's axes. @marks: as it has them then"""
    shape = reshaped(node, flow.shape, list(shape))
    rows, at, best = 1, 0, None
    for at in range(len(shape) + 1):
        if rows == math.prod(flow.lead):
            # rows of one value may also be a batch without features: keep the last axis
            if at < len(shape) or best is None:
                best = at
        if at < len(shape):
            rows *= shape[at]
    if best is None or math.prod(shape[best:]) != flow.count:
        raise Refused(node, "it mixes rows of the batch, a model answers one row: export the "
                            "network with a batch of 1")
    features = shape[best:]
    bounds = flow.clip and tuple(bound.reshape(features) for bound in flow.clip)
    if marks is None:
        # which one went where is not known
        marks = tuple(OPEN if n == 1 and any(flow.marks) else "" for n in shape)
    return flow.but(coef=flow.coef.reshape(flow.coef.shape[:1] + features), lead=shape[:best],
                    clip=bounds, marks=tuple(marks))


def without(node, flow, axes):
    """Takes away axes of one value."""
    left = [axis for axis in range(len(flow.shape)) if axis not in axes]
    return reshape(node, flow, [flow.shape[axis] for axis in left],
                   [flow.mark(axis) for axis in left])


def transpose(node, flow, perm):
    """Axes in another order; the batch stays in front, or has one row."""
    lead = len(flow.lead)
    marks = tuple(flow.mark(axis) for axis in perm)
    many = [axis for axis in perm[:lead] if axis < lead and flow.lead[axis] != 1]
    if sorted(perm[:lead]) == list(range(lead)) and many == sorted(many):
        # the rows stay in order
        flow = flow.but(lead=tuple(flow.lead[axis] for axis in perm[:lead]))
    else:
        flow = merged(node, flow)
        lead = 0
    order = [axis - lead for axis in perm[lead:]]
    moved = [axis for axis in order if flow.features[axis] != 1]
    bounds = flow.clip and tuple(bound.transpose(order) for bound in flow.clip)
    return flow.but(coef=flow.coef.transpose([0] + [axis + 1 for axis in order]), clip=bounds,
                    plain=flow.plain and moved == sorted(moved), marks=marks)


# -- recurrent layers ----------------------------------------------------------

def recur(node, flow, inputs):
    """
    (Y, Y_h) of an operator with state, whose inputs' values are @inputs: one step of it. What is
    linear before it goes into its weights.
    """
    if len(flow.shape) != 3:
        raise Refused(node, f"its input has {len(flow.shape)} axes, not those of sequence, batch "
                            "and values: the file is damaged")
    batchwise = bool(node.attributes.get("layout"))
    time, batch = (1, 0) if batchwise else (0, 1)
    if flow.shape[time] != 1:
        raise Refused(node, f"it goes through sequences of {flow.shape[time]} steps, "
                            f"{recurrent.STEP}")
    if flow.last:
        raise Refused(node, "it goes on from the last step of another one, the engine's layers "
                            "answer at each step: give it all of that one's answers")
    if flow.base.layers:
        raise Refused(node, "a layer with an activation is before it, the engine has recurrent "
                            "layers first: train it without that one")
    if len(flow.base.cells) == recurrent.MAX_RECURRENT:
        raise Refused(node, f"it is one of more than {recurrent.MAX_RECURRENT} recurrent layers, "
                            "which is as many as are possible: take fewer")
    rows = flow.shape[batch]
    if flow.count != flow.shape[2]:
        raise Refused(node, f"{flow.count} inputs are named, a step has {flow.shape[2]}: name "
                            "those of one step")
    marks = TIME if flow.mark(time) else "", flow.mark(batch)
    flow = _scaled(unclipped(flow))
    table = flow.coef.reshape(flow.base.width + 1, -1)
    cell = recurrent.read(node, inputs, table.shape[1])
    cell = dataclasses.replace(cell, w_x=cell.w_x @ table[:-1].T,
                               b_x=cell.b_x + cell.w_x @ table[-1])
    n = cell.units
    base = dataclasses.replace(flow.base, width=n, cells=flow.base.cells + (cell,))
    out = Flow(base, identity(n, (n,)))
    answers = out.but(lead=(rows, 1, 1), marks=(marks[1], marks[0])) if batchwise else \
        out.but(lead=(1, 1, rows), marks=(marks[0], "", marks[1]))
    last = out.but(lead=(rows, 1), marks=(marks[1],), last=True) if batchwise else \
        out.but(lead=(1, rows), marks=("", marks[1]), last=True)
    return answers, last


@dataclasses.dataclass(frozen=True)
class States:
    """The last states of several layers behind one another, one of which is yet to be taken."""
    parts: tuple
    axis: int

    def take(self, node, at):
        """The one at a place of the axis, which it keeps"""
        if not -len(self.parts) <= at < len(self.parts):
            raise Refused(node, f"there is no {at} among {len(self.parts)}: the file is damaged")
        return self.parts[at]
