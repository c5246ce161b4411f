#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Each test function by itself, from its program to a plan: packets that share an entry, as the
analysis describes its keys, come to one queue. Keys are put together here, not by the solver.
"""
import json
import random
import shutil
import unittest

import fmcase
from test_analyze import OBJECTS, compile_all

FIELDS = {"src_addr4", "dst_addr4", "src_addr6", "dst_addr6", "src_port", "dst_port", "protocol"}


def state(key, packet):
    """The bytes of a state key; None: the packet does not come there, or they are not known."""
    if key.get("ethertype", packet.ethertype) != packet.ethertype or \
            key.get("protocol", packet.protocol) != packet.protocol or \
            (packet.fragment and not key["fragments"]):
        return None
    out = []
    for part in key["parts"]:
        if part["kind"] == "const":
            out.append((part["at"], part["bytes"]))
            continue
        if part["kind"] != "field":
            return None
        one = part["slices"][0]
        if one["field"] == "ifindex":
            value = bytes([0, 0, 0, 1])
        elif one["field"] in FIELDS and one["field"] in packet.fields and (
                not one["field"].endswith("_port") or packet.has_ports()):
            value = packet.fields[one["field"]]
        else:
            return None
        value = bytes(a & b for a, b in zip(value, bytes.fromhex(one["mask"])))
        if part["order"] == 1:
            value = value[::-1]
        out.append((part["at"], part["order"] > 1 and part["order"], value.hex()))
    return tuple(out)


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Functions(fmcase.Flowmage):
    @classmethod
    def setUpClass(cls):
        compile_all()

    def check_map(self, described, family, rss):
        """Packets that came to an entry."""
        owner, seen = {}, 0
        rng = random.Random(3)
        for packet in fmcase.packets(rng, 1500, six=family == "IPv6", pool=9):
            packet.ethertype = 0x86dd if packet.six else 0x800
            queue = packet.queue(rss)
            for key in described["keys"]:
                entry = state(key, packet)
                if entry is None:
                    continue
                seen += 1
                self.assertEqual(owner.setdefault(entry, queue), queue, (entry, described["name"]))
        return seen

    def test_each(self):
        self.write("d.json", fmcase.device())
        private, checked = 0, 0
        for path in sorted(OBJECTS.glob("*.o")):
            with self.subTest(path.name):
                done = self.flowmage("analyze", "--json", "bpf:%s" % path)
                self.assertEqual(done.returncode, 0, done.stderr)
                maps = {m["name"]: m for f in json.loads(done.stdout) for m in f["maps"]}
                done = self.flowmage("solve", "--json", "-d", "eth0=d.json", "bpf:%s" % path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                plan = json.loads(done.stdout)
                if plan["way"] not in ("key", "shared"):
                    continue
                for unit in plan["state"]:
                    if unit["private"]:
                        private += 1
                        checked += self.check_map(maps[unit["map"]], unit["family"],
                                                  self.rss(plan, "eth0")) > 0
        self.assertGreater(private, 20)
        self.assertGreater(checked, 15)


if __name__ == "__main__":
    unittest.main()
