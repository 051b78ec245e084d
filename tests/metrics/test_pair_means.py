"""Pairs of pictures, and means over them in resamples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.metrics.pair_means import drawn_pairs, pair_mean_draws

TYPES = np.array(["a", "b", "a", "b", "a"])


def test_pairs_are_of_one_type_or_of_two() -> None:
    left, right = drawn_pairs(TYPES, 99, same=True)
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == [
        (0, 2),
        (0, 4),
        (1, 3),
        (2, 4),
    ]
    left, right = drawn_pairs(TYPES, 99, same=False)
    assert len(left) == 6
    assert (TYPES[left] != TYPES[right]).all()


def test_no_more_than_asked_and_by_seed() -> None:
    one, again, other = (drawn_pairs(TYPES, 2, same=True, seed=seed) for seed in (1, 1, 4))
    assert len(one[0]) == 2
    assert [x.tolist() for x in one] == [x.tolist() for x in again]
    assert [x.tolist() for x in one] != [x.tolist() for x in other]


def test_a_pair_counts_as_often_as_both_pictures() -> None:
    values, left, right = np.array([1.0, 5.0]), np.array([0, 1]), np.array([1, 2])
    weights = np.array([[2, 1, 3], [0, 1, 0]])
    found = pair_mean_draws(values, left, right, weights)
    assert found[0] == pytest.approx((2 * 1 + 3 * 5) / 5)
    assert math.isnan(found[1])
