#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
What flowmage verify counts, over a veth pair: its packets arrive on the CPU that sends them.
Needs root, and two CPUs.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import unittest

from pylib.paths import BUILD

FLOWMAGE = BUILD / "liteflow/flowmage"
MARK_AT, MAPS = 96, 6


def frame(*entries, magic=b"FLOWMAGE"):
    return bytes(12) + b"\x08\0" + bytes(MARK_AT - 14) + magic + struct.pack(
        ">%dI" % MAPS, *entries, *[0] * (MAPS - len(entries)))


def inside(cpus):
    """In a network namespace of its own: lines of JSON, one for each case."""
    for words in ("link add fm0 type veth peer name fm1", "link set fm0 up", "link set fm1 up"):
        subprocess.run(["ip", *words.split()], check=True)
    cases = [
        # 3 entries stay on a CPU each, one is on both: 5 packets here, 2 there
        [(cpus[0], frame(1))] * 3 + [(cpus[1], frame(2, 9))] * 4 + [(cpus[0], frame(3))] * 5 +
        [(cpus[1], frame(3))] * 2,
        [(cpus[0], frame(1))] * 2 + [(cpus[1], frame(1))] * 2,
    ]
    for case in cases:
        with subprocess.Popen([FLOWMAGE, "verify", "fm1", "--count", str(len(case))],
                              stdout=subprocess.PIPE, text=True) as probe:
            assert json.loads(probe.stdout.readline())["ready"]
            taken = subprocess.run([FLOWMAGE, "verify", "fm1"], stderr=subprocess.PIPE, text=True,
                                   check=False)
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
                out.bind(("fm0", 0))
                # what has no mark is not counted
                out.send(frame(1, magic=b"FLOWMICE"))
                out.send(bytes(60))
                for cpu, data in case:
                    os.sched_setaffinity(0, {cpu})
                    out.send(data)
            line = json.loads(probe.stdout.readline())
        line["taken"] = (taken.returncode, taken.stderr)
        line["cpus"] = cpus
        print(json.dumps(line), flush=True)
    interrupted(signal.SIGINT)
    interrupted(signal.SIGTERM)


def interrupted(number):
    """It waits for more, is interrupted, and tells what there was."""
    with subprocess.Popen([FLOWMAGE, "verify", "fm1", "--progress", "--idle", "3600"],
                          stdout=subprocess.PIPE, text=True) as probe:
        assert json.loads(probe.stdout.readline())["ready"]
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("fm0", 0))
            out.send(frame(1))
        assert json.loads(probe.stdout.readline()) == {"seen": 1}
        probe.send_signal(number)
        line = json.loads(probe.stdout.readline())
    line["status"] = probe.returncode
    print(json.dumps(line), flush=True)


class Verify(unittest.TestCase):
    def refused(self, reason, *args):
        done = subprocess.run([FLOWMAGE, "verify", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(reason, done.stderr)

    def test_counts(self):
        cpus = sorted(os.sched_getaffinity(0))
        if os.geteuid() or len(cpus) < 2:
            self.skipTest("needs root and two CPUs")
        done = subprocess.run(["unshare", "-n", sys.executable, __file__, "inside",
                               *map(str, cpus[:2])], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, check=False)
        if "could not be loaded" in done.stderr:
            self.skipTest("no BPF here")
        self.assertEqual(done.returncode, 0, done.stderr)
        first, second, *others = map(json.loads, done.stdout.splitlines())
        self.assertEqual((first["packets"], first["not_kept"]), (14, 0))
        self.assertEqual([first["per_cpu"][c] for c in first["cpus"]], [8, 6])
        self.assertEqual(first["maps"], [
            {"map": 0, "packets": 14, "entries": 3, "entries_on_several_cpus": 1, "shared": 7,
             "foreign": 2},
            {"map": 1, "packets": 4, "entries": 1, "entries_on_several_cpus": 0, "shared": 0,
             "foreign": 0}])
        self.assertEqual(first["taken"], [1, "flowmage: fm1: it has an XDP program already\n"])
        self.assertEqual((second["maps"][0]["shared"], second["maps"][0]["foreign"]), (4, 2))
        self.assertEqual([(o["packets"], o["status"]) for o in others], [(1, 0), (1, 0)])

    def test_refused(self):
        if os.geteuid():
            self.refused("could not be loaded", "lo")
        else:
            self.refused("none0: No such device", "none0")


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside([int(c) for c in sys.argv[2:]])
    else:
        unittest.main()
