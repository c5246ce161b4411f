# SPDX-License-Identifier: GPL-2.0
"""Sequences to learn from: simulated links, or traces of files. Units: docs/lemu.md."""
import dataclasses
import hashlib
import pathlib

import numpy as np

from . import native, traces
from .pylib.errors import Problem

# Sets have random numbers of their own: none of their traces can be one of another.
SETS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True)
class Links:
    """What links and traffic are drawn from, uniformly; the defaults are the seed's.

    arrival_rate: packets per ms. capacity: bytes per ms. pkt_size, queue_bytes: bytes;
    (0, 0) is an infinite queue. rtt: ms and flows: number, of TCP.
    """
    queue_kind: str = "bytequeue"
    traffic: str = "exponential"
    arrival_rate: tuple = (0.2, 1)
    capacity: tuple = (500, 1000)
    pkt_size: tuple = (500, 1500)
    queue_bytes: tuple = (2500, 10000)
    rtt: tuple = (5, 60)
    flows: tuple = (1, 4)

    def check(self):
        """Raises Problem, naming the range that no link can have."""
        if self.queue_kind not in native.QUEUES:
            raise Problem(f"queue_kind is {self.queue_kind}, must be one of "
                          f"{', '.join(native.QUEUES)}")
        if self.traffic not in native.TRAFFIC:
            raise Problem(f"traffic is {self.traffic}, must be one of {', '.join(native.TRAFFIC)}")
        for name, least, most in (("arrival_rate", 1e-6, 1e4), ("capacity", 1, 1.25e6),
                                  ("pkt_size", 1, 65535), ("queue_bytes", 0, 1e9),
                                  ("rtt", 0.01, 1e4), ("flows", 1, 8)):
            try:
                low, high = getattr(self, name)
                fine = least <= low <= high <= most
            except (TypeError, ValueError):
                fine = False
            if not fine:
                raise Problem(f"{name} is {getattr(self, name)}, must be two numbers "
                              f"from {least:g} to {most:g}, the lower one first")
        low, high = self.queue_bytes
        if high and low < self.pkt_size[1]:
            raise Problem(f"queue_bytes begins with {low:g}, less than the largest packet of "
                          f"{self.pkt_size[1]:g} bytes, which such a queue always drops")


PRESETS = {
    "default": Links(),
    # 1 to 10 Mbit/s, all frames of Ethernet, TCP among the traffic: for the qdisc
    "ethernet": Links(traffic="mixed", arrival_rate=(0.05, 1), capacity=(125, 1250),
                      pkt_size=(60, 1514), queue_bytes=(3000, 30000), rtt=(5, 100),
                      flows=(1, 4)),
}


@dataclasses.dataclass
class Sequences:
    """Arrays: work, size, backlog (float32) and dropped (uint8) are [count][steps]; capacity
    and queue are [count]."""
    work: np.ndarray
    size: np.ndarray
    capacity: np.ndarray
    queue: np.ndarray
    backlog: np.ndarray
    dropped: np.ndarray

    def __len__(self):
        return len(self.work)

    @property
    def steps(self):
        return self.work.shape[1]

    def inputs(self):
        """The four columns of the network's inputs, float32 [steps][4][count], in bytes."""
        shape = self.work.shape
        columns = (self.work, self.size, np.broadcast_to(self.capacity[:, None], shape),
                   np.broadcast_to(self.queue[:, None], shape))
        return np.ascontiguousarray(np.stack(columns).transpose(2, 0, 1), dtype=np.float32)

    def at(self, rows):
        return Sequences(*(getattr(self, field.name)[rows] for field in dataclasses.fields(self)))

    def first(self, steps):
        """Their first steps packets."""
        return Sequences(self.work[:, :steps], self.size[:, :steps], self.capacity, self.queue,
                         self.backlog[:, :steps], self.dropped[:, :steps])


class Simulated:
    """Endless traces of simulated links."""

    def __init__(self, links, seed):
        links.check()
        self.links, self.seed = links, seed
        self.kind = links.queue_kind

    def ranges(self):
        """(lo, hi) of the inputs. Beyond a queue and a packet, more work changes nothing."""
        links = self.links
        queue = links.queue_bytes[1] or 20 * links.pkt_size[1]
        return {"work": (0, int(queue + links.pkt_size[1])), "size": (0, int(links.pkt_size[1])),
                "capacity": (0, int(links.capacity[1])), "queue": (0, int(links.queue_bytes[1]))}

    def draw(self, which, count, steps, fresh=0):
        """Sequences of one of SETS. fresh: 0, 1, ... gives others each time."""
        made = native.simulate(self.links, self.seed * len(SETS) + SETS.index(which),
                               fresh * count, count, steps)
        return Sequences(**made)

    def longest(self, _):
        """Packets of the longest sequence of a set."""
        return 1 << 16

    def about(self):
        return {"type": "simulated", "seed": self.seed, "sets": "random numbers of their own",
                "links": dataclasses.asdict(self.links)}


class Recorded:
    """Traces of files. Each file is in one set only.

    Sequences begin where the link is idle: with a file's first packet, or where the work since
    the previous one exceeds the backlog. Sets are recycled if they have fewer than are asked for.
    """
    kind = "dag"

    def __init__(self, paths, seed, shares=(0.7, 0.15, 0.15)):
        files = _files(paths)
        order = np.random.default_rng(seed).permutation(len(files))
        ends = np.round(np.cumsum(shares) * len(files)).astype(int)
        ends[0] = max(1, min(ends[0], len(files) - 2))
        ends[1] = max(ends[0] + 1, min(ends[1], len(files) - 1))
        self.seed = seed
        self.files = {name: [files[at] for at in order[begin:end]] for name, begin, end in
                      zip(SETS, (0, *ends[:2]), (*ends[:2], len(files)))}
        self.traces = {name: [traces.read(path).checked() for path in some]
                       for name, some in self.files.items()}

    def ranges(self):
        every = [trace for some in self.traces.values() for trace in some]
        top = {name: int(np.ceil(max(np.max(getattr(trace, name)) for trace in every)))
               for name in ("size", "capacity", "queue")}
        most = max(float(trace.backlog.max()) for trace in every)
        return {"work": (0, int(max(top["queue"], most) + top["size"])), "size": (0, top["size"]),
                "capacity": (0, top["capacity"]), "queue": (0, top["queue"])}

    def longest(self, which):
        """Packets of the longest sequence of a set."""
        return max(len(trace.work) for trace in self.traces[which])

    def draw(self, which, count, steps, fresh=0):
        found = []
        for trace in self.traces[which]:
            drained = np.concatenate(([True], trace.work[1:] > trace.backlog[:-1]))
            begin = 0
            while begin + steps <= len(trace.work):
                found.append((trace, begin))
                later = np.flatnonzero(drained[begin + steps:])
                if not len(later):
                    break
                begin += steps + int(later[0])
        if not found:
            raise Problem(f"no trace for {which} has {steps} packets: give a smaller --seq_len")
        order = np.random.default_rng((self.seed, SETS.index(which), fresh)).permutation(
            len(found))
        picked = [found[order[at % len(found)]] for at in range(count)]
        columns = {name: np.stack([getattr(trace, name)[begin:begin + steps]
                                   for trace, begin in picked])
                   for name in ("work", "size", "backlog", "dropped")}
        columns["work"][:, 0] = 0
        return Sequences(**columns, **{name: np.array([getattr(trace, name) for trace, _ in picked],
                                                      np.float32)
                                       for name in ("capacity", "queue")})

    def about(self):
        return {"type": "recorded", "seed": self.seed,
                "files": {name: [str(path) for path in some]
                          for name, some in self.files.items()}}


def _files(paths):
    """All *.csv below the paths, each content once or Problem."""
    found = []
    for path in map(pathlib.Path, paths):
        some = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
        if not some:
            raise Problem(f"{path}: no file there ends in .csv")
        found += some
    seen = {}
    for path in found:
        key = hashlib.sha256(path.read_bytes()).digest()
        if key in seen:
            raise Problem(f"{path} and {seen[key]} are the same trace: it would be in two sets; "
                          "remove one")
        seen[key] = path
    if len(found) < len(SETS):
        raise Problem(f"{len(found)} traces: training, validation and test need one each")
    return found
