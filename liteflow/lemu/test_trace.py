#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Traces: read, refused, made of two captures; sets that share none; lemu-run on them."""
import contextlib
import importlib.util
import io
import itertools
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from linkrnn import data, modelrun, native, pairing, pcap, traces
from linkrnn.pylib import lfctl, programs
from linkrnn.pylib.paths import ROOT

HERE = ROOT / "liteflow" / "lemu"
SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
HEADER = "\t".join(traces.COLUMNS)


def run(program, *words):
    """(status or Problem, standard output) of a program's main()."""
    out, before = io.StringIO(), sys.argv
    sys.argv = [program.__file__ or "x", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as err:
            try:
                status = program.main()
            except program.Problem as problem:
                status = problem
            except SystemExit as end:
                status = f"{end.code}: {err.getvalue().splitlines()[-1]}"
    finally:
        sys.argv = before
    return status, out.getvalue()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trace = programs.load(HERE / "lemu-trace")
        cls.runs = programs.load(HERE / "lemu-run")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def written(self, *rows, name="x_C8_L0_Q9000_1.csv", header=HEADER):
        path = self.folder / name
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    @staticmethod
    def row(number, at=None, size=1000, late=0.001, dropped=0):
        at = number * 0.01 if at is None else at
        return f"{number}\t{size}\t{at:.9f}\t{0 if dropped else at + late:.9f}\t" \
               f"{0 if dropped else late:.9f}\t{dropped}"


class Files(Case):
    def test_round_trip(self):
        """A simulated trace that is written and read is what it was, to a byte."""
        status, _ = run(self.trace, "simulate", "-n", 3, "-p", 300, "-o", self.folder)
        self.assertEqual(status, 0)
        for number, path in enumerate(sorted(self.folder.iterdir(),
                                             key=lambda p: int(p.stem.rpartition("_")[2]))):
            made = native.simulate(data.PRESETS["default"], 1, number, 1, 300)
            trace = traces.read(path)
            self.assertEqual((trace.bad, trace.capacity, trace.queue),
                             ([], made["capacity"][0], made["queue"][0]))
            np.testing.assert_array_equal(trace.dropped, made["dropped"][0])
            self.assertLess(np.abs(trace.work[1:] - made["work"][0][1:]).max(), 1.5)
            self.assertLess(np.abs(trace.backlog - made["backlog"][0]).max(), 3)

    def test_the_original(self):
        """Rows as the original's page shows them."""
        path = self.written(
            "1\t1396\t1764001042.4637475\t1764001042.4650688\t0.0013213157653808594\t0",
            "2\t1358\t1764001042.7929063\t1764001042.7941916\t0.0012853145599365234\t0",
            "3\t587\t1764001042.8111677\t0\t0\t1",
            name="mgtrace_C7_L0_Q69350_1763732340_17.csv")
        trace = traces.read(path).checked()
        self.assertEqual((trace.capacity, trace.delay, trace.queue), (875, 0, 69350))
        self.assertEqual(list(trace.dropped), [0, 0, 1])
        self.assertAlmostEqual(trace.backlog[0], 0.0013213157653808594 * 875000, places=1)
        self.assertEqual(trace.backlog[2], 0)

    def test_line_ends_of_windows(self):
        path = self.written(*[self.row(number) for number in range(1, 20)])
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertEqual(len(traces.read(path).checked().sent), 19)

    def test_all_lost_or_none(self):
        """Figures of traces without a drop, and without anything else."""
        for dropped in (0, 1):
            path = self.written(*[self.row(number, dropped=dropped) for number in range(1, 50)],
                                name=f"x_C8_L0_Q9000_{dropped}.csv")
            model = Runs.model(self)
            status, said = run(self.runs, model, path, "--float", "--json")
            self.assertEqual(status, 0)
            self.assertEqual(json.loads(said)[0]["model, float"]["right"], 1 - dropped)
            self.assertEqual(run(self.runs, model, path, "--float")[0], 0)

    def test_outside_of_ranges(self):
        """A link that the model was not trained on is run, and said."""
        path = self.written(*[self.row(number) for number in range(1, 50)],
                            name="x_C80_L0_Q9000_1.csv")
        with contextlib.redirect_stderr(io.StringIO()):
            said = self.runs.outside(json.loads(Runs.model(self).read_text()),
                                     self.runs.of_trace(traces.read(path), 50))
        self.assertEqual(said, ["capacity is up to 10000, the model knows 0 to 1500"])

    def test_bad_rows_by_line(self):
        good = [self.row(number) for number in range(1, 900)]
        bad = [("7\t1", "2 columns"), (HEADER, "a second header"),
               (self.row(2, at=9), "is there twice"), (self.row(2000, size=0), "0 bytes"),
               (self.row(2001, at=0.5), "goes backwards"),
               (self.row(2002, at=9, late=-0.5), "received before"),
               (self.row(2003, at=9).replace("9.001000000", "nan"), "not finite"),
               (self.row(2004, at=9, dropped=2), "dropped_status is 2"),
               (self.row(2005, at=9).replace("0.001000000", "0.5"), "latency is not"),
               ("x" + self.row(2006, at=9), "no number: 'x2006'")]
        for text, why in bad:
            trace = traces.read(self.written(*good, text, self.row(3000, at=10)))
            self.assertEqual([line for line, _ in trace.bad], [901])
            self.assertIn(why, trace.bad[0][1])
            self.assertEqual(len(trace.sent), 900)
            trace.checked()

    def test_too_many_bad_rows(self):
        good = [self.row(number) for number in range(1, 100)]
        trace = traces.read(self.written(*good, "rubbish"))
        trace.checked()
        trace = traces.read(self.written(*good, "rubbish", "rubbish"))
        with self.assertRaisesRegex(traces.Problem, "2 of 101 rows are bad.*line 101: 1 columns"):
            trace.checked()
        status, said = run(self.trace, "check", trace.path)
        self.assertEqual(status, 1)
        self.assertIn(f"{trace.path}:102: 1 columns", said)

    def test_refused(self):
        for words, why in (({"name": "trace.csv"}, "says no link"),
                           ({"name": "x_C0_L0_Q1_1.csv"}, "capacity of 0"),
                           ({"header": "a\tb"}, ":1: the header must be")):
            with self.assertRaisesRegex(traces.Problem, why):
                traces.read(self.written(self.row(1), **words))
        with self.assertRaisesRegex(traces.Problem, "no row"):
            traces.read(self.written())


class Sets(Case):
    def test_never_mixed(self):
        for number in range(10):
            self.written(*[self.row(at, size=100 + number) for at in range(1, 50)],
                         name=f"x_C8_L0_Q9000_{number}.csv")
        found = data.Recorded([self.folder], 1)
        names = [set(map(str, some)) for some in found.files.values()]
        self.assertEqual([len(some) for some in names], [7, 1, 2])
        self.assertEqual(len(set.union(*names)), 10)
        for name in data.SETS:
            sizes = {int(path.stem.rpartition("_")[2]) + 100 for path in found.files[name]}
            drawn = found.draw(name, 40, 8)
            self.assertEqual(len(drawn), 40)
            self.assertLessEqual(set(np.unique(drawn.size).astype(int)), sizes)

    def test_one_file_twice(self):
        for number in range(4):
            self.written(*[self.row(at) for at in range(1, 50 + number // 2)],
                         name=f"x_C8_L0_Q9000_{number}.csv")
        with self.assertRaisesRegex(data.Problem, "are the same trace"):
            data.Recorded([self.folder], 1)

    def test_too_few(self):
        path = self.written(self.row(1))
        with self.assertRaisesRegex(data.Problem, "1 traces: training, validation and test"):
            data.Recorded([path], 1)

    def test_begin_idle(self):
        """Sequences begin where the queue is empty, so that a state of zeros is right."""
        for number in range(3):
            run(self.trace, "simulate", "--seed", number, "-p", 2000, "-o", self.folder)
        found = data.Recorded([self.folder], 1)
        trace = found.traces["train"][0]
        some = found.draw("train", 30, 40)
        starts = {tuple(trace.size[at:at + 8]): at for at in range(len(trace.size) - 8)}
        for row in some.size:
            at = starts[tuple(row[:8])]
            self.assertTrue(at == 0 or trace.work[at] > trace.backlog[at - 1])


def frame(number, size=200, ttl=64, version=4, identity=None):
    """An Ethernet frame with UDP; what a router changes is ttl."""
    payload = struct.pack("!Q", number) + bytes(size - 8)
    udp = struct.pack("!HHHH", 1000, 2000, 8 + len(payload), 0) + payload
    if version == 4:
        head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), identity or number & 0xffff, 0,
                           ttl, 17, ttl * 256, 1, 2)
        kind = 0x0800
    else:
        head = struct.pack("!IHBB", 6 << 28, len(udp), 17, ttl) + bytes(31) + b"\1" + bytes(16)
        kind = 0x86dd
    return bytes(12) + struct.pack("!H", kind) + head + udp


class Captures(Case):
    def captures(self, rows, name, **more):
        """A pcap file of [(ns, number)]."""
        path = self.folder / name
        with pcap.Writer(path) as writer:
            for at, number in rows:
                one = frame(number, **more)
                writer.add(at, one[:96], len(one))
        return path

    def test_clocks_removed(self):
        """Two hosts whose clocks differ by seconds and drift: what is left is a microsecond."""
        made = native.simulate(data.PRESETS["default"], 1, 0, 1, 3000, times=True)
        capacity, queue = float(made["capacity"][0]), float(made["queue"][0])
        sent = EPOCH + np.rint(made["at"][0] * 1e6).astype(np.int64)
        size = made["size"][0].astype(int)
        truth = sent + np.rint((made["backlog"][0] / capacity + 20) * 1e6).astype(np.int64)
        ours, theirs = self.folder / "a.pcap", self.folder / "b.pcap"
        with pcap.Writer(ours) as writer:
            for number, at in enumerate(sent):
                one = frame(number, size[number] - 42)
                writer.add(int(at), one[:100], len(one))
        with pcap.Writer(theirs) as writer:
            for number, at in enumerate(truth):
                if not made["dropped"][0][number]:
                    off = at - 7 * SECOND + round((at - EPOCH) * 40e-6)
                    one = frame(number, size[number] - 42, ttl=63)
                    writer.add(int(off), one[:100], len(one))
        status, said = run(self.trace, "pair", ours, theirs, "-c", f"{capacity * 8:.0f}kbit",
                           "-q", f"{queue:.0f}", "-L", 20, "-o", self.folder / "out")
        self.assertEqual(status, 0)
        self.assertRegex(said, r"offset -[67]\.\d+ s, drift \+(39|40)\.\d+ ppm, both removed")
        trace = traces.read(next((self.folder / "out").iterdir())).checked()
        kept = len(trace.sent)
        self.assertGreater(kept, 2950)
        np.testing.assert_array_equal(trace.dropped, made["dropped"][0][:kept])
        self.assertLess(np.abs(trace.backlog - made["backlog"][0][:kept]).max(), 10)

    def test_ambiguous(self):
        """Packets that are alike are left out and counted, as is what follows the last match."""
        rows = [(EPOCH + at * 1000, number) for at, number in
                enumerate([*range(20), 5, 6, 40, 41])]
        ours, theirs = (pcap.read(self.captures(some, name))[0] for some, name in (
            (rows, "a.pcap"), ([(at + 500, number) for at, number in rows[:20]] +
                               [(EPOCH + 90000, 77)], "b.pcap")))
        pairs = pairing.match(ours, theirs)
        self.assertEqual((pairs.ambiguous, pairs.unsent, pairs.late, len(pairs.sent)),
                         (4, 1, 2, 18))
        self.assertEqual(pairs.dropped.sum(), 0)
        self.assertEqual(len(pairing.match(ours, theirs, to_the_end=True).sent), 20)

    def test_line_below(self):
        """Below all points, through two of them, and no such line has a smaller sum."""
        dice = random.Random(4)
        for _ in range(50):
            x = sorted(dice.uniform(0, 100) for _ in range(60))
            y = [3 + 0.5 * at + dice.expovariate(1) for at in x]
            offset, slope = pairing.below(x, y)
            above = [v - offset - slope * at for at, v in zip(x, y)]
            self.assertGreater(min(above), -1e-9)
            self.assertEqual(sum(1 for value in above if value < 1e-9), 2)
            for left, low in zip(x, y):
                for right, high in zip(x, y):
                    if left < right:
                        other = (high - low) / (right - left)
                        rest = [v - low - other * (at - left) for at, v in zip(x, y)]
                        if min(rest) > -1e-9:
                            self.assertLessEqual(sum(above), sum(rest) + 1e-6)

    def test_two_clocks_said(self):
        rows = [(EPOCH + at * 1000, at) for at in range(30)]
        ours = self.captures(rows, "a.pcap")
        theirs = self.captures([(at - SECOND, number) for at, number in rows], "b.pcap")
        problem, _ = run(self.trace, "pair", ours, theirs, "-c", "1mbit", "--one-clock")
        self.assertRegex(str(problem), "30 packets were received before.*leave --one-clock out")

    def test_keys(self):
        """A hop changes no key; another packet has another one."""
        for version in (4, 6):
            keys = [pcap.key_of(frame(number, ttl=ttl, version=version)[14:])
                    for number, ttl in ((1, 64), (1, 63), (2, 64))]
            self.assertEqual(keys[0], keys[1])
            self.assertNotEqual(keys[0], keys[2])
        self.assertIsNone(pcap.key_of(b""))
        self.assertIsNone(pcap.key_of(b"\x45" + bytes(5)))

    def test_other_files(self):
        """Big-endian microseconds, VLAN tags and ARP; truncated, pcapng and rubbish are refused."""
        one = frame(3)
        tagged = one[:12] + b"\x81\x00\x00\x05" + one[12:]
        arp = bytes(12) + b"\x08\x06" + bytes(28)
        blob = struct.pack(">IHHiIII", pcap.MAGIC_US, 2, 4, 0, 0, 65535, 1) + b"".join(
            struct.pack(">IIII", 5, 7, len(data_), len(data_)) + data_
            for data_ in (one, tagged, arp))
        path = self.folder / "x.pcap"
        path.write_bytes(blob)
        packets, others = pcap.read(path)
        self.assertEqual((len(packets), others), (2, 1))
        self.assertEqual(packets[0].key, packets[1].key)
        self.assertEqual(packets[0].at, 5 * SECOND + 7000)
        for text, why in ((blob[:-1], "ends within packet 3"), (blob[:30], "within packet 1"),
                          (blob[:20], "within its header"), (b"", "no pcap file"),
                          (b"\n\r\r\n" + bytes(30), "pcapng"),
                          (blob[:20] + struct.pack(">I", 147), "link type 147")):
            path.write_bytes(text)
            with self.assertRaisesRegex(pcap.Problem, why):
                pcap.read(path)

    def test_nothing_in_common(self):
        ours = self.captures([(EPOCH + at, at) for at in range(30)], "a.pcap")
        theirs = self.captures([(EPOCH + at, at + 100) for at in range(30)], "b.pcap")
        problem, _ = run(self.trace, "pair", ours, theirs, "-c", "1mbit")
        self.assertRegex(str(problem), "0 packets are in both captures")

    def test_words(self):
        self.assertEqual(self.trace.rate("8mbit"), 1000)
        self.assertEqual(self.trace.rate("500kbit"), 62.5)
        self.assertEqual(self.trace.size("10kb"), 10240)
        self.assertEqual(self.trace.size("1500"), 1500)
        for words in (["-c", "0mbit"], ["-c", "8"], ["-c", "fast"], ["-c", "1mbit", "-q", "big"],
                      ["-c", "1mbit", "-L", "-3"]):
            self.assertRegex(str(run(self.trace, "pair", "a", "b", *words)[0]), "^2: ")


class Recorded(Case):
    def test_tbf(self):
        """A tbf of the kernel: every packet arrives or is dropped, and no faster than it may."""
        program = [sys.executable, str(HERE / "lemu-trace"), "record"]
        done = subprocess.run([*program, "tbf", "-p", "300", "--traffic", "bursts", "-o",
                               self.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode and re.search("no network namespace|no packet socket|Specified qdisc|"
                                         "ip link add|No such file|too busy", done.stderr):
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("300 packets", done.stdout)
        self.assertRegex(done.stdout, "left out: 0 that are not unique, 0 sent .*, 0 received")
        trace = traces.read(next(self.folder.iterdir())).checked()
        kept = trace.dropped == 0
        # what it sent in the time from the first packet to the last to arrive, and its burst
        arrived = trace.sent + trace.latency
        could = (arrived[kept].max() - trace.sent[0]) * 1e3 * trace.capacity + 1600
        self.assertLess(trace.size[kept].sum(), 1.01 * could + 1514)


class Runs(Case):
    def model(self):
        """The byte queue of test_cells.Oracle, by hand: nothing is trained."""
        total, slope = [1, 1, -1, 1], 2048
        steep = [slope * value for value in total]
        path = self.folder / "model.json"
        path.write_text(json.dumps({
            "format": "liteflow-model", "version": 1, "name": "bytes", "units": "bytes",
            "inputs": [{"name": name, "lo": 0, "hi": high} for name, high in (
                ("work", 11500), ("size", 1500), ("capacity", 1500), ("queue", 10000))],
            "outputs": [{"name": "backlog", "lo": -20000, "hi": 20000},
                        {"name": "keep", "lo": -1e8, "hi": 1e8},
                        {"name": "drop", "lo": -1e8, "hi": 1e8}],
            "layers": [{"type": "rnn", "activation": "relu", "state_bits": 32,
                        "state_max": 4e7,
                        "w_x": [[-1, 0, 0, 0], [0, 1, 0, 0], [-slope, slope, 0, -slope],
                                [-slope, slope - 1, 0, -slope]],
                        "w_h": [total, [0] * 4, steep, steep], "b_x": [0] * 4, "b_h": [0] * 4},
                       {"type": "dense", "activation": "none", "bias": [0, 0, 0],
                        "weights": [total, [0, 0, 0, 1], [0, 0, 1, 0]]}]}))
        return path

    def test_figures(self):
        """A model that is a byte queue is exact on its traces; constants are not."""
        run(self.trace, "simulate", "-n", 1, "-p", 1000, "-o", self.folder / "t")
        path = next((self.folder / "t").iterdir())
        for words in ([path], ["--simulated", "2", "--seq_len", "500"]):
            status, said = run(self.runs, self.model(), *words, "--float", "--json")
            self.assertEqual(status, 0)
            found = json.loads(said)[0]
            for name in ("model, float", "byte queue"):
                self.assertEqual(found[name]["right"], 1)
                self.assertLess(found[name]["backlog_p99"], 0.003)
            self.assertLess(found["delay + loss"]["right"], 0.95)
            self.assertEqual(found["never drops"]["found_8"], 0)

    def test_pooled(self):
        for number, packets in enumerate((300, 200)):
            run(self.trace, "simulate", "-p", packets, "--seed", number, "-o", self.folder / "t")
        paths = sorted((self.folder / "t").iterdir())
        status, said = run(self.runs, self.model(), "--pool", *paths, "--float", "--json")
        self.assertEqual(status, 0)
        found, = json.loads(said)
        self.assertEqual((found["traces"], found["model, float"]["packets"]), ("2 traces", 400))
        self.assertEqual(found["model, float"]["right"], 1)

    def test_integers(self):
        """The engine's integers are exact on whole bytes, and lfctl's own run says the same."""
        path, packed, text = (self.folder / name for name in ("model.json", "m.lfm", "rows"))
        self.model()
        status, said = run(self.runs, path, "--simulated", 4, "--seq_len", 2000, "--traffic",
                           "mixed", "--both", "--json")
        self.assertEqual(status, 0)
        found = json.loads(said)[0]
        self.assertEqual((found["model"]["right"], found["model"]["backlog_p99"]), (1, 0))
        self.assertEqual(found["integers"], {"decisions_differ_percent": 0,
                                             "backlog_differs_packets": 0})
        packed.write_bytes(modelrun.packed(path))
        some = data.Simulated(data.PRESETS["default"], 3).draw("test", 1, 300)
        rows = modelrun.rows_of(some)
        np.savetxt(text, rows[0], fmt="%d")
        done = lfctl.run("model", "run", "--sequence", str(packed), str(text))
        self.assertEqual(done.returncode, 0, done.stderr)
        theirs = np.array([line.split() for line in done.stdout.splitlines()], dtype=int)
        ours = native.run_model(packed.read_bytes(), rows,
                                np.arange(300)[None] == 0)
        np.testing.assert_array_equal(ours[0], theirs)

    def test_small_pieces(self):
        """No piece is less than 64 bytes, so a model that knows 40 is asked twice about 100; and
        a size below 0 is none, not one of 4 GB."""
        path = self.model()
        model = json.loads(path.read_text())
        model["inputs"][1]["hi"] = 40
        path.write_text(json.dumps(model))
        for size, backlog in ((40, 40), (64, 40), (100, 76), (-1, 0)):
            answers = native.run_model(modelrun.packed(path), [[[0, size, 1000, 9000]]], [[1]])
            self.assertEqual(modelrun.decided(answers)[0].tolist(), [[backlog]])

    def test_pieces(self):
        """A packet larger than the 1500 bytes that the model knows, as the kernel asks: in pieces,
        of which the last one that fits stays in the queue."""
        blob = modelrun.packed(self.model())
        rows = np.array([[[0, 4000, 1000, 9000], [1000, 4000, 1000, 9000], [0, 4000, 1000, 9000]]])
        answers = native.run_model(blob, rows, [[1, 0, 0]])
        backlog, dropped = modelrun.decided(answers)
        self.assertEqual(backlog.tolist(), [[4000, 7000, 8500]])
        self.assertEqual(dropped.tolist(), [[False, False, True]])

    def test_tcp(self):
        """Flows over a model that is the queue do as over the queue, to the packet."""
        status, said = run(self.runs, self.model(), "--tcp", "--json")
        self.assertEqual(status, 0)
        found = json.loads(said)
        self.assertEqual((len(found["settings"]), found["good"]), (12, 12))
        for one in found["settings"]:
            self.assertEqual(one["true"], one["model"])
        self.assertRegex(run(self.runs, self.folder / "model.json", "--tcp")[1],
                         "12 of 12 settings")

    def test_shipped(self):
        """Shipped models are as good as they are said to be, on few packets of their link."""
        for name, links, right, differ, off in (
                ("bytequeue-16", "default", 0.955, 0.1, 0.01),
                ("ethernet-16", "ethernet", 0.945, 0.1, 0.01),
                # as exact as its weights are, so that their rounding decides on packets
                ("ethernet-near-16", "ethernet", 0.955, 5, 0.2)):
            status, said = run(self.runs, HERE / "models" / f"{name}.json", "--simulated", 16,
                               "--seq_len", 1024, "--link_properties", links, "--both", "--json")
            self.assertEqual(status, 0)
            found = json.loads(said)[0]
            self.assertGreater(found["model"]["right"], right)
            self.assertLess(found["never drops"]["right"], right - 0.02)
            self.assertLess(found["integers"]["decisions_differ_percent"], differ)
            self.assertLess(found["integers"]["backlog_differs_packets"], off)

    def test_idle(self):
        """An idle link loses nothing: neither ARP, nor acknowledgements, nor a line of a shell."""
        sizes = np.array([28, 42, 43, 54, 60, 66, 98, 1514])
        for name, queues in (("bytequeue-exact", (3000, 30000)), ("ethernet-16", (3000, 30000)),
                             ("ethernet-32", (3000, 30000)), ("ethernet-near-16", (3000, 30000)),
                             ("bytequeue-16", (2500, 10000))):
            path = HERE / "models" / f"{name}.json"
            model, blob = modelrun.load(path), modelrun.packed(path)
            for capacity, queue in itertools.product((125, 625, 1250), queues):
                rows = np.zeros((len(sizes), 50, 4), int)
                rows[:, 1:, 0], rows[:, :, 1] = 1 << 20, sizes[:, None]
                rows[:, :, 2:] = capacity, queue
                dropped = modelrun.decided(modelrun.run_integers(blob, model, rows))[1]
                self.assertFalse(dropped.any(), f"{name}: {capacity} bytes/ms, {queue} bytes")

    def test_overload(self):
        """A queue of bytes loses what is too much, and --overload says so of its model. Of a
        network: as many of packets in even gaps, which most trained ones lose none of."""
        status, said = run(self.runs, HERE / "models" / "bytequeue-exact.json", "--overload",
                           "--link_properties", "ethernet", "--json")
        self.assertEqual(status, 0)
        for one in json.loads(said)["overload"]:
            self.assertEqual(one["lost"], one["due"])
            if one["gaps"] == "even":
                self.assertLess(abs(one["due"] - 100 * (1 - 1 / one["load"])), 0.1)
        _, said = run(self.runs, HERE / "models" / "ethernet-near-16.json", "--overload",
                      "--link_properties", "ethernet", "--json")
        for one in json.loads(said)["overload"]:
            self.assertLess(abs(one["lost"] - one["due"]), 0.5)
            if one["gaps"] == "even":
                self.assertLess(abs(one["worst"] - one["due"]), 0.5)

    def test_rate(self):
        """A queue that gets as much as it sends stays as it is, to a thousandth of that."""
        path = HERE / "models" / "ethernet-near-16.json"
        model, size, packets = modelrun.load(path), 1514, 300
        for capacity, queue, waiting in itertools.product((250, 625, 1250), (10000, 30000),
                                                          (2, 3, 5)):
            rows = np.array([[[0 if at < waiting else size, size, capacity, queue]
                              for at in range(packets)]])
            backlog, dropped = modelrun.decided(
                modelrun.run_integers(modelrun.packed(path), model, rows))
            self.assertFalse(dropped.any())
            self.assertLess(abs(backlog[0, waiting - 1] - waiting * size), 20)
            self.assertLess(abs(backlog[0, -1] - waiting * size), packets * size / 1000)

    def test_damaged_model(self):
        path = self.folder / "m.lfm"
        path.write_bytes(modelrun.packed(self.model())[:-9])
        problem, _ = run(self.runs, self.folder / "model.json", "--packed", path, "--simulated", 1)
        self.assertIsInstance(problem, data.Problem)

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "no python3-matplotlib")
    def test_table_and_plot(self):
        status, said = run(self.runs, self.model(), "--simulated", 2, "--seq_len", 200, "--float",
                           "--plot", self.folder / "x.png")
        self.assertEqual(status, 0)
        self.assertRegex(said, r"\| drops found within 8, % +\| 100\.00 ")
        self.assertEqual((self.folder / "x.png").read_bytes()[1:4], b"PNG")

    def test_refused(self):
        path = self.model()
        model = json.loads(path.read_text())
        for change, why in (({"units": "cc-1"}, "units are 'cc-1'"), ({"inputs": []}, "0 inputs"),
                            ({"layers": []}, "no recurrent model")):
            path.write_text(json.dumps({**model, **change}))
            self.assertRegex(str(run(self.runs, path, "--simulated", 1, "--float")[0]), why)
        self.assertRegex(str(run(self.runs, path)[0]), "give traces, or --simulated")


if __name__ == "__main__":
    unittest.main()
