# SPDX-License-Identifier: GPL-2.0
"""A steady overload, as iperf3 -u makes it: packets of one size, more than the link can carry."""
import itertools

import numpy as np

from . import modelrun

LOADS = (1.1, 1.5, 3)
GAPS = ("even", "independent")
# the queue is filled first; what is counted comes then
FILL, COUNTED = 100, 2000


def rows_of(capacity, queue, size, load, gaps, dice):
    """[FILL + COUNTED][4] of a link that idles, gets a burst, then @load of what it can carry."""
    gap = size / (capacity * load)
    then = np.full(FILL + COUNTED, gap) if gaps == "even" else \
        dice.exponential(gap, FILL + COUNTED)
    then[:int(queue / size)] = 0
    could = np.floor(np.cumsum(then) * capacity)
    work = np.diff(could, prepend=0)
    work[0] = 0
    return np.stack([work, *(np.full(len(work), value) for value in (size, capacity, queue))],
                    axis=1).astype(np.int64)


def compare(links, model, blob, seed, exact):
    """[{gaps, load, due, worst, lost}]: percent of the packets that a byte queue loses, and the
    model's, the mean over capacities and queues of the links, and the furthest of the former.

    exact: (rows) -> dropped, of the byte queue.
    """
    found = []
    size = int(links.pkt_size[1])
    for gaps, load in itertools.product(GAPS, LOADS):
        dice = np.random.default_rng(seed)
        rows = np.stack([rows_of(int(capacity), int(queue), size, load, gaps, dice)
                         for capacity, queue in itertools.product(
                             np.linspace(*links.capacity, 4).round(),
                             np.linspace(*links.queue_bytes, 4).round())])
        dropped = modelrun.decided(modelrun.run_integers(blob, model, rows))[1][:, FILL:]
        due = np.array([exact(trace) for trace in rows])[:, FILL:]
        lost, should = (100 * part.mean(axis=1) for part in (dropped, due))
        found.append({"gaps": gaps, "load": load, "due": float(should.mean()),
                      "lost": float(lost.mean()),
                      "worst": float(lost[np.abs(lost - should).argmax()])})
    return found
