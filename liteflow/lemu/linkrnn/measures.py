# SPDX-License-Identifier: GPL-2.0
"""How well a link is emulated. All arrays are [traces][packets]; backlogs and sizes in bytes."""
import numpy as np

RADII = (1, 2, 4, 8)


def near(marks, radius):
    """Where a mark is at most radius packets away."""
    summed = np.cumsum(np.pad(marks.astype(np.int64), ((0, 0), (radius + 1, radius))), axis=1)
    return summed[:, 2 * radius + 1:] - summed[:, :-2 * radius - 1] > 0


def share(part, whole):
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")


def compare(backlog, dropped, true_backlog, true_dropped, size):
    """Figures of a prediction beside the truth, as a dict.

    A packet's length is the mean size of its trace's packets. Backlog errors: quantiles over all
    packets, in packets. found_N: drops with a predicted one at most N packets away; true_N:
    predicted drops with a real one so near; N = 0 is exact. Drop rates: mean over traces of the
    difference, in points of percent.
    """
    dropped, true_dropped = dropped.astype(bool), true_dropped.astype(bool)
    error = np.abs(backlog - true_backlog) / size.mean(axis=1, keepdims=True)
    figures = {"packets": int(dropped.size), "traces": len(dropped),
               "right": float((dropped == true_dropped).mean()),
               "never_drops_right": float(1 - true_dropped.mean()),
               "backlog_mean": float(error.mean())}
    for percent in (50, 95, 99):
        figures[f"backlog_p{percent}"] = float(np.percentile(error, percent))
    figures["found_0"] = share(dropped & true_dropped, true_dropped)
    figures["true_0"] = share(dropped & true_dropped, dropped)
    for radius in RADII:
        figures[f"found_{radius}"] = share(near(dropped, radius) & true_dropped, true_dropped)
        figures[f"true_{radius}"] = share(near(true_dropped, radius) & dropped, dropped)
    rates = 100 * dropped.mean(axis=1), 100 * true_dropped.mean(axis=1)
    figures["rate"], figures["true_rate"] = (float(rate.mean()) for rate in rates)
    figures["rate_off"] = float(np.abs(rates[0] - rates[1]).mean())
    figures["earthmover"] = earthmover(dropped, true_dropped)
    return figures


def earthmover(dropped, true_dropped):
    """As losses.earthmover(): by how much drops are out of place, per packet of a trace."""
    number = 2 / np.maximum(dropped.sum(1) + true_dropped.sum(1), 1)[:, None]
    off = number * (true_dropped.astype(float) - dropped)
    both = np.abs(np.cumsum(off, axis=1)).sum(1) + np.abs(np.cumsum(off[:, ::-1], axis=1)).sum(1)
    return float(both.mean() / dropped.shape[1])
