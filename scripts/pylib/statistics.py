# SPDX-License-Identifier: GPL-2.0
"""Statistics of runs that were made in pairs, written once for all comparisons.

A pair is two runs of the same load with the same seed in the same round, one per
side.  Intervals are 95 % bootstrap ones (seeded: the same runs give the same
interval), widened for small samples: the plain percentile interval of five pairs
would hold the true value in only some 83 % of all cases.
"""
import dataclasses
import math

import numpy as np

from .errors import Problem

SEED = 1
RESAMPLES = 4000
# Two-sided 95 % quantiles of Student's t for 1…30 degrees of freedom.
T975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
        2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
        2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
Z975 = 1.960


class StatsError(Problem):
    """Figures that cannot be compared; the text says why."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; n is the number of runs or pairs behind it.

    With n = 1 there is no interval: low and high are infinitely far away.
    """
    value: float
    low: float
    high: float
    n: int

    def percent(self, digits=1):
        """A ratio as a change: '+1.2 % [-0.3 … +2.8]'."""
        def change(ratio):
            return f"{(ratio - 1) * 100:+.{digits}f}"
        return f"{change(self.value)} % [{change(self.low)} … {change(self.high)}]"

    def as_dict(self):
        """For JSON, which has no infinity: null."""
        return {key: value if math.isfinite(value) else None
                for key, value in dataclasses.asdict(self).items()}


def _array(values, what="values"):
    array = np.asarray(list(values), dtype=float)
    if not len(array):
        raise StatsError(f"no {what} to judge")
    if not np.isfinite(array).all():
        raise StatsError(f"{what} hold something that is no number")
    return array


def widening(n):
    """Factor that makes the percentile interval of n values as wide as it should be."""
    t = T975[n - 2] if n - 2 < len(T975) else Z975 + 2.5 / (n - 1)
    return t / Z975 * math.sqrt(n / (n - 1))


def _interval(point, draws, n, low=-math.inf):
    if n < 2:
        return low, math.inf
    ends = np.percentile(draws, (2.5, 97.5))
    wide = widening(n)
    return (max(point - (point - min(ends[0], point)) * wide, low),
            point + (max(ends[1], point) - point) * wide)


def _resample(rng, array, resamples):
    return array[rng.integers(len(array), size=(resamples, len(array)))]


def cv(values):
    """Coefficient of variation, as a fraction of the mean; nan for fewer than two values."""
    array = _array(values)
    mean = array.mean()
    if len(array) < 2 or not mean:
        return math.nan
    return float(array.std(ddof=1) / abs(mean))


def mean(values, seed=SEED, resamples=RESAMPLES):
    """Arithmetic mean -> Estimate."""
    array = _array(values)
    draws = _resample(np.random.default_rng(seed), array, resamples).mean(axis=1)
    return Estimate(float(array.mean()), *_interval(float(array.mean()), draws, len(array)),
                    len(array))


def median(values, seed=SEED, resamples=RESAMPLES):
    """Median -> Estimate."""
    array = _array(values)
    point = float(np.median(array))
    draws = np.median(_resample(np.random.default_rng(seed), array, resamples), axis=1)
    return Estimate(point, *_interval(point, draws, len(array)), len(array))


def paired_ratios(base, new):
    """new / base of each pair; both must be above 0."""
    base, new = _array(base, "runs of the baseline"), _array(new, "runs to compare")
    if len(base) != len(new):
        raise StatsError(f"{len(base)} runs of the baseline, but {len(new)} to compare: "
                         "they must come in pairs")
    if (base <= 0).any() or (new <= 0).any():
        raise StatsError("a ratio needs figures above 0: compare sums with total_ratio()")
    return new / base


def geometric_mean(values):
    """Plain geometric mean of positive values."""
    array = _array(values)
    if (array <= 0).any():
        raise StatsError("a geometric mean needs values above 0")
    return float(np.exp(np.log(array).mean()))


def compare(base, new, seed=SEED, resamples=RESAMPLES):
    """Geometric mean of new / base over the pairs -> Estimate of the ratio."""
    return combine([(base, new)], seed, resamples)


def combine(groups, seed=SEED, resamples=RESAMPLES):
    """Geometric mean over several loads, each (base, new) a list of pairs -> Estimate.

    Every load weighs the same, however many pairs it has; pairs are drawn within
    their load.
    """
    logs = [np.log(paired_ratios(base, new)) for base, new in groups]
    if not logs:
        raise StatsError("no load to combine")
    rng = np.random.default_rng(seed)
    point = float(np.mean([part.mean() for part in logs]))
    draws = np.mean([_resample(rng, part, resamples).mean(axis=1) for part in logs], axis=0)
    # The widening is that of the degrees of freedom behind the variance.
    free = sum(len(part) - 1 for part in logs)
    number = sum(len(part) for part in logs)
    if min(len(part) for part in logs) < 2:
        return Estimate(math.exp(point), 0.0, math.inf, number)
    # Within a load of n pairs the bootstrap sees (n - 1) / n of the variance.
    small = math.sqrt(number / free)
    ends = np.percentile(draws, (2.5, 97.5))
    wide = small * (T975[free - 1] if free <= len(T975) else Z975 + 2.5 / free) / Z975
    return Estimate(math.exp(point),
                    math.exp(point - (point - min(ends[0], point)) * wide),
                    math.exp(point + (max(ends[1], point) - point) * wide), number)


def median_ratio(base, new, seed=SEED, resamples=RESAMPLES):
    """Median of new / base over the pairs -> Estimate; a single bad run does not count."""
    logs = np.log(paired_ratios(base, new))
    point = float(np.median(logs))
    draws = np.median(_resample(np.random.default_rng(seed), logs, resamples), axis=1)
    low, high = _interval(point, draws, len(logs))
    return Estimate(math.exp(point), math.exp(low), math.exp(high), len(logs))


def total_ratio(base, new, seed=SEED, resamples=RESAMPLES):
    """sum(new) / sum(base), pairs drawn together -> Estimate; for counts, which may be 0."""
    base, new = _array(base, "runs of the baseline"), _array(new, "runs to compare")
    if len(base) != len(new):
        raise StatsError(f"{len(base)} runs of the baseline, but {len(new)} to compare: "
                         "they must come in pairs")
    if (base < 0).any() or (new < 0).any():
        raise StatsError("a count below 0")
    if not base.sum():
        raise StatsError("the baseline counts nothing: no ratio")
    point = float(new.sum() / base.sum())
    at = np.random.default_rng(seed).integers(len(base), size=(resamples, len(base)))
    below = base[at].sum(axis=1)
    draws = new[at].sum(axis=1)[below > 0] / below[below > 0]
    return Estimate(point, *_interval(point, draws, len(base), 0.0), len(base))


def relative_change(base, new, seed=SEED, resamples=RESAMPLES):
    """(mean(new) - mean(base)) / |mean(base)|, pairs drawn together -> Estimate.

    For scores of any sign; a draw whose baseline is 0 on average has no change and is
    left out.
    """
    base, new = _array(base, "runs of the baseline"), _array(new, "runs to compare")
    if len(base) != len(new):
        raise StatsError(f"{len(base)} runs of the baseline, but {len(new)} to compare: "
                         "they must come in pairs")
    if not base.mean():
        raise StatsError("the baseline is 0 on average: no change relative to it")
    point = float((new - base).mean() / abs(base.mean()))
    at = np.random.default_rng(seed).integers(len(base), size=(resamples, len(base)))
    below, change = np.abs(base[at].mean(axis=1)), (new - base)[at].mean(axis=1)
    draws = change[below > 0] / below[below > 0]
    return Estimate(point, *_interval(point, draws, len(base)), len(base))


def percentile_of(histogram, part):
    """Of {lower end of a step: count}, steps in order of value: interpolated in its step."""
    steps = sorted(histogram.items())
    total = sum(count for _, count in steps)
    if not total:
        raise StatsError("an empty histogram has no percentile")
    seen = 0
    for at, (low, count) in enumerate(steps):
        if seen + count >= part * total:
            # The width of a step is at most that to the next one that holds anything.
            width = min(steps[at + 1][0] - low if at + 1 < len(steps) else low / 16, low / 16)
            return low + width * (part * total - seen) / count
        seen += count
    return steps[-1][0]


def percentile_ratio(base, new, part=0.99, seed=SEED, resamples=1000):
    """Ratio of a percentile of pooled samples -> Estimate.

    base, new: a histogram per run, {lower end: count}, in pairs; the runs are drawn,
    not the samples, for samples of one run hang together.
    """
    if len(base) != len(new) or not base:
        raise StatsError(f"{len(base)} histograms against {len(new)}: they must come in pairs")
    lows = np.array(sorted({low for side in (base, new) for run in side for low in run}))
    where = {low: k for k, low in enumerate(lows)}

    def matrix(side):
        out = np.zeros((len(side), len(lows)))
        for k, run in enumerate(side):
            for low, count in run.items():
                out[k, where[low]] = count
        return out

    def ratio(below, above):
        ends = [percentile_of({low: n for low, n in zip(lows, side) if n}, part)
                for side in (below, above)]
        return ends[1] / max(ends[0], 1e-9)

    base, new = matrix(base), matrix(new)
    point = ratio(base.sum(axis=0), new.sum(axis=0))
    draws = [ratio(base[at].sum(axis=0), new[at].sum(axis=0)) for at in
             np.random.default_rng(seed).integers(len(base), size=(resamples, len(base)))]
    return Estimate(point, *_interval(point, draws, len(base), 0.0), len(base))


def verdict(ratio, margin=0.0):
    """'lower', 'higher' or 'inside the noise', of an Estimate of a ratio.

    margin, a fraction: a difference within it is none.
    """
    if ratio.high < 1 - margin:
        return "lower"
    if ratio.low > 1 + margin:
        return "higher"
    return "inside the noise"


def resolves(pairs, variation):
    """The smallest change that this number of pairs shows, as a fraction.

    variation: the coefficient of variation of one side; both sides vary alike.
    """
    if pairs < 2:
        return math.inf
    t = T975[pairs - 2] if pairs - 2 < len(T975) else Z975 + 2.5 / (pairs - 1)
    return t * variation * math.sqrt(2 / pairs)
