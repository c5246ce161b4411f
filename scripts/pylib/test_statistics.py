#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of abstats.py against known answers and against chance; runs anywhere."""
import json
import math
import unittest

import numpy as np

from pylib import statistics as st


class PointTest(unittest.TestCase):
    def test_pairs(self):
        self.assertEqual(list(st.paired_ratios([2, 4], [3, 2])), [1.5, 0.5])
        self.assertAlmostEqual(st.compare([1, 1, 1], [2, 4, 8]).value, 4)
        self.assertAlmostEqual(st.median_ratio([1, 1, 1], [2, 4, 80]).value, 4)
        self.assertAlmostEqual(st.geometric_mean([1, 100]), 10)
        self.assertAlmostEqual(st.cv([9, 11]), math.sqrt(2) / 10)
        self.assertTrue(math.isnan(st.cv([9])))

    def test_loads_weigh_alike(self):
        many, few = ([1] * 9, [2] * 9), ([1] * 2, [0.5] * 2)
        self.assertAlmostEqual(st.combine([many, few]).value, 1)

    def test_counts_may_be_zero(self):
        self.assertAlmostEqual(st.total_ratio([0, 4], [1, 2]).value, 0.75)
        self.assertEqual(st.total_ratio([3, 5], [0, 0]).high, 0)
        with self.assertRaises(st.StatsError):
            st.total_ratio([0, 0], [1, 2])

    def test_scores_may_be_negative(self):
        change = st.relative_change([-0.5, -0.3, -0.4, -0.4], [-0.4, -0.2, -0.3, -0.3])
        self.assertAlmostEqual(change.value, 0.25)
        self.assertTrue(0 < change.low < 0.25 < change.high)
        self.assertAlmostEqual(st.relative_change([-1, -3], [-2, -4]).value, -0.5)
        self.assertFalse(math.isfinite(st.relative_change([-1], [-2]).low))
        for base, new in (([1, 2], [1]), ([1, -1], [1, 2])):
            with self.assertRaises(st.StatsError):
                st.relative_change(base, new)

    def test_what_is_no_pair_is_refused(self):
        for base, new in (([1], [1, 2]), ([], []), ([1, 0], [1, 1]), ([1, math.nan], [1, 1])):
            with self.assertRaises(st.StatsError):
                st.compare(base, new)

    def test_one_pair_has_no_interval(self):
        one = st.compare([1], [2])
        self.assertEqual((one.low, one.high), (0, math.inf))
        self.assertEqual(st.verdict(one), "inside the noise")
        self.assertIsNone(json.loads(json.dumps(one.as_dict()))["high"])

    def test_percentiles(self):
        self.assertAlmostEqual(st.percentile_of({16: 50, 32: 50}, 0.5), 17)
        self.assertAlmostEqual(st.percentile_of({0: 99, 1600: 1}, 1), 1700)
        base = [{160: 100}, {160: 90, 320: 10}]
        self.assertAlmostEqual(st.percentile_ratio(base, base).value, 1)
        worse = [{320: 100}, {320: 100}]
        self.assertEqual(st.verdict(st.percentile_ratio([{160: 100}] * 9, worse[:1] * 9)), "higher")
        with self.assertRaises(st.StatsError):
            st.percentile_ratio(base, base[:1])

    def test_text(self):
        self.assertEqual(st.Estimate(1.012, 0.997, 1.028, 9).percent(),
                         "+1.2 % [-0.3 … +2.8]")


class IntervalTest(unittest.TestCase):
    def test_seeded(self):
        base, new = [1, 1.1, 0.9, 1.05], [1, 1, 1, 1.2]
        self.assertEqual(st.compare(base, new), st.compare(base, new))
        self.assertEqual(st.median(base), st.median(base))

    def test_verdicts(self):
        rng = np.random.default_rng(5)
        base = rng.normal(100, 4, 30)
        self.assertEqual(st.verdict(st.compare(base, base * rng.normal(1.2, 0.02, 30))), "higher")
        self.assertEqual(st.verdict(st.compare(base, base * rng.normal(0.8, 0.02, 30))), "lower")
        same = st.Estimate(1.01, 0.97, 1.05, 5)
        self.assertEqual(st.verdict(same), "inside the noise")
        self.assertEqual(st.verdict(st.Estimate(1.02, 1.01, 1.03, 5), 0.02), "inside the noise")

    def coverage(self, estimate, n, tries=300):
        """How often the interval of n noisy pairs without a difference holds 1."""
        rng = np.random.default_rng(n)
        held = 0
        for k in range(tries):
            result = estimate(np.exp(rng.normal(0, 0.05, n)), np.exp(rng.normal(0, 0.05, n)), k)
            held += result.low <= 1 <= result.high
        return held / tries

    def test_interval_holds_the_truth_about_as_often_as_it_says(self):
        for n in (4, 6, 12):
            held = self.coverage(lambda b, x, k: st.compare(b, x, k, 1000), n)
            self.assertGreater(held, 0.91, n)
            self.assertLess(held, 0.99, n)
            held = self.coverage(lambda b, x, k: st.total_ratio(b, x, k, 1000), n)
            self.assertGreater(held, 0.90, n)
        held = self.coverage(
            lambda b, x, k: st.combine([(b[:3], x[:3]), (b[3:], x[3:])], k, 1000), 6)
        self.assertGreater(held, 0.91)
        self.assertLess(held, 0.995)

    def test_resolves(self):
        # What it promises for ten pairs is about half the width of their interval.
        rng = np.random.default_rng(2)
        widths = []
        for k in range(60):
            result = st.compare(np.exp(rng.normal(0, 0.04, 10)), np.exp(rng.normal(0, 0.04, 10)),
                                k, 1000)
            widths.append((result.high - result.low) / 2)
        self.assertAlmostEqual(np.mean(widths) / st.resolves(10, 0.04), 1, delta=0.2)
        self.assertEqual(st.resolves(1, 0.04), math.inf)


if __name__ == "__main__":
    unittest.main()
