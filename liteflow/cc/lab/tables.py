# SPDX-License-Identifier: GPL-2.0
"""The tables of the report: [(title, what is to be said, lines of Markdown)]."""
import math
import statistics

import figures
import scenarios

CCS = ("liteflow", *figures.OTHERS)


def markdown(heads, rows):
    """Columns as wide as their widest entry: also to be read as it is."""
    rows = [[str(value) for value in row] for row in rows]
    width = [max(len(row[at]) for row in [list(heads), *rows]) for at in range(len(heads))]

    def line(row):
        return "| " + " | ".join(value.ljust(width[at]) for at, value in enumerate(row)) + " |"
    return [line(heads), "|" + "|".join("-" * (size + 2) for size in width) + "|",
            *(line(row) for row in rows)]


def one(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def rate(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def pair(cell, cc):
    return f"{rate(cell[cc][0])}, {cell[cc][1]:.1f}" if cc in cell else "-"


def cells(results):
    table = figures.cells(results)
    rows = []
    for cell in table:
        verdict = figures.judge(cell)
        rows.append([cell["mbit"], cell["rtt"], cell["bdp"], *(pair(cell, cc) for cc in CCS),
                     "-" if verdict is None else verdict[0] or "good",
                     "-" if verdict is None else ", ".join(verdict[1]) or "none"])
    text = ("Goodput in Mbit/s and 95th percentile of the queueing delay in ms, medians over "
            "seeds, start-up included. A cell is good where neither of the others is as good in "
            "both and better in one (2 %, and a packet of delay, make no difference), and the "
            "goodput is 90 % of the better one's.")
    good = figures.good_cells(table)
    if good:
        percent, lost, share, judged = good
        text += (f" Good: {percent:.0f} %, {len(lost)} lost of {judged}; liteflow dominates "
                 + ", ".join(f"{cc} in {value:.0f} %" for cc, value in share.items()) + ".")
    return [("## One flow", text, markdown(
        ["Mbit/s", "RTT ms", "BDP", *CCS, "cell", "dominates"], rows))]


def noise(results):
    rows = [[*(cell[name] for name in figures.LINK), figures.noise(cell),
             *(pair(cell, cc) for cc in CCS), one(figures.goodput_share(cell), 0)]
            for cell in figures.cells(results, figures.NOISY_LINK)]
    return [("## Noise", "Goodput in Mbit/s and 95th percentile of the queueing delay in ms, "
             "medians over seeds, and percent of the better goodput of the others. `jitter`, "
             "`reorder`: ACKs late by so many ms on average, in batches or each by itself; "
             "`slots`: a batch every so many ms; `thin`: one ACK of so many arrives; `loss`: "
             "percent, `bursts`: so many packets in a row; `police`: no buffer, so many bytes at "
             "once.", markdown(["Mbit/s", "RTT ms", "BDP", "noise", *CCS, "share"], rows))]


def loss(results):
    rows = []
    for (mbit, rtt, percent), runs in figures.group(results, "mbit", "rtt", "loss").items():
        row = [mbit, rtt, percent]
        for cc in CCS:
            own = [run for run in runs if run.cc == cc]
            row.append(one(figures.median(run.utilisation() for run in own)) if own else "-")
        rows.append(row)
    return [("## Random loss", "Percent of the payload that can arrive: capacity x (1 - loss) x "
             f"{figures.PAYLOAD} / {figures.PACKET}; medians over seeds, start-up included.",
             markdown(["Mbit/s", "RTT ms", "loss %", *CCS], rows))]


def step(results):
    rows = []
    for (mbit, rtt), runs in figures.group(results, "mbit", "rtt").items():
        row = [mbit, rtt]
        for cc in CCS:
            own = [run for run in runs if run.cc == cc]
            row.append(f"{figures.median(run.utilisation() for run in own):.1f} %, "
                       f"{figures.median(run.delay('p50') for run in own):.1f}, "
                       f"{figures.median(run.delay() for run in own):.1f} ms" if own else "-")
        rows.append(row)
    return [("## Capacity that changes", "Percent of the payload that the link could have "
             "carried, median and 95th percentile of the queueing delay. 100:20:2 is 100 and 20 "
             "Mbit/s in turn, 2 s each; the buffer is one BDP of the higher.",
             markdown(["Mbit/s", "RTT ms", *CCS], rows))]


def fair(results):
    rows = []
    for (*link, cc), runs in figures.group(results, "mbit", "rtt", "loss", "flows",
                                           "cc").items():
        indices = sorted(run.jain() for run in runs)
        rows.append([*link, cc, ", ".join(f"{value:.3f}" for value in indices),
                     one(statistics.median(run.delay() for run in runs)),
                     one(statistics.median(run.loss() for run in runs), 2)])
    return [("## Several flows", "Flows that start 5 s apart: Jain's index over the last 20 s "
             "(one value a seed), 95th percentile of the queueing delay in ms, packets sent "
             "again in percent.", markdown(
                 ["Mbit/s", "RTT ms", "loss %", "flows", "cc", "Jain", "delay", "again"], rows))]


def beside(results):
    rows = []
    for (*link, rival), runs in figures.group(results, "mbit", "rtt", "bdp", "rival").items():
        for (order,), same in figures.group(runs, "order").items():
            shares = [run.shares() for run in same]
            rows.append([*link, rival, {"own": "liteflow", "rival": rival}[order],
                         *(", ".join(f"{share[cc]:.0f}" for share in shares)
                           for cc in ("liteflow", rival)),
                         ", ".join(f"{run.competing():.0f}" for run in same)])
    rows.sort(key=lambda row: (row[3], *map(float, row[:3])))
    return [("## Beside a flow of another kind", "Percent of half the link that each side gets, "
             "last 40 s, and percent of the time that liteflow was in its competitive mode (else "
             "it puts delay first); one value a seed.",
             markdown(["Mbit/s", "RTT ms", "BDP", "beside", "first", "liteflow", "other",
                       "competing"], rows))]


def short(results):
    rows = []
    for link, runs in figures.group(results, "mbit", "rtt", "bdp", "size").items():
        row = [*link]
        for cc in CCS:
            own = sorted(value for run in runs if run.cc == cc for value in run.fct())
            row.append(f"{own[len(own) // 2]:.0f}, {own[int(len(own) * 0.95)]:.0f}"
                       if own else "-")
        rows.append(row)
    return [("## Short flows", "From connect() to the last byte's arrival, median and 95th "
             "percentile in ms, beside a long flow of the same kind.",
             markdown(["Mbit/s", "RTT ms", "BDP", "kB", *CCS], rows))]


def user(results):
    rows = [[mbit, rtt, interval, better.removeprefix("remote-"), rate(own), rate(theirs),
             f"{100 * (own / theirs - 1):+.1f} %"]
            for mbit, rtt, interval, better, own, theirs, _ in figures.against_user(results)]
    rows.sort(key=lambda row: (float(row[2]), row[0], float(row[1])))
    text = ("Goodput in Mbit/s of the same net asked in the kernel, and by an agent that gets "
            "the intervals every I ms and acts on arrival; of its two forms (`newest`: an action "
            "for each batch, `each`: one for each interval) the better one in each row. "
            "Computing takes no time in either.")
    for interval in ("1", "10", "100"):
        ratio = figures.user_figure(figures.against_user(results), interval)
        if ratio:
            # a single pair has no interval
            text += (f" Steps, {interval} ms: " + (ratio.percent() if math.isfinite(ratio.high) else
                                                   f"{100 * (ratio.value - 1):+.1f} %") + ".")
    return [("## Against user space", text, markdown(
        ["Mbit/s", "RTT ms", "I ms", "better form", "kernel", "user space", "difference"],
        rows))]


def prefer(results):
    table = figures.preferences(results)
    weights = sorted({name for link in table.values() for name in link}, reverse=True)
    rows = [[*link, *(f"{rate(seen[name][0])}, {seen[name][1]:.1f}, {seen[name][2]:.2f}"
                      if name in seen else "-" for name in weights)]
            for link, seen in table.items()]
    text = ("A flow that states how much throughput, latency and loss matter to it, in that "
            "order: goodput in Mbit/s, 95th percentile of the queueing delay in ms, packets sent "
            "again in percent; medians over seeds.")
    saved = figures.delay_saved(table)
    if saved is not None:
        text += (f" With {figures.LATENCY} the delay is {saved:.0f} % lower than with "
                 f"{figures.THROUGHPUT}, median over links.")
    return [("## Preferences", text, markdown(["Mbit/s", "RTT ms", "BDP", *weights], rows))]


def elsewhere(sets, others):
    """The section on the runs that were made elsewhere as well."""
    rows = [[figure, cc, n, *(f"{value:+.1f}" for value in values)]
            for figure, cc, n, *values in figures.elsewhere(sets, others)]
    return [("## The same in the QEMU guest", "What changes in the guest's kernel, with a clock "
             "that counts instructions, so that computing takes time: of each flow's goodput in "
             "percent, of the 95th percentile of the queueing delay in ms; median and largest.",
             markdown(["figure", "cc", "runs", "goodput", "largest", "delay", "largest"], rows))]


MAKERS = {"cells": cells, "noise": noise, "loss": loss, "step": step, "fair": fair, "beside": beside,
          "short": short, "user": user, "prefer": prefer}
assert set(MAKERS) == set(scenarios.FIGURES)


def sections(sets):
    out = []
    for figure, make in MAKERS.items():
        if sets.get(figure):
            out += make(sets[figure])
    return out
