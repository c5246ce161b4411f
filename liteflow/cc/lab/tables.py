# SPDX-License-Identifier: GPL-2.0
"""The tables of the report: [(title, what is to be said, lines of Markdown)]."""
import math
import statistics

from pylib.markdown import table as markdown
import figures
import scenarios

CCS = ("liteflow", *figures.OTHERS)


def one(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def rate(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def of_each(runs, text):
    """Of each of CCS what text() makes of its runs, '-' where it has none"""
    by_cc = figures.group(runs, "cc")
    return [text(by_cc[cc,]) if (cc,) in by_cc else "-" for cc in CCS]


def pair(cell, cc):
    return f"{rate(cell[cc][0])}, {cell[cc][1]:.1f}" if cc in cell else "-"


GOOD = ("A cell is good where none of the others is as good in both and better in one (2 %, and "
        "a packet of delay, make no difference), and the goodput is 90 % of the best one's.")


def judged(table, others=figures.OTHERS):
    """What is to be said of good cells"""
    good = figures.good_cells(table, others)
    if not good:
        return "No cell has results of all."
    percent, lost, share, number = good
    text = (f"Good: {percent:.0f} %, {len(lost)} lost of {number}; liteflow dominates "
            + ", ".join(f"{cc} in {value:.0f} %" for cc, value in share.items()) + ".")
    if lost and "place" in lost[0][0]:
        text += " Lost: " + "; ".join(f"{cell['place']} ({why})" for cell, why in lost) + "."
    return text


def verdict(cell, others=figures.OTHERS):
    """[what the cell is, whom liteflow dominates]"""
    said = figures.judge(cell, others)
    return ["-", "-"] if said is None else [said[0] or "good", ", ".join(said[1]) or "none"]


def cells(results):
    table = figures.cells(results)
    rows = [[cell["mbit"], cell["rtt"], cell["bdp"], *(pair(cell, cc) for cc in CCS),
             *verdict(cell)] for cell in table]
    text = ("Goodput in Mbit/s and 95th percentile of the queueing delay in ms, medians over "
            f"seeds, start-up included. {GOOD} {judged(table)}")
    return [("## One flow", text, markdown(
        ["Mbit/s", "RTT ms", "BDP", *CCS, "cell", "dominates"], rows))]


def every(results):
    """Of the links that all of them have."""
    table = [cell for cell in figures.cells(results) if figures.judge(cell, figures.EVERY_OTHER)]
    rows = [[*(cell[name] for name in figures.LINK), *(pair(cell, cc) for cc in scenarios.EVERY),
             verdict(cell, figures.EVERY_OTHER)[0]] for cell in table]
    return [("## One flow, against eight others", "As above, against everything that has run "
             f"there. {GOOD} {judged(table, figures.EVERY_OTHER)}",
             markdown(["Mbit/s", "RTT ms", "BDP", *scenarios.EVERY, "cell"], rows))]


def far_and_wide(title, text, results):
    """Paths of all kinds, each with a name of its own."""
    table = figures.places(results)
    rows = [[cell["place"], cell["mbit"], cell["rtt"], cell["packets"],
             *(pair(cell, cc) for cc in scenarios.EVERY), verdict(cell, figures.EVERY_OTHER)[0]]
            for cell in table]
    return [(title, f"{text} Goodput of all flows in Mbit/s and 95th percentile of the queueing "
             f"delay in ms. {GOOD} {judged(table, figures.EVERY_OTHER)}",
             markdown(["path", "Mbit/s", "RTT ms", "packets", *scenarios.EVERY, "cell"], rows))]


def external(results):
    return far_and_wide("## Paths that others chose", "Those of scenarios.external.", results)


def sealed(results):
    return far_and_wide("## Paths that nobody chose", "Drawn by `draw-sealed`, and looked at "
                        "once.", results)


def path(results):
    names = (*scenarios.ELEMENTS, *scenarios.CHANGES)
    rows = [[*(cell[name] for name in figures.LINK), figures.noise(cell, names),
             *(pair(cell, cc) for cc in CCS), one(figures.goodput_share(cell), 0)]
            for cell in figures.cells(results, figures.PATH)]
    return [("## What else paths do", "Goodput in Mbit/s and 95th percentile of the queueing "
             "delay in ms, and percent of the better goodput of the others. `stall` MS:S: the "
             "bottleneck stops for MS every S seconds; `arrivals poisson`: it sends at random; "
             "`reroute` MS:S: the base round trip goes to and fro between RTT and MS every S "
             "seconds; `back`: Mbit/s of the way back; `reverse`: a flow on the way back.",
             markdown(["Mbit/s", "RTT ms", "BDP", "what", *CCS, "share"], rows))]


def near(results):
    def text(own):
        return (f"{figures.median(run.utilisation() for run in own):.1f}, "
                f"{figures.median(run.delay() for run in own):.2f}, "
                f"{figures.median(run.drops() for run in own):.2f}")

    rows = [[*link, *of_each(runs, text)]
            for link, runs in figures.group(results, *figures.LINK).items()]
    return [("## Short round trips", "Percent of the payload that can arrive, 95th percentile of "
             "the queueing delay in ms, packets dropped in percent. The buffer has 8 packets at "
             "least.", markdown(["Mbit/s", "RTT ms", "BDP", *CCS], rows))]


def many(results):
    rows = []
    for (*link, cc), runs in figures.group(results, *figures.LINK, "flows", "cc").items():
        rows.append([*link, cc, one(figures.median(run.jain() for run in runs), 3),
                     one(figures.median(run.utilisation() for run in runs)),
                     one(figures.median(run.delay() for run in runs)),
                     one(figures.median(run.drops() for run in runs), 2)])
    rows.sort(key=lambda row: int(row[3]))
    return [("## Many flows", "Jain's index over the last 20 s; percent of the payload that can "
             "arrive, 95th percentile of the queueing delay in ms and packets dropped in percent, "
             "of the whole run.", markdown(["Mbit/s", "RTT ms", "BDP", "flows", "cc", "Jain",
                                            "use", "delay", "dropped"], rows))]


def rtts(results):
    rows = [[run.params["mbit"], run.params["rtts"], run.data["buffer"] // figures.PACKET, run.cc,
             ", ".join(f"{share:.0f}" for share in run.fair_shares())] for run in results]
    return [("## Flows of different round trips", "Percent of its half of the link that each flow "
             "gets, last 40 s; in the order of their base round trips, and of their start.",
             markdown(["Mbit/s", "RTTs ms", "packets", "cc", "shares"], rows))]


def prefers(results):
    rows = [[*(run.params[name] for name in figures.LINK), run.params["prefer"],
             ", ".join(f"{share:.0f}" for share in run.fair_shares()), one(run.delay())]
            for run in results]
    return [("## Preferences beside each other", "Two flows, the second one 5 s later: percent of "
             "its half of the link that each gets, last 40 s; 95th percentile of the queueing "
             "delay in ms.", markdown(["Mbit/s", "RTT ms", "BDP", "preferences", "shares",
                                       "delay"], rows))]


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
    def text(own):
        return one(figures.median(run.utilisation() for run in own))

    rows = [[*link, *of_each(runs, text)]
            for link, runs in figures.group(results, "mbit", "rtt", "loss").items()]
    return [("## Random loss", "Percent of the payload that can arrive: capacity x (1 - loss) x "
             f"{figures.PAYLOAD} / {figures.PACKET}; medians over seeds, start-up included.",
             markdown(["Mbit/s", "RTT ms", "loss %", *CCS], rows))]


def step(results):
    def text(own):
        return (f"{figures.median(run.utilisation() for run in own):.1f} %, "
                f"{figures.median(run.delay('p50') for run in own):.1f}, "
                f"{figures.median(run.delay() for run in own):.1f} ms")

    rows = [[*link, *of_each(runs, text)]
            for link, runs in figures.group(results, "mbit", "rtt").items()]
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


def external_beside(results):
    (_, text, lines), = beside(results)
    return [("## Paths that others chose: beside CUBIC", text, lines)]


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


MAKERS = {"cells": cells, "all": every, "near": near, "noise": noise, "path": path, "loss": loss,
          "step": step, "fair": fair, "many": many, "rtts": rtts, "beside": beside,
          "short": short, "user": user, "prefer": prefer, "prefers": prefers,
          "external": external, "external-beside": external_beside, "sealed": sealed}
assert set(MAKERS) == set(scenarios.FIGURES)


def sections(sets):
    out = []
    for figure, make in MAKERS.items():
        results = sets.get(figure, [])
        if results and figure == "all":
            results = sets.get("cells", []) + results
        if results:
            out += make(results)
    return out
