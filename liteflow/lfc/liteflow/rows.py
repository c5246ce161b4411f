# SPDX-License-Identifier: GPL-2.0
"""Rows of inputs: what `lfctl collect` wrote, as CSV or lines of JSON, or plain integers."""
import array
import csv
import itertools
import json

import numpy as np

from .graph import MAX_WIDTH, listed, shown
from .pylib import kinds
from .pylib.errors import Problem

FIXED = ["batch", "kind", "flow", "seq", "version", "time_ns", "cpu", "reward"]
MOST_VALUES = 16 << 20          # kept; of more rows every second is dropped
LONGEST_LINE = 1 << 20
INT32 = range(-2 ** 31, 2 ** 31)


class Rows:
    """
    names: of the inputs as the file has them, or None
    table: int32 [rows][inputs], the app's units; evenly thinned if there were very many
    lo, hi: extremes of all rows, int [inputs]
    count: rows in the file
    """

    def __init__(self, path):
        self.path, self.names, self.count = path, None, 0
        self.width = None
        self.lo = self.hi = None
        self._kept, self._stride = array.array("i"), 1

    def problem(self, line, text):
        return Problem(f"{self.path}: line {line}: {text}")

    def add(self, line, row):
        if self.width is None:
            self.width = len(row)
            self.lo, self.hi = list(row), list(row)
        if len(row) != self.width:
            raise self.problem(line, f"{len(row)} inputs, not {self.width}")
        for value in row:
            if value not in INT32:
                raise self.problem(line, f"{str(value)[:24]} does not fit 32 bits")
        self.lo = list(map(min, self.lo, row))
        self.hi = list(map(max, self.hi, row))
        if self.count % self._stride == 0:
            self._kept.extend(row)
            if len(self._kept) > MOST_VALUES:
                table = np.array(self._kept, dtype=np.int32).reshape(-1, self.width)[::2]
                self._kept = array.array("i", table.astype(np.int32).tobytes())
                self._stride *= 2
        self.count += 1

    @property
    def table(self):
        return np.array(self._kept, dtype=np.int32).reshape(-1, self.width)

    def range(self, at, percentile=0):
        """(lo, hi) of input @at: extremes, or the percentiles @percentile and 100 less that."""
        if not percentile:
            return self.lo[at], self.hi[at]
        column = self.table[:, at]
        return (int(np.percentile(column, percentile, method="lower")),
                int(np.percentile(column, 100 - percentile, method="higher")))


def _integers(rows, line, words):
    try:
        return [int(word) for word in words]
    except ValueError:
        bad = next(word for word in words if not _is_integer(word))
        raise rows.problem(line, f"{shown(bad)} is no integer: ROWS are in the app's integers, as "
                                 "lfctl collect writes them") from None


def _is_integer(word):
    try:
        int(word)
    except ValueError:
        return False
    return True


def _is_header(text, names):
    """The first one of its columns may have no name; "nan" and "inf" are no names of columns."""
    text = text[1:] if text.startswith(",") else text
    try:
        float(text.replace(",", " ").split()[0])
        return False
    except (ValueError, IndexError):
        return text.startswith('"') or (text[:1].isalpha() and "," in text) or \
            bool(names) and text == names[0]


def _columns(rows, line, header, names, n_in):
    """Places of the inputs among the columns."""
    numbered = [f"in{i}" for i in range(len(names) if names else n_in or 0)]
    if names and all(name in header for name in names):
        at = [header.index(name) for name in names]
    elif numbered and all(name in header for name in numbered):
        at = [header.index(name) for name in numbered]      # what lfctl calls those without names
    elif names:
        missing = [name for name in names if name not in header]
        raise rows.problem(line, f"no column {listed(missing)}: collected of another app?")
    elif header[:len(FIXED)] == FIXED and n_in and len(FIXED) + n_in <= len(header):
        at = list(range(len(FIXED), len(FIXED) + n_in))
    elif n_in == len(header):
        at = list(range(n_in))
    else:
        raise rows.problem(line, "which columns are inputs? Name them with --like or --app")
    rows.names = [header[i] for i in at]
    return at


def _csv(rows, lines, names, n_in):
    at = None
    for line, text in lines:
        fields = next(csv.reader([text]), [])
        if at is None:
            at = _columns(rows, line, fields, names, n_in)
            width, kind = len(fields), fields.index("kind") if "kind" in fields else None
            continue
        if len(fields) != width:
            raise rows.problem(line, f"{len(fields)} columns, the header has {width}: a torn file?")
        # a reward's inputs are empty
        if kind is None or fields[kind] == "query":
            rows.add(line, _integers(rows, line, [fields[i] for i in at]))


def _record(rows, line, record, names):
    """Inputs of a record of lfctl collect; None: it has none"""
    if record.get("kind", "query") != "query":
        return None
    inputs = record.get("inputs")
    if not isinstance(inputs, dict) or not inputs:
        raise rows.problem(line, 'no "inputs": not a record of lfctl collect')
    if rows.names is None:
        known = names if names and all(name in inputs for name in names) else None
        if names and not known and "in0" not in inputs:
            missing = [name for name in names if name not in inputs]
            raise rows.problem(line, f"no input {listed(missing)}: collected of another app?")
        rows.names = known or list(inputs)
    if any(name not in inputs for name in rows.names):
        raise rows.problem(line, "its inputs are not those of the first record")
    return [inputs[name] for name in rows.names]


def _json(rows, lines, names):
    for line, text in lines:
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise rows.problem(line, f"no JSON: {' '.join(str(error).split())[:80]}") from None
        row = record if isinstance(record, list) else _record(rows, line, record, names) \
            if isinstance(record, dict) else None
        if row is None and not isinstance(record, dict):
            raise rows.problem(line, "no JSON object or array")
        if row is None:
            continue
        if any(not isinstance(v, int) or isinstance(v, bool) for v in row):
            raise rows.problem(line, "an input is no integer")
        rows.add(line, row)


def _plain(rows, lines):
    """Integers between blanks or commas, # begins a comment."""
    for line, text in lines:
        words = text.split("#")[0].replace(",", " ").split()
        if words:
            rows.add(line, _integers(rows, line, words))


def _lines(rows, file):
    """(number, line) of those that hold something, none longer than what any of them can be"""
    number = 0
    while True:
        text = file.readline(LONGEST_LINE)
        number += 1
        if not text:
            return
        if len(text) >= LONGEST_LINE:
            raise rows.problem(number, "longer than a row can be")
        if text.strip() and not text.lstrip().startswith("#"):
            yield number, text.strip()


def read(path, names=None, n_in=None):
    """A file of rows -> Rows.

    @names: of the inputs, to find them among the columns; @n_in: their number, where it is
    known.
    """
    rows = Rows(path)
    kinds.check_file(path, "rows of inputs", kinds.ROWS, kinds.JSON)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = _lines(rows, file)
            first = next(lines, None)
            if first is not None:
                lines = itertools.chain([first], lines)
                if first[1][0] in "{[":
                    _json(rows, lines, names)
                elif _is_header(first[1], names):
                    _csv(rows, lines, names, n_in)
                else:
                    _plain(rows, lines)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: no text in UTF-8") from error
    except csv.Error as error:
        raise Problem(f"{path}: no CSV: {error}") from error
    if not rows.count:
        raise Problem(f"{path}: no rows of inputs")
    if rows.width > MAX_WIDTH:
        raise Problem(f"{path}: rows of {rows.width} values, at most {MAX_WIDTH} are possible")
    return rows
