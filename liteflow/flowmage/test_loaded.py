#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Programs that are loaded in the kernel, by their numbers, beside the labels of their sources."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import fmcase
from fmcase import device
from test_analyze import OBJECTS, compile_all, functions, labels, told, unsound


WHOLE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
__attribute__((noinline)) int part(struct xdp_md *ctx)
{
	volatile int verdict = XDP_PASS;

	return verdict;
}
SEC("xdp") int whole(struct xdp_md *ctx) { return part(ctx); }
char _license[] SEC("license") = "GPL";
"""
PART = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int packets;
SEC("freplace/part") int other(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&packets, 1);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
# no tool puts a program in another one's place
REPLACE = """
import ctypes, sys
bpf = ctypes.CDLL("libbpf.so.1")
for name in ("object__open_file", "object__find_program_by_name", "program__attach_freplace"):
    getattr(bpf, "bpf_" + name).restype = ctypes.c_void_p
path, target, pin = (a.encode() for a in sys.argv[1:])
fd = bpf.bpf_obj_get(target)
held = ctypes.c_void_p(bpf.bpf_object__open_file(path, None))
prog = ctypes.c_void_p(bpf.bpf_object__find_program_by_name(held, b"other"))
assert fd >= 0 and not bpf.bpf_program__set_attach_target(prog, fd, b"part")
assert not bpf.bpf_object__load(held)
link = ctypes.c_void_p(bpf.bpf_program__attach_freplace(prog, fd, b"part"))
assert not bpf.bpf_link__pin(link, pin)
"""


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)


def why_not():
    """Why this cannot run here; None: it can."""
    if os.geteuid():
        return "not root"
    if not shutil.which("bpftool"):
        return "no bpftool"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "the kernel here has no BTF"
    with tempfile.TemporaryDirectory() as folder:
        done = run("unshare", "-m", "sh", "-c",
                   "mount -t bpf none %s && bpftool prog list" % folder)
    return "no BPF here: %s" % done.stderr.strip() if done.returncode else None


def loaded(path, folder):
    """Loads all programs of an object: {name: number}; None: the kernel refuses it."""
    done = run("bpftool", "prog", "loadall", path, folder)
    if done.returncode:
        return None
    made = {}
    for pin in pathlib.Path(folder).iterdir():
        shown = json.loads(run("bpftool", "-j", "prog", "show", "pinned", str(pin)).stdout)
        made[shown["name"]] = shown["id"]
    return made


def plain(function):
    """What is said of maps, by the names that both have."""
    return {name.partition("#")[0][:15]: said for name, said in told(function).items()}


def short(name):
    """Of global data the kernel puts the object's name in front."""
    return name[:15]


def inside(folder):
    """In a mount namespace: lines of JSON about each object that the kernel takes."""
    subprocess.run(["mount", "-t", "bpf", "none", folder], check=True)
    for path in sorted(OBJECTS.glob("*.o")):
        where = pathlib.Path(folder) / path.stem.replace(".", "_")
        programs = loaded(path, where)
        for name, number in sorted((programs or {}).items()):
            done = run(fmcase.BUILD / "liteflow/flowmage", "analyze", "--json",
                       "bpf:id:%d" % number)
            print(json.dumps({"file": path.stem, "name": name, "status": done.returncode,
                              "errors": done.stderr,
                              "said": json.loads(done.stdout)[0] if done.stdout else None}))
        if path.stem == "conntrack_both" and programs:
            number = programs["conntrack_both"]
            done = run(fmcase.BUILD / "liteflow/flowmage", "solve", "--json", "-d",
                       "eth0=" + sys.argv[3], "bpf:id:%d" % number, "-o", sys.argv[3] + ".plan")
            again = run(fmcase.BUILD / "liteflow/flowmage", "load", "--pin", folder + "/x",
                        sys.argv[3] + ".plan")
            seen = {"plan": json.loads(done.stdout), "errors": done.stderr,
                    "load": again.stderr, "status": again.returncode}
            shutil.rmtree(where)
            again = run(fmcase.BUILD / "liteflow/flowmage", "apply", "--dry-run",
                        sys.argv[3] + ".plan")
            print(json.dumps({**seen, "apply": again.stderr}))
        if where.exists():
            shutil.rmtree(where)
    replaced(pathlib.Path(folder))


def replaced(folder):
    """A program whose function another one has taken the place of, as libxdp does it."""
    made = {}
    for name, text in (("whole", WHOLE), ("part", PART)):
        source = folder.parent / (name + ".c")
        source.write_text(text, encoding="utf-8")
        subprocess.run(["clang", "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-c", source, "-o",
                        source.with_suffix(".o"),
                        "-I/usr/include/%s-linux-gnu" % os.uname().machine], check=True)
    tool = fmcase.BUILD / "liteflow/flowmage"
    programs = loaded(folder.parent / "whole.o", folder / "whole")
    if not programs:
        return
    for when in ("before", "after"):
        done = run(tool, "analyze", "--json", "bpf:id:%d" % programs["whole"])
        made[when] = json.loads(done.stdout)[0]
        if when == "before":
            made["errors"] = run(sys.executable, "-c", REPLACE, str(folder.parent / "part.o"),
                                 str(folder / "whole/whole"), str(folder / "part")).stderr
    print(json.dumps({"replaced": made}))


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Loaded(fmcase.Flowmage):
    def test_all(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)
        compile_all()
        maps, _ = labels()
        mount = self.path("bpf")
        os.mkdir(mount)
        done = run("unshare", "-m", sys.executable, __file__, "inside", mount,
                   self.write("eth0.json", device()))
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(text) for text in done.stdout.splitlines()]
        exact, wrong, rest = 0, [], []
        for line in lines:
            if "replaced" in line:
                if "not permitted" in line["replaced"]["errors"]:
                    print("# programs that replace functions may not be loaded here")
                    continue
                self.assertEqual(line["replaced"]["errors"], "")
                before, after = line["replaced"]["before"], line["replaced"]["after"]
                self.assertEqual((before["class"], before["complete"]), ("stateless", True))
                self.assertEqual((after["class"], after["complete"]), ("shared", False))
                self.assertIn("replace functions of it", after["reasons"][0])
                continue
            if "plan" in line:
                self.assertIn("not loaded any more", line["apply"])
                self.assertEqual((line["plan"]["way"], line["errors"]), ("key", ""))
                self.assertEqual([s["private"] for s in line["plan"]["state"]], [True])
                self.assertEqual(line["status"], 1)
                self.assertIn("is loaded already", line["load"])
                continue
            if "hides its addresses" in line["errors"]:
                self.skipTest(line["errors"].strip())
            self.assertEqual((line["status"], line["errors"]), (0, ""))
            self.assertEqual(line["said"]["name"], line["name"])
            label = [held for (file, program), held in maps.items()
                     if (file, program) == (line["file"], line["name"])]
            self.assertEqual(len(label), 1, line)
            label = label[0]
            found = plain(line["said"])
            of_file = next(f for f in functions(OBJECTS / (line["file"] + ".o"))
                           if f["name"] == line["name"])
            for name, wanted in label.items():
                if name.startswith("."):
                    # "count_so.bss" and so on
                    same = [s for n, s in found.items() if n.endswith(name)]
                else:
                    same = [found[n] for n in [short(name)] if n in found]
                problem = unsound(wanted, same[0] if same else None)
                # what was not followed counts as shared, whatever is said of its maps
                if problem and line["said"]["complete"]:
                    wrong.append("%s:%s %s: %s" % (line["file"], line["name"], name, problem))
            if line["said"]["complete"] and line["said"]["class"] == of_file["class"] and \
                    {n: s for n, s in plain(of_file).items() if n[0] != "."} == \
                    {n: s for n, s in found.items() if "." not in n}:
                exact += 1
            else:
                rest.append("%s:%s: %s" % (line["file"], line["name"],
                                           "; ".join(line["said"]["reasons"]) or found))
        programs = sum("said" in line for line in lines)
        if not programs:
            self.skipTest("the kernel here loads no program")
        for text in rest:
            print("# not as its object: " + text)
        print("fm_loaded %d programs" % programs)
        print("fm_loaded_as_object %d programs" % exact)
        print("fm_loaded_unsound %d maps" % len(wrong))
        self.assertEqual(wrong, [])
        self.assertGreater(exact * 2, programs)

    def test_refused(self):
        if os.geteuid():
            self.refusal(self.flowmage("analyze", "bpf:id:1"), "id:1: looking at loaded programs")
        elif not why_not():
            self.refusal(self.flowmage("analyze", "bpf:id:4000000000"),
                         "id:4000000000: no program of this number is loaded")
        for spec in ("bpf:id:0", "bpf:id:-1", "bpf:id:1x", "bpf:id:99999999999"):
            self.refusal(self.flowmage("analyze", spec), "id")


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside(sys.argv[2])
    else:
        unittest.main()
