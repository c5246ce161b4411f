# SPDX-License-Identifier: GPL-2.0
"""Shares, changes and quantiles: numbers and their texts; needs nothing but Python."""
import math


def percent(part, whole, empty=None):
    """Part of a whole in percent; empty: what it is of nothing."""
    return 100 * part / whole if whole else empty


def share_text(fraction, digits=1):
    """'12.3 %' of 0.123; '-' of what is not known."""
    return "-" if fraction is None or not math.isfinite(fraction) else \
        f"{100 * fraction:.{digits}f} %"


def change_text(*ratios, digits=2):
    """'+1.20 -0.30' of ratios 1.012 and 0.997: by how many percent they change."""
    return " ".join(f"{(ratio - 1) * 100:+.{digits}f}" for ratio in ratios)


def quantile(buckets, share, empty=None):
    """Of [(low, high, count)] in order of value; within its bucket a value lies evenly.

    A bucket holds the whole numbers from low to high.
    """
    wanted = share * sum(count for _, _, count in buckets)
    seen = 0
    for low, high, count in buckets:
        if count and seen + count >= wanted:
            return low + (high + 1 - low) * (wanted - seen) / count
        seen += count
    return empty
