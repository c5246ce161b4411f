#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of models: integer reference, text and blob, shipped ones, export.

test_train.py runs them, too.
"""
import itertools
import json
import os
import re
import struct
import subprocess
import tempfile
import unittest
import zlib

import numpy as np

import export
from pylib import features as ft
from pylib import model as md
from pylib import reference as ref
from pylib.model import Model, ModelError

HERE = os.path.dirname(os.path.abspath(__file__))
MLLB = os.path.dirname(HERE)
KERNEL = os.path.join(MLLB, "linux", "kernel", "sched")
MODELS = os.path.join(MLLB, "models")
S32 = -2 ** 31, 2 ** 31 - 1
ULONG_MAX = 2 ** 64 - 1


def random_model(seed=0, hidden=10, wide=2 ** 20, name="random"):
    """Weights on every input, so that every path of the arithmetic shows."""
    rng = np.random.default_rng(seed)
    w1 = rng.normal(size=(len(ft.NAMES), hidden))
    for i, scale in zip(ft.NUM_INPUTS, md.SCALE):
        w1[i] *= 3 / (wide * scale)
    return Model(name, w1, rng.normal(size=hidden), rng.normal(size=hidden),
                 0.3, [-2, 0, 0, 0, -wide], [wide] * 5)


def random_rows(rng, n):
    """Raw inputs in model order: within ranges, at their ends, far outside."""
    x = rng.integers(0, 2, size=(n, len(ft.NAMES)))
    for i in ft.NUM_INPUTS:
        near = rng.integers(-10, 600, n)
        far = rng.integers(S32[0], S32[1], n, endpoint=True)
        ends = rng.choice([0, 1, -1, 510, 511, 1 << 20, (1 << 20) + 1, *S32], n)
        x[:, i] = np.choose(rng.integers(0, 3, n), [near, far, ends])
    return x


def engine(blob, rows):
    """Outputs by LiteFlow's engine: lfctl runs the kernel's code."""
    with tempfile.TemporaryDirectory() as tmp:
        with open(tmp + "/m.lfm", "wb") as file:
            file.write(blob)
        text = "\n".join(" ".join(str(v) for v in r) for r in rows.tolist())
        run = subprocess.run([md.LFCTL, "model", "run", tmp + "/m.lfm"],
                             input=text + "\n", stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return None
    return np.array([li.split() for li in run.stdout.splitlines()], dtype=int)


class Reference(unittest.TestCase):
    def check(self, blob, rows):
        want = engine(blob, rows)
        if want is None:
            return False
        got = ref.Blob(blob).run(rows)
        bad = np.flatnonzero((got != want).any(axis=1))
        self.assertEqual(len(bad), 0, f"row {rows[bad[:1]]}")
        return True

    def test_equals_the_engine(self):
        rng = np.random.default_rng(1)
        for seed, hidden in enumerate((1, 3, 9, 10, 10, 10)):
            m = random_model(seed, hidden, 2 ** int(rng.integers(8, 30)))
            self.assertTrue(self.check(m.blob.data, random_rows(rng, 2000)))
            wide = md.pack(m.text().replace('"bits": 32', '"bits": 64'))
            self.assertTrue(self.check(wide, random_rows(rng, 500)))

    def test_equals_the_engine_where_it_saturates(self):
        """Blobs that no packer makes: other shifts, factors and weights."""
        rng = np.random.default_rng(2)
        blob = random_model(7).blob
        n_in, hidden = len(ft.NAMES), 10
        shapes = 96 + 52 * (n_in + 1)
        params = shapes + 16
        good = 0
        for _ in range(60):
            data = bytearray(blob.data)
            for i in range(n_in + 1):       # shift and factor of the scales
                at = 96 + 52 * i + 44
                mult, = struct.unpack_from("<i", data, at)
                struct.pack_into("<i", data, at,
                                 max(mult // int(rng.integers(1, 5)), 1))
            data[shapes + 2] = int(rng.integers(0, 12))
            for j in range(hidden):
                struct.pack_into("<q", data, params + 8 * j,
                                 int(rng.integers(-2 ** 20, 2 ** 20)))
            for k in rng.integers(0, n_in * hidden, 30):
                struct.pack_into("<h", data, params + 8 * hidden + 2 * int(k),
                                 int(rng.integers(-3000, 3000)))
            struct.pack_into("<I", data, 12, 0)
            struct.pack_into("<I", data, 12, zlib.crc32(bytes(data)))
            good += self.check(bytes(data), random_rows(rng, 200))
        self.assertGreater(good, 20)

    def test_rshift(self):
        self.assertEqual([ref.rshift(v, 1) for v in (-3, -2, -1, 0, 1, 2, 3)],
                         [-1, -1, 0, 0, 1, 1, 2])
        self.assertEqual(ref.rshift(-7, 0), -7)

    def test_bounds_hold(self):
        rng = np.random.default_rng(3)
        m = random_model(4, wide=1000)
        for bits, sign in ft.reachable()[rng.permutation(336)[:40]]:
            lo, hi = ref.box(m.blob, int(bits), int(sign))
            (least,), (most,) = m.blob.bounds(lo, hi)
            x = rng.integers(lo, hi, size=(500, len(lo)), endpoint=True)
            out = m.blob.run(x)[:, 0]
            self.assertLessEqual(least, out.min())
            self.assertGreaterEqual(most, out.max())
        one = m.blob.run([lo])[0, 0]
        self.assertEqual(m.blob.bounds(lo, lo), ([one], [one]))

    def test_near_float(self):
        rng = np.random.default_rng(4)
        m = random_model(5, wide=100)
        x = random_rows(rng, 3000)
        bits = sum(x[:, i] << k for k, i in enumerate(ft.BIT_INPUTS))
        num = x[:, list(ft.NUM_INPUTS)]
        np.testing.assert_array_equal(ft.vector(bits, num), x)
        exact = np.clip(md.forward_float(m, bits, num), -8, 9)
        out = m.blob.run(x)[:, 0] / 65536
        self.assertLess(np.abs(out - exact).max(), 0.02)

    def test_prove_sees_a_wrong_model(self):
        w1 = np.zeros((15, 10))
        w1[0, 0] = 0.01
        always = Model("always", w1, [0] * 10, [0.01] + [0] * 9, 1, [0] * 5,
                       [1] * 5)
        proof = ref.prove(always.blob)
        wrong = [p for p in proof if p[2] == "wrong"]
        refuse = [c for c in ft.reachable()
                  if not ft.rule(int(c[0]), [0, 0, 0, 0, int(c[1])])]
        self.assertEqual(len(wrong), len(refuse))
        self.assertEqual(len(proof) - len(wrong),
                         sum(p[2] == "proved" for p in proof))

    def test_prove_sees_a_long_queue_fault(self):
        # The original's fault: a weight that refuses from a length on.
        w1 = np.zeros((15, 10))
        w1[8, 0] = 1 / 64
        model = Model("queue", w1, [0] * 10, [-1] + [0] * 9, 2,
                      [-2, 0, 0, 0, -1], [510, 1, 1, 1, 1])
        self.assertTrue(any(p[2] == "open" for p in ref.prove(model.blob)))

    def test_damaged(self):
        data = random_model().blob.data
        for bad in (data[:-8], data[:50], b"", data[:200] + b"\1" + data[201:]):
            with self.assertRaises(ref.BlobError):
                ref.Blob(bad)


class ModelFile(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "m.json")

    def tearDown(self):
        self.dir.cleanup()

    def test_round_trip(self):
        m = random_model().with_provenance("made up\nfor \"a\" test")
        lfm = m.save(self.path)
        with open(lfm, "rb") as file:
            self.assertEqual(file.read(), m.blob.data)
        again = Model.load(self.path)
        self.assertEqual(again.blob.data, m.blob.data)
        self.assertEqual(again.text(again.checksum), m.text(m.checksum))
        self.assertEqual(again.blob.provenance, m.provenance)
        self.assertEqual([s.name for s in again.blob.inputs], list(ft.NAMES))
        shown = json.loads(subprocess.run(
            [md.LFCTL, "--json", "model", "check", lfm], check=True, text=True,
            stdout=subprocess.PIPE).stdout)
        self.assertEqual([x["sum_bits"] for x in shown["layers"]], [32, 32])

    def refuse(self, change, text):
        random_model().save(self.path)
        with open(self.path, encoding="utf-8") as file:
            doc = json.load(file)
        change(doc)
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(doc, file)
        with self.assertRaisesRegex(ModelError, text):
            Model.load(self.path)

    def test_refused(self):
        self.refuse(lambda d: d.update(version=2), "version 2")
        self.refuse(lambda d: d.update(format="jc-mlp-model"), "jc-mlp-model")
        self.refuse(lambda d: d.update(units="jc-2"), "jc-2")
        self.refuse(lambda d: d["inputs"].reverse(), "order")
        self.refuse(lambda d: d["inputs"][9].pop("scale"), "not the form")
        self.refuse(lambda d: d["layers"][0].update(activation="tanh"),
                    "not the form")
        self.refuse(lambda d: d["layers"][0]["weights"][3].__setitem__(2, 5.5),
                    "checksum.* says 0x[0-9a-f]{8}, but .* 0x[0-9a-f]{8}")
        self.refuse(lambda d: d.update(checksum="0x00000000"), "checksum")
        self.refuse(lambda d: d.pop("layers"), "not a complete model")
        self.refuse(lambda d: d["inputs"][8].update(lo=5, hi=-5), "lo > hi")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("{")
        with self.assertRaisesRegex(ModelError, "not a complete model"):
            Model.load(self.path)
        with self.assertRaisesRegex(ModelError, "No such file"):
            Model.load(self.path + "x")

    def test_unfit_parameters(self):
        def make(w1=None, b1=(0,) * 10, prov=""):
            w1 = np.ones((15, 10)) if w1 is None else w1
            return Model("m", w1, b1, [1] * 10, 0, [0] * 5, [1] * 5, prov)
        for bad in ({"w1": np.ones((10, 15))}, {"w1": np.full((15, 10), np.nan)},
                    {"b1": [0] * 11}, {"prov": "x" * 2049}):
            with self.assertRaises(ModelError):
                make(**bad)


class Shipped(unittest.TestCase):
    """mllb/models/ and the kernel's headers."""

    def setUp(self):
        self.model = Model.load(os.path.join(MODELS, "cfs-6.12.json"))

    def test_all_load(self):
        for name in sorted(os.listdir(MODELS)):
            if name.endswith(".json"):
                m = Model.load(os.path.join(MODELS, name))
                self.assertTrue(m.provenance, name)
                self.assertEqual(m.blob.units, "jc-1")

    def test_proved(self):
        self.assertEqual([p for p in ref.prove(self.model.blob)
                          if p[2] != "proved" or p[3] < 0.1], [])

    def test_no_cliff(self):
        """Long queues and loads up to the end of the type, by the kernel's code."""
        loads = np.array([0, 1024, 44 * 1024, 500 * 1024, 2 ** 20, 2 ** 31, 2 ** 32,
                          2 ** 63, ULONG_MAX], dtype=np.uint64)
        lens = np.arange(1, 501)
        # every pair of loads with every length, at once
        many = len(loads) ** 2
        src_len, dst_len = np.tile(lens, many), np.tile(lens[::-1], many)
        src_load = np.repeat(loads, len(loads) * len(lens))
        dst_load = np.repeat(np.tile(loads, len(loads)), len(lens))
        rows = refused = 0
        for idle, hot, gate in itertools.product(
                ("cpu_idle", "cpu_not_idle", "cpu_newly_idle"), (0, 1),
                (None, ("prefer_src", 1), ("prefer_src", 99999),
                 ("prefer_dst", 0), (None, -3), (None, 0), (None, 900))):
            obs = {"src_len": src_len, "dst_len": dst_len, idle: 1,
                   "src_load": src_load, "dst_load": dst_load,
                   "delta": 0 if hot else 10 ** 9, "migration_cost": 500000}
            if gate:
                obs["numa_gate"] = 1
                if gate[0] == "prefer_src":
                    obs.update(prefer_src=1, src_preferred_len=gate[1])
                elif gate[0]:
                    obs[gate[0]] = 1
                obs["delta_faults"] = gate[1] if not gate[0] else -5
            bits, num = ft.features(**obs)
            want = ft.rule(bits, num)
            np.testing.assert_array_equal(
                md.decide(self.model, bits, num), want, f"{idle} {hot} {gate}")
            if not hot and not gate:
                self.assertTrue(want.all())
            rows += len(want)
            refused += int((want == 0).sum())
        self.assertEqual(rows, 81 * 42 * 500)
        self.assertGreater(refused, rows // 5)

    def test_header_is_the_model(self):
        with open(os.path.join(KERNEL, "jc_weights.h"), encoding="utf-8") as f:
            text = f.read()
        if "jc_default_blob" not in text:
            self.skipTest("the kernel's jc_weights.h has no blob")
        data = bytes(int(b, 16) for b in re.findall(
            r"0x([0-9a-f]{2})\b", text[text.index("jc_default_blob[]"):]))
        self.assertEqual(data, self.model.blob.data,
                         "models/cfs-6.12.json was not exported to the kernel")
        with open(os.path.join(KERNEL, "jc_golden.h"), encoding="utf-8") as f:
            self.assertIn(f"JC_GOLDEN_CHECKSUM\t0x{self.model.checksum:08x}",
                          f.read())


class Export(unittest.TestCase):
    def test_dump_weights(self):
        m = random_model()
        lines = export.dump_weights(m).split("\n")
        self.assertEqual(len(lines), 18)
        self.assertEqual([len(li.split(",")) for li in lines],
                         [10] * 17 + [1])
        numbers = [float(v) for li in lines for v in li.split(",")]
        self.assertEqual(len(numbers), 171)
        np.testing.assert_allclose(
            numbers, [*m.w1.ravel(), *m.b1, *m.w2, m.b2], atol=5.1e-7)
        for mode, count in ((0, 31), (1, 4)):
            text = export.dump_weights(m, mode)
            self.assertEqual(len(text.split("\n")), count)
            self.assertEqual(len(text.replace("\n", ", ").replace(
                ", , ", ", ").strip(", ").split(", ")), 171)

    def test_compiles(self):
        """The headers' C bytes and rows are the model's."""
        m = random_model(5).with_provenance("*/ \"no end\"\nof a comment")
        prog = r"""
        #include <stdio.h>
        int main(void) {
            for (unsigned i = 0; i < sizeof(jc_default_blob); i++)
                printf("%02x", jc_default_blob[i]);
            int n = sizeof(jc_golden) / sizeof(jc_golden[0]);
            printf("\n");
            for (int i = 0; i < n; i++) {
                const struct jc_golden *g = &jc_golden[i];
                printf("%d %d %d %d %d %d %d %d\n", g->bits, g->num[0],
                       g->num[1], g->num[2], g->num[3], g->num[4], g->rule,
                       g->out);
            }
            return 0; }"""
        types = ("typedef int s32; typedef unsigned short u16;\n"
                 "typedef unsigned char u8;\n")
        heads = [export.weights_header(m), export.golden_header(m)]
        for text in heads:
            for line in text.split("\n"):
                self.assertLessEqual(len(line.expandtabs(8)), 100, line)
        with tempfile.TemporaryDirectory() as d:
            with open(d + "/t.c", "w", encoding="utf-8") as f:
                f.write(types + "".join(heads) + prog)
            subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", d + "/t",
                            d + "/t.c"], check=True)
            out = subprocess.run([d + "/t"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.split("\n")
        self.assertEqual(bytes.fromhex(out[0]), m.blob.data)
        got = np.array([li.split() for li in out[1:-1]], dtype=int)
        self.assertEqual(len(got), export.GOLDEN_ROWS)
        vec = ft.vector(got[:, 0], got[:, 1:6])
        np.testing.assert_array_equal(got[:, 7], engine(m.blob.data, vec)[:, 0])
        np.testing.assert_array_equal(got[:, 6], ft.rule(got[:, 0], got[:, 1:6]))

    def test_sample_keeps_rare_classes(self):
        n = 3000
        bits = np.full(n, ft.BIT["cpu_idle"])
        bits[7] |= ft.BIT["extra_fails"]
        num = np.arange(5 * n).reshape(n, 5)
        rows = ft.Rows(bits=bits, num=num, workload=np.array(["w"] * n))
        got = export.recorded_rows(np.random.default_rng(0), rows, 50)
        self.assertEqual(len(got), 50)
        self.assertTrue(any(r[0] & ft.BIT["extra_fails"] for r in got))
        text = export.golden_header(random_model(), rows)
        found = re.findall(r"\{ 0x([0-9a-f]+), \{ ([-0-9, ]+) \}", text)
        recorded = {(b, *r) for b, r in zip(bits.tolist(), map(tuple, num.tolist()))}
        golden = [(int(b, 16), *map(int, r.split(","))) for b, r in found]
        self.assertEqual(sum(g in recorded for g in golden), 100)


class Command(unittest.TestCase):
    def test_dump_weights(self):
        def run(*args):
            return subprocess.run([os.path.join(HERE, "dump_weights"), *args],
                                  stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.PIPE, check=False)
        path = os.path.join(MODELS, "cfs-6.12.json")
        self.assertEqual(run(path).stdout,
                         export.dump_weights(Model.load(path)) + "\n")
        self.assertEqual(len(run(path, "1").stdout.split("\n")), 5)
        self.assertEqual(run(path, "3").returncode, 2)
        bad = run(os.path.join(MLLB, "nothing.json"))
        self.assertEqual(bad.returncode, 1)
        self.assertIn("No such file", bad.stderr)


if __name__ == "__main__":
    unittest.main()
