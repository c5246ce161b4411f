#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Layers in C beside PyTorch's; one network in three forms; losses beside plain sums."""
import dataclasses
import importlib.util
import unittest

import numpy as np

HAVE_TORCH = importlib.util.find_spec("torch") is not None
if HAVE_TORCH:
    import torch

    from linkrnn import cells, data, export, loop, losses, measures, modelrun, native

    torch.set_num_threads(1)
needs_torch = unittest.skipUnless(HAVE_TORCH, "python3-torch is not installed")


def close(test, a, b, tolerance=2e-5):
    scale = max(float(b.abs().max()), 1e-3)
    test.assertLess(float((a - b).abs().max()) / scale, tolerance)


@needs_torch
class Layers(unittest.TestCase):
    def both(self, relu, units, limit=0.0, steps=20, lanes=32):
        """(our layer, PyTorch's with its weights, input)"""
        torch.manual_seed(units)
        ours = cells.PlainLayer(3, units, relu, limit)
        theirs = torch.nn.RNN(3, units, nonlinearity="relu" if relu else "tanh")
        with torch.no_grad():
            theirs.weight_ih_l0.copy_(ours.wx)
            theirs.weight_hh_l0.copy_(ours.wh)
            theirs.bias_ih_l0.copy_(ours.bias)
            theirs.bias_hh_l0.zero_()
        return ours, theirs, torch.randn(steps, 3, lanes, requires_grad=True)

    def test_as_pytorch(self):
        for relu in (False, True):
            for units, steps in ((1, 20), (7, 1), (8, 30), (16, 20)):
                with self.subTest(relu=relu, units=units):
                    ours, theirs, x = self.both(relu, units, steps=steps)
                    start = torch.rand(units, 32)
                    h, _ = ours(x, start)
                    also, _ = theirs(x.detach().transpose(1, 2).requires_grad_(True),
                                     start.T[None].contiguous())
                    close(self, h, also.transpose(1, 2))
                    weight = torch.randn_like(h)
                    (h * weight).sum().backward()
                    (also * weight.transpose(1, 2)).sum().backward()
                    for name in ("wx", "wh", "bias"):
                        theirs_is = {"wx": "weight_ih_l0", "wh": "weight_hh_l0",
                                     "bias": "bias_ih_l0"}[name]
                        close(self, getattr(ours, name).grad, getattr(theirs, theirs_is).grad)

    def test_input_gradient(self):
        ours, theirs, x = self.both(True, 8)
        ours(x)[0].square().sum().backward()
        also = x.detach().transpose(1, 2).requires_grad_(True)
        theirs(also)[0].square().sum().backward()
        close(self, x.grad, also.grad.transpose(1, 2))

    def test_limit(self):
        """A layer that doubles its state in each step: derivatives stay small with a limit."""
        for limit, least, most in ((0, 1e9, 1e12), (1, 0, 100)):
            layer = cells.PlainLayer(1, 1, True, limit)
            with torch.no_grad():
                for tensor, value in ((layer.wx, 1), (layer.wh, 2), (layer.bias, 0)):
                    tensor.fill_(value)
            x = torch.ones(32, 1, 16, requires_grad=True)
            layer(x)[0][-1].mean().backward()
            top = float(x.grad.abs().max()) * 16
            self.assertTrue(least <= top <= most, top)

    def test_state_goes_on(self):
        """Two halves with the state carried over are the whole."""
        for kind in cells.KINDS.values():
            with self.subTest(kind):
                torch.manual_seed(1)
                net = cells.Net(kind, 2, 5).eval()
                x = torch.rand(10, 4, 16)
                whole = net(x)[0]
                first, state = net(x[:4])
                second, _ = net(x[4:], state)
                close(self, torch.cat((first, second)), whole)

    def test_relu_lstm_gates(self):
        """With its state never above what tanh leaves as it is, it is PyTorch's LSTM."""
        torch.manual_seed(2)
        ours = cells.ReluLstmLayer(4, 3)
        theirs = torch.nn.LSTM(4, 3)
        with torch.no_grad():
            # the candidate small and positive: relu(v) = v, tanh(v) nearly so
            for tensor in (ours.wx, ours.wh):
                tensor[6:9] *= 1e-3
            ours.bias[6:9] = 1e-2
            theirs.weight_ih_l0.copy_(ours.wx)
            theirs.weight_hh_l0.copy_(ours.wh)
            theirs.bias_ih_l0.copy_(ours.bias)
            theirs.bias_hh_l0.zero_()
            x = torch.rand(12, 4, 16)
            close(self, ours(x)[0], theirs(x.transpose(1, 2))[0].transpose(1, 2), 1e-3)


@needs_torch
class Forms(unittest.TestCase):
    def test_one_network(self):
        """Training's network, TorchScript's and the JSON give one answer."""
        source = data.Simulated(data.PRESETS["default"], 5)
        some = source.draw("test", 16, 60)
        rows = modelrun.rows_of(some)
        for normalize in (True, False):
            scaling = export.Scaling(source.ranges(), normalize)
            for kind in ("rnn_relu", "rnn_tanh", "gru", "lstm"):
                for layers in (1, 3):
                    with self.subTest(kind=kind, layers=layers, normalize=normalize):
                        torch.manual_seed(3)
                        net = cells.Net(kind, layers, 6).eval()
                        if not normalize:
                            # thousands of bytes would leave nothing but saturation
                            with torch.no_grad():
                                for tensor in net.parameters():
                                    tensor *= 0.05
                        inputs = scaling.tensors(some)[0]
                        with torch.no_grad():
                            ours = net(inputs)[0].permute(2, 0, 1) * torch.tensor(
                                [scaling.bytes, 1.0, 1.0])
                            whole = export.Whole(net, scaling)(torch.from_numpy(rows).float())
                        close(self, whole, ours)
                        made = export.model(net, scaling, "x", "", [9.0] * layers)
                        again = torch.from_numpy(modelrun.run_float(made, rows, keep=True))
                        close(self, again.float(), torch.clamp(ours, -21500, 21500), 1e-4)

    def test_begin_with(self):
        """A model's weights in a network with other scales: the same answers."""
        source = data.Simulated(data.PRESETS["default"], 5)
        wide = data.Simulated(data.PRESETS["ethernet"], 5)
        rows = torch.from_numpy(modelrun.rows_of(source.draw("test", 16, 40))).float()
        theirs, ours = export.Scaling(source.ranges()), export.Scaling(wide.ranges())
        ours.ranges = theirs.ranges     # or they clamp differently
        for kind in ("rnn_relu", "rnn_tanh", "gru", "lstm"):
            nets = [cells.Net(kind, 2, 5).eval() for _ in range(2)]
            made = export.model(nets[0], theirs, "x", "", [9.0, 9.0])
            export.begin_with(nets[1], ours, made)
            close(self, export.Whole(nets[1], ours)(rows), export.Whole(nets[0], theirs)(rows),
                  1e-4)
        for other in (cells.Net("gru", 2, 5), cells.Net("lstm", 1, 5), cells.Net("lstm", 2, 6)):
            with self.assertRaisesRegex(export.Problem, "--init: the model's"):
                export.begin_with(other, ours, made)

    def test_maxima(self):
        """States stay within what the model says."""
        source = data.Simulated(data.PRESETS["default"], 5)
        scaling = export.Scaling(source.ranges())
        inputs = scaling.tensors(source.draw("val", 16, 100))[0]
        for kind in ("rnn_relu", "lstm", "gru"):
            net = cells.Net(kind, 2, 4)
            state = None
            top = export.state_maxima(net, inputs)
            for at in range(len(inputs)):
                _, state = net(inputs[at:at + 1], state)
                for most, values in zip(top, state):
                    last = values[-1] if isinstance(values, tuple) else values
                    self.assertLessEqual(float(last.abs().max()), most)


@needs_torch
class Oracle(unittest.TestCase):
    """A byte queue with limit and drops is a ReLU layer of four units."""

    def test_exact(self):
        slope = 2048.0
        total = [1.0, 1.0, -1.0, 1.0]
        steep = [slope * value for value in total]
        model = {
            "inputs": [{"name": name, "lo": 0, "hi": high} for name, high in (
                ("work", 11500), ("size", 1500), ("capacity", 1500), ("queue", 10000))],
            "outputs": [{"name": "backlog", "lo": -1e6, "hi": 1e6},
                        {"name": "keep", "lo": -1e9, "hi": 1e9},
                        {"name": "drop", "lo": -1e9, "hi": 1e9}],
            "layers": [{"type": "rnn", "activation": "relu",
                        "w_x": [[-1, 0, 0, 0], [0, 1, 0, 0], [-slope, slope, 0, -slope],
                                [-slope, slope - 1, 0, -slope]],
                        "w_h": [total, [0] * 4, steep, steep], "b_x": [0] * 4, "b_h": [0] * 4},
                       {"type": "dense", "activation": "none", "bias": [0, 0, 0],
                        "weights": [total, [0, 0, 0, 1], [0, 0, 1, 0]]}]}
        links = dataclasses.replace(data.PRESETS["default"], traffic="mixed")
        some = data.Simulated(links, 4).draw("test", 64, 500)
        backlog, dropped = modelrun.decided(modelrun.run_float(model, modelrun.rows_of(some),
                                                               keep=True))
        np.testing.assert_array_equal(dropped, some.dropped)
        np.testing.assert_array_equal(backlog, some.backlog)
        self.assertGreater(dropped.sum(), 1000)

    def test_begin(self):
        """Without noise, --start is a queue that drops in part, the less the steeper it is."""
        source = data.Simulated(data.PRESETS["ethernet"], 4)
        inputs, backlog, dropped = export.Scaling(source.ranges()).tensors(
            source.draw("val", 64, 128))
        found = []
        for units, slope in ((16, 16), (16, 64), (4, 64), (7, 64)):
            net = cells.Net("rnn_relu", 1, units)
            cells.begin_near_queue(net, slope, 0)
            with torch.no_grad():
                found.append(losses.metrics(net(inputs)[0], backlog, dropped))
        for wrong in found[1:]:
            self.assertLess(wrong["l1"], found[0]["l1"] / 2)
            self.assertGreater(wrong["right"], 0.99)
        self.assertLess(found[0]["l1"], 0.06)


@needs_torch
class Figures(unittest.TestCase):
    def test_within(self):
        true, said = np.zeros((1, 20), int), np.zeros((1, 20), int)
        true[0, [3, 10, 15]] = 1
        said[0, [3, 12, 19]] = 1
        size = np.full((1, 20), 1000)
        got = measures.compare(np.full((1, 20), 500.0), said, np.zeros((1, 20)), true, size)
        self.assertEqual([round(got[f"found_{n}"] * 3) for n in (0, 1, 2, 4, 8)], [1, 1, 2, 3, 3])
        self.assertEqual([round(got[f"true_{n}"] * 3) for n in (0, 1, 2, 4, 8)], [1, 1, 2, 3, 3])
        self.assertEqual(got["backlog_p50"], 0.5)
        self.assertEqual(got["rate_off"], 0)
        self.assertAlmostEqual(got["right"], 16 / 20)
        self.assertAlmostEqual(got["never_drops_right"], 17 / 20)

    def test_earthmover(self):
        """One drop, moved by four packets, both ways: eight places of twenty."""
        true, said = torch.zeros(20, 1), torch.zeros(20, 1)
        true[3], said[7] = 1, 1
        self.assertAlmostEqual(float(losses.earthmover(said, true)), 8 / 20, places=5)
        self.assertAlmostEqual(measures.earthmover(said.numpy().T, true.numpy().T), 8 / 20)

    def test_losses(self):
        torch.manual_seed(1)
        out, backlog = torch.randn(9, 3, 16), torch.rand(9, 16)
        dropped = (torch.rand(9, 16) < 0.3).float()
        two = torch.nn.functional.cross_entropy(out[:, 1:], dropped.long())
        self.assertAlmostEqual(float(losses.cross_entropy(out, dropped)), float(two), places=5)
        masked = losses.l1(out * 1, backlog, torch.ones(9, 16), masking=True)
        self.assertEqual(float(masked), 0)
        same = dropped.clone()
        for radius in losses.RADII:
            self.assertEqual(float(losses.adropsim(same, dropped, radius)), 0)
        self.assertEqual(float(losses.energy(same, dropped)), 0)
        for kind in ("bx", "bxe1", "energy"):
            plan = loop.Plan(loss=kind, spacing=1, strayed=0.5)
            self.assertTrue(torch.isfinite(losses.training_loss(out, backlog, dropped, plan)))

    def test_spacing(self):
        """A link that is a little too fast, and one wrong decision, which does not count."""
        backlog, out = torch.zeros(40, 1), torch.zeros(40, 3, 1)
        out[:, 0, 0] = -0.001 * torch.arange(40)
        self.assertAlmostEqual(float(losses.spacing(out, backlog)), (1 + 8 + 32) / 3 * 0.001, 5)
        out = torch.zeros(40, 3, 1)
        out[20:, 0] = 1
        self.assertEqual(float(losses.spacing(out, backlog)), 0)
        self.assertEqual(losses.strays(out, backlog)[:, 0].nonzero()[:, 0].tolist(),
                         list(range(21, 40)))

    def test_strayed(self):
        """What comes behind a wrong backlog counts as much as was asked for."""
        backlog, dropped, out = torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4, 3, 1)
        out[1:, 0] = 1
        chance = float(np.log(2))
        for weight, expected in ((1, 3 / 4 + chance), (0, 1 / 4 + chance / 2),
                                 (0.5, 2 / 4 + chance * 3 / 4)):
            loss = losses.training_loss(out, backlog, dropped, loop.Plan(strayed=weight))
            self.assertAlmostEqual(float(loss), expected, places=5)


@needs_torch
class Lanes(unittest.TestCase):
    def test_filled_up(self):
        """Any number of traces: lanes behind the last are copies of it."""
        source = data.Simulated(data.PRESETS["default"], 5)
        inputs, backlog, dropped = export.Scaling(source.ranges()).tensors(
            source.draw("test", 3, 5))
        self.assertEqual((inputs.shape, backlog.shape, dropped.shape),
                         ((5, 4, native.LANES), (5, native.LANES), (5, native.LANES)))
        self.assertTrue((inputs[:, :, 2:] == inputs[:, :, 2:3]).all())


if __name__ == "__main__":
    unittest.main()
