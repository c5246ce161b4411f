#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of recordings for test.sh; says what it compared, status 1 if it differs."""
import argparse
import collections
import csv
import json
import re
import sys

# Of one decision, whoever recorded it. delta, in ns, tells decisions apart.
KEY = ("pid", "src_cpu", "dst_cpu", "delta")
JUDGED = ("bits", "num0", "num1", "num2", "num3", "num4", "stock", "can_migrate")


def rows_of(path):
    with open(path, newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


def header_of(path):
    with open(path, encoding="ascii") as file:
        return file.readline().rstrip("\n").split(",")


def header(args):
    """The file's first columns are those of the tracepoint's own text."""
    with open(args.format, encoding="ascii") as file:
        text = file.read().split("print fmt:")[1].split('",')[0]
    want = re.findall(r"(\w+)=%", text)
    # a column of its own, with names: imbalance_type
    want = [name for name in want if name != "migration_type"]
    got = header_of(args.csv)
    print(f"{len(want)} fields, {len(got)} columns")
    return len(want) >= 48 and got[:len(want)] == want


def count(args):
    """As many rows as the kernel counted, less what the JSON says was lost."""
    rows = len(rows_of(args.csv))
    with open(re.sub(r"\.csv$", ".json", args.csv), encoding="utf-8") as file:
        about = json.load(file)
    print(f"{rows} rows, JSON: {about['rows']} rows, {about['lost']} lost; the kernel "
          f"counted {args.decisions}")
    return (rows and rows == about["rows"]
            and abs(args.decisions - rows - about["lost"]) <= args.slack)


def all_are(args):
    """Every row has this value in this column."""
    rows = rows_of(args.csv)
    others = sum(r[args.column] != args.value for r in rows)
    print(f"{others} of {len(rows)} rows have another {args.column} than {args.value}")
    return rows and not others


def occur(args):
    """Each of these values occurs in the column."""
    seen = collections.Counter(r[args.column] for r in rows_of(args.csv))
    print(f"{args.column}: {dict(seen)}")
    return all(seen[v] for v in args.value)


def text(args):
    """The same rows as the tracepoint's text, by time and task."""
    found = {}
    with open(args.trace, encoding="ascii", errors="replace") as file:
        for line in file:
            fields = dict(re.findall(r"(\w+)=(\S+)", line))
            if "ts" in fields:
                found[fields["ts"], fields["pid"]] = fields
    rows = rows_of(args.csv)
    both = [(r, found[r["ts"], r["pid"]]) for r in rows if (r["ts"], r["pid"]) in found]
    differ = collections.Counter(
        name for r, t in both for name in t if name in r and r[name] != t[name])
    print(f"{len(rows)} rows, {len(found)} lines of text, {len(both)} of both; "
          f"differing: {dict(differ) or 'none'}")
    return len(both) >= 0.99 * max(len(rows), len(found)) and not differ and both


def agree(args):
    """Two recordings of the same decisions; prints the share that is the same."""
    theirs = collections.defaultdict(list)
    for r in rows_of(args.csv):
        theirs[tuple(r[k] for k in KEY)].append(r)
    mine = rows_of(args.other)
    both, differ, same = 0, collections.Counter(), 0
    for r in mine:
        candidates = theirs.get(tuple(r[k] for k in KEY))
        if not candidates:
            continue
        t = candidates.pop(0)
        both += 1
        wrong = [name for name in JUDGED if r[name] != t[name]]
        differ.update(wrong)
        same += not wrong
    share = 100 * same / both if both else 0
    print(f"{both} of {len(mine)} rows found in the other recording; "
          f"differing: {dict(differ) or 'none'}")
    print(f"agreement {share:.3f} percent of {both}")
    return both >= 0.98 * len(mine) and both and share >= args.least


def outcomes(args):
    """As many moves as schedstats counted; every outcome is possible."""
    rows = rows_of(args.csv)
    moved = sum(r["moved"] == "1" for r in rows)
    wrong = sum((r["moved"] == "1" and r["can_migrate"] != "1")
                or (r["moved"] == "0" and r["back"] != "")
                or (r["moved"] == "1" and r["back"] not in ("0", "1"))
                or int(r["wait_ns"]) < -1
                or int(r["wait_ns"]) > int(r["horizon_ns"]) * 2 for r in rows)
    waits = sum(int(r["wait_ns"]) >= 0 for r in rows)
    sums = sum(int(r["src_wait_ns"]) >= 0 and int(r["dst_wait_ns"]) >= 0 for r in rows)
    print(f"{len(rows)} rows, {moved} moved, schedstats: {args.gained}; {waits} waits and "
          f"{sums} sums of waits are known; {wrong} rows are impossible")
    return (moved and not wrong and abs(moved - args.gained) <= max(5, 0.02 * args.gained)
            and waits > 0.5 * len(rows) and sums > 0.9 * len(rows))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    sub = p.add_subparsers(required=True)

    def command(call, *extra):
        c = sub.add_parser(call.__name__.replace("_", "-"), help=call.__doc__)
        c.set_defaults(call=call)
        c.add_argument("csv")
        for names, options in extra:
            c.add_argument(names, **options)

    command(header, ("format", {}))
    command(count, ("decisions", {"type": int}), ("--slack", {"type": int, "default": 3}))
    command(all_are, ("column", {}), ("value", {}))
    command(occur, ("column", {}), ("value", {"nargs": "+"}))
    command(text, ("trace", {}))
    command(agree, ("other", {}), ("--least", {"type": float, "default": 99.9}))
    command(outcomes, ("gained", {"type": int}))
    args = p.parse_args()
    return 0 if args.call(args) else 1


if __name__ == "__main__":
    sys.exit(main())
