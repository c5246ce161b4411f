# SPDX-License-Identifier: GPL-2.0
"""What a file is, by its content: one of another kind is refused by what it is, with what to do.

liteflow/lfctl/kind.c does so for the programs in C, with the same table and the same words.
"""
import pathlib
import re

from .errors import Problem

LOOKED_AT = 4096                # bytes in which a file shows what it is
MODEL, JSON, MODEL_JSON, ONNX, TFLITE, ROWS, TRACE, PCAP = \
    "model", "json", "model json", "onnx", "tflite", "rows", "trace", "pcap"

# (begins with, at, kind, what it is, what to do)
_KNOWN = (
    (b"LFNN", 0, MODEL, "a packed model", "lfctl model check shows it, its JSON is what it was "
                                          "made of"),
    (b"TFL3", 4, TFLITE, "a TFLite network", "lfc(1) makes a model of it"),
    (b"PK\x03\x04", 0, "zip", "a zip file, as PyTorch's are",
     "use liteflow.export(module, ...), or torch.onnx.export() and lfc(1)"),
    (b"\x89HDF", 0, "hdf5", "an HDF5 file, as Keras' are",
     "convert it to ONNX or TFLite, of which lfc(1) makes a model"),
    (b"LFHIST\r\n", 0, "segment", "a segment of a history",
     "lfctl history --csv prints the rows of the folder that it lies in"),
    (b"\xd4\xc3\xb2\xa1", 0, PCAP, "a capture of packets", "lemu-trace(1) reads it"),
    (b"\xa1\xb2\xc3\xd4", 0, PCAP, "a capture of packets", "lemu-trace(1) reads it"),
    (b"\x4d\x3c\xb2\xa1", 0, PCAP, "a capture of packets", "lemu-trace(1) reads it"),
    (b"\xa1\xb2\x3c\x4d", 0, PCAP, "a capture of packets", "lemu-trace(1) reads it"),
    (b"\n\r\r\n", 0, "pcapng", "a capture of packets (pcapng)",
     "editcap -F nsecpcap makes pcap of it, which lemu-trace(1) reads"),
    (b"\x1f\x8b", 0, "gzip", "compressed", "run gunzip first"),
    (b"\xfd7zXZ", 0, "xz", "compressed", "run unxz first"),
    (b"\x28\xb5\x2f\xfd", 0, "zstd", "compressed", "run unzstd first"),
    (b"\x7fELF", 0, "program", "a program", "give another file"))
_ONNX = b"\x12\x1a\x22\x28\x32\x3a\x42"    # a field of a model, after its version
_ROWS = re.compile(rb"\s*(#[^\n]*\n\s*)*(batch,kind,|[-0-9][-+0-9, \t\r]*(\n|$))")


def of(data):
    """(kind, what it is, what to do) of a file's first bytes; None: nothing is known of it."""
    data = bytes(data[:LOOKED_AT])
    for magic, at, *about in _KNOWN:
        if data[at:at + len(magic)] == magic:
            return tuple(about)
    # protobuf: the version, then another field
    if len(data) > 8 and data[0] == 8 and 0 < data[1] < 32 and data[2] in _ONNX:
        return ONNX, "an ONNX network", "lfc(1) makes a model of it"
    text = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    if text.lstrip()[:1] == b"{":
        if b'"liteflow-model"' in text:
            return MODEL_JSON, "JSON of a model", "lfctl model pack makes a packed model of it"
        return JSON, "JSON", "give another file"
    if text.startswith(b"packet_number\t"):
        return TRACE, "a trace of packets", "lemu-run and lemu/train read it"
    if _ROWS.match(text):
        return ROWS, "rows of inputs", "lfctl model run and lfc --data read them"
    return None


def check(data, wanted, *fit):
    """Problem if a file's first bytes are plainly none of the kinds @fit; @wanted: words for
    them."""
    found = of(data)
    if found and found[0] not in fit:
        _, what, todo = found
        raise Problem(f"{'these are' if what.startswith('rows') else 'this is'} {what}, not "
                      f"{wanted}: {todo}")


def check_file(path, wanted, *fit):
    """The same of a file; a folder is a Problem, too. What cannot be read is for others to say."""
    path = pathlib.Path(path)
    if path.is_dir():
        raise Problem(f"{path}: this is a folder" + (
            " with a history: lfctl history --csv prints its rows" if any(path.glob("*.lfh"))
            else f", not {wanted}"))
    try:
        with open(path, "rb") as file:
            data = file.read(LOOKED_AT)
    except OSError:
        return
    try:
        check(data, wanted, *fit)
    except Problem as problem:
        raise Problem(f"{path}: {problem}") from problem
