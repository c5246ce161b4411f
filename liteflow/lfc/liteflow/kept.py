# SPDX-License-Identifier: GPL-2.0
"""Histories of collected records on disk, as NumPy arrays."""
import collections
import datetime
import os

import numpy as np

from . import segments
from .pylib.errors import Problem

GAP = np.dtype([("why", "U9"), ("at", "i8"), ("time", "i8"), ("missing", "u8"), ("begin", "i8"),
                ("end", "i8"), ("bytes", "u8")])
QUERY, REWARD = 0, 1            # kinds of records


class History:
    """What history() found.

    app: name of the app
    inputs, outputs: names of the values of a query; in0, in1, ... where the app has none
    records: structured array [records], oldest first, with the fields
        entry    uint64, number of the entry that it came in; rises over the whole history
        time     int64, when it was recorded, in ns since 1970 (by the clocks of its batch)
        flow     uint64, the flow's number; 0: of no flow
        time_ns  uint64, CLOCK_MONOTONIC of the kernel, in ns; begins anew at each boot
        seq      uint32, number of the query in its flow
        version  uint32, of the model that answered
        kind     uint16, 0: a query, 1: a reward
        cpu      uint16, where it was recorded
        reward   int32, how well the query of the same flow and seq did; 0 in a query
        inputs   int32 [inputs], in the app's units; zeroes in a reward
        outputs  int32 [outputs], in the app's units; zeroes in a reward
    gaps: structured array [gaps] with the fields
        why      "lost": the kernel had no room; "down": nobody collected; "unwritten": the
                 disk was full or broken; "damaged": bytes on disk changed, or are gone
        at       int64, index in records of the first one behind the gap
        time     int64, when it was noted, in ns since 1970
        missing  uint64, records that are missing, as far as is known
        begin    int64, of "down": the last sign of life before, in ns since 1970
        end      int64, of "down": when it was over
        bytes    uint64, of "damaged": that cannot be read
    aside: files that are no part of it: [(name, why)]
    torn: bytes at the end that are not written yet, or were not to their end
    """

    def __init__(self, newest):
        self.app = newest.app
        self.inputs, self.outputs = newest.names[:newest.n_in], newest.names[newest.n_in:]
        self.records = self.gaps = None
        self.aside, self.torn = [], 0

    def __repr__(self):
        return f"<History of app {self.app}: {len(self.records)} records, {len(self.gaps)} gaps>"

    @property
    def queries(self):
        """The records that are queries, as an array [queries] of the same fields"""
        return self.records[self.records["kind"] == QUERY]

    @property
    def rewards(self):
        """The records that are rewards, as an array [rewards] of the same fields"""
        return self.records[self.records["kind"] == REWARD]


def _result_type(n_in, n_out):
    return np.dtype([("entry", "u8"), ("time", "i8"), ("flow", "u8"), ("time_ns", "u8"),
                     ("seq", "u4"), ("version", "u4"), ("kind", "u2"), ("cpu", "u2"),
                     ("reward", "i4"), ("inputs", "i4", (n_in,)), ("outputs", "i4", (n_out,))])


def _stored_type(segment):
    """struct liteflow_record (linux/liteflow_record.h), in the segment's byte order"""
    fields = [("flow", "u8"), ("time_ns", "u8"), ("seq", "u4"), ("version", "u4"), ("kind", "u2"),
              ("cpu", "u2"), ("reward", "i4")]
    formats = [segment.order + form for _, form in fields]
    formats += [(segment.order + "i4", (n,)) for n in (segment.n_in, segment.n_out)]
    return np.dtype({"names": [name for name, _ in fields] + ["inputs", "outputs"],
                     "formats": formats,
                     "offsets": [0, 8, 16, 20, 24, 26, 28, 32, 32 + 4 * segment.n_in],
                     "itemsize": segment.size})


def _records(segment, entry):
    stored = np.frombuffer(segment.data, _stored_type(segment), entry.count, entry.data)
    rows = np.zeros(entry.count, _result_type(segment.n_in, segment.n_out))
    for name in stored.dtype.names:
        rows[name] = stored[name]
    rows["entry"] = entry.sequence
    rows["time"] = entry.realtime - entry.monotonic + stored["time_ns"].astype(np.int64)
    return rows


class _Collector:
    """Rows and gaps in order; of the rows no more than the last @last."""

    def __init__(self, since, last):
        self.since, self.last = since, last
        self.rows, self.count, self.dropped = collections.deque(), 0, 0
        self.gaps = []

    def add(self, rows):
        if self.since is not None:
            rows = rows[rows["time"] >= self.since]
        self.rows.append(rows)
        self.count += len(rows)
        while self.last is not None and self.count - len(self.rows[0]) >= self.last > 0:
            first = self.rows.popleft()
            self.count -= len(first)
            self.dropped += len(first)

    def gap(self, why, time, missing=0, begin=0, end=0, lost=0):
        if self.since is None or time >= self.since:
            self.gaps.append((why, self.dropped + self.count, time, missing, begin, end, lost))

    def result(self, empty):
        rows = np.concatenate([empty, *self.rows])
        if self.last is not None and len(rows) > self.last:
            self.dropped += len(rows) - self.last
            rows = rows[len(rows) - self.last:]
        gaps = np.array(self.gaps, dtype=GAP)
        gaps["at"] -= self.dropped
        return rows, gaps[gaps["at"] >= 0]


def _read_segment(found, segment, following):
    """Returns the number that the next entry should have; None: any."""
    for entry, damaged in segment.entries():
        if entry is None:
            found.gap("damaged", segment.realtime, lost=damaged)
            following = None
            continue
        if following is not None and entry.sequence != following:
            found.gap("damaged", entry.realtime)
        following = entry.sequence + 1
        if entry.kind == segments.BATCH and entry.count:
            found.add(_records(segment, entry))
        elif entry.kind == segments.GAP and entry.why == 2:
            found.gap("down", entry.realtime, begin=entry.begin, end=entry.realtime)
        elif entry.kind == segments.GAP:
            found.gap(segments.WHY.get(entry.why, "?"), entry.realtime, entry.lost)
    return following


def _load(path, name, number):
    """A segment, or None if it was deleted meanwhile, as the oldest one"""
    try:
        with open(os.path.join(path, name), "rb") as file:
            return segments.Segment(file.read(), number)
    except FileNotFoundError:
        return None


def _files(path):
    """Segments of a folder, oldest first: [(number, name)]; and what was set aside"""
    try:
        names = os.listdir(path)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    found = [(int(match[1]), name) for name in names
             if (match := segments.FILE.fullmatch(name)) and int(match[1]) > 0]
    return sorted(found), sorted((name, "set aside") for name in names if ".lfh.set-aside" in name)


def _newest(path, files, aside):
    """The newest segment that can be used: it says which history it is."""
    for number, name in reversed(files):
        try:
            segment = _load(path, name, number)
        except segments.Unusable as why:
            aside.append((name, str(why)))
            continue
        except OSError as error:
            raise Problem(f"{path}/{name}: {error.strerror}") from error
        if segment:
            return segment, number
    raise Problem(f"{path}: no segment can be read: {': '.join(aside[-1])}" if aside and files
                  else f"{path}: there is no history in it")


def _since_ns(since):
    if isinstance(since, datetime.datetime):
        since = since.timestamp()
    return None if since is None else int(since * 1e9)


def history(path, since=None, last=None):
    """Reads a history of collected records, as lfd(8) keeps it.

    @path: its folder, which may be written meanwhile
    @since: leave out what was recorded before that: a datetime, or seconds since 1970
    @last: no more than so many records, the last ones

    Returns a History. Of what a writer had begun when it was killed, nothing is seen. Raises
    Problem if there is no history. Memory: about that of the records that are returned,
    twice.
    """
    path = os.fspath(path)
    if last is not None and last < 0:
        raise Problem(f"last is {last}, must not be below 0")
    files, aside = _files(path)
    newest, upto = _newest(path, files, aside)
    made = History(newest)
    found, following = _Collector(_since_ns(since), last), None
    for number, name in files:
        if number > upto:
            break
        try:
            segment = newest if number == upto else _load(path, name, number)
        except segments.Unusable as why:
            aside.append((name, str(why)))
            continue
        if segment is None:
            following = None
            continue
        if segment.shape() != newest.shape():
            aside.append((name, f"of app {segment.app}, {segment.n_in} inputs and "
                                f"{segment.n_out} outputs"))
            continue
        following = _read_segment(found, segment, following)
        made.torn = segment.torn
    made.records, made.gaps = found.result(np.zeros(0, _result_type(newest.n_in, newest.n_out)))
    made.aside = aside
    return made
