# SPDX-License-Identifier: GPL-2.0
"""TCP over a model beside TCP over the queue that it learned: both decide when flows send."""
import dataclasses
import itertools

import numpy as np

from . import native

# Parts of the largest of a model's ranges, so that no queue is whole packets: which fit then is a
# matter of a byte. rtt in ms.
CAPACITIES, QUEUES, RTTS = (0.6, 1.0), (0.5, 0.95), (10, 40, 80)
FLOWS, PACKETS = 2, 20000


def settings(model):
    """12 (capacity in bytes per ms, queue in bytes, rtt in ms) within a model's ranges."""
    top = {io["name"]: io["hi"] for io in model["inputs"]}
    for capacity, queue, rtt in itertools.product(CAPACITIES, QUEUES, RTTS):
        yield round(top["capacity"] * capacity), round(top["queue"] * queue), rtt


def figures(made, rtt):
    """(goodput in bytes per ms, p50 and p95 of the RTT in ms) of one simulated trace."""
    kept = made["dropped"][0] == 0
    waited = made["backlog"][0][kept] / made["capacity"][0] + rtt
    return (made["size"][0][kept].sum(dtype=float) / made["at"][0][-1],
            *np.percentile(waited, (50, 95)))


def compare(links, model, blob, seed):
    """A dict for each setting: the queue's figures, the model's, and the change of each in
    percent."""
    size = next(io["hi"] for io in model["inputs"] if io["name"] == "size")
    zero = model["inputs"][0]["hi"], model["outputs"][0].get("unit", 1)
    found = []
    for number, (capacity, queue, rtt) in enumerate(settings(model)):
        one = dataclasses.replace(links, traffic="tcp", capacity=(capacity,) * 2,
                                  queue_bytes=(queue,) * 2, rtt=(rtt,) * 2, flows=(FLOWS,) * 2,
                                  pkt_size=(size, size))
        truth, said = (figures(native.simulate(one, seed, number, 1, PACKETS, True, judge), rtt)
                       for judge in (None, (blob, *zero)))
        found.append({"capacity": capacity, "queue": queue, "rtt": rtt, "true": truth,
                      "model": said, "change_percent": [100 * (b / a - 1)
                                                        for a, b in zip(truth, said)]})
    return found


def good(setting):
    """Goodput within 2 %, both RTTs within 5 %."""
    goodput, *rtts = map(abs, setting["change_percent"])
    return goodput <= 2 and max(rtts) <= 5
