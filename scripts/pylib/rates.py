# SPDX-License-Identifier: GPL-2.0
"""The table of what mllb/measure/rates counted."""
from . import loads

FEW = 20        # per second: 5,000 decisions of it would take four minutes


def table(runs):
    """Markdown lines; runs: list of the JSON files' contents."""
    split = loads.read_split()
    head = ["load", "role", "pool"]
    for run in runs:
        cost = f"{run['kernel']['migration_cost_us']} us"
        head += [f"decisions/s at {cost}", "refused", "forced"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * 3 + " ---: |" * (len(head) - 3)]
    for name, (role, pool) in split.items():
        cells = [f"`{name}`", role, pool or ""]
        for run in runs:
            row = run["loads"].get(name)
            if not row:
                cells += ["-", "-", "-"]
                continue
            rate = row["decisions"] / row["seconds"]
            share = [f"{100 * row[key] / row['decisions']:.1f} %" if row["decisions"] else "-"
                     for key in ("refused", "forced")]
            cells += [f"{rate:.1f}" if rate < FEW else f"{rate:.0f}", *share]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
