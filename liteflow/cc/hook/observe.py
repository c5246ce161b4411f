# SPDX-License-Identifier: GPL-2.0
"""What connections tell of their paths: loss, round trips, rates, lateness of ACKs.

Loss is what TCP sent again, of what it sent, between two looks at the same connection
(`lfctl --json flows`). The model's inputs do not tell it any more: since the law knows what a
path loses anyway, `send` leaves that out (test_hook.py has the figures).

Lateness is what the mean RTT of an interval has above its least one, in parts of the minimum:
the mean RTT is of the flows, the least one of the input `ratio` of collected queries, which is
1 where there is no queue.

Swings of the rate are seen where several looks were taken: `lfctl --json flows --watch`.
"""
import dataclasses
import json
import statistics

import numpy as np

from pylib.errors import Problem

NEEDED = ("flow", "segments-sent", "segments-resent", "min-rtt-us", "rtt-us", "delivered-rate",
          "flags")
FEWEST = 500            # segments that a share of loss is of; its deviation is then a point at 5 %
WIRE = 1514 / 1448      # of a segment: on the link, by payload
LATE_MAX = 3
LOOKS = 20              # of a connection: fewer tell nothing of swings
CROSSINGS = 5           # of the middle; what fell or rose once has fewer, also if it wavers there
LOOKS_S = 1.0           # between two, unless it is said


@dataclasses.dataclass(frozen=True)
class Seen:
    """Of all connections together.

    loss: share of segments sent again, or None where there were too few; segments: of so many.
    rtt: (least, longest) minimum RTT, seconds. rate: (least of one, sum of all) bit/s on the
    link. late: mean lateness, parts of the minimum RTT. competing: share of the looks.
    flows: how many. swing: largest over smallest rate of a connection, but for a tenth at either
    end, 1: none was seen; swing_s: seconds from one to the other. fell_from: sum of the rates
    before it fell to less than half, else 0: the network may want so little, and not the path.
    """
    loss: float
    segments: int
    rtt: tuple
    rate: tuple
    late: float
    competing: float
    flows: int
    swing: float = 1.0
    swing_s: float = 0.0
    fell_from: float = 0.0

    def deviation(self):
        """Standard deviation of the loss, as of independent ones."""
        return (self.loss * (1 - self.loss) / self.segments) ** 0.5 if self.segments else 0.0


def check_flows(flows, where="flows"):
    """The connections that can be used, of what `lfctl --json flows` printed: a list, or several
    looks one after the other."""
    if not isinstance(flows, list) or not all(isinstance(f, dict) for f in flows):
        raise Problem(f"{where}: not a list of connections, as 'lfctl --json flows' prints it")
    for f in flows:
        lacks = [key for key in NEEDED if key not in f]
        if lacks:
            raise Problem(f"{where}: a connection lacks {', '.join(lacks)}: of an older lfctl?")
    return [f for f in flows if f["min-rtt-us"] > 0 and f["delivered-rate"] > 0]


def read_flows(path):
    """As check_flows(), of a file."""
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        # with --watch it is an object a line
        return check_flows(json.loads(text) if text.lstrip()[:1] == "[" else
                           [json.loads(line) for line in text.splitlines() if line], path)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Problem(f"{path}: not JSON ({error})") from None


def last_looks(flows):
    """Each connection once, as it was seen last."""
    return list({f["flow"]: f for f in flows}.values())


def swings(flows, seconds):
    """(swing, seconds between two) of the connection whose rate swings most, see Seen."""
    most = 1.0, 0.0
    for number in {f["flow"] for f in flows}:
        rates = np.array([f["delivered-rate"] for f in flows if f["flow"] == number], dtype=float)
        if len(rates) < LOOKS:
            continue
        low, high = np.quantile(rates, (0.1, 0.9))
        # to and fro: how often does it cross the middle?
        crossings = int(np.count_nonzero(np.diff(rates > (low * high) ** 0.5)))
        if high / low > most[0] and crossings >= CROSSINGS:
            most = float(high / low), seconds * len(rates) / crossings
    return most


def since(flows, before):
    """(segments sent, sent again) since the look before, {flow: (sent, again)}.

    Who is new counts from its begin, and so does a number that went backwards: another kernel.
    """
    sent = again = 0
    for f in flows:
        was = before.get(str(f["flow"]), (0, 0))
        now = f["segments-sent"], f["segments-resent"]
        if now[0] < was[0] or now[1] < was[1]:
            was = 0, 0
        sent += now[0] - was[0]
        again += now[1] - was[1]
    return sent, again


def counters(flows):
    """What since() wants to know the next time."""
    return {str(f["flow"]): (f["segments-sent"], f["segments-resent"]) for f in flows}


def lateness(flows, ratios):
    """Parts of the minimum RTT. ratios: the newest `ratio` of collected queries."""
    above = statistics.fmean(f["rtt-us"] / f["min-rtt-us"] for f in flows)
    queue = statistics.median(ratios) if len(ratios) else 1
    return min(max(above - max(queue, 1), 0), LATE_MAX)


def see(looks, before, ratios=(), seconds=LOOKS_S):
    """Seen of these connections, or None: there is none. looks: of check_flows(); seconds: between
    two looks."""
    if not looks:
        return None
    flows = last_looks(looks)
    swing, swing_s = swings(looks, seconds)
    sent, again = since(flows, before)
    # the highest of each: what the path gave once
    most = {}
    for f in looks:
        most[f["flow"]] = max(most.get(f["flow"], 0), f["delivered-rate"])
    rates = [8 * WIRE * rate for rate in most.values()]
    rtts = [f["min-rtt-us"] / 1e6 for f in flows]
    return Seen(loss=min(again / sent, 0.9) if sent >= FEWEST else None, segments=sent,
                rtt=(min(rtts), max(rtts)), rate=(min(rates), sum(rates)),
                late=lateness(looks, ratios),
                competing=statistics.fmean("competing" in f["flags"] for f in looks),
                flows=len(flows), swing=swing, swing_s=swing_s)


# -- ranges ----------------------------------------------------------------------

LITTLE_LOSS = 0.003
LATE = 0.1
COMPETING = 0.25
SWING = 2
SWING_MAX = 1e4         # as steps go from a hundredth to a hundredfold
# How much of the scenarios is of the path as it is: the rest keeps what was learned.
MOST = 0.7


def around(least, most, factor, low, high):
    """[least / factor, most * factor] within limits"""
    return [max(min(least / factor, high), low), min(max(most * factor, low), high)]


def ranges(seen):
    """What scenarios are to be drawn from, by the names of ../sim/ranges.h."""
    out = {"capacity": around(*seen.rate, 1.4, 1e4, 1e11), "rtt": around(*seen.rtt, 1.4, 1e-5, 10),
           "chance_many": 0.3, "flows": [2, min(max(seen.flows, 4), 32)]}
    if seen.loss is not None and seen.loss > LITTLE_LOSS:
        out["loss"] = around(seen.loss, seen.loss, 1.5, 1e-4, 0.5)
        out["chance_loss"] = MOST
    if seen.late > LATE:
        out["jitter"] = around(seen.late, seen.late, 1.5, 1e-3, LATE_MAX)
        out["jitter_most"] = 1
        out["chance_jitter"] = MOST
    # from where a rate fell, it has to find back
    most = max(1, seen.fell_from / seen.rate[1])
    swing = min(max(seen.swing, most), SWING_MAX)
    if swing > SWING:
        # steps are around the first capacity, and this was the highest
        out["capacity"] = around(*(rate * most * swing ** -0.5 for rate in seen.rate), 1.4, 1e4, 1e11)
        out["step"] = [swing ** -0.5, swing ** 0.5]
        out["chance_steps"] = MOST
    if seen.swing > SWING:
        every = seen.swing_s / seen.rtt[1]
        out["step_every"] = around(every, every, 1.5, 1, 1e4)
    if seen.competing > COMPETING:
        out["chance_window"] = MOST
        out["chance_fixed"] = 0
    return out


def differs(a, b, factor):
    return max(a, b) > factor * min(a, b)


def after(seen, before):
    """The same Seen, with what it is to know of the one before (or None): from where rates fell.

    Else a network that yields to what a path loses would make itself be trained for a slow path.
    """
    if before is None or differs(seen.rtt[0], before.rtt[0], 1.4):
        return seen
    most = max(before.rate[1], before.fell_from)
    return dataclasses.replace(seen, fell_from=most if most > 2 * seen.rate[1] else 0.0)


def rate_moved(seen, before):
    """What is between both ends of a fall is not new."""
    rate = seen.rate[1]
    within = before.fell_from and before.rate[1] <= rate <= 2 * before.fell_from
    return differs(rate, before.rate[1], 2) and not within


def has_moved(seen, before):
    """Is it another path than the one that scenarios are drawn for?"""
    loss, was = (s.loss or 0 for s in (seen, before))
    noise = 3 * (seen.deviation() if seen.loss is not None else 0)
    if seen.loss is not None and abs(loss - was) > max(0.005, 0.3 * was, noise):
        return True
    if differs(seen.rtt[0], before.rtt[0], 1.4) or rate_moved(seen, before):
        return True
    if max(seen.late, before.late) > LATE and differs(seen.late + LATE, before.late + LATE, 1.6):
        return True
    if max(seen.swing, before.swing) > SWING and (
            differs(seen.swing, before.swing, 1.6) or differs(seen.swing_s, before.swing_s, 1.6)):
        return True
    return (seen.competing > COMPETING) != (before.competing > COMPETING)
