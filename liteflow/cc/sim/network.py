# SPDX-License-Identifier: GPL-2.0
"""The network: its parameters in one vector, as the simulator and torch have them, and
as the JSON that lfctl packs."""
import collections
import json
import os

import numpy as np

from pylib import lfctl
import simlib as sl

App = collections.namedtuple("App", "n_in units preferences")
APPS = {"cc": App(30, "cc-1", 0), "cc_pref": App(33, "cc-pref-1", 3)}
NAMES = ("inflation", "ratio", "send")
PREFERENCES = ("throughput", "latency", "loss")
UNIT = 1 / 65536
ACTION_MAX = 4

# Training sees features of about unit size.
OFFSET, SCALE = (0, 1, 1), (10, 4, 8)
WEIGHT_MAX = 40
PREF_OFFSET, PREF_SCALE = 1 / 3, 3
# What training can do without, to see what it is good for.
MASKS = (*NAMES, "history")


def _affine(n_in):
    n = n_in - sl.HISTORY * sl.FEATURES
    return (np.array([PREF_OFFSET] * n + list(OFFSET) * sl.HISTORY, dtype=np.float64),
            np.array([PREF_SCALE] * n + list(SCALE) * sl.HISTORY, dtype=np.float64))


def normalised(rows):
    offset, scale = _affine(rows.shape[1])
    return ((rows - offset) * scale).astype(np.float32)


def mask(n_in, without):
    """float32 [n_in]: 1 for an input that counts, 0 for one of those @without (of MASKS).

    Preferences always count; "history" is all intervals but the newest.
    """
    out = np.ones(n_in, dtype=np.float32)
    rows = out[n_in - sl.HISTORY * sl.FEATURES:].reshape(sl.HISTORY, sl.FEATURES)
    for name in without:
        if name == "history":
            rows[:-1] = 0
        else:
            rows[:, NAMES.index(name)] = 0
    return out


def masked(theta, inputs):
    """Training's parameters without the weights of the inputs that do not count: a copy.

    Training sees an input as 0 where it is as usual, so this is the same network with
    these inputs always as usual.
    """
    theta = theta.copy()
    layers(theta)[0][0][inputs == 0] = 0
    return theta


def layers(params):
    """(weights [in][out], bias) of each layer; views."""
    out, at = [], 0
    width, linear = sl.shape(params)
    for n in (1,) if linear else (*sl.HIDDEN, 1):
        w = params[at:at + width * n].reshape(width, n)
        b = params[at + width * n:at + width * n + n]
        out.append((w, b))
        at, width = at + width * n + n, n
    return out


def to_raw(theta):
    """Parameters for the features as they are from those of training."""
    raw = theta.astype(np.float64)
    offset, scale = _affine(sl.shape(raw)[0])
    w, b = layers(raw)[0]
    w *= scale[:, None]
    b -= offset @ w
    return raw.astype(np.float32)


def from_raw(params):
    """The other way round."""
    theta = params.astype(np.float64)
    offset, scale = _affine(sl.shape(theta)[0])
    w, b = layers(theta)[0]
    b += offset @ w
    w /= scale[:, None]
    return theta.astype(np.float32)


def clipped(params):
    """With no weight of an input above WEIGHT_MAX; the answer to (0, 1, 1) is as before.

    All weights of a layer share one scale of 16 bits: a single large one takes the others'
    precision.
    """
    raw = params.copy()
    offset, _ = _affine(sl.shape(raw)[0])
    w, b = layers(raw)[0]
    usual = offset @ w + b
    np.clip(w, -WEIGHT_MAX, WEIGHT_MAX, out=w)
    b[:] = usual - offset @ w
    return raw


def torch_network(n_in, linear):
    import torch
    sizes = (n_in, *(() if linear else sl.HIDDEN), 1)
    net = []
    for a, b in zip(sizes, sizes[1:]):
        net += ([torch.nn.Tanh()] if net else []) + [torch.nn.Linear(a, b)]
    return torch.nn.Sequential(*net)


def from_torch(net):
    parts = []
    for layer in net[::2]:
        parts += [layer.weight.detach().numpy().T.ravel(), layer.bias.detach().numpy()]
    return np.concatenate(parts).astype(np.float32)


def model(app, params, provenance, name=None):
    """The JSON of lfctl(8).

    With offsets, as features are near (0, 1, 1): rounded weights of some twenty inputs
    of 1 would add up to an error that is always there.
    """
    inputs = [{"name": n, "unit": UNIT, "lo": sl.PREFERENCE_LO, "hi": sl.PREFERENCE_HI}
              for n in PREFERENCES[:APPS[app].preferences]]
    for age in reversed(range(sl.HISTORY)):
        inputs += [{"name": f"{n}{age}", "unit": UNIT, "lo": lo, "hi": hi, "offset": at}
                   for n, lo, hi, at in zip(NAMES, sl.FEATURE_LO, sl.FEATURE_HI, OFFSET)]

    made = layers(params.astype(np.float64))
    w, b = made[0]
    b += np.array([i.get("offset", 0) for i in inputs]) @ w
    return {
        "format": "liteflow-model", "version": 1, "name": name or app,
        "units": APPS[app].units, "provenance": provenance, "inputs": inputs,
        "outputs": [{"name": "action", "unit": UNIT, "lo": -ACTION_MAX, "hi": ACTION_MAX}],
        "layers": [{"activation": act, "weights": [lfctl.row(r) for r in w.T],
                    "bias": lfctl.row(b)}
                   for (w, b), act in zip(made, ["tanh"] * (len(made) - 1) + ["none"])],
    }


def write(path, app, params, provenance):
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(lfctl.text(model(app, params, provenance)))
    os.replace(path + ".new", path)


def _take_affine(params, net):
    """What a file does to inputs and output goes into the first and the last layer."""
    def values(side, key, preset):
        return np.array([io.get(key, preset) for io in net[side]], dtype=np.float64)

    made = layers(params)
    w, b = made[0]
    w *= values("inputs", "scale", 1)[:, None]
    b -= values("inputs", "offset", 0) @ w
    w, b = made[-1]
    scale = values("outputs", "scale", 1)
    if not np.all(scale):
        raise ValueError("an output's scale is 0")
    w /= scale
    b /= scale
    b += values("outputs", "offset", 0)


def read(path):
    """(app, parameters) of such a file."""
    try:
        with open(path, encoding="utf-8") as f:
            net = json.load(f)
        parts = []
        for la in net["layers"]:
            parts += [np.array(la["weights"], dtype=np.float64).T.ravel(), np.array(la["bias"])]
        params = np.concatenate(parts)
        _take_affine(params, net)
        params = params.astype(np.float32)
    except OSError as err:
        raise sl.SimError(f"{path}: {err.strerror}") from None
    except (ValueError, KeyError, TypeError) as err:
        raise sl.SimError(f"{path}: not a model's JSON ({err})") from None
    n_in, _ = sl.shape(params)
    for app, a in APPS.items():
        if a.n_in == n_in:
            return app, params
    raise sl.SimError(f"{path}: {n_in} inputs are neither app's")
