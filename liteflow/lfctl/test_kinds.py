#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every tool given every other tool's files: one line that says what it got, and status 1.
"""

import ast
import gzip
import json
import os
import re
import struct
import subprocess
import unittest

import case
from pylib import kinds
from pylib.paths import BUILD, ROOT

TRACE = "\t".join(("packet_number", "size", "transmit_time", "receive_time", "latency",
                   "dropped_status")) + "\n1\t1000\t0.5\t0.75\t0.25\t0\n"
NET = {"format": "liteflow-model", "version": 1, "name": "net", "units": "u",
       "inputs": [{"name": "x", "lo": -9, "hi": 9}], "outputs": [{"name": "y", "lo": -9, "hi": 9}],
       "layers": [{"activation": "none", "weights": [[1]], "bias": [0]}]}
# what it is -> (bytes, words of what is told)
FILES = {
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x061.13.1", "an ONNX network"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "a TFLite network"),
    "pt": (b"PK\x03\x04" + bytes(40), "a zip file"),
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
    "segment": (b"LFHIST\r\n" + bytes(152), "a segment of a history"),
    "pcap": (struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1), "a capture of packets"),
    "pcap, big-endian": (struct.pack(">IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1),
                         "a capture of packets"),
    "gz": (gzip.compress(b"x"), "compressed"),
    "elf": (b"\x7fELF" + bytes(60), "a program"),
    "json": (json.dumps(NET).encode(), "JSON of a model"),
    "json, byte order mark": (b"\xef\xbb\xbf" + json.dumps(NET, indent=1).encode(),
                              "JSON of a model"),
    "lfd": (b'{ "app": "cc", "hook": "/bin/true" }', None),
    "rows": (b"# a comment\n1\n-2\n3\n", "rows of inputs"),
    "csv": (b"batch,kind,flow,seq,version,time_ns,cpu,reward,x\n1,query,1,1,1,1,0,,5\n",
            "rows of inputs"),
    "trace": (TRACE.encode(), None),
    "empty": (b"", None),
    "bytes": (bytes(range(1, 256)) * 8, None),
}
JSON, ROWS = {"json", "json, byte order mark"}, {"rows", "csv"}


def run(*args, env=None):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, env=env)


class Kinds(case.Packed):
    def setUp(self):
        super().setUp()
        self.files = {}
        for at, (name, (data, words)) in enumerate(FILES.items()):
            path = self.path("file%d_C5_L0_Q5000.csv" % at)
            with open(path, "wb") as f:
                f.write(data)
            self.files[name] = path, words
        self.assertEqual(self.pack(NET).returncode, 0)
        self.files["model"] = self.path("m.lfm"), "a packed model"
        self.folder = self.path("history")
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "00000001.lfh"), "wb") as f:
            f.write(FILES["segment"][0])
        self.files["folder"] = self.folder, "a folder"

    def every(self, tool, taken, run):
        """@run: of a path, the finished tool; @taken: what is what it wants"""
        for name, (path, words) in self.files.items():
            if name in taken:
                continue
            done = run(path)
            lines = done.stderr.splitlines()
            wrong = None
            if done.returncode != 1 or len(lines) != 1:
                wrong = self.said(done) or "status %d" % done.returncode
            elif words and words not in done.stderr:
                wrong = lines[0]
            elif "magic 0x" in done.stderr and name != "bytes":
                wrong = lines[0]
            self.result("%s, given %s" % (tool, name), wrong)

    def test_lfctl(self):
        model, rows = self.path("m.lfm"), self.files["rows"][0]
        out = self.path("out")
        self.every("model check", {"model"}, lambda f: self.lfctl("model", "check", f))
        # what a file is does not depend on the kernel, which may have no LiteFlow
        self.every("model install", {"model"},
                   lambda f: self.lfctl("model", "install", "demo", "auto", f))
        self.every("model pack", JSON, lambda f: self.lfctl("model", "pack", f, "-o", out))
        self.every("model run", {"model"}, lambda f: self.lfctl("model", "run", f, rows))
        self.every("model diff", {"model"} | JSON,
                   lambda f: self.lfctl("model", "diff", model, f, rows))
        self.every("model c", {"model"},
                   lambda f: self.lfctl("model", "c", f, "-o", out, "--for", "user"))
        self.every("rows of model run", ROWS | {"empty"},
                   lambda f: self.lfctl("model", "run", model, f))
        self.every("pack --data", ROWS, lambda f: self.lfctl(
            "model", "pack", self.path("m.json"), "-o", out, "--data", f))
        self.result("nothing is written", os.path.exists(out))
        for name, (path, _) in self.files.items():
            done = self.lfctl("history", path)
            if name != "folder":
                self.result("history, given " + name, done.returncode != 1 or
                            "a history is the folder" not in done.stderr)

    def test_lfd(self):
        lfd = BUILD / "liteflow" / "lfd"
        if not lfd.exists():
            self.skipTest("lfd is not built")
        for path, _ in self.files.values():
            os.chmod(path, 0o755)
        self.files["folder"] = self.folder, "no regular file"
        self.files["json"] = self.files["json"][0], "not lfd's configuration"
        self.every("lfd --check", {"lfd"}, lambda f: run(lfd, "--check", f))

    def test_python(self):
        tools = ROOT / "liteflow"
        env = dict(os.environ, LFCTL=str(BUILD / "liteflow" / "lfctl"))

        def run_tool(name, *args):
            return run(tools / name, *args, env=env)
        out = self.path("x.json")
        self.every("lfc", {"onnx", "tflite"}, lambda f: run_tool("lfc/lfc", f, "-o", out))
        model = self.files["json"][0]
        self.files["folder"] = self.folder, "a folder with a history"
        self.every("lemu-run", JSON, lambda f: run_tool("lemu/lemu-run", f, model))
        link = str(ROOT / "liteflow/lemu/models/bytequeue-16.json")
        self.every("lemu-run's trace", {"trace"},
                   lambda f: run_tool("lemu/lemu-run", "--float", link, f))


class Tables(unittest.TestCase):
    """liteflow/lfctl/kind.c and scripts/pylib/kinds.py know the same files."""

    SOURCE = (ROOT / "liteflow/lfctl/kind.c").read_text()

    @staticmethod
    def bytes_of(text):
        """Of C's adjacent strings."""
        octal = re.sub(r"\\([0-7])(?![0-7])", r"\\x0\1", text)
        return b"".join(ast.literal_eval("b" + one) for one in re.findall(r'"[^"]*"', octal))

    def test_agree(self):
        table = self.SOURCE[self.SOURCE.index("} known[]"):self.SOURCE.index("names[]")]
        rows = re.findall(r'\{ ((?:"[^"]*" ?)+), (\d+), (\d+),\s*"([^"]*)",\s*"([^"]*)" \}', table)
        self.assertEqual(len(rows), table.count("\t{ "))
        told = []
        for magic, size, at, what, todo in rows:
            self.assertEqual(len(self.bytes_of(magic)), int(size), magic)
            told.append((self.bytes_of(magic), int(at), what, todo))
        # kind_refuse() takes a packed model itself
        self.assertEqual(told, [(magic, at, what, todo) for magic, at, kind, what, todo
                                in kinds._KNOWN if kind != kinds.MODEL])

    def test_onnx(self):
        fields, = re.findall(r'strchr\(("[^"]*"), data\[2\]\)', self.SOURCE)
        self.assertEqual(self.bytes_of(fields), kinds._ONNX)

    def test_looked_at(self):
        bytes_, = re.findall(r"#define LOOKED_AT\s+(\d+)", self.SOURCE)
        self.assertEqual(int(bytes_), kinds.LOOKED_AT)


if __name__ == "__main__":
    unittest.main()
