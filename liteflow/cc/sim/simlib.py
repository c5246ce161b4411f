# SPDX-License-Identifier: GPL-2.0
"""The simulator (libccsim.so) for Python."""
import ctypes
import json
import os

import numpy as np

from pylib import paths
from pylib.errors import Problem

HERE = os.path.dirname(os.path.abspath(__file__))
TOP, BUILD = map(str, (paths.ROOT, paths.BUILD))
LIBRARY = os.path.join(BUILD, "liteflow", "ccsim", "libccsim.so")

MAX_FLOWS, MAX_STEPS = 128, 12           # as in sim.h
MSS, WIRE = 1448, 1514
LITEFLOW, FIXED, RENO, CUBIC = range(4)
RULES = ("pull", "aurora")          # enum tlf_rule, as the module's parameter counts them
AGENT_NONE, AGENT_NEWEST, AGENT_EACH, AGENT_OWNS = range(4)
HISTORY, FEATURES, PREFERENCES = 10, 3, 3
HIDDEN = (32, 16)
FEATURE_LO, FEATURE_HI = (-2, 0.5, 0), (2, 8, 4)
PREFERENCE_LO, PREFERENCE_HI = 0.1, 0.8
GAINS = (4, 0.06, 1, 0.2)         # of the expert, see policy.c

_double, _float = ctypes.c_double, ctypes.c_float


class SimError(Problem):
    """What the user can do something about."""


def _fields(spec):
    fields = []
    for item in spec.split():
        name, _, n = item.partition(":")
        fields.append((name, _double * int(n) if n else _double))
    return fields


class FlowDesc(ctypes.Structure):
    _fields_ = _fields("kind start stop rtt rate on off preferences:3")


class Scenario(ctypes.Structure):
    _fields_ = (_fields("seed duration buffer loss loss_burst police_rate police_bucket jitter "
                        "stall_every stall thin rule min_rtt_window preferences:3 agent report n_steps n_flows "
                        f"step_time:{MAX_STEPS} step_rate:{MAX_STEPS}")
                + [("flow", FlowDesc * MAX_FLOWS)])


class Result(ctypes.Structure):
    _fields_ = _fields("utilisation queue_mean queue_p50 queue_p95 queue_p95_rtt loss jain up "
                       "down utility delay_cost loss_cost score reward decisions events "
                       f"goodput:{MAX_FLOWS} late:{MAX_FLOWS} sent:{MAX_FLOWS} lost:{MAX_FLOWS}")


class Sample(ctypes.Structure):
    _fields_ = _fields("time flow rate action feature:3 queue mode")


class Policy(ctypes.Structure):
    _fields_ = [("n_in", ctypes.c_int), ("linear", ctypes.c_int),
                ("params", ctypes.POINTER(_float)), ("gains", ctypes.POINTER(_float))]


class Trace(ctypes.Structure):
    _fields_ = [("sample", ctypes.POINTER(Sample)), ("room", ctypes.c_int64),
                ("n", ctypes.c_int64), ("rows", ctypes.POINTER(_float)),
                ("rows_room", ctypes.c_int64), ("rows_n", ctypes.c_int64)]


RESULT = np.dtype([(name, (float, kind._length_) if hasattr(kind, "_length_") else float)
                   for name, kind in Result._fields_])
_library = None


def library():
    global _library
    if _library is None:
        if not os.path.exists(LIBRARY):
            raise SimError(f"no {LIBRARY}: 'make -C liteflow/cc/sim' builds it")
        _library = ctypes.CDLL(LIBRARY)
        _library.policy_run.restype = _float
        _library.sim_draw.argtypes = [ctypes.c_uint64, ctypes.c_int, ctypes.c_void_p,
                                      ctypes.POINTER(Scenario)]
        _library.sim_ranges_new.restype = ctypes.c_void_p
        _library.sim_ranges_free.argtypes = [ctypes.c_void_p]
        _library.sim_ranges_set.argtypes = [ctypes.c_void_p, ctypes.c_char_p, _double, _double]
        _library.sim_ranges_name.restype = ctypes.c_char_p
    return _library


def n_params(n_in, linear=False):
    if linear:
        return n_in + 1
    return n_in * HIDDEN[0] + HIDDEN[0] + HIDDEN[0] * HIDDEN[1] + HIDDEN[1] + HIDDEN[1] + 1


def usual_ranges():
    """{name: (usual lo, usual hi, least, most)} of what scenarios are drawn from; of a chance,
    lo and hi are the same."""
    out, usual, limit = {}, (_double * 2)(), (_double * 2)()
    while name := library().sim_ranges_name(len(out), usual, limit):
        out[name.decode()] = (*usual, *limit)
    return out


class Ranges:
    """What scenarios are drawn from, where that is not the usual.

    values: {name of ranges.h: [least, most], or a number: both; a chance: a probability}; what
    is missing is as usual. Raises SimError with one line for what makes no sense.
    """

    def __init__(self, values, what="ranges"):
        self.values, self.pointer = {}, None
        if not isinstance(values, dict):
            raise SimError(f"{what}: not an object of names and [least, most]")
        known = usual_ranges()
        self.pointer = library().sim_ranges_new()
        if not self.pointer:
            raise SimError("out of memory")
        for name, value in values.items():
            if name not in known:
                raise SimError(f"{what}: there is no '{name}', only {', '.join(known)}")
            *_, least, most = known[name]
            pair = list(value) if isinstance(value, (list, tuple)) else [value, value]
            if len(pair) != 2 or any(isinstance(v, bool) or not isinstance(v, (int, float))
                                     for v in pair) or \
                    library().sim_ranges_set(self.pointer, name.encode(), *pair):
                raise SimError(f"{what}: '{name}' is {value!r}, must be "
                               + ("a probability" if name.startswith("chance_") else
                                  f"[least, most] within {least:g} and {most:g}"))
            self.values[name] = value

    def __del__(self):
        if self.pointer:
            library().sim_ranges_free(self.pointer)

    def __str__(self):
        return json.dumps(self.values, sort_keys=True)


def read_ranges(path):
    """Ranges of a JSON file."""
    try:
        with open(path, encoding="utf-8") as f:
            return Ranges(json.load(f), path)
    except OSError as err:
        raise SimError(f"{path}: {err.strerror}") from None
    except ValueError as err:
        raise SimError(f"{path}: not JSON ({err})") from None


def draw(seed, preferences=False, ranges=None, rule=RULES[0]):
    """A scenario at random; all of it follows from the seed and the Ranges (the usual ones).
    rule: of RULES, what an action means there."""
    s = Scenario()
    library().sim_draw(seed, preferences, ranges and ranges.pointer, s)
    s.rule = RULES.index(rule)
    return s


def scenario(rate, rtt, bdps=1, duration=30, flows=(LITEFLOW,), loss=0, seed=1, stagger=0,
             steps=(), **noise):
    """One by hand; steps: (time, rate); noise: more of its fields, as sim.h has them."""
    s = Scenario(seed=seed, duration=duration, loss=loss, **noise)
    s.buffer = max(bdps * rate / 8 * rtt, 10 * WIRE)
    s.preferences[:] = [1 / 3] * 3
    for i, (at, r) in enumerate([(0, rate), *steps]):
        s.step_time[i], s.step_rate[i] = at, r
    s.n_steps, s.n_flows = len(steps) + 1, len(flows)
    for i, kind in enumerate(flows):
        s.flow[i] = FlowDesc(kind=kind, start=i * stagger, stop=1e9, rtt=rtt, rate=rate)
    return s


def shape(params):
    """(number of inputs, whether it is linear) of the policy with these parameters."""
    for n in (HISTORY * FEATURES, HISTORY * FEATURES + PREFERENCES):
        for linear in (False, True):
            if n_params(n, linear) == len(params):
                return n, linear
    raise SimError(f"{len(params)} parameters are not a network of this shape")


def _policy(params=None, gains=None, preferences=False):
    """(struct, what must be kept alive while it is used)"""
    p, keep = Policy(n_in=HISTORY * FEATURES + PREFERENCES * preferences), []
    for name, values in (("params", params), ("gains", gains)):
        if values is not None:
            keep.append(np.ascontiguousarray(values, dtype=np.float32))
            setattr(p, name, keep[-1].ctypes.data_as(ctypes.POINTER(_float)))
    if params is not None:
        p.n_in, p.linear = shape(params)
    return p, keep


def _check(err):
    if err:
        raise SimError("a scenario makes no sense" if err == -1 else "out of memory")


def batch(scenarios, policies=(), gains=(), threads=2):
    """Every policy in every scenario: an array [policy][scenario] of results."""
    made = [_policy(params=p) for p in policies] + [_policy(gains=g) for g in gains]
    all_s = (Scenario * len(scenarios))(*scenarios)
    all_p = (Policy * len(made))(*(p for p, _ in made))
    out = np.zeros((len(made), len(scenarios)), dtype=RESULT)
    _check(library().sim_batch(all_s, len(scenarios), all_p, len(made),
                               ctypes.c_void_p(out.ctypes.data), threads))
    return out


def run(one, params=None, gains=None, samples=0, rows=0, preferences=False):
    """(result, samples, rows of inputs and action) of one scenario."""
    p, keep = _policy(params, gains, preferences)
    assert keep is not None
    room = (Sample * max(samples, 1))()
    row = np.zeros((max(rows, 1), p.n_in + 1), dtype=np.float32)
    t = Trace(sample=room, room=samples, rows=row.ctypes.data_as(ctypes.POINTER(_float)),
              rows_room=rows)
    r = Result()
    _check(library().sim_run(ctypes.byref(one), ctypes.byref(p), ctypes.byref(r),
                             ctypes.byref(t)))
    return r, room[:t.n], row[:t.rows_n]


def forward(params, rows):
    lib, (n, linear) = library(), shape(params)
    p = np.ascontiguousarray(params, dtype=np.float32)
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    return np.array([lib.policy_run(ctypes.c_void_p(p.ctypes.data), n, linear,
                                    ctypes.c_void_p(r.ctypes.data)) for r in rows])
