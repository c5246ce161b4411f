#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What flowmage apply refuses before it touches a device; apply_test.c has the rest."""
import json
import unittest

import fmcase
from fmcase import a_map, device, function, key


class Apply(fmcase.Flowmage):
    def setUp(self):
        super().setUp()
        self.plan = self.solve([function("f", a_map("m", key("src_addr4")))], {"none0": device()},
                               "-o", self.path("plan.json"))

    def refused(self, change, *reasons):
        plan = json.loads(json.dumps(self.plan))
        change(plan)
        self.write("plan.json", plan)
        self.refusal(self.flowmage("apply", "--commit", "--state", self.path("state"),
                                   "plan.json"), *reasons)

    def test_device(self):
        for what in ("--dry-run", "--commit"):
            self.refusal(self.flowmage("apply", what, "--state", self.path("state"), "plan.json"),
                         "none0: No such device")
        self.refusal(self.flowmage("device", "none0"), "none0: No such device")

    def test_file_changed(self):
        self.write("f0.json", function("f", a_map("m", key("dst_addr4"))))
        self.refusal(self.flowmage("apply", "--dry-run", "plan.json"), "f0.json",
                     "has changed since plan.json was made")

    def test_file_gone(self):
        self.refused(lambda p: p["files"][0].update(path="gone.json"), "gone.json", "No such file")

    def test_plan(self):
        for change, reason in (
                (lambda p: p.clear(), '"flowmage_plan" is missing'),
                (lambda p: p.update(flowmage_plan=2), '"flowmage_plan" is 2'),
                (lambda p: p.update(way="luck"), 'no way "luck"'),
                (lambda p: p.update(devices={}), '"devices" is object, not array'),
                (lambda p: p["devices"].extend([1] * 9), "more than 4 devices"),
                (lambda p: p["devices"].append(1), "devices[1] is no object"),
                (lambda p: p["devices"][0].pop("digest"), '"digest" is missing'),
                (lambda p: p["devices"][0].update(key_len=52), "the key has 40 bytes"),
                (lambda p: p["devices"][0]["set"].update(key="00" * 39), "the key has 39 bytes"),
                (lambda p: p["devices"][0]["set"]["table"].__setitem__(5, 4), "table[5] is 4"),
                (lambda p: p["devices"][0]["set"].pop("xfrm"), "needs key, table, fields and xfrm"),
                (lambda p: p["devices"][0].update(name="x" * 16), "at most 15 letters"),
                (lambda p: p.update(files=[1]), "files[0]"),
                (lambda p: p.update(way="cpumap"), "an XDP program"),
                (lambda p: p.update(way="contexts"), '"contexts" is missing')):
            with self.subTest(reason):
                self.refused(change, "plan.json", reason)
        self.write("plan.json", '{"flowmage_plan": 1, "way"')
        self.refusal(self.flowmage("apply", "--commit", "plan.json"), "plan.json: line 1")

    def test_nothing_kept(self):
        for args in (["none0"], []):
            self.refusal(self.flowmage("apply", "--rollback", "--state", self.path("s"), *args),
                         "nothing to put back")

    def test_nothing_to_do(self):
        self.solve([function("f")], {"none0": device()}, "-o", self.path("plan.json"))
        done = self.flowmage("apply", "--commit", "plan.json")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_usage(self):
        for args in ((), ("plan.json",), ("--commit",), ("--commit", "--dry-run", "plan.json"),
                     ("--commit", "plan.json", "more")):
            done = self.flowmage("apply", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
