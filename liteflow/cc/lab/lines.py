# SPDX-License-Identifier: GPL-2.0
"""The figures that the results hold, as `analyse` prints them last."""
from figures import (BESIDE_BDP, EVERY_OTHER, NOISY_LINK, against_user, cells, changes,
                     delay_saved, good_cells, group, least_share, median, places,
                     preferences, user_figure)


def own(results, *sets):
    """Runs of liteflow, of these sets or of all"""
    return [run for run in results
            if run.cc == "liteflow" and (not sets or run.data["set"] in sets)]


def user(sets, interval):
    ratio = user_figure(against_user(sets["user"]), interval)
    return ratio and 100 * (ratio.value - 1)


def good(table, *others):
    found = good_cells(table, *others)
    return found and found[0]


def loss5(sets):
    runs = {cc: same for (cc,), same in
            group((run for run in sets["loss"] if run.params["loss"] == "5"), "cc").items()}
    if not {"liteflow", "bbr"} <= set(runs):
        return None
    mine, theirs = (median(run.total() for run in runs[cc]) for cc in ("liteflow", "bbr"))
    return 100 * mine / theirs


def step_min(sets):
    return least_share(cells(sets["step"]) +
                       places(run for run in sets["external"] if changes(run)))


def of_many(sets):
    return [run for run in own(sets["many"]) if len(run.flows) > 1]


def beside(sets):
    return (min(run.shares().values()) for run in sets["beside"]
            if float(run.params["bdp"]) <= BESIDE_BDP)


def least_fair(runs):
    """Of its fair share, what the flow gets that gets least"""
    return min((share for run in runs for share in run.fair_shares()), default=None)


# (name, unit, digits, of the sets: the value, or None where there are no results)
LINES = (
    ("cc_goodput_vs_user_100ms", "percent", 1, lambda sets: user(sets, "100")),
    ("cc_goodput_vs_user_10ms", "percent", 1, lambda sets: user(sets, "10")),
    ("cc_good_cells", "percent", 1, lambda sets: good(cells(sets["cells"]))),
    ("cc_good_all", "percent", 1,
     lambda sets: good(cells(sets["cells"] + sets["all"]), EVERY_OTHER)),
    ("cc_external_good", "percent", 1, lambda sets: good(places(sets["external"]), EVERY_OTHER)),
    ("cc_sealed_good", "percent", 1, lambda sets: good(places(sets["sealed"]), EVERY_OTHER)),
    ("cc_noise_min", "percent", 1, lambda sets: least_share(cells(sets["noise"], NOISY_LINK))),
    ("cc_jain_min", "ratio", 3, lambda sets: min(
        (run.jain() for run in own(sets["fair"], "fair", "quick-fair")), default=None)),
    ("cc_loss1_utilisation", "percent", 1, lambda sets: median_of(
        run.utilisation() for run in own(sets["loss"], "loss1", "quick-loss1"))),
    ("cc_loss5", "percent", 1, loss5),
    ("cc_step_min", "percent", 1, step_min),
    ("cc_beside_min", "percent", 1, lambda sets: min(beside(sets), default=None)),
    ("cc_many_jain", "ratio", 3, lambda sets: min(
        (run.jain() for run in of_many(sets)), default=None)),
    ("cc_many_drops", "percent", 2, lambda sets: max(
        (run.drops() for run in of_many(sets)), default=None)),
    ("cc_rtt_share", "percent", 1, lambda sets: least_fair(own(sets["rtts"]))),
    ("cc_near", "percent", 1, lambda sets: min(
        (run.utilisation() for run in own(sets["near"])), default=None)),
    ("cc_prefer_delay", "percent", 1, lambda sets: delay_saved(preferences(sets["prefer"]))),
    ("cc_prefer_fair", "percent", 1, lambda sets: least_fair(sets["prefers"])),
)
NAMES = tuple(name for name, *_ in LINES)


def median_of(values):
    values = list(values)
    return median(values) if values else None


def last(sets):
    """[(name, value, unit)] of those that there are results for"""
    known = [(name, unit, digits, value(sets)) for name, unit, digits, value in LINES]
    return [(name, f"{value:.{digits}f}", unit) for name, unit, digits, value in known
            if value is not None]
