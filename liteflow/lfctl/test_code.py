#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The C that lfctl makes of models gives the engine's answers, bit for bit: as it is for
programs, as a module with a stub of the kernel around it, and as a function for BPF,
natively and in this machine's kernel.  CODE_MODELS says of how many random models, and
CODE_KERNEL, what runs a command in another kernel, as "qemu/start.sh --kernel ... --"."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import case
from pylib.paths import BUILD, ROOT
from netfile import make_net

BUILT = BUILD / "liteflow/tests-code"
SOURCES = ROOT / "liteflow/tests/code"
MODELS = int(os.environ.get("CODE_MODELS", "24"))
STATE_MODELS = int(os.environ.get("CODE_STATE_MODELS", "12"))
ROWS = 2000
KERNEL = os.environ.get("CODE_KERNEL", "").split()
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
INCLUDE = ["-I%s" % (ROOT / "liteflow" / name) for name in (
    "lib/include", "linux/include", "linux/include/uapi")]


def run(*args, **keys):
    return subprocess.run([str(a) for a in args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **keys)


class Code(case.Packed):
    @classmethod
    def setUpClass(cls):
        made = run("make", "-s", "-C", SOURCES, "BUILD=%s" % BUILD)
        if made.returncode:
            raise AssertionError(made.stdout)

    def code(self, model, target, *args):
        return self.lfctl("model", "c", model, "-o", self.path(target), "--for", target, *args)

    def compiled(self, *args):
        done = run(*args, cwd=self.dir.name)
        self.assertEqual((done.returncode, done.stdout), (0, ""), args)

    def models(self, n, state=0):
        self.assertEqual(run(BUILT / "models", self.dir.name, n, state).returncode, 0)
        return range(n + state)

    def make(self, n):
        """All three kinds of C; those that BPF or a module has no stack for are refused."""
        names, bpf, module = {}, set(), set()
        for i in self.models(n):
            model = self.path("%d.lfm" % i)
            self.assertEqual(self.code(model, "user", "--name", "m%d" % i).returncode, 0)
            names[i] = "m%d" % i
            for target, into in (("bpf", bpf), ("module", module)):
                done = self.code(model, target, "--name", "m%d" % i)
                if done.returncode == 0:
                    into.add(i)
                else:
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, r"^lfctl: .* bytes of .*stack.*\n$")
        return names, bpf, module

    def test_equal(self):
        names, bpf, module = self.make(MODELS)
        self.assertGreater(len(bpf), MODELS * 2 // 3)
        self.assertGreater(len(module), MODELS * 2 // 3)
        self.assertLess(len(bpf), MODELS)
        with open(self.path("table.c"), "w", encoding="ascii") as f:
            f.write('#include "compare.h"\n\nrun_fn %s;\n' % ", ".join(
                ["m%d_run" % i for i in names] + ["m%d_bpf" % i for i in bpf]))
            f.write("const struct compared compared[] = {\n%s};\n" % "".join(
                "\t{ %d, m%d_run, %s },\n" % (i, i, "m%d_bpf" % i if i in bpf else "0")
                for i in names))
            f.write("const unsigned int n_compared = %d;\n" % len(names))
        for i in bpf:
            with open(self.path("bpf/m%d.c" % i), "w", encoding="ascii") as f:
                f.write('#include "m%d.bpf.h"\n\nvoid m%d_bpf(const int *in, int *out);\n'
                        'void m%d_bpf(const int *in, int *out)\n{\n\tm%d_run(in, out);\n}\n' %
                        (i, i, i, i))
        for folder in ("user", "module", "bpf"):
            os.makedirs(self.path("o/" + folder))
        clang = shutil.which("clang") or "gcc"
        for compiler, folder, numbers, args in (
                ("gcc", "user", names, []), (clang, "bpf", bpf, []),
                ("gcc", "module", module, ["-I%s" % (SOURCES / "stub"), *INCLUDE])):
            done = run(compiler, "-O2", *WARNINGS, *args, "-c", *(
                self.path("%s/m%d.c" % (folder, i)) for i in numbers),
                cwd=self.path("o/" + folder))
            self.assertEqual((done.returncode, done.stdout), (0, ""), folder)
        self.compiled("gcc", "-O2", "-I%s" % SOURCES, "-o", "compare", "table.c",
                      BUILT / "compare.o", *(
                          self.path("o/%s/m%d.o" % (folder, i)) for folder, numbers in (
                              ("user", names), ("module", module), ("bpf", bpf))
                          for i in numbers), BUILD / "liteflow/libliteflow.a")
        done = run(self.path("compare"), self.dir.name, ROWS)
        print("# " + done.stdout.replace("\n", ", "), file=sys.stderr)
        counts = dict(re.findall(r"(\w+) (\d+) answers 0 differ", done.stdout))
        self.assertEqual((done.returncode, {k: int(n) for k, n in counts.items()}),
                         (0, {"user": ROWS * len(names), "module": ROWS * len(module),
                              "bpf": ROWS * len(bpf), "state": 0}), done.stdout)

    def test_state(self):
        """Models that remember, over sequences: answers and states"""
        numbers = self.models(0, STATE_MODELS)
        for i in numbers:
            done = self.code(self.path("%d.lfm" % i), "user", "--name", "m%d" % i)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("table.c"), "w", encoding="ascii") as f:
            f.write('#include "compare.h"\n\nstep_fn %s;\n' % ", ".join(
                "m%d_run" % i for i in numbers))
            f.write("const struct compared compared[] = {\n%s};\n" % "".join(
                "\t{ %d, 0, 0, m%d_run },\n" % (i, i) for i in numbers))
            f.write("const unsigned int n_compared = %d;\n" % len(numbers))
        self.compiled("gcc", "-O2", *WARNINGS, "-I%s" % SOURCES, "-Iuser", "-o", "compare",
                      "table.c", BUILT / "compare.o", *("user/m%d.c" % i for i in numbers),
                      BUILD / "liteflow/libliteflow.a")
        done = run(self.path("compare"), self.dir.name, ROWS)
        print("# " + done.stdout.replace("\n", ", "), file=sys.stderr)
        self.assertEqual((done.returncode, re.findall(r"state (\d+) answers 0 differ", done.stdout)),
                         (0, [str(ROWS * STATE_MODELS)]), done.stdout)
        if shutil.which("clang"):       # which also complains of what is not used
            self.compiled("clang", "-fsyntax-only", *WARNINGS, *("user/m%d.c" % i for i in numbers))
        # as undefined behaviour would show
        self.compiled("gcc", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover",
                      "-I%s" % SOURCES, "-Iuser", "-o", "checked", "table.c", BUILT / "compare.o",
                      *("user/m%d.c" % i for i in numbers), BUILD / "liteflow/libliteflow.a")
        done = run(self.path("checked"), self.dir.name, 64)
        self.assertEqual(done.returncode, 0, done.stdout)
        # what has no place for state says so
        for target, reason in (("module", "the kernel has no place for"), ("bpf", "the verifier")):
            done = self.code(self.path("0.lfm"), target)
            self.result(target, None if done.returncode == 1 and reason in done.stderr and
                        "values of state" in done.stderr and
                        len(done.stderr.splitlines()) == 1 else self.said(done))

    def test_verifier(self):
        """In the kernel, if it takes BPF programs."""
        if not shutil.which("clang") or not (BUILT / "bpfrun").exists():
            self.skipTest("needs clang and libbpf-dev")
        self.result("in the kernel", self.in_kernel())

    def in_kernel(self):
        if KERNEL:  # which may see another /tmp
            self.dir = tempfile.TemporaryDirectory(dir=BUILT)
            self.addCleanup(self.dir.cleanup)
        rows = 500 if KERNEL else 10000
        _, bpf, _ = self.make(16)
        args = []
        for i in sorted(bpf):
            with open(self.path("bpf/m%d.bpf.h" % i), encoding="ascii") as f:
                shape = re.search(r"in\[(\d+)\], out\[(\d+)\]", f.read())
            multiarch = run("gcc", "-print-multiarch").stdout.strip()
            self.compiled("clang", "-O2", "-g", "-target", "bpf", *WARNINGS,
                          "-I/usr/include/" + multiarch, "-include", self.path("bpf/m%d.bpf.h" % i),
                          "-DNAME=m%d" % i, "-DN_IN=%s" % shape[1], "-DN_OUT=%s" % shape[2], "-c",
                          "-o", self.path("m%d.bpf.o" % i), SOURCES / "ask.bpf.c")
            args += [self.path("m%d.bpf.o" % i), self.path("%d.lfm" % i)]
        done = run(*KERNEL, BUILT / "bpfrun", rows, *args)
        print("# " + done.stdout.replace("\n", ", "), file=sys.stderr)
        if done.returncode == 4:
            self.skipTest(done.stdout)
        counted = re.search(r"^bpf (\d+) answers 0 differ\s*$", done.stdout, re.M)
        return None if done.returncode == 0 and counted and \
            int(counted[1]) == rows * len(bpf) else done.stdout

    def test_differs(self):
        """The comparison sees an answer that is off by one."""
        self.models(1)
        self.code(self.path("0.lfm"), "user", "--name", "m0")
        with open(self.path("user/m0.c"), encoding="ascii") as f:
            text = f.read()
        self.assertIn(" + s->offset;", text)
        with open(self.path("user/m0.c"), "w", encoding="ascii") as f:
            f.write(text.replace(" + s->offset;", " + s->offset + 1;"))
        with open(self.path("table.c"), "w", encoding="ascii") as f:
            f.write('#include "compare.h"\n\nrun_fn m0_run;\n'
                    "const struct compared compared[] = { { 0, m0_run, 0 } };\n"
                    "const unsigned int n_compared = 1;\n")
        self.compiled("gcc", "-O2", "-I%s" % SOURCES, "-Iuser", "-o", "compare", "table.c",
                      "user/m0.c", BUILT / "compare.o", BUILD / "liteflow/libliteflow.a")
        done = run(self.path("compare"), self.dir.name, 100)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_names(self):
        """Whatever a model and its inputs are called, it stays C, and nothing but it."""
        net = make_net(random.Random(1), [3, 4, 1], ["tanh", "none"], [(-1, 1)],
                       (-3, 3, 1e-3), 1)
        for name, units, identifier in (
                ("int", "u", "int"), ("2nd */ int x;", '"\\ */ */', "m2nd____int_x_"),
                ('a"b\\n%s%n??/', "*/\\", "a_b_n_s_n___"), ("@@@ /* //", "//*", "_________"),
                ("x" * 31, "", "x" * 31)):
            net["name"], net["units"] = name, units
            for i, io in enumerate(net["inputs"]):
                io["name"] = ("*/ #error \\", "??/", "\\")[i]
            net["outputs"][0]["name"] = "%d */"
            self.pack(net)
            for target, args, files in (
                    ("user", [], [".c", ".h"]), ("bpf", [], [".bpf.h"]),
                    ("module", ["--app", 'a"\\'], [".c"])):
                done = self.code(self.path("m.lfm"), target, *args)
                self.result("%s, %s" % (name, target), self.said(done) if done.returncode else not
                            all(os.path.exists(self.path("%s/%s%s" % (target, identifier, end)))
                                for end in files))
                include = ["-I%s" % (SOURCES / "stub"), *INCLUDE] if target == "module" else []
                compiled = run("gcc", "-O1", "-trigraphs", *WARNINGS, "-Wno-unused-function",
                               *include, "-x", "c", "-c", "-o", "/dev/null",
                               self.path("%s/%s%s" % (target, identifier, files[0])))
                self.result("%s, %s compiles" % (name, target), compiled.stdout)
        with open(self.path("module/Kbuild"), encoding="ascii") as f:
            self.assertIn("obj-m += %s.o\n" % ("x" * 31), f.read())

    def test_refusals(self):
        self.models(1)
        model, where = self.path("0.lfm"), self.path("out")
        for args, reason in (([], "which model"), ([model], "Give -o DIR"),
                             ([model, "-o", where], "Give --for"),
                             ([model, "-o", where, "--for", "cuda"], "must be module, user or bpf"),
                             ([model, "-o", where, "--for", "user", "--app", "x"], "--app goes"),
                             ([model, model, "-o", where, "--for", "user"], "one file")):
            done = self.lfctl("model", "c", *args)
            self.result("usage: " + reason, None if done.returncode == 2 and reason in
                        done.stderr else self.said(done))
        with open(self.path("json"), "w", encoding="ascii") as f:
            f.write("{}")
        with open(self.path("cut"), "wb") as f, open(model, "rb") as whole:
            f.write(whole.read()[:-8])
        for args, reason in ((["none"], "No such file"), (["json"], "this is JSON"),
                             (["cut"], "cut"), (["0.lfm", "--name", "2x"], '--name is "2x"'),
                             (["0.lfm", "--name", "../x"], '--name is'),
                             (["0.lfm", "--name", ""], '--name is'),
                             (["0.lfm", "--name", "x" * 32], '--name is')):
            done = self.lfctl("model", "c", self.path(args[0]), *args[1:], "-o", where, "--for",
                              "user")
            self.result("refused: %s" % args, None if done.returncode == 1 and reason in
                        done.stderr and len(done.stderr.splitlines()) == 1 and not
                        os.path.exists(where) else self.said(done))
        done = self.lfctl("model", "c", model, "-o", self.path("json"), "--for", "user")
        self.result("the folder is a file", None if done.returncode == 1 and
                    len(done.stderr.splitlines()) == 1 else self.said(done))

    def test_sizes(self):
        """What is said of tables and code is about what gcc makes of it."""
        off = []
        for i in self.models(24):
            if i % 8 in (5, 7):
                continue    # loops that nothing unrolls, and constants that fold
            done = self.code(self.path("%d.lfm" % i), "user", "--name", "m", "--json")
            said = json.loads(done.stdout)
            self.compiled("gcc", "-O2", "-c", "-o", "m.o", "user/m.c")
            sizes = dict(re.findall(r"^\.?(\w+)\S* +(\d+) ", run(
                "size", "-A", self.path("m.o")).stdout, re.M))
            off.append(int(sizes["text"]) / said["code-bytes"])
            self.result("model %d: code %s" % (i, sizes["text"]), None if 0.5 < off[-1] < 2 else
                        said)
            # what the code has as constants is no table any more
            self.result("model %d: tables %s" % (i, sizes.get("rodata")), None if
                        int(sizes.get("rodata", 0)) <= said["table-bytes"] + 64 else said)
        self.assertAlmostEqual(sum(off) / len(off), 1, delta=0.25)


if __name__ == "__main__":
    unittest.main()
