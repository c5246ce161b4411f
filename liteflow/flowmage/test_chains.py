#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The chains of guest/ on devices as the guest has them, with the hash of this module."""
import json
import pathlib
import shutil
import sys
import unittest

import fmcase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "guest"))
import chains  # pylint: disable=wrong-import-position


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Chains(fmcase.Flowmage):
    def test_chains(self):
        made = list(chains.chains())
        self.assertGreater(len(made), 13)
        for chain in made:
            with self.subTest(chain.name):
                folder = pathlib.Path(self.path(chain.name))
                folder.mkdir()
                words = list(chain.write(folder))
                self.write("dev.json", fmcase.device())
                for i in range(chain.devices):
                    words += ["-d", "eth%d=../dev.json" % i]
                self.dir, here = str(folder), self.dir
                done = self.flowmage("solve", "--json", *chain.args, *words)
                self.dir = here
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                plan = json.loads(done.stdout)
                self.assertEqual(plan["way"] == "key", chain.solvable)
                if chain.solvable:
                    self.one_queue(chain, [d["set"] for d in plan["devices"]])

    def one_queue(self, chain, rss):
        owner, queues, entries_seen = {}, {}, 0
        for device, packet, entries in chain.stream(1, 2500):
            self.assertEqual(len(chains.frame(packet, device, entries)), 128)
            queue = packet.queue(rss[device])
            queues[queue] = queues.get(queue, 0) + 1
            for i, entry in enumerate(entries):
                if entry:
                    entries_seen += 1
                    self.assertEqual(owner.setdefault((i, entry), queue), queue)
        self.assertGreater(entries_seen, 1.2 * len(owner))
        self.assertLess(max(queues.values()) * 4 / 2500, 1.2)


if __name__ == "__main__":
    unittest.main()
