# SPDX-License-Identifier: GPL-2.0
"""Recurrent stacks with a dense head of three outputs: backlog, keep, drop.

Sequences are [steps][values][lanes] throughout, a lane per trace; lanes are a multiple of
native.LANES. Values are normalised. A state is a list with a tensor [units][lanes] for each
layer, or a pair of them for an LSTM.
"""
import math

import torch

from . import native

INPUTS = ("work", "size", "capacity", "queue")
OUTPUTS = ("backlog", "keep", "drop")
# of begin_near_queue(): the logits' difference at the largest packet is half of it
LOGITS = 16
# the seed's names of the cells
KINDS = {"relurnn": "rnn_relu", "tanhrnn": "rnn_tanh", "gru": "gru", "lstm": "lstm",
         "relulstm": "lstm_relu"}


class _Recur(torch.autograd.Function):
    """h[t] = f(wx x[t] + wh h[t-1] + bias), in C: recur.h."""

    @staticmethod
    def forward(ctx, x, start, wx, wh, bias, relu, limit):
        x, start, wx, wh, bias = (t.contiguous() for t in (x, start, wx, wh, bias))
        h = torch.empty(x.shape[0], wh.shape[0], x.shape[2])
        native.library().recur_forward(
            native.recur(x.shape[0], x.shape[2], relu, wx, wh, bias), x.data_ptr(),
            start.data_ptr(), h.data_ptr())
        ctx.save_for_backward(x, start, wx, wh, bias, h)
        ctx.relu, ctx.limit = relu, limit
        return h

    @staticmethod
    def backward(ctx, dh):
        x, start, wx, wh, bias, h = ctx.saved_tensors
        lib, (steps, units, lanes) = native.library(), h.shape
        dh, delta = dh.contiguous(), torch.empty_like(h)
        lib.recur_backward(native.recur(steps, lanes, ctx.relu, wx, wh, bias), h.data_ptr(),
                           dh.data_ptr(), ctx.limit, delta.data_ptr())
        dwx, dwh = torch.empty_like(wx), torch.empty_like(wh)
        lib.recur_products(steps, units, wx.shape[1], lanes, delta.data_ptr(), x.data_ptr(),
                           dwx.data_ptr())
        # the first step follows on the start, the others on the one before
        lib.recur_products(steps - 1, units, units, lanes, delta[1:].data_ptr() if steps > 1 else
                           delta.data_ptr(), h.data_ptr(), dwh.data_ptr())
        dwh += delta[0] @ start.T
        dx = dense(wx.T, None, delta) if ctx.needs_input_grad[0] else None
        return dx, None, dwx, dwh, delta.sum((0, 2)), None, None


def dense(weight, bias, x):
    """weight [outputs][inputs] times x [steps][inputs][lanes], and bias or None."""
    weight, x = weight.contiguous(), x.contiguous()
    y = torch.empty(x.shape[0], weight.shape[0], x.shape[2])
    native.library().recur_dense(x.shape[0], x.shape[1], weight.shape[0], x.shape[2],
                                 weight.data_ptr(), None if bias is None else bias.data_ptr(),
                                 x.data_ptr(), y.data_ptr())
    return y


class _Dense(torch.autograd.Function):
    """dense() with its derivatives."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        return dense(weight, bias, x)

    @staticmethod
    def backward(ctx, dy):
        x, weight = ctx.saved_tensors
        dy, dweight = dy.contiguous(), torch.empty_like(weight)
        native.library().recur_products(x.shape[0], weight.shape[0], weight.shape[1], x.shape[2],
                                        dy.data_ptr(), x.data_ptr(), dweight.data_ptr())
        return dense(weight.T, None, dy), dweight, dy.sum((0, 2))


class PlainLayer(torch.nn.Module):
    """A layer of torch.nn.RNN, with its initialisation, quicker on one core.

    limit: what a step hands to the one before in back-propagation is clamped to limit, over
    the number of predictions in a batch; 0: it is not. This is what keeps steep layers from
    exploding: a norm over the whole batch punishes all sequences for one.
    """

    def __init__(self, inputs, units, relu, limit=0.0):
        super().__init__()
        one = torch.nn.RNN(inputs, units)
        self.wx, self.wh = one.weight_ih_l0, one.weight_hh_l0
        self.bias = torch.nn.Parameter((one.bias_ih_l0 + one.bias_hh_l0).detach())
        self.relu, self.limit = relu, limit

    def forward(self, x, state=None):
        if state is None:
            state = torch.zeros(self.wh.shape[0], x.shape[2])
        h = _Recur.apply(x, state, self.wx, self.wh, self.bias, self.relu,
                         self.limit / (x.shape[0] * x.shape[2]))
        return h, h[-1].detach()


class TorchLayer(torch.nn.Module):
    """A layer of torch.nn.GRU or torch.nn.LSTM, for this order of axes."""

    def __init__(self, kind, inputs, units):
        super().__init__()
        self.cell = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](inputs, units)
        self.kind = kind

    def forward(self, x, state=None):
        x = x.transpose(1, 2)
        if state is not None:
            state = tuple(s.T[None].contiguous() for s in state) if self.kind == "lstm" else \
                state.T[None].contiguous()
        h, state = self.cell(x, state)
        if self.kind == "lstm":
            state = tuple(s[0].T.detach() for s in state)
        else:
            state = state[0].T.detach()
        return h.transpose(1, 2), state


class ReluLstmLayer(torch.nn.Module):
    """An LSTM with max(0, v) in place of both tanh; gates in PyTorch's order i, f, g, o."""

    def __init__(self, inputs, units):
        super().__init__()
        one = torch.nn.LSTM(inputs, units)
        self.wx, self.wh = one.weight_ih_l0, one.weight_hh_l0
        self.bias = torch.nn.Parameter((one.bias_ih_l0 + one.bias_hh_l0).detach())

    def forward(self, x, state=None):
        units = self.wh.shape[1]
        if state is None:
            state = (torch.zeros(units, x.shape[2]),) * 2
        h, c = state
        out = []
        for row in torch.einsum("ji,tib->tjb", self.wx, x) + self.bias[:, None]:
            i, f, g, o = (row + self.wh @ h).chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.relu(g)
            h = torch.sigmoid(o) * torch.relu(c)
            out.append(h)
        return torch.stack(out), (h.detach(), c.detach())


def layer(kind, inputs, units, limit=0.0):
    if kind in ("rnn_relu", "rnn_tanh"):
        return PlainLayer(inputs, units, kind == "rnn_relu", limit)
    return ReluLstmLayer(inputs, units) if kind == "lstm_relu" else TorchLayer(kind, inputs, units)


class Net(torch.nn.Module):
    """The stack and the head. dropout: between both, as in the seed."""

    def __init__(self, kind, layers, units, dropout=0.0, limit=0.0):
        super().__init__()
        self.kind, self.units = kind, units
        self.stack = torch.nn.ModuleList(
            layer(kind, units if at else len(INPUTS), units, limit) for at in range(layers))
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(units, len(OUTPUTS))

    def forward(self, x, states=None):
        """([steps][3][lanes], states) of normalised inputs."""
        after = []
        for at, one in enumerate(self.stack):
            x, state = one(x, states[at] if states else None)
            after.append(state)
        x = self.dropout(x)
        return _Dense.apply(x, self.head.weight, self.head.bias), after


def begin_near_queue(net, slope, noise):
    """Make a network of one ReLU layer nearly a byte queue, with noise of this deviation.

    With the backlog y, the work w, the packet s and the limit q, all in one unit:
    y' = relu(y - w) + s - min(relu(slope z), s) where z = y - w + s - q is what does not fit, so
    a packet is dropped in part if less than s / slope is too much. One unit is relu(y - w), one
    s; all others are pairs with a part of the slope each, relu(slope z) and relu(slope z - s),
    so that weights are small. The drop's logit follows the pairs, the other one half of s.
    """
    layer, pairs = net.stack[0], (net.units - 2) // 2
    # half of the slope, by its root, on a unit's way in, half on its way out
    steep = math.sqrt(slope / pairs)
    into, over, sign = slice(2, 2 + 2 * pairs), slice(3, 3 + 2 * pairs, 2), torch.zeros(net.units)
    sign[:2], sign[into], sign[over] = 1, -steep, steep
    with torch.no_grad():
        for tensor in (layer.wx, layer.wh, layer.bias, net.head.weight, net.head.bias):
            tensor.normal_(0, noise)
        layer.wx[0] += torch.tensor([-1.0, 0, 0, 0])
        layer.wx[1] += torch.tensor([0, 1.0, 0, 0])
        layer.wh[0] += sign
        layer.wx[into] += steep * torch.tensor([-1.0, 1, 0, -1])
        layer.wx[over, 1] -= 1 / (pairs * steep)
        layer.wh[into] += steep * sign
        net.head.weight[0] += sign
        net.head.weight[2, into] -= LOGITS * sign[into]
        net.head.weight[1, 1] += LOGITS / 2
