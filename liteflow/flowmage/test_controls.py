#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The XDP and tc programs of the kernel's selftests and samples as controls: all are analysed,
none of them ends the analysis, and a program is in each class. It takes four
minutes."""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import test_analyze
import test_oracle

LINUX = pathlib.Path(os.environ.get("LINUX") or test_analyze.BUILD / "linux")
MADE = test_analyze.BUILD / "liteflow/controls"
BTF = pathlib.Path("/sys/kernel/btf/vmlinux")
SECTION = re.compile(r'SEC\("\??(xdp|tc|tcx|classifier|action)')
LEAST = 150

# The class of what some programs write under a key from the packet, read off their sources.
LABELS = {
    # of an ICMP error, its payload's
    ("test_xdp_noinline", "balancer_ingress_v4", "lru_cache"): "packet-key",
    ("test_xdp_noinline", "balancer_ingress_v6", "lru_cache"): "packet-key",
    ("xdping_kern", "xdping_client", "ping_map"): "packet-key",
    ("test_l4lb", "balancer_ingress", "stats"): "per-cpu",
    ("test_xdp", "_xdp_tx_iptunnel", "rxcnt"): "per-cpu",
    ("test_xdp_loop", "_xdp_tx_iptunnel", "rxcnt"): "per-cpu",
}


def prepare(include):
    """What the sources include: the kernel's types, libbpf's helpers."""
    include.mkdir(parents=True, exist_ok=True)
    if not (include / "bpf").exists():
        (include / "bpf").symlink_to(LINUX / "tools/lib/bpf")
    with open(include / "vmlinux.h", "w", encoding="ascii") as out:
        subprocess.run(["bpftool", "btf", "dump", "file", BTF, "format", "c"], stdout=out,
                       check=True)
    with open(include / "bpf_helper_defs.h", "w", encoding="utf-8") as out:
        subprocess.run(["/usr/bin/python3", LINUX / "scripts/bpf_doc.py", "--header", "--file",
                        LINUX / "tools/include/uapi/linux/bpf.h"], stdout=out,
                       stderr=subprocess.DEVNULL, check=True)


def compile_one(source, made, include):
    tests = LINUX / "tools/testing/selftests/bpf"
    command = ["clang", "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-D__TARGET_ARCH_x86",
               "-mlittle-endian", "-std=gnu11", "-w", "-I%s" % include, "-I%s/bpf" % include,
               "-I%s" % tests, "-I%s/progs" % tests, "-I%s/tools/include/uapi" % LINUX,
               "-I/usr/include/x86_64-linux-gnu", "-c", source, "-o", made]
    # some want the kernel's own headers instead
    return any(not subprocess.run(command[:-4] + more + command[-4:], stderr=subprocess.DEVNULL,
                                  check=False).returncode
               for more in ([], ["-I%s/tools/include" % LINUX], ["-DBPF_NO_PRESERVE_ACCESS_INDEX"]))


@unittest.skipUnless(shutil.which("clang") and shutil.which("bpftool"), "no clang or no bpftool")
@unittest.skipUnless(BTF.exists(), "the kernel here has no BTF: %s" % BTF)
@unittest.skipUnless((LINUX / "tools/testing/selftests/bpf/progs").is_dir(),
                     "no kernel tree in %s: make source" % LINUX)
class Controls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        include = MADE / "include"
        prepare(include)
        found = []
        for folder in ("tools/testing/selftests/bpf/progs", "samples/bpf"):
            found += [p for p in sorted((LINUX / folder).glob("*.c"))
                      if SECTION.search(p.read_text(encoding="utf-8", errors="replace"))]
        cls.sources = len(found)
        cls.objects = []
        for source in found:
            made = MADE / (source.stem.replace(".bpf", "") + ".o")
            if made.exists() or compile_one(source, made, include):
                cls.objects.append(made)

    def test_oracle(self):
        """Those that the kernel here loads, on packets with flipped bits."""
        programs, packets, wrong = 0, 0, []
        for path in self.objects:
            # some load programs that run for seconds
            done = subprocess.run(["timeout", "100", test_oracle.ORACLE, "--every", "12", path],
                                  stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode == test_oracle.SKIP:
                self.skipTest(done.stdout.strip())
            for line in test_oracle.LINE.finditer(done.stdout):
                programs += 1
                packets += int(line[2])
                wrong += [line[0]] if int(line[4]) else []
        print("fm_controls_run %d programs" % programs)
        print("fm_controls_packets %d packets" % packets)
        print("fm_controls_contradictions %d programs" % len(wrong))
        self.assertEqual(wrong, [])
        self.assertGreater(programs, 100)

    def test_controls(self):
        classes, kept, analysed, refused = collections.Counter(), {}, 0, []
        incomplete = 0
        for path in self.objects:
            done = test_analyze.analyze("--json", "bpf:%s" % path)
            self.assertIn(done.returncode, (0, 1), path)
            if done.returncode:
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertNotIn("ends its reader", done.stderr)
                self.assertNotIn("without a word", done.stderr)
                refused.append(done.stderr.strip())
                continue
            analysed += 1
            for function in test_analyze.json.loads(done.stdout):
                classes[function["class"]] += 1
                incomplete += not function["complete"]
                for held in function["maps"]:
                    kept[path.stem, function["name"], held["name"]] = held
        for line in refused:
            print("# " + line)
        print("fm_controls %d objects" % analysed)
        print("fm_controls_sources %d files" % self.sources)
        for name, count in sorted(classes.items()):
            print("fm_controls_%s %d programs" % (name.replace("-", "_"), count))
        print("fm_controls_not_followed %d programs" % incomplete)
        self.assertGreaterEqual(analysed, LEAST)
        for name in ("stateless", "read-only", "per-cpu", "const-key", "packet-key", "shared"):
            self.assertGreater(classes[name], 0, name)
        for which, wanted in LABELS.items():
            self.assertEqual(kept[which]["class"], wanted, which)
            self.assertTrue(kept[which]["written"], which)


if __name__ == "__main__":
    unittest.main()
