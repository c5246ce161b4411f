# SPDX-License-Identifier: GPL-2.0
"""docs/cc: the report, its pictures and a line for each run."""
import csv
import json

import figures
import lines as last_lines
import plots

INTRO = """\
# The congestion control in the laboratory

Made by `make cclab`; the scenarios are those of liteflow/cc/lab/scenarios and
scenarios.external, the raw figures in [runs.csv](runs.csv). The kernel's own TCP, in
User Mode Linux in virtual time: computing takes no time, so nothing here says what it
costs. Queueing delay is what the bottleneck's queue would take to drain, sampled every
5 ms. `bbr` is BBR v1, the one that Linux 6.12 has.
"""

COLUMNS = ("name", "mbit", "rtt_ms", "buffer", "loss", "seed", "flow", "cc", "prefer", "start_s",
           "seconds", "goodput_mbit", "goodput_last20_mbit", "p50_delay_ms", "p95_delay_ms",
           "packets", "again", "drops", "liteflow", "model")


def rows(sets):
    """A line per flow."""
    for results in sets.values():
        for run in results:
            data = run.data
            known = data["versions"]
            for at, flow in enumerate(run.flows):
                yield (data["name"], run.params["mbit"], run.params["rtt"], data["buffer"],
                       run.params["loss"], data["seed"], at + 1, flow["cc"], run.params["prefer"],
                       f"{flow['start']:.2f}", f"{data['seconds']:g}", f"{run.goodput(at):.3f}",
                       f"{run.goodput(at, figures.FAIR_SECONDS):.3f}", f"{run.delay('p50'):.2f}",
                       f"{run.delay():.2f}", flow["packets"], flow["retrans"],
                       data["queue"]["drops"], known.get("liteflow", ""),
                       known.get("prefer-model" if run.params["prefer"] else "model", ""))


def pictures(folder, sets):
    """[(title, file)]"""
    out = []

    def picture(title, name, draw, *args):
        draw(*args, folder / name)
        out.append((title, name))

    if sets.get("cells"):
        picture("All cells", "cells.png", plots.cells_cdf, figures.cells(sets["cells"]))
    for (mbit, rtt), runs in figures.group(sets.get("step", []), "mbit", "rtt").items():
        if rtt == "40":
            picture(f"Steps, {mbit} Mbit/s, {rtt} ms", f"step-{mbit.replace(':', '-')}.png",
                    plots.step_series, [run for run in runs if run.data["seed"] == 1])
    for (flows, cc), runs in figures.group(sets.get("fair", []), "flows", "cc").items():
        if cc == "liteflow" and runs[0].data["set"] == "fair" and flows in ("4", "8"):
            picture(f"{flows} flows", f"flows-{flows}.png", plots.flows_series, runs[0])
    for (bdp, rival, order), runs in figures.group(sets.get("beside", []), "bdp", "rival",
                                                   "order").items():
        if bdp == "1" and order == "rival":
            picture(f"Beside {rival}", f"beside-{rival}.png", plots.flows_series, runs[0])
    return out


def write(folder, sets, sections, missing):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "runs.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(rows(sets))
    known = {what: version for results in sets.values() for run in results
             for what, version in run.data["versions"].items()}
    parts = [INTRO]
    parts.append("Versions (checksums; liteflow: of the sources): " +
                 json.dumps(known, sort_keys=True).strip("{}").replace('"', "") + ".\n")
    if missing:
        parts.append(f"{len(missing)} of the scenarios' runs are missing.\n")
    parts.append("```\n" + "\n".join(" ".join(line) for line in last_lines.last(sets)) +
                 "\n```\n")
    for title, text, lines in sections:
        parts.append("\n".join([title, "", text, "", *lines, ""]))
    parts.append("## Pictures\n")
    parts += [f"![{title}]({name})\n" for title, name in pictures(folder, sets)]
    (folder / "report.md").write_text("\n".join(parts))
