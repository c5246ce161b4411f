# SPDX-License-Identifier: GPL-2.0
"""Pictures of the report."""
import statistics

from pylib.plots import pyplot, save
import figures

COLOURS = {"liteflow": "tab:red", "cubic": "tab:blue", "bbr": "tab:green"}
STEP = 1 / figures.SAMPLES_PER_S


DPI = 90


def times(series):
    return [(at + 1) * STEP for at in range(len(series))]


def cdf(axes, values, label, colour):
    """A CDF."""
    values = sorted(values)
    axes.step(values, [(at + 1) / len(values) for at in range(len(values))], where="post",
              label=label, color=colour)


def cells_cdf(table, path):
    """Over the cells: goodput against capacity, and p95 queueing delay against the RTT."""
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for cc, colour in COLOURS.items():
        own = [cell for cell in table if cc in cell]
        if not own:
            continue
        cdf(left, [100 * cell[cc][0] / float(cell["mbit"]) for cell in own], cc, colour)
        cdf(right, [max(cell[cc][1] / float(cell["rtt"]), 1e-3) for cell in own], cc, colour)
    left.set_xlabel("goodput, percent of the capacity")
    right.set_xlabel("95th percentile of the queueing delay / base RTT")
    right.set_xscale("log")
    for axes in (left, right):
        axes.set_ylabel("cells")
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path, DPI)


def step_series(runs, path):
    """One link with steps: what arrives, and the queue."""
    plt = pyplot()
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(10, 6), sharex=True)
    high, low, every = runs[0].mbit
    end = runs[0].data["seconds"]
    edges = [at * every for at in range(int(end / every) + 2)]
    top.step(edges, [low if at % 2 else high for at in range(len(edges))], where="post",
             color="black", lw=0.8, label="capacity")
    for run in runs:
        series = run.flows[0]["kbit"]
        top.plot(times(series), [value / 1000 for value in series], label=run.cc,
                 color=COLOURS[run.cc], lw=1)
        queue = run.data["queue"]["us"]
        bottom.plot(times(queue), [value / 1000 for value in queue], color=COLOURS[run.cc], lw=1)
    top.set_ylabel("goodput, Mbit/s")
    top.set_xlim(0, end)
    top.legend(loc="upper right")
    bottom.set_ylabel("queueing delay, ms")
    bottom.set_xlabel("s")
    save(figure, path, DPI)


def flows_series(run, path):
    """What each flow of a run gets."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(10, 4))
    for at, flow in enumerate(run.flows):
        # over half a second: single samples hide what is to be seen
        series = [value / 1000 for value in flow["kbit"]]
        mean = [statistics.fmean(series[max(0, k - 4):k + 1]) for k in range(len(series))]
        start = [flow["start"] + value for value in times(mean)]
        end = run.data["seconds"]
        axes.plot([end - start[-1] + value for value in start], mean, lw=1,
                  label=f"{flow['cc']} {at + 1}")
    axes.set_ylabel("goodput, Mbit/s")
    axes.set_xlabel("s")
    axes.set_xlim(0, run.data["seconds"])
    axes.legend(loc="upper right", ncol=2)
    save(figure, path, DPI)
