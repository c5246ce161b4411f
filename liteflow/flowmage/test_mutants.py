#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The analysis on programs that nobody wrote: a few instructions of the functions in nf/ are
changed, and where the kernel still takes the program, the oracle runs it. COUNT=n: how many;
SEED=n: others."""
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

import test_analyze
import test_damage
import test_oracle

COUNT = int(os.environ.get("COUNT", "600"))
# operations of arithmetic and of jumps, and numbers that programs compare with or mask by
ALU = (0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0)
JUMPS = (0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0)
NUMBERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 15, 16, 17, 24, 31, 60, 255, 0xff00, 0xffff,
           0xffffff, -1, 0x81, 0xdd86, 0x800)
ATOMIC = (0xc3, 0xdb)
CALLS = (0x85, 0x95)


def other_register(rng, regs):
    if rng.random() < .5:
        return regs & 0xf0 | rng.randrange(11)
    return regs & 0xf | rng.randrange(11) << 4


def change(rng, raw):
    """An instruction, a little different."""
    code, regs, off, imm = struct.unpack("<BBhi", raw)
    kind, luck = code & 7, rng.random()
    if kind in (4, 7):
        if luck < .4:
            code = code & 0x0f | rng.choice(ALU)
        elif luck < .7:
            imm = rng.choice(NUMBERS)
        else:
            regs = other_register(rng, regs)
    elif kind in (1, 2, 3) and code not in ATOMIC:
        if luck < .5:
            off += rng.choice((-8, -4, -2, -1, 1, 2, 4, 8, 12, 16))
        elif luck < .8:
            code = code & ~0x18 | rng.choice((0, 8, 0x10, 0x18))
        else:
            regs = other_register(rng, regs)
    elif kind in (5, 6) and code not in CALLS:
        if luck < .4:
            code = code & 0x0f | rng.choice(JUMPS)
        elif luck < .7:
            imm = rng.choice(NUMBERS)
        else:
            off = max(0, off + rng.choice((-2, -1, 1, 2, 3)))
    return struct.pack("<BBhi", code, regs, off, imm)


def mutant(rng, whole):
    data = bytearray(whole)
    code = [(at, size) for at, size, runs in test_damage.sections(whole) if runs and size]
    for _ in range(rng.randint(1, 3)):
        at, size = rng.choice(code)
        at += 8 * rng.randrange(size // 8)
        data[at:at + 8] = change(rng, data[at:at + 8])
    return data


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Mutants(unittest.TestCase):
    def test_mutants(self):
        test_analyze.compile_all()
        done = test_oracle.oracle()
        if done.returncode == test_oracle.SKIP:
            self.skipTest(done.stdout.strip())
        objects = [p.read_bytes() for p in sorted(test_analyze.OBJECTS.glob("*.o"))]
        rng = random.Random(int(os.environ.get("SEED", "1")))
        ran, wrong = 0, []
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mutant.o"
            for i in range(COUNT):
                path.write_bytes(mutant(rng, rng.choice(objects)))
                said = subprocess.run([test_oracle.ORACLE, "--every", "16", path], text=True,
                                      stdout=subprocess.PIPE, check=False).stdout
                counts = [int(line[4]) for line in test_oracle.LINE.finditer(said)]
                ran += bool(counts)
                if any(counts):
                    kept = test_analyze.BUILD / ("liteflow/mutant-%d.o" % i)
                    shutil.copy(path, kept)
                    wrong.append("%s: %s" % (kept, said))
        print("fm_mutants %d programs" % COUNT)
        print("fm_mutants_run %d programs" % ran)
        print("fm_mutants_contradictions %d programs" % len(wrong))
        self.assertEqual(wrong, [])
        self.assertGreater(ran, COUNT // 10)


if __name__ == "__main__":
    unittest.main()
