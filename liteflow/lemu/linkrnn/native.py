# SPDX-License-Identifier: GPL-2.0
"""liblemu.so: simulated links and recurrent layers in C; link.h and recur.h describe them."""
import ctypes
import functools
import pathlib

import numpy as np

from .pylib.errors import Problem
from .pylib.paths import BUILD

QUEUES = ("bytequeue", "packetqueue", "codel", "lemurnn_codel")
TRAFFIC = ("exponential", "cbr", "bursts", "tcp", "mixed", "steady", "any")
LANES = 16


class _Ranges(ctypes.Structure):
    _fields_ = [("queue", ctypes.c_int), ("traffic", ctypes.c_int)] + [
        (name, ctypes.c_double * 2)
        for name in ("rate", "capacity", "size", "limit", "rtt", "flows")]


class _Recur(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("steps", "inputs", "units", "lanes", "relu")] + [
        (name, ctypes.c_void_p) for name in ("wx", "wh", "bias")]


@functools.lru_cache(None)
def library():
    installed = pathlib.Path(__file__).with_name("liblemu.so")
    path = installed if installed.exists() else BUILD / "liteflow" / "liblemu.so"
    try:
        lib = ctypes.CDLL(str(path))
    except OSError as error:
        raise Problem(f"{path}: {error}: 'make lemu' builds it") from error
    pointer, whole = ctypes.c_void_p, ctypes.c_int
    batch = [ctypes.c_uint64, ctypes.c_uint64, whole, whole, *[pointer] * 7]
    lib.link_batch.argtypes = [pointer, pointer, *batch]
    lib.sequence_batch.argtypes = [pointer, ctypes.c_size_t, ctypes.c_int64, ctypes.c_double,
                                   pointer, ctypes.c_size_t, pointer, *batch]
    lib.link_byte_queue.argtypes = [whole, pointer, pointer, ctypes.c_double, pointer, pointer]
    lib.recur_forward.argtypes = [pointer] * 4
    lib.recur_backward.argtypes = [pointer] * 3 + [ctypes.c_float, pointer]
    lib.recur_products.argtypes = [whole] * 4 + [pointer] * 3
    lib.recur_dense.argtypes = [whole] * 4 + [pointer] * 4
    lib.sequence_run.argtypes = [pointer, ctypes.c_size_t, whole, whole, *[pointer] * 4,
                                 ctypes.c_size_t]
    for name in ("recur_forward", "recur_backward", "recur_products", "recur_dense"):
        getattr(lib, name).restype = None
    return lib


def simulate(links, seed, first, count, steps, times=False, model=None):
    """Traces number first to first + count - 1 of the links, as a dict of arrays.

    work, size, backlog (float32, bytes) and dropped (uint8) are [count][steps], capacity
    (bytes per ms) and queue (bytes) are [count]. times: at as well, ms, float64. model: (blob,
    work from which on its state starts from zeros, bytes of its backlog's unit), which takes
    the queue's place.
    """
    ranges = _Ranges(len(QUEUES) if model else QUEUES.index(links.queue_kind),
                     TRAFFIC.index(links.traffic),
                     *((ctypes.c_double * 2)(*pair) for pair in (
                         links.arrival_rate, links.capacity, links.pkt_size, links.queue_bytes,
                         links.rtt, links.flows)))
    made = {name: np.empty((count, steps), np.float32) for name in ("work", "size", "backlog")}
    made["dropped"] = np.empty((count, steps), np.uint8)
    made["capacity"], made["queue"] = (np.empty(count, np.float32) for _ in range(2))
    if times:
        made["at"] = np.empty((count, steps))
    into = [ctypes.byref(ranges), seed, first, count, steps,
            *(array.ctypes.data for array in made.values()), *([] if times else [None])]
    why = ctypes.create_string_buffer(256)
    if model:
        blob, drained, unit = model
        failed = library().sequence_batch(blob, len(blob), int(drained), unit, why, len(why),
                                          *into)
    else:
        failed = library().link_batch(into[0], None, *into[1:])
    if failed:
        raise Problem(why.value.decode(errors="replace") or
                      f"no memory for traces of {steps} packets")
    return made


def byte_queue(work, size, limit):
    """(backlog, dropped) of an exact byte queue, for a trace's work and size [steps]."""
    work, size = (np.ascontiguousarray(array, dtype=np.float64) for array in (work, size))
    backlog, dropped = np.empty(len(work)), np.empty(len(work), np.uint8)
    library().link_byte_queue(len(work), work.ctypes.data, size.ctypes.data, float(limit),
                              backlog.ctypes.data, dropped.ctypes.data)
    return backlog, dropped


def recur(steps, lanes, relu, wx, wh, bias):
    """The struct recur of contiguous float32 tensors, which must outlive it."""
    return ctypes.byref(_Recur(steps, wx.shape[1], wx.shape[0], lanes, int(relu), wx.data_ptr(),
                               wh.data_ptr(), bias.data_ptr()))


def run_model(blob, rows, anew):
    """Answers of a packed model, int32 [traces][packets][outputs], to rows, [traces][packets][4];
    the state starts from zeros where anew is. Problem: the kernel would refuse the model."""
    rows = np.ascontiguousarray(rows, dtype=np.int32)
    anew = np.ascontiguousarray(anew, dtype=np.uint8)
    answers = np.empty((*rows.shape[:2], 3), np.int32)
    why = ctypes.create_string_buffer(256)
    if library().sequence_run(blob, len(blob), *rows.shape[:2], rows.ctypes.data,
                              anew.ctypes.data, answers.ctypes.data, why, len(why)):
        raise Problem(why.value.decode(errors="replace"))
    return answers
