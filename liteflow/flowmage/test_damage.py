#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Damaged BPF objects: cut off, bits flipped, instructions and names at random. Each is analysed
or refused with one line, within bounds of time and memory. COUNT=n: how many; SEED=n: others."""
import os
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

import test_analyze

COUNT = int(os.environ.get("COUNT", "250"))
MEMORY = 512 << 10  # kB
SECONDS = 150


def sections(data):
    """Offset and size of each section's bytes."""
    start, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    for i in range(count):
        kind, flags, _, offset, length = struct.unpack_from("<IQQQQ", data, start + i * size + 4)
        if kind != 8:
            yield offset, length, bool(flags & 4)


def random_code(rng, data, offset, length):
    """A few instructions of a program, made anew; half of them with codes that exist."""
    codes = (0x07, 0x0f, 0xb7, 0xbf, 0x61, 0x69, 0x71, 0x79, 0x63, 0x6b, 0x73, 0x7b, 0x85, 0x95,
             0x15, 0x1d, 0x25, 0x2d, 0x05, 0x18, 0xdb, 0xdc, 0xd4, 0x67, 0x77, 0x57, 0x30, 0x50)
    for _ in range(rng.randint(1, 20)):
        at = offset + 8 * rng.randrange(max(1, length // 8))
        code = rng.choice(codes) if rng.random() < .8 else rng.randrange(256)
        data[at:at + 8] = struct.pack("<BBhi", code, rng.randrange(256), rng.randint(-40, 40),
                                      rng.choice((0, 1, 2, 3, 12, 26, 51, 93, 164, 181,
                                                  rng.randint(-2**31, 2**31 - 1))))


def damage(rng, whole):
    data = bytearray(whole)
    parts = list(sections(whole))
    kind = rng.randrange(4)
    if kind == 0:
        return data[:rng.randrange(len(data))]
    if kind == 1:
        for _ in range(rng.randint(1, 30)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 2:
        offset, length, _ = rng.choice([p for p in parts if p[2] and p[1]])
        random_code(rng, data, offset, length)
    else:
        # one section, or the headers, in particular
        offset, length, _ = rng.choice(parts + [(0, 64, False), (len(data) - 1024, 1024, False)])
        for _ in range(rng.randint(1, 8)):
            if length:
                data[offset + rng.randrange(length)] = rng.randrange(256)
    return data


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Damage(unittest.TestCase):
    def one(self, path):
        begin = time.monotonic()
        child = subprocess.Popen([test_analyze.FLOWMAGE, "analyze", "--json", "bpf:%s" % path],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        with child:
            said = child.stderr.read()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.assertIn(child.returncode, (0, 1), said)
        self.assertLess(time.monotonic() - begin, SECONDS)
        self.assertLess(used.ru_maxrss, MEMORY)
        if child.returncode:
            self.assertEqual(len(said.splitlines()), 1, said)
        return child.returncode, said

    def test_damaged(self):
        test_analyze.compile_all()
        objects = [p.read_bytes() for p in sorted(test_analyze.OBJECTS.glob("*.o"))]
        rng = random.Random(int(os.environ.get("SEED", "1")))
        refused, ended = 0, 0
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "damaged.o"
            for i in range(COUNT):
                path.write_bytes(damage(rng, rng.choice(objects)))
                try:
                    status, said = self.one(path)
                except AssertionError:
                    kept = test_analyze.BUILD / ("liteflow/damaged-%d.o" % i)
                    shutil.copy(path, kept)
                    print("# kept: %s" % kept)
                    raise
                refused += status
                ended += "ends its reader" in said
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print("fm_damaged %d objects" % COUNT)
        print("fm_damaged_refused %d objects" % refused)
        print("fm_damaged_ended_reader %d objects" % ended)
        print("fm_damaged_memory %d MB" % (most >> 10))
        # it is no test if all are refused
        self.assertGreater(COUNT - refused, COUNT // 10)


if __name__ == "__main__":
    unittest.main()
