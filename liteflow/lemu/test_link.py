#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Simulated links beside queues written down once more, in plain Python."""
import collections
import dataclasses
import math
import unittest

import numpy as np

from linkrnn import data, native

DEFAULT = data.PRESETS["default"]


def links(**more):
    return dataclasses.replace(DEFAULT, **more)


def traces(count=20, steps=400, seed=7, **more):
    made = native.simulate(links(**more), seed, 0, count, steps, times=True)
    for at in range(count):
        yield {name: array[at] for name, array in made.items()}


def codel(trace, target=5.0, interval=100.0, largest=1500):
    """RFC 8289, section 5, with a clock that jumps from one dequeue to the next."""
    waiting, dropped, left = collections.deque(), np.zeros(len(trace["at"]), bool), {}
    state = {"first_above": 0.0, "next": 0.0, "count": 0, "last": 0, "dropping": False}
    held, free = 0, 0.0

    def dodequeue(now):
        nonlocal held
        if not waiting:
            state["first_above"] = 0
            return None, False
        number = waiting.popleft()
        held -= int(trace["size"][number])
        if now - trace["at"][number] < target or held <= largest:
            state["first_above"] = 0
        elif state["first_above"] == 0:
            state["first_above"] = now + interval
        elif now >= state["first_above"]:
            return number, True
        return number, False

    def deque(now):
        number, drop = dodequeue(now)
        if state["dropping"]:
            if not drop:
                state["dropping"] = False
            while state["dropping"] and now >= state["next"]:
                dropped[number] = True
                state["count"] += 1
                number, drop = dodequeue(now)
                if not drop:
                    state["dropping"] = False
                else:
                    state["next"] += interval / math.sqrt(state["count"])
        elif drop:
            dropped[number] = True
            number, drop = dodequeue(now)
            state["dropping"] = True
            delta = state["count"] - state["last"]
            state["count"] = delta if delta > 1 and now - state["next"] < 16 * interval else 1
            state["next"] = now + interval / math.sqrt(state["count"])
            state["last"] = state["count"]
        return number

    def serve(until):
        nonlocal free
        while waiting and free <= until:
            number = deque(free)
            if number is None:
                break
            free += trace["size"][number] / float(trace["capacity"])
            left[number] = free

    for number, at in enumerate(trace["at"]):
        serve(at)
        if trace["queue"] and held + trace["size"][number] > trace["queue"]:
            dropped[number] = True
            continue
        if not waiting:
            free = max(free, at)
        waiting.append(number)
        held += int(trace["size"][number])
    serve(math.inf)
    return dropped, left


class Links(unittest.TestCase):
    def test_work(self):
        """Whole bytes that add up to what the link could have sent; the first packet has none."""
        for traffic in native.TRAFFIC:
            for trace in traces(5, traffic=traffic):
                could = np.floor(trace["at"] * float(trace["capacity"]))
                self.assertEqual(trace["work"][0], 0)
                np.testing.assert_array_equal(np.cumsum(trace["work"].astype(float)),
                                              could - could[0])
                self.assertTrue((np.diff(trace["at"]) >= 0).all())

    def test_byte_queue(self):
        drops = 0
        for traffic in native.TRAFFIC:
            for trace in traces(traffic=traffic):
                backlog = 0
                for work, size, held, dropped in zip(trace["work"], trace["size"],
                                                     trace["backlog"], trace["dropped"]):
                    backlog = max(backlog - work, 0)
                    drop = backlog + size > trace["queue"]
                    backlog += 0 if drop else size
                    self.assertEqual((held, dropped), (backlog, drop))
                    drops += drop
        self.assertGreater(drops, 1000)

    def test_infinite_queue(self):
        for trace in traces(arrival_rate=(1, 1), queue_bytes=(0, 0)):
            self.assertEqual(trace["dropped"].sum(), 0)
            self.assertEqual(trace["queue"], 0)

    def test_packet_queue(self):
        drops = 0
        for trace in traces(queue_kind="packetqueue"):
            most, waiting = int(trace["queue"]) // 1500, collections.deque()
            for number, work in enumerate(trace["work"].astype(float)):
                while waiting and work:
                    sent = min(work, waiting[0])
                    waiting[0] -= sent
                    work -= sent
                    if not waiting[0]:
                        waiting.popleft()
                drop = len(waiting) >= most
                if not drop:
                    waiting.append(float(trace["size"][number]))
                drops += drop
                self.assertEqual(trace["dropped"][number], drop)
                self.assertAlmostEqual(trace["backlog"][number], sum(waiting), places=2)
        self.assertGreater(drops, 100)

    def test_codel(self):
        drops = 0
        for queue in (DEFAULT.queue_bytes, (60000, 90000)):
            for trace in traces(steps=1500, queue_kind="codel", arrival_rate=(0.6, 1.4),
                                queue_bytes=queue):
                dropped, left = codel(trace)
                np.testing.assert_array_equal(trace["dropped"], dropped)
                drops += dropped.sum()
                for number, at in left.items():
                    self.assertAlmostEqual(
                        trace["backlog"][number] / float(trace["capacity"]),
                        at - trace["at"][number], places=3)
        self.assertGreater(drops, 1000)

    def test_codel_leaves_short_queues_alone(self):
        for trace in traces(queue_kind="codel", arrival_rate=(0.1, 0.15),
                            queue_bytes=(50000, 60000)):
            self.assertEqual(trace["dropped"].sum(), 0)

    def test_lemurnn_codel(self):
        """One drop at most at the first packet behind an interval; never two in a row."""
        drops = 0
        for trace in traces(queue_kind="lemurnn_codel", arrival_rate=(0.9, 1), queue_bytes=(0, 0)):
            at = trace["at"][trace["dropped"] > 0]
            drops += len(at)
            self.assertTrue((np.diff(trace["dropped"].astype(int)).cumsum() >= 0).all())
            self.assertTrue((at > 10).all())
        self.assertGreater(drops, 50)

    def test_tcp_follows_its_link(self):
        """Flows fill the link, lose packets, and back off: open traffic of one rate does not."""
        for queue in ("bytequeue", "packetqueue", "codel"):
            for trace in traces(10, steps=4000, queue_kind=queue, traffic="tcp",
                                queue_bytes=(20000, 30000)):
                sent = trace["size"][trace["dropped"] == 0].sum(dtype=float)
                filled = sent / (trace["at"][-1] * float(trace["capacity"]))
                self.assertGreater(filled, 0.6)
                self.assertLess(filled, 1.1)
                self.assertLess(trace["dropped"].mean(), 0.2)
                self.assertGreater(trace["dropped"].sum(), 0)

    def test_steady(self):
        """Packets of one size, which fill the queue at first; some evenly, most too many."""
        even, over, full = 0, 0, 0
        for trace in traces(40, steps=400, traffic="steady", queue_bytes=(5000, 10000)):
            self.assertEqual(len(set(trace["size"])), 1)
            gaps = np.diff(trace["at"])
            gaps = gaps[gaps > 0]
            even += np.ptp(gaps) < 1e-6
            over += trace["size"][0] > np.mean(gaps) * float(trace["capacity"])
            full += trace["backlog"][:100].max() > 0.8 * trace["queue"] - trace["size"][0]
        for count, least in ((even, 10), (40 - even, 10), (over, 25), (40 - over, 3), (full, 25)):
            self.assertGreaterEqual(count, least)

    def test_any(self):
        """As mixed, and every fifth trace or so is steady."""
        steady = sum(len(set(trace["size"])) == 1 and trace["dropped"].any()
                     for trace in traces(100, steps=300, traffic="any", flows=(2, 4),
                                         arrival_rate=(1, 1)))
        self.assertTrue(5 <= steady <= 40, steady)

    def test_own_numbers(self):
        """A trace is its seed and number, whatever batch it is drawn in; sets share none."""
        whole = native.simulate(DEFAULT, 3, 0, 8, 50)
        part = native.simulate(DEFAULT, 3, 5, 2, 50)
        for name, array in part.items():
            np.testing.assert_array_equal(array, whole[name][5:7])
        source, seen = data.Simulated(DEFAULT, 1), set()
        for name in data.SETS:
            for fresh in range(3):
                for row in source.draw(name, 16, 8, fresh).work:
                    self.assertNotIn(row.tobytes(), seen)
                    seen.add(row.tobytes())

    def test_ranges_refused(self):
        for name, value in (("capacity", (0, 5)), ("pkt_size", (9, 3)), ("queue_bytes", (10, 9000)),
                            ("arrival_rate", (math.nan, 1)), ("flows", (1, 99)),
                            ("rtt", "no"), ("traffic", "all"), ("queue_kind", "red")):
            with self.assertRaisesRegex(data.Problem, name):
                links(**{name: value}).check()


if __name__ == "__main__":
    unittest.main()
