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
            print(json.dumps({"plan": json.loads(done.stdout), "errors": done.stderr,
                              "load": again.stderr, "status": again.returncode}))
        if where.exists():
            shutil.rmtree(where)


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
            if "plan" in line:
                self.assertEqual((line["plan"]["way"], line["errors"]), ("key", ""))
                self.assertEqual([s["private"] for s in line["plan"]["state"]], [True])
                self.assertEqual(line["status"], 1)
                self.assertIn("is loaded already", line["load"])
                continue
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
        programs = sum("plan" not in line for line in lines)
        for text in rest:
            print("# not as its object: " + text)
        print("fm_loaded %d programs" % programs)
        print("fm_loaded_as_object %d programs" % exact)
        print("fm_loaded_unsound %d maps" % len(wrong))
        self.assertEqual(wrong, [])
        self.assertGreater(programs, 40)
        self.assertGreater(exact * 10, programs * 7)

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
