"""Intervals against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from smearlab.metrics.intervals import clopper_pearson, mean_interval, share_interval
from smearlab.metrics.resampling import draw_weights, percentile_interval


def test_the_mean_of_folds_has_a_student_interval() -> None:
    values = [0.95, 0.97, 0.96, 0.99, 0.98]
    expected = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected)
    assert mean_interval([*values, math.nan]) == pytest.approx(expected)
    assert all(math.isnan(end) for end in mean_interval([0.5]))
    with pytest.raises(ValueError, match="level must lie within"):
        mean_interval(values, level=1.0)


def test_a_share_of_independent_pictures_is_exact() -> None:
    hits = np.array([True] * 7 + [False] * 3)
    exact = stats.binomtest(7, 10).proportion_ci(method="exact")
    assert share_interval(hits, np.arange(10), np.full(50, 0.1)) == pytest.approx(tuple(exact))


def test_a_share_of_grouped_pictures_counts_groups() -> None:
    """Ten groups of ten alike: as wide as ten pictures have it, not as a hundred."""
    hits, units = np.repeat([True] * 7 + [False] * 3, 10), np.repeat(np.arange(10), 10)
    draws = draw_weights(10, resamples=2000) @ np.array([1.0] * 7 + [0.0] * 3) / 10
    found = share_interval(hits, units, draws)
    assert found == percentile_interval(draws)
    # A normal interval of ten independent pictures.
    half = 1.96 * np.sqrt(0.7 * 0.3 / 10)
    assert found == pytest.approx((0.7 - half, 0.7 + half), abs=0.06)


def test_a_share_without_spread_has_an_interval_of_its_groups() -> None:
    units = np.repeat(np.arange(4), 10)
    for all_right in (True, False):
        hits = np.full(40, all_right)
        expected = clopper_pearson(4 if all_right else 0, 4)
        assert share_interval(hits, units, np.full(9, float(all_right))) == expected
    one_group = share_interval(np.array([True, False]), np.zeros(2, int), np.full(9, 0.5))
    nothing = share_interval(np.empty(0, bool), np.empty(0, int), np.empty(0))
    assert np.isnan([*one_group, *nothing]).all()
