#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Programs of a plan are loaded with their private maps per CPU. Needs root and bpftool."""
import json
import os
import shutil
import subprocess
import unittest

import fmcase
from test_analyze import OBJECTS, compile_all

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
IN_MOUNT = 'mount -t bpf none /mnt && "$0" load plan.json --pin /mnt/pins >out 2>err; ' \
    'echo $? >status; for p in /mnt/pins/*; do bpftool -j prog show pinned $p; done >progs; ' \
    'bpftool -j map show >maps; "$0" load plan.json --pin /mnt/pins >/dev/null 2>again; true'


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Load(fmcase.Flowmage):
    @classmethod
    def setUpClass(cls):
        compile_all()

    def plan(self, *names):
        self.write("d.json", fmcase.device())
        done = self.flowmage("solve", "-d", "eth0=d.json", "-o", "plan.json",
                             *("bpf:%s" % (OBJECTS / (n + ".o")) for n in names))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def load(self, *names):
        """Types of the maps that the pinned programs use."""
        if os.geteuid() or not shutil.which("bpftool", path=PATH):
            self.skipTest("needs root and bpftool")
        self.plan(*names)
        subprocess.run(["unshare", "-m", "sh", "-c", IN_MOUNT,
                        fmcase.BUILD / "liteflow/flowmage"], cwd=self.dir, check=True,
                       env={**os.environ, "PATH": PATH}, stderr=subprocess.DEVNULL)
        if "Operation not permitted" in self.read("err"):
            self.skipTest("no BPF here")
        self.assertEqual((self.read("status"), self.read("err")), ("0\n", ""))
        decoder, text, ids = json.JSONDecoder(), self.read("progs").strip(), []
        while text:
            prog, end = decoder.raw_decode(text)
            ids += prog.get("map_ids", [])
            text = text[end:].strip()
        return {m["name"]: m["type"] for m in json.loads(self.read("maps")) if m["id"] in ids}

    def test_types(self):
        maps = self.load("count_source", "port_scan", "conn_limit", "acl")
        self.assertEqual(maps["counts"], "percpu_hash")
        out = self.read("out")
        self.assertIn("per CPU  %s: map counts\n" % (OBJECTS / "count_source.o"), out)
        # what nobody writes stays as it is
        self.assertNotIn("percpu", maps["rules"])
        self.assertNotIn("map rules", out)

    def test_lru(self):
        self.assertEqual(self.load("conntrack_sorted")["conns"], "lru_percpu_hash")
        # what is there already stays, and nothing is half pinned
        self.assertIn("File exists", self.read("again"))
        self.assertEqual(len(self.read("again").splitlines()), 1)

    def test_kept(self):
        """A map whose values hold a timer, and one that the steering cannot make private."""
        maps = self.load("timers")
        self.assertNotIn("percpu", " ".join(maps.values()))
        self.assertIn("shared ", self.read("out"))
        maps = self.load("count_all")
        self.assertEqual(maps["total"], "array")
        self.assertIn("map total: its key does not depend on the packet", self.read("out"))

    def test_refused(self):
        self.plan("count_source")
        plan = json.loads(self.read("plan.json"))
        plan["files"][0]["digest"] = "0" * 64
        self.write("plan.json", plan)
        self.refusal(self.flowmage("load", "plan.json", "--pin", self.path("x")), "count_source.o",
                     "has changed since plan.json was made")
        plan["files"], plan["functions"] = [], []
        self.write("plan.json", plan)
        self.refusal(self.flowmage("load", "plan.json", "--pin", self.path("x")), "no BPF object")
        plan["functions"] = [1, {"origin": "bpf:none.o"}]
        self.write("plan.json", plan)
        self.refusal(self.flowmage("load", "plan.json", "--pin", self.path("x")), "none.o",
                     "No such")
        self.assertEqual(self.flowmage("load", "plan.json").returncode, 2)


if __name__ == "__main__":
    unittest.main()
