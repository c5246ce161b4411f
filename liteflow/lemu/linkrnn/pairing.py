# SPDX-License-Identifier: GPL-2.0
"""One trace of two captures: which packet is which, and what the clocks differ by."""
import collections
import dataclasses

import numpy as np

from .pylib.errors import Problem

# a line needs some packets that found the queue empty
LEAST_MATCHED = 10


@dataclasses.dataclass
class Pairs:
    """Arrays with an element per packet, in order of sending: sent, received (ns; 0: dropped),
    size (bytes), dropped. Counts of what was left out; clock: (offset in ns at the first packet,
    drift in ns per ns) that was removed, or None."""
    sent: np.ndarray
    received: np.ndarray
    size: np.ndarray
    dropped: np.ndarray
    ambiguous: int
    unsent: int
    late: int
    clock: tuple = None

    def told(self):
        """What was left out and removed, in lines."""
        yield (f"{len(self.sent)} packets, {int(self.dropped.sum())} dropped; left out: "
               f"{self.ambiguous} that are not unique, {self.late} sent when the other capture "
               f"had ended, {self.unsent} received but not sent")
        if self.clock:
            yield (f"clocks: offset {self.clock[0] / 1e9:.6f} s, drift "
                   f"{self.clock[1] * 1e6:+.3f} ppm, both removed")


def match(sent, received, to_the_end=False):
    """Pairs of two lists of pcap.Packet. Packets with one key are ambiguous, all of them.

    What was sent after the last one that arrived is left out: it might have been under way when
    the capture ended. to_the_end: the queue was empty when it did, so nothing was.
    """
    count = collections.Counter(packet.key for packet in sent)
    arrived = collections.Counter(packet.key for packet in received)
    where = {packet.key: packet.at for packet in received}
    unique = sorted((packet for packet in sent
                     if count[packet.key] == 1 and arrived[packet.key] <= 1),
                    key=lambda packet: packet.at)
    ambiguous = len(sent) - len(unique)
    unsent = sum(1 for packet in received if packet.key not in count)
    matched = [at for at, packet in enumerate(unique) if packet.key in where]
    if len(matched) < LEAST_MATCHED:
        raise Problem(f"{len(matched)} packets are in both captures, at least {LEAST_MATCHED} "
                      "are needed: do they show one link, and the same packets?")
    kept = unique if to_the_end else unique[:matched[-1] + 1]
    got = np.array([where.get(packet.key, 0) for packet in kept], np.int64)
    return Pairs(np.array([packet.at for packet in kept], np.int64), got,
                 np.array([packet.size for packet in kept], np.int64), got == 0,
                 ambiguous, unsent, len(unique) - len(kept))


def below(x, y):
    """(offset, slope) of the line below all points whose distances sum to the least.

    It is the edge of the lower convex hull over the mean of x: the linear program of Moon,
    Skelly and Towsley, "Estimation and removal of clock skew from network delay measurements",
    INFOCOM 1999.
    """
    hull = []
    for point in sorted(zip(x, y)):
        while len(hull) > 1 and (hull[-1][0] - hull[-2][0]) * (point[1] - hull[-2][1]) <= \
                (hull[-1][1] - hull[-2][1]) * (point[0] - hull[-2][0]):
            hull.pop()
        if hull and hull[-1][0] == point[0]:
            continue
        hull.append(point)
    middle = float(np.mean(x))
    for (left, low), (right, high) in zip(hull, hull[1:]):
        if right >= middle:
            slope = (high - low) / (right - left)
            return low - slope * left, slope
    return hull[0][1], 0.0


def remove_clocks(pairs, capacity, delay):
    """Received times by the sender's clock. capacity: bytes per ms; delay: ms, of the link.

    A packet that finds the queue empty takes delay and its own transmission. One-way delays
    cannot tell an offset from more delay, so delay has to be known; drift is found whatever it is.
    """
    on = ~pairs.dropped
    since = (pairs.sent[on] - pairs.sent[0]).astype(float)
    least = (delay + pairs.size[on] / capacity) * 1e6
    late = (pairs.received[on] - pairs.sent[on]).astype(float) - least
    offset, drift = below(since, late)
    moved = np.rint(offset + drift * since).astype(np.int64)
    # whole ns: rounding must not make a packet arrive before it was sent
    pairs.received[on] = np.maximum(pairs.received[on] - moved, pairs.sent[on])
    pairs.clock = (offset, drift)
    return pairs
