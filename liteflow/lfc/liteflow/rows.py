# SPDX-License-Identifier: GPL-2.0
"""Rows of inputs: what `lfctl collect` wrote, as CSV or lines of JSON, or plain integers."""
import array
import csv
import json

import numpy as np

from .graph import MAX_WIDTH, listed, shown
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


def _columns(rows, header, names, n_in):
    """Places of the inputs in a CSV file whose first line is @header."""
    values = header[len(FIXED):]
    if header[:len(FIXED)] != FIXED or not values:
        raise rows.problem(1, "not the head of a file of lfctl collect: "
                              + ",".join(FIXED) + ",...")
    if names and all(name in values for name in names):
        at = [values.index(name) for name in names]
    elif n_in is not None and n_in <= len(values) and \
            (not names or values[0] == "in0"):
        at = list(range(n_in))      # lfctl numbers what the app does not name
    elif names:
        missing = [name for name in names if name not in values]
        raise rows.problem(1, f"no column {listed(missing)}: collected of another app?")
    else:
        raise rows.problem(1, "which columns are inputs? Name them with --like or --app")
    rows.names = [values[i] for i in at]
    return [len(FIXED) + i for i in at]


def _csv(rows, file, names, n_in):
    at = None
    reader = csv.reader(file)
    for fields in reader:
        if at is None:
            at = _columns(rows, fields, names, n_in)
            width = len(fields)
            continue
        if not fields:
            continue
        if len(fields) != width:
            raise rows.problem(reader.line_num, f"{len(fields)} columns, the head has {width}: "
                                                "a torn file?")
        if fields[1] == "query":
            rows.add(reader.line_num, _integers(rows, reader.line_num, [fields[i] for i in at]))


def _json(rows, lines, names):
    for line, text in lines:
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise rows.problem(line, f"no JSON: {' '.join(str(error).split())[:80]}") from None
        if not isinstance(record, dict):
            raise rows.problem(line, "no JSON object")
        if record.get("kind", "query") != "query":
            continue
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
        row = [inputs[name] for name in rows.names]
        if any(not isinstance(v, int) or isinstance(v, bool) for v in row):
            raise rows.problem(line, "an input is no integer")
        rows.add(line, row)


def _plain(rows, lines):
    """As lfctl eval takes them: integers between blanks or commas, # begins a comment."""
    for line, text in lines:
        words = text.split("#")[0].replace(",", " ").split()
        if words:
            rows.add(line, _integers(rows, line, words))


def _short(rows, file):
    """(number, line), none longer than what any of them can be"""
    number = 0
    while True:
        text = file.readline(LONGEST_LINE)
        number += 1
        if not text:
            return
        if len(text) >= LONGEST_LINE:
            raise rows.problem(number, "longer than a row can be")
        yield number, text


def read(path, names=None, n_in=None):
    """A file of rows -> Rows.

    @names: of the inputs, to find them among the columns; @n_in: their number, where it is
    known.
    """
    rows = Rows(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = _short(rows, file)
            first = next(lines, (1, ""))

            def again():
                yield first
                yield from lines

            if first[1].startswith(FIXED[0] + ","):
                _csv(rows, (text for _, text in again()), names, n_in)
            elif first[1].lstrip().startswith("{"):
                _json(rows, again(), names)
            else:
                _plain(rows, again())
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
