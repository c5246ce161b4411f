#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of the parsers and of the derivation in guest.py; runs anywhere."""
import errno
import gzip
import pathlib
import tempfile
import unittest
from unittest import mock

from pylib import guest

NODES = {0: 0, 1: 0, 2: 1, 3: 1}

# One CPU; domain0 is its node, domain1 spans both. Fields as in version 16.
SCHEDSTAT = """version 16
timestamp 4294895348
cpu0 1 0 2 3 4 5 600 7000000 8
domain0 3 {blocks} 9 8 7 0 0 0 0 0 0 1 2 3
domain1 f {blocks} 6 5 4 0 0 0 0 0 0 1 2 3
""".format(blocks="10 1 2 3 40 5 6 7 11 1 2 3 50 5 6 7 12 1 2 3 60 5 6 7")

MIGRATE_HIST = """# event histogram
#
# trigger info: hist:keys=orig_cpu,dest_cpu:vals=hitcount:sort=hitcount:size=4096 if prio >= 100 [active]
#

{ orig_cpu:          0, dest_cpu:          1 } hitcount:         10
{ orig_cpu:          1, dest_cpu:          1 } hitcount:        100
{ orig_cpu:          0, dest_cpu:          3 } hitcount:          5

Totals:
    Hits: 115
    Entries: 3
    Dropped: 0
# event histogram
#
# trigger info: hist:keys=orig_cpu,dest_cpu:vals=hitcount:sort=hitcount:size=4096 if prio >= 100 && COMM ~ "migration/*" [active]
#

{ orig_cpu:          2, dest_cpu:          1 } hitcount:          4

Totals:
    Hits: 4
    Entries: 1
    Dropped: 2
"""

NS_HIST = """{ ns: ~ 16-31 } hitcount:          1
{ ns: ~ 48-63 } hitcount:          6
{ ns: ~ 32-47 } hitcount:          3
"""


class ParserTest(unittest.TestCase):
    def test_lists_and_masks(self):
        self.assertEqual(guest.parse_list("0-2,5\n"), {0, 1, 2, 5})
        self.assertEqual(guest.mask_cpus("1,00000003"), {0, 1, 32})

    def test_schedstat(self):
        stat = guest.parse_schedstat(SCHEDSTAT, NODES)
        self.assertEqual(stat["rq_wait_ns"], 7000000)
        self.assertEqual(stat["gained"], 2 * (40 + 50 + 60))
        self.assertEqual(stat["gained_across"], 40 + 50 + 60)
        self.assertEqual((stat["pushed"], stat["pushed_across"]), (7 + 4, 4))
        self.assertEqual(stat["lb_calls"], 2 * (10 + 11 + 12))

    def test_schedstat_of_another_kernel_is_refused(self):
        with self.assertRaises(guest.Problem):
            guest.parse_schedstat(SCHEDSTAT.replace("version 16", "version 17"), NODES)

    def test_hist(self):
        tables = guest.parse_hist(MIGRATE_HIST, NODES)
        self.assertEqual(tables, {"prio >= 100": [15, 5, 0],
                                  'prio >= 100 && COMM ~ "migration/*"': [4, 4, 2]})

    def test_ns_median(self):
        samples, median = guest.parse_ns_hist(NS_HIST)
        self.assertEqual(samples, 10)
        self.assertTrue(48 <= median < 64)
        self.assertEqual(guest.parse_ns_hist(""), (0, None))

    def test_words(self):
        self.assertEqual(guest.parse_words("mode: test\ndecisions 5\n"),
                         {"mode": "test", "decisions": "5"})


class CauseTest(unittest.TestCase):
    def test_every_move_has_one_cause(self):
        causes = guest.by_cause(total=100, gained=40, pushed=5, stopper=15, moved=3, swapped=2,
                                  stuck=1)
        self.assertEqual(causes["balance"], 35)
        self.assertEqual(causes["active"], 5)
        self.assertEqual(causes["numa"], 6)
        self.assertEqual(causes["exec_affinity"], 4)
        self.assertEqual(sum(causes.values()) - causes["total"], causes["total"])

    def test_numa_is_never_more_than_the_stopper_did(self):
        causes = guest.by_cause(total=100, gained=40, pushed=5, stopper=8, moved=9, swapped=9,
                                  stuck=0)
        self.assertEqual((causes["numa"], causes["exec_affinity"]), (3, 0))


class DiceTest(unittest.TestCase):
    """NI_RANDOM, in a file that behaves as the kernel's."""

    def stop(self, text, obeys=True):
        """(answer, what was written)"""
        now, written = [text], []

        def write(_path, word):
            written.append(word)
            if obeys:
                now[0] = now[0].replace(word.removeprefix("NO_"), word)

        with mock.patch.object(guest, "read_text", lambda _path: now[0]), \
                mock.patch.object(guest, "write_text", write):
            return guest.stop_dice(), written

    def test_it_is_switched_off(self):
        self.assertEqual(self.stop("TTWU_QUEUE NI_RANDOM NO_HRTICK\n"), ("off", ["NO_NI_RANDOM"]))

    def test_it_is_off_already(self):
        self.assertEqual(self.stop("TTWU_QUEUE NO_NI_RANDOM\n"), ("off", []))

    def test_older_kernels_have_none(self):
        self.assertEqual(self.stop("TTWU_QUEUE\n"), ("absent", []))

    def test_a_kernel_that_does_not_obey(self):
        with self.assertRaises(guest.Problem):
            self.stop("NI_RANDOM\n", obeys=False)


class ConfigTest(unittest.TestCase):
    def test_what_the_kernel_was_built_with(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "config.gz"
            self.assertEqual(guest.built_with("CONFIG_A", path), "?")
            with gzip.open(path, "wt") as config:
                config.write("CONFIG_AB=m\nCONFIG_A=y\n# CONFIG_B is not set\n")
            self.assertEqual([guest.built_with(f"CONFIG_{word}", path)
                              for word in ("A", "AB", "B")], ["y", "m", "n"])


class LockdownTest(unittest.TestCase):
    def test_lockdown_is_named(self):
        refused = PermissionError(errno.EPERM, "Operation not permitted")
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "lockdown"
            self.assertEqual(guest.reason(refused, path), "Operation not permitted")
            path.write_text("none [integrity] confidentiality\n")
            self.assertIn("lockdown: integrity", guest.reason(refused, path))
            self.assertEqual(guest.reason(FileNotFoundError(errno.ENOENT, "None"), path), "None")
            path.write_text("[none] integrity confidentiality\n")
            self.assertNotIn("lockdown", guest.reason(refused, path))


if __name__ == "__main__":
    unittest.main()
