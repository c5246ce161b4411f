#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What readers of a history find: lfctl history, liteflow.history(), and those of rows."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "lfc")]

import numpy as np                                              # noqa: E402
import liteflow                                                 # noqa: E402
from liteflow import rows, segments                             # noqa: E402
from liteflow.pylib.paths import BUILD                          # noqa: E402

HEADER = 136 + 7 * 32           # bytes of a segment's header
HEAD, RECORD = 72, 64           # of an entry's head, of a record
# format of numbers of 2, 4 and 8 bytes in header, head and record, for the other byte order
SWAP = {"header": [(8, 4), (12, 2), (14, 2), *((at, 4) for at in range(16, 40, 4)),
                   *((at, 8) for at in range(40, 64, 8))],
        "head": [(0, 4), (4, 2), (6, 2), (8, 4), (12, 4), *((at, 8) for at in range(16, 56, 8)),
                 *((at, 4) for at in range(56, 72, 4))],
        "record": [(0, 8), (8, 8), (16, 4), (20, 4), (24, 2), (26, 2),
                   *((at, 4) for at in range(28, 60, 4))]}


def run(*args):
    return subprocess.run(list(map(str, args)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)


def expected(number, at):
    """Values of a query, as sample.c makes them"""
    return [(number * 2654435761 + at * 40503 + value) & 0xffffffff for value in range(7)]


def swapped(data, at, places):
    for offset, size in places:
        data[at + offset:at + offset + size] = data[at + offset:at + offset + size][::-1]


def other_order(data):
    """A segment as a machine of the other byte order would have written it"""
    old, data = segments.Segment(bytes(data), 1), bytearray(data)
    for entry, _ in old.entries():
        for at in range(entry.data, entry.data + entry.length, RECORD):
            swapped(data, at, SWAP["record"])
    swapped(data, 0, SWAP["header"])
    order = "<" if old.order == ">" else ">"
    data[36:40] = bytes(4)
    crc = zlib.crc32(data[:HEADER])
    data[36:40] = struct.pack(order + "I", crc)
    for entry, _ in old.entries():
        at = entry.data - HEAD
        swapped(data, at, SWAP["head"])
        sums = zlib.crc32(data[entry.data:entry.data + entry.length], crc)
        data[at + 60:at + 68] = struct.pack(order + "II", 0, sums)
        data[at + 60:at + 64] = struct.pack(order + "I", zlib.crc32(data[at:at + HEAD], crc))
    return data


class History(unittest.TestCase):
    def setUp(self):
        # in memory, as no test depends on what a sync takes
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", shm))
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name) / "h"

    def make(self, *args):
        done = run(BUILD / "liteflow/history_make", self.dir, *args)
        self.assertEqual(done.returncode, 0, done.stderr)

    def lfctl(self, *args, status=0):
        done = run(BUILD / "liteflow/lfctl", "history", self.dir, *args)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def segment(self, number=1):
        return self.dir / f"{number:08}.lfh"

    def change(self, at, number=1):
        """Flip a bit of a segment."""
        data = bytearray(self.segment(number).read_bytes())
        data[at] ^= 4
        self.segment(number).write_bytes(data)


class Arrays(History):
    def test_records(self):
        self.make(5, 20)
        kept = liteflow.history(self.dir)
        self.assertEqual((kept.app, kept.inputs, kept.outputs),
                         ("test", ["a", 'b, "c"', "d", "e", "f"], ["x", "y"]))
        self.assertEqual(len(kept.records), 100)
        self.assertEqual((len(kept.queries), len(kept.rewards)), (90, 10))
        for row in kept.queries:
            want = np.array(expected(int(row["flow"]), int(row["seq"])), dtype=np.uint32)
            np.testing.assert_array_equal(np.concatenate([row["inputs"], row["outputs"]]),
                                          want.astype(np.int32))
        self.assertEqual(set(kept.rewards["reward"]), {6, 13})
        self.assertTrue((np.diff(kept.records["entry"].astype(np.int64)) >= 0).all())
        self.assertFalse(kept.rewards["inputs"].any())

    def test_gaps(self):
        self.make(4, 10)
        self.make(3, 10)
        kept = liteflow.history(self.dir)
        self.assertEqual(list(kept.gaps["why"]), ["lost", "down", "lost"])
        self.assertEqual(list(kept.gaps["at"]), [20, 40, 60])
        self.assertEqual(list(kept.gaps["missing"]), [3, 0, 3])
        down = kept.gaps[1]
        self.assertLessEqual(down["begin"], down["end"])
        self.assertEqual(down["end"], down["time"])

    def test_last(self):
        self.make(6, 10, 2000)
        every = liteflow.history(self.dir)
        for last in (0, 1, 9, 10, 11, 59, 60, 1000):
            kept = liteflow.history(self.dir, last=last)
            np.testing.assert_array_equal(kept.records, every.records[60 - min(last, 60):])
        kept = liteflow.history(self.dir, last=40)
        self.assertEqual((list(kept.gaps["at"]), list(kept.gaps["why"])), ([0], ["lost"]))

    def test_since(self):
        self.make(6, 10)
        every = liteflow.history(self.dir)
        # the sample's records are of the first µs after boot, all of them
        middle = int(every.records["time"][30])
        kept = liteflow.history(self.dir, since=middle / 1e9)
        self.assertLess(len(kept.records), 61)
        self.assertTrue((kept.records["time"] >= int(middle / 1e9 * 1e9)).all())
        self.assertEqual(len(liteflow.history(self.dir, since=4e9).records), 0)

    def test_order(self):
        """Of a machine with the other byte order"""
        self.make(4, 10)
        every = liteflow.history(self.dir)
        data = self.segment().read_bytes()
        self.segment().write_bytes(other_order(data))
        kept = liteflow.history(self.dir)
        np.testing.assert_array_equal(kept.records, every.records)
        np.testing.assert_array_equal(kept.gaps, every.gaps)
        self.assertIn("the other byte order", self.lfctl(status=1).stderr)

    def test_damage(self):
        """As many records as lfctl finds, wherever a bit flips or the file ends"""
        self.make(3, 2)
        data = self.segment().read_bytes()
        for at in range(0, len(data), 3):
            self.segment().write_bytes(data)
            self.change(at)
            self.compare(at)
            self.segment().write_bytes(data[:at])
            self.compare(at)

    def compare(self, at):
        done = run(BUILD / "liteflow/lfctl", "--json", "history", "--list", self.dir)
        try:
            kept = liteflow.history(self.dir)
        except liteflow.Problem as problem:
            self.assertEqual(done.returncode, 1, f"byte {at}: {problem}")
            self.assertEqual(str(problem), done.stderr.strip().removeprefix("lfctl: "))
            return
        self.assertEqual(done.returncode, 0, f"byte {at}: {done.stderr}")
        said = json.loads(done.stdout)
        self.assertEqual((said["records"], said["torn-bytes"], [g["why"] for g in said["gaps"]]),
                         (len(kept.records), kept.torn, list(kept.gaps["why"])), f"byte {at}")

    def test_pieces(self):
        """A segment in the middle is gone; files that are none of it"""
        self.make(6, 10, 1000)
        self.segment(3).unlink()
        self.segment(9).write_bytes(b"hello")
        (self.dir / "00000002.lfh.set-aside").write_bytes(b"x")
        (self.dir / "notes").write_text("mine")
        kept = liteflow.history(self.dir)
        self.assertEqual(len(kept.records), 50)
        self.assertIn("damaged", list(kept.gaps["why"]))
        self.assertEqual(dict(kept.aside), {"00000009.lfh": "5 bytes are no segment",
                                            "00000002.lfh.set-aside": "set aside"})
        done = self.lfctl("--list")
        for name, why in kept.aside:
            self.assertIn(f"lfctl: {name}: {why}", done.stderr)

    def test_refused(self):
        for make, why in ((lambda: None, "No such file"), (self.dir.mkdir, "no history in it"),
                          (lambda: self.segment().write_text("x"), "no segment can be read")):
            make()
            with self.assertRaisesRegex(liteflow.Problem, why) as caught:
                liteflow.history(self.dir)
            self.assertEqual(self.lfctl(status=1).stderr.strip(), f"lfctl: {caught.exception}")
        shutil.rmtree(self.dir)
        self.dir.write_text("x")
        with self.assertRaisesRegex(liteflow.Problem, "Not a directory"):
            liteflow.history(self.dir)
        with self.assertRaisesRegex(liteflow.Problem, "must not be below 0"):
            liteflow.history(self.dir, last=-1)


class Text(History):
    def test_rows(self):
        """--csv and --json are read by what reads those of lfctl collect."""
        self.make(5, 20)
        for form in ("--csv", "--json"):
            text = self.lfctl(form).stdout
            with tempfile.NamedTemporaryFile("w", suffix=form) as file:
                file.write(text)
                file.flush()
                read = rows.read(file.name, ["a", 'b, "c"', "d", "e", "f"])
            self.assertEqual(read.count, 90)
            np.testing.assert_array_equal(read.table, liteflow.history(self.dir).queries["inputs"])
        self.assertTrue(self.lfctl("--csv").stdout.startswith(
            "batch,kind,flow,seq,version,time_ns,cpu,reward,a,"))

    def test_last(self):
        self.make(5, 20)
        every = self.lfctl("--csv").stdout.splitlines()
        for last in (1, 20, 99, 100, 1000):
            some = self.lfctl("--csv", "--last", last).stdout.splitlines()
            self.assertEqual(some, every[:1] + every[max(1, 101 - last):])

    def test_since(self):
        self.make(2, 20)
        self.assertEqual(json.loads(self.lfctl("--list", "--json", "--since", "1h").stdout)
                         ["records"], 40)
        self.assertEqual(json.loads(self.lfctl("--list", "--json", "--since", "@7000000000")
                                    .stdout)["records"], 0)
        self.assertEqual(len(self.lfctl("--csv", "--since", "@0").stdout.splitlines()), 41)
        for good in ("90s", "1.5m", "2h", "3d", "2026-11-30", "2026-11-30 19:00",
                     "2026-11-30T19:00:30", "@1764529200"):
            self.lfctl("--since", good)
        for bad in ("", "soon", "-1h", "1w", "5", "2026-13-01", "@", "@x", "@-1", "nan", "2026",
                    "19:00"):
            self.assertIn("--since", self.lfctl("--since", bad, status=2).stderr, bad)

    def test_usage(self):
        self.make(1, 1)
        self.lfctl("--list", "--csv", status=2)
        self.lfctl("--last", "3", status=2)
        self.lfctl("--last", "0", "--csv", status=2)
        self.lfctl("another", status=2)

    def test_list(self):
        self.make(6, 10, 1000)
        self.make(1, 10, 1000)
        self.change(HEADER + HEAD + 5, 2)
        lines = self.lfctl().stdout.splitlines()
        self.assertEqual(lines[0], "app test: 5 inputs, 2 outputs, records of 64 bytes")
        self.assertEqual(sum(line.startswith("0000") for line in lines), 9)
        self.assertEqual(sum(line.startswith("gap lost") for line in lines), 1)
        self.assertEqual(sum(line.startswith("gap damaged") for line in lines), 1)
        self.assertRegex(lines[-1], "^9 segments, .* 6 batches, 60 records; 3 gaps, "
                                    "3 records missing$")

    def test_written_meanwhile(self):
        """Nothing of a batch that is not whole is seen."""
        self.make(3, 10)
        with open(self.segment(), "ab") as file:
            file.write(self.segment().read_bytes()[HEADER:HEADER + HEAD + 100])
        self.assertIn("172 bytes at the end", self.lfctl().stdout)
        self.assertEqual(len(self.lfctl("--csv").stdout.splitlines()), 31)

    def test_rolling(self):
        """Segments come and go while they are read: nothing is taken for damage."""
        writer = subprocess.Popen([str(BUILD / "liteflow/history_make"), str(self.dir), "600",
                                   "500", "40000"], stderr=subprocess.PIPE, text=True)
        seen = 0
        while writer.poll() is None:
            done = run(BUILD / "liteflow/lfctl", "--json", "history", "--list", self.dir)
            if done.returncode and "no history in it" in done.stderr or not self.dir.exists():
                continue
            self.assertEqual(done.returncode, 0, done.stderr)
            said = json.loads(done.stdout)
            self.assertNotIn("damaged", [gap["why"] for gap in said["gaps"]])
            self.assertNotIn("damaged", list(liteflow.history(self.dir).gaps["why"]))
            seen += 1
        self.assertEqual(writer.wait(), 0, writer.stderr.read())
        writer.stderr.close()
        self.assertGreater(seen, 2)
        self.assertLessEqual(sum(f.stat().st_size for f in self.dir.iterdir()), 4 << 20)

    def test_pipe(self):
        """Nobody reads to the end."""
        self.make(40, 500)
        line = f"{BUILD}/liteflow/lfctl history --csv {self.dir} | head -1"
        done = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, text=True, timeout=60,
                              stderr=subprocess.PIPE, check=False)
        self.assertTrue(done.stdout.startswith("batch,"))
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    os.chdir(HERE)
    unittest.main()
