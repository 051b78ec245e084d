"""Weights are the bootstrap of :mod:`smearlab.metrics.intervals`, without its loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.metrics.intervals import bootstrap
from smearlab.metrics.resampling import (
    draw_weights,
    percentile_interval,
    ratio,
    sums_by_unit,
    units_of,
)


@pytest.mark.parametrize("n", [1, 2, 17, 250])
def test_every_resample_takes_n_units(n: int) -> None:
    weights = draw_weights(n, resamples=50)
    assert weights.shape == (50, n)
    assert (weights.sum(axis=1) == n).all()
    assert weights.min() >= 0


def test_the_interval_is_that_of_the_loop() -> None:
    values = np.random.default_rng(5).normal(size=31)
    weights = draw_weights(31, resamples=200, seed=9)
    ours = percentile_interval(weights @ values / 31)
    loop = bootstrap(lambda rows: float(values[rows].mean()), 31, resamples=200, seed=9)
    assert ours == pytest.approx(loop, abs=1e-12)


def test_the_seed_decides() -> None:
    assert (draw_weights(9, seed=1) == draw_weights(9, seed=1)).all()
    assert (draw_weights(9, seed=1) != draw_weights(9, seed=2)).any()


def test_undefined_draws_are_left_out() -> None:
    assert percentile_interval(np.array([np.nan, 2.0, 2.0])) == (2.0, 2.0)
    assert all(math.isnan(end) for end in percentile_interval(np.array([np.nan])))
    assert draw_weights(0, resamples=3).shape == (3, 0)


@pytest.mark.parametrize(("n", "resamples"), [(-1, 5), (5, 0)])
def test_impossible_draws_are_named(n: int, resamples: int) -> None:
    with pytest.raises(ValueError, match=f"n={n}, resamples={resamples}"):
        draw_weights(n, resamples=resamples)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_impossible_levels_are_named(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        percentile_interval(np.zeros(3), level=level)


def test_nothing_over_nothing_is_undefined() -> None:
    assert ratio([[1.0], [3.0]], [2.0, 0.0])[1].tolist()[0] == 1.5
    assert np.isnan(ratio(0, 0))
    assert np.isnan(ratio(2, 0))


def test_whole_groups_are_drawn() -> None:
    units, n = units_of(np.array(["b", "a", "b", "c"]))
    assert (units.tolist(), n) == ([1, 0, 1, 2], 3)
    sums = sums_by_unit(np.array([[1, 0], [2, 5], [3, 1], [4, 0]]), units, n)
    assert sums.tolist() == [[2, 5], [4, 1], [4, 0]]
    weights = draw_weights(n, resamples=50)
    rows = np.array([1, 2, 3, 4])
    by_group = weights @ sums_by_unit(rows, units, n)
    assert by_group == pytest.approx((weights[:, units] * rows).sum(axis=1))
