#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""lemu-live: what it makes of ping's and iperf3's words, its table and picture, and bad input.

That it runs over real links, the step lemu-demo of the full tier tests.
"""
import importlib.util
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from linkrnn import live, record
from linkrnn.pylib import errors, programs
from linkrnn.pylib.paths import ROOT
from test_trace import run

HERE = ROOT / "liteflow" / "lemu"
PING = """\
PING 10.0.1.2 (10.0.1.2) 56(84) bytes of data.
[{at}.050000] 64 bytes from 10.0.1.2: icmp_seq=1 ttl=63 time=20.5 ms
[{at}.120000] 64 bytes from 10.0.1.2: icmp_seq=2 ttl=63 time=40.1 ms
[{at}.190000] no answer yet for icmp_seq=3
[{at}.260000] 64 bytes from 10.0.1.2: icmp_seq=4 ttl=63 time=60.0 ms

--- 10.0.1.2 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 152ms
rtt min/avg/max/mdev = 20.500/40.200/60.000/16.131 ms
"""
IPERF = """\
#!/bin/sh
case "$*" in
*-u*) echo '{"end": {"sum": {"bits_per_second": 6e6, "lost_percent": 25, "jitter_ms": 0.5}}}' ;;
*) echo '{"intervals": [{"sum": {"bits_per_second": 4e6}}, {"sum": {"bits_per_second": 5e6}}],
 "end": {"sum_received": {"bits_per_second": 4.5e6}, "sum_sent": {"retransmits": 7}}}' ;;
esac
"""


drawing = unittest.skipUnless(importlib.util.find_spec("matplotlib"), "no python3-matplotlib")


class Live(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = programs.load(HERE / "lemu-live")

    def tools(self, **scripts):
        """Programs that come first in PATH."""
        for name, text in scripts.items():
            path = self.folder / name
            path.write_text(text)
            path.chmod(0o755)
        changed = mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        changed.start()
        self.addCleanup(changed.stop)

    def measured(self, label="tbf"):
        """A link's figures, of programs that print what is above."""
        self.tools(ping="#!/bin/sh\ncat <<END\n" + PING.format(at=int(live.time.time())) + "END\n",
                   iperf3=IPERF)
        with mock.patch.object(live, "say"):
            return {"link": label, "label": label, "idle": live.Pings(4).result(),
                    "tcp": live.tcp(2), "udp": live.udp(2, 500),
                    "shown": "", "qdiscs": [{"kind": "tbf", "drops": 9}, {"kind": "codel"}]}

    def test_words(self):
        found = self.measured()
        self.assertEqual([rtt for _, rtt in found["idle"]["replies"]], [20.5, 40.1, 60.0])
        self.assertEqual((found["idle"]["sent"], found["idle"]["lost_percent"]), (4, 25))
        # when they were sent, not when they came back
        at = [at for at, _ in found["idle"]["replies"]]
        self.assertAlmostEqual(at[1] - at[0], 0.07 - (0.0401 - 0.0205), 3)
        self.assertEqual(found["tcp"]["series"], [4, 5])
        self.assertEqual((found["tcp"]["mbit"], found["tcp"]["retransmits"]), (4.5, 7))
        self.assertEqual((found["udp"]["mbit"], found["udp"]["lost_percent"]), (4.5, 25))
        self.assertEqual(live.drops_of(found), 9)

    @drawing
    def test_report(self):
        data = {"capacity": 625, "queue": 20480, "rtt_ms": 20, "seconds": 2,
                "links": [self.measured(), self.measured("lemu")]}
        (self.folder / "live.json").write_text(json.dumps(data))
        status, text = run(self.program, "report", self.folder)
        self.assertEqual(status, 0)
        self.assertEqual((self.folder / "live.md").read_text(), text)
        self.assertIn("5 Mbit/s, a queue of 20480 bytes, 20 ms", text)
        lines = {line.split("|")[1].strip(): [word.strip() for word in line.split("|")[2:4]]
                 for line in text.splitlines() if line.startswith("| ")}
        self.assertEqual(lines[""], ["tbf", "lemu"])
        self.assertEqual(len(lines), len(live.ROWS) + 1)
        self.assertEqual(lines["RTT of ping, idle, p50, ms"], ["40.10"] * 2)
        self.assertEqual(lines["TCP goodput, Mbit/s"], ["4.500"] * 2)
        self.assertEqual(lines["UDP lost, %"], ["25.00"] * 2)
        self.assertGreater((self.folder / "live.png").stat().st_size, 1000)

    @drawing
    def test_within(self):
        data = {"capacity": 625, "queue": 20480, "rtt_ms": 20, "seconds": 2,
                "links": [self.measured(), self.measured("lemu")]}
        data["links"][1]["udp"]["mbit"] = 4.05
        path = self.folder / "live.json"
        path.write_text(json.dumps(data))
        self.assertEqual(run(self.program, "report", "--within", 11, self.folder)[0], 0)
        self.assertRegex(str(run(self.program, "report", "--within", 9, self.folder)[0]),
                         r"^UDP goodput, Mbit/s: lemu is off tbf by 10.0 %, more than 9 %")
        data["links"][1]["tcp"]["ping"]["replies"] = []
        path.write_text(json.dumps(data))
        self.assertRegex(str(run(self.program, "report", "--within", 1e6, self.folder)[0]),
                         "^RTT of ping beside TCP, p50, ms: lemu is off tbf by inf")
        path.write_text(json.dumps({**data, "links": data["links"][:1]}))
        self.assertRegex(str(run(self.program, "report", "--within", 9, self.folder)[0]),
                         "one link")

    @drawing
    def test_nothing_came_back(self):
        self.tools(ping="#!/bin/sh\necho 2 packets transmitted, 0 received, 100% packet loss\n")
        nothing = live.Pings(2).result()
        self.assertEqual(nothing, {"replies": [], "sent": 2, "lost_percent": 100})
        found = self.measured()
        found["idle"] = found["tcp"]["ping"] = nothing
        (self.folder / "live.json").write_text(json.dumps(
            {"capacity": 625, "queue": 20480, "rtt_ms": 20, "seconds": 2, "links": [found]}))
        self.assertEqual(run(self.program, "report", self.folder)[0], 0)

    def test_failures(self):
        """The words of the program that failed."""
        self.tools(ping="#!/bin/sh\necho ping: connect: Network is unreachable >&2\n",
                   iperf3="#!/bin/sh\necho '{\"error\": \"unable to connect\"}'\n")
        with self.assertRaisesRegex(errors.Problem, "Network is unreachable"):
            live.Pings(2).result()
        with mock.patch.object(live, "say"), \
                self.assertRaisesRegex(errors.Problem, "iperf3 -c .*: unable to connect"):
            live.iperf("-t", "2")

    def test_commands(self):
        """What is typed for each kind of link."""
        def words(link):
            return list(record.attaching(live.qdisc_lines(link), 625, 20480))
        self.assertEqual(words("queue"), ["tc qdisc add dev out0 root lemu capacity 5000000bit "
                                          "queue 20480b"])
        self.assertEqual(words("a.lfm"), ["tc qdisc add dev out0 root lemu app lemu capacity "
                                          "5000000bit queue 20480b"])
        self.assertEqual(words("codel")[1], "tc qdisc add dev out0 parent 1: codel limit 13")

    def test_bad_input(self):
        for text, *given in (("nowhere: no qdisc of tbf", "run", "nowhere"),
                             ("^2: .*--capacity", "run", "-c", "fast", "tbf"),
                             ("^2: .*--seconds", "run", "-t", "1", "tbf"),
                             ("^2: .*--rtt", "run", "-r", "-1", "tbf"),
                             ("^2: .*LINK", "run"), ("^2: .*COMMAND", ),
                             ("live.json: No such file.*lemu-live run", "report", self.folder)):
            with self.subTest(given):
                self.assertRegex(str(run(self.program, *given)[0]), text)


if __name__ == "__main__":
    unittest.main()
