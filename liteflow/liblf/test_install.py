#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What "make install" leaves is enough to build a program that uses liblf."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts")]

from pylib.paths import BUILD                                   # noqa: E402

PROGRAM = """
#include <stdio.h>
#include <history.h>

static int on_batch(const struct lf_batch *batch, void *data)
{
	return batch && lf_history_append(data, batch);
}

int main(int argc, char **argv)
{
	struct lf_history_options options = { .dir = argv[1], .app = "x", .n_in = 1, .n_out = 1 };
	struct lf_history *h;
	struct lf *lf;

	if (lf_history_open(&h, &options) || lf_history_begin(h) || lf_history_close(h))
		return 1;
	if (lf_open(&lf) || lf_collect(lf, "no-such-app", NULL, NULL, on_batch, h))
		puts(lf_reason(lf));
	lf_close(lf);
	return argc != 2;
}
"""


def run(*args, **options):
    return subprocess.run(list(map(str, args)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    @unittest.skipUnless(shutil.which("pkg-config"), "no pkg-config")
    def test_program(self):
        prefix = self.dir / "prefix"
        done = run("make", "-s", "-C", HERE, "install", f"BUILD={BUILD}", f"PREFIX={prefix}")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        (self.dir / "p.c").write_text(PROGRAM)
        env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "--static", "liblf", env=env)
        self.assertEqual(flags.returncode, 0, flags.stdout)
        # outside of the repository, by nothing but what was installed
        done = run(os.environ.get("CC", "gcc"), "-std=c99", "-Wall", "-Wextra", "-pedantic",
                   "-Werror", "-D_POSIX_C_SOURCE=200809L", "-o", "p", "p.c",
                   *flags.stdout.split(), cwd=self.dir)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = run(self.dir / "p", self.dir / "h")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, "LiteFlow|no such app")

    def test_names(self):
        """What programs link has names that begin with lf_ or hist_, or are the engine's."""
        done = run("nm", "-g", "--defined-only", BUILD / "liteflow/liblf.a")
        self.assertEqual(done.returncode, 0, done.stdout)
        names = re.findall(r"^[0-9a-f]+ \w (\w+)$", done.stdout, re.M)
        self.assertGreater(len(names), 60)
        self.assertEqual([name for name in names if not name.startswith(("lf_", "hist_"))], [])

    def test_quiet(self):
        """The library neither prints nor exits."""
        done = run("nm", "-u", BUILD / "liteflow/liblf.a")
        used = set(re.findall(r"^ +U (\w+)$", done.stdout, re.M))
        self.assertIn("snprintf", used)
        self.assertEqual(used & {"printf", "fprintf", "puts", "fputs", "putchar", "perror", "exit",
                                 "_exit", "abort", "err", "stderr", "stdout", "error"}, set())


if __name__ == "__main__":
    unittest.main()
