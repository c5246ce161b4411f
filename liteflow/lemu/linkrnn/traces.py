# SPDX-License-Identifier: GPL-2.0
"""Traces in the seed's format: one line a packet, the link in the file's name.

packet_number, size [bytes], transmit_time [s], receive_time [s; 0: dropped], latency [s],
dropped_status [1 or 0]; separated by tabs, with a header. The name has C<Mbit/s>, L<ms of latency
without a queue> and Q<bytes>: mgtrace_C7_L0_Q69350_1763732340_17.csv.
"""
import dataclasses
import math
import os
import pathlib
import re

import numpy as np

from .pylib import kinds
from .pylib.errors import Problem

COLUMNS = ("packet_number", "size", "transmit_time", "receive_time", "latency", "dropped_status")
LINK = re.compile(r"_C(\d+(?:\.\d+)?)_L(\d+(?:\.\d+)?)_Q(\d+)")
BYTES_PER_MS = 125          # of 1 Mbit/s
MOST_BAD = 0.01
SHOWN = 5
# Seconds since 1970 are whole quarters of a microsecond in a double; the latency is exact.
ROUNDING_S = 2e-6


@dataclasses.dataclass
class Trace:
    """Arrays with an element for each good row, in order of transmit_time; the link's numbers.

    sent, received: s, float64. latency: s. work, size, backlog: bytes. bad: [(line, why)].
    """
    path: pathlib.Path
    capacity: float
    delay: float
    queue: float
    sent: np.ndarray
    size: np.ndarray
    latency: np.ndarray
    dropped: np.ndarray
    bad: list
    rows: int

    def __post_init__(self):
        whole = np.floor((self.sent - self.sent[:1]) * 1e3 * self.capacity)
        self.work = np.diff(whole, prepend=0).astype(np.float32)
        backlog = np.empty(len(self.sent))
        last = 0.0
        waited = np.maximum(self.latency * 1e3 - self.delay, 0) * self.capacity
        for at, (drop, work) in enumerate(zip(self.dropped, self.work)):
            # a dropped packet leaves the backlog as it was
            last = max(last - work, 0) if drop else waited[at]
            backlog[at] = last
        self.backlog = backlog.astype(np.float32)

    def complaints(self):
        """Lines that name the bad rows."""
        for line, why in self.bad[:SHOWN]:
            yield f"{self.path}:{line}: {why}"
        if len(self.bad) > SHOWN:
            yield f"{self.path}: {len(self.bad) - SHOWN} more bad rows"

    def checked(self):
        """Itself; Problem if more than 1 % of its rows are bad."""
        if len(self.bad) > MOST_BAD * self.rows:
            raise Problem(f"{self.path}: {len(self.bad)} of {self.rows} rows are bad, more than "
                          f"{100 * MOST_BAD:g} %; the first is line {self.bad[0][0]}: "
                          f"{self.bad[0][1]}")
        return self


def link_of(path):
    """(capacity in bytes per ms, delay in ms, queue in bytes) of a trace's name."""
    found = LINK.search(pathlib.Path(path).name)
    if not found:
        raise Problem(f"{path}: the name says no link: it must have _C<Mbit/s>_L<ms>_Q<bytes>, "
                      "as mgtrace_C7_L0_Q69350_1763732340_17.csv")
    capacity, delay, queue = (float(text) for text in found.groups())
    if not capacity:
        raise Problem(f"{path}: the name says a capacity of 0")
    return capacity * BYTES_PER_MS, delay, queue


class _Rows:
    """Judges rows one after another."""

    def __init__(self):
        self.numbers, self.before = set(), -math.inf

    def judge(self, words):
        """What is wrong with a row's words, or None; and its numbers."""
        if len(words) != len(COLUMNS):
            return f"{len(words)} columns, must be {len(COLUMNS)}, separated by tabs", None
        if words[0] == COLUMNS[0]:
            return "a second header", None
        try:
            row = [float(word) for word in words]
        except ValueError:
            return f"no number: {next(w for w in words if not _number(w))[:20]!r}", None
        number, size, sent, received, latency, dropped = row
        if not all(map(math.isfinite, row)):
            return "a value that is not finite", None
        if number in self.numbers:
            return f"packet {words[0]} is there twice", None
        if not 1 <= size <= 65535:
            return f"a packet of {words[1]} bytes, must be 1 to 65535", None
        if dropped not in (0, 1):
            return f"dropped_status is {words[5]}, must be 0 or 1", None
        if sent < self.before:
            return "transmit_time goes backwards", None
        if not dropped and (received < sent - ROUNDING_S or latency < 0):
            return "received before it was sent", None
        if not dropped and abs(received - sent - latency) > ROUNDING_S:
            return "latency is not receive_time - transmit_time", None
        self.numbers.add(number)
        self.before = sent
        return None, row


def _number(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def read(path):
    """The Trace of a file; Problem if it has no header, no rows or no link in its name."""
    path = pathlib.Path(path)
    kinds.check_file(path, "a trace of packets", kinds.TRACE)
    capacity, delay, queue = link_of(path)
    rows, bad, count, judge = [], [], 0, _Rows()
    with open(path, encoding="utf-8", errors="replace") as file:
        header = file.readline().rstrip("\r\n").split("\t")
        if tuple(header) != COLUMNS:
            raise Problem(f"{path}:1: the header must be {' '.join(COLUMNS)}, separated by tabs")
        for line, text in enumerate(file, 2):
            if not text.strip():
                continue
            count += 1
            why, row = judge.judge(text.rstrip("\r\n").split("\t"))
            if why:
                bad.append((line, why))
            else:
                rows.append(row)
    if not rows:
        raise Problem(f"{path}: no row that could be used" +
                      (f"; the first is line {bad[0][0]}: {bad[0][1]}" if bad else ""))
    table = np.array(rows)
    return Trace(path, capacity, delay, queue, table[:, 2], table[:, 1].astype(np.float32),
                 np.where(table[:, 5] > 0, 0, table[:, 4]),
                 table[:, 5].astype(np.uint8), bad, count)


def name(stem, capacity, delay, queue, number):
    """A file's name that says the link: capacity in bytes per ms, delay in ms, queue in bytes."""
    return f"{stem}_C{capacity / BYTES_PER_MS:g}_L{delay:g}_Q{queue:.0f}_{number}.csv"


def _seconds(ns):
    return "%d.%09d" % divmod(int(ns), 1_000_000_000)


def write(path, sent, size, received, dropped):
    """A trace of times in whole ns and sizes in bytes; others see the old file or the new one."""
    path = pathlib.Path(path)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with open(new, "w", encoding="utf-8") as file:
            print(*COLUMNS, sep="\t", file=file)
            for at, (begin, length, end, drop) in enumerate(zip(sent, size, received, dropped), 1):
                end = begin if drop else end
                print(at, int(length), _seconds(begin), 0 if drop else _seconds(end),
                      _seconds(end - begin), int(drop), sep="\t", file=file)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
