#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every program that users start says its version and where to report bugs."""
import os
import re
import subprocess
import unittest

from pylib.paths import BUILD, ROOT

BUILT = ["tools/jc_sched", "tools/burn", "tools/fibo", "tools/wakebench", "tools/dump_lb",
         "tools/queues", "liteflow/lfctl", "liteflow/lfd", "liteflow/flowmage", "liteflow/traffic",
         "liteflow/ccsim/ccsim", "liteflow/lemu-log"]
SCRIPTS = ["qemu/start.sh", "liteflow/tests/torture", "liteflow/flowmage/report",
           "scripts/run-tests", *(f"scripts/{name}.py" for name in (
               "check-applies", "check-configs", "check-exports", "check-layers", "check-links",
               "check-maintainers", "ktap", "offpath", "series", "test-install"))]
FOLDERS = ["mllb", "liteflow/cc/lab", "liteflow/cc/sim", "liteflow/cc/hook",
           "liteflow/lfc", "liteflow/lemu"]
# tests, and what only other programs call
NO_TOOLS = re.compile(r"test|^(guest|iperf|ask-host|lfd-beside)$|\.py$")


# sourced; run in UML only
NO_SCRIPTS = {"about.sh", "lib.sh", "um-fork.sh"}


def scripts():
    yield from (ROOT / name for name in SCRIPTS)
    yield from (path for path in sorted((ROOT / "scripts").glob("*.sh"))
                if path.name not in NO_SCRIPTS)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and os.access(path, os.X_OK) and not NO_TOOLS.search(path.name):
                yield path


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, env={**os.environ, "BUILD": str(BUILD)})


def version():
    """That of the packages."""
    with open(ROOT / "scripts/deb/changelog", encoding="utf-8") as f:
        return f.readline().split("(")[1].split(")")[0]


class Tools(unittest.TestCase):
    def about(self, path):
        done = run(path, "--version")
        self.assertEqual((done.returncode, done.stdout.split()), (0, [path.name, version()]))
        done = run(path, "--help")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1], "^Report bugs to .*")

    def test_programs(self):
        for path in (BUILD / name for name in BUILT):
            with self.subTest(path.name):
                if not path.exists():
                    self.skipTest("not built")
                self.about(path)
                done = run(path, "--no-such-option")
                self.assertEqual(done.returncode, 2, done.stdout)

    def test_scripts(self):
        paths = list(scripts())
        self.assertGreater(len(paths), 60)
        for path in paths:
            with self.subTest(path.relative_to(ROOT)):
                self.about(path)

    def test_hints(self):
        """Mistyped commands, and the word that was meant."""
        for words, meant in ((["sttus"], "status"), (["model", "shw"], "show"),
                             (["modle"], "model")):
            done = run(BUILD / "tools/jc_sched", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f'(did you mean "{meant}"?)', done.stdout)


if __name__ == "__main__":
    unittest.main()
