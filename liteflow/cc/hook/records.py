# SPDX-License-Identifier: GPL-2.0
"""Reading collected queries of the congestion control's apps."""
import csv
import pathlib
import sys

from pylib.errors import Problem

try:
    import liteflow
except ImportError:
    # of the source, where the package is not installed
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "lfc"))
    import liteflow

NEWEST = 2000           # rows; two minutes of a flow at 40 ms are 6,000
RATIO = "ratio0"
UNIT = 65536            # of all inputs


def ratios_of(lines, where):
    """The newest `ratio` of each query, of CSV with a head as `lfctl collect` writes it."""
    reader = csv.reader(lines)
    head = next(reader, None)
    if head is None:
        return []
    columns = {name: at for at, name in enumerate(head)}
    if not {RATIO, "kind"} <= columns.keys():
        raise Problem(f"{where}: no rows of the congestion control: the head is "
                      f"{','.join(head[:4])}...")
    out = []
    for row in reader:
        # the last line may be cut off while somebody writes
        if len(row) != len(head) or row[columns["kind"]] != "query":
            continue
        try:
            out.append(int(row[columns[RATIO]]) / UNIT)
        except ValueError:
            raise Problem(f"{where}:{reader.line_num}: '{row[columns[RATIO]]}' is no whole "
                          "number") from None
    return out[-NEWEST:]


def ratios_kept(folder):
    """As ratios_of(), of what lfd collected."""
    try:
        kept = liteflow.history(folder, last=NEWEST)
    except liteflow.Problem as error:
        raise Problem(str(error)) from None
    if RATIO not in kept.inputs:
        raise Problem(f"{folder}: no history of the congestion control: the inputs are "
                      f"{', '.join(kept.inputs[:3])}...")
    return list(kept.queries["inputs"][:, kept.inputs.index(RATIO)] / UNIT)


def newest_ratios(request):
    """Of the request's rows or history; [] where it names neither."""
    if request.get("rows"):
        try:
            with open(request["rows"], encoding="utf-8", newline="") as f:
                return ratios_of(f, request["rows"])
        except OSError as error:
            raise Problem(f"{request['rows']}: {error.strerror}") from None
    if request.get("history"):
        return ratios_kept(request["history"])
    return []
