"""Sharing out: units whole, single rows within one of ideal, groups near the best there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.datasets.manifest.allocation import allocate

HALVES = np.array([0.5, 0.5])
THIRDS = np.array([0.7, 0.1, 0.2])

shares = st.sampled_from([HALVES, THIRDS, np.array([0.63, 0.07, 0.3]), np.full(5, 0.2)])
rows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=60)
seeds = st.integers(0, 2**32 - 1)


@given(classes=st.lists(st.integers(0, 5), min_size=1, max_size=200), shares=shares, seed=seeds)
def test_rows_without_ties_lie_within_one_of_ideal(
    classes: list[int], shares: np.ndarray, seed: int
) -> None:
    done = allocate(np.arange(len(classes)), np.array(classes), shares, np.random.default_rng(seed))
    assert done.worst < 1
    assert np.abs(done.counts.sum(axis=0) - len(classes) * shares).max() < 2


@given(rows=rows, shares=shares, seed=seeds)
def test_no_unit_is_ever_parted(rows: list[tuple[int, int]], shares: np.ndarray, seed: int) -> None:
    units, classes = (np.array(column) for column in zip(*rows, strict=True))
    done = allocate(units, classes, shares, np.random.default_rng(seed))
    for unit in np.unique(units):
        assert np.unique(done.parts[units == unit]).size == 1
    assert done.parts.min() >= 0
    assert done.parts.max() < shares.size
    assert done.counts.sum() == len(rows)
    again = allocate(units, classes, shares, np.random.default_rng(seed))
    assert (again.parts == done.parts).all()


def best_there_is(units: np.ndarray, classes: np.ndarray, shares: np.ndarray, filled: int) -> float:
    """The least that the worst class and part can be off with so many parts filled."""
    held = np.zeros((int(units.max()) + 1, int(classes.max()) + 1))
    np.add.at(held, (units, classes), 1)
    ideal = held.sum(axis=0)[:, None] * shares
    return min(
        float(np.abs(held.T @ np.eye(shares.size)[list(parts)] - ideal).max())
        for parts in itertools.product(range(shares.size), repeat=len(held))
        if len(set(parts)) >= filled
    )


@given(
    groups=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=7), min_size=2, max_size=6),
    shares=st.sampled_from([HALVES, THIRDS, np.array([0.8, 0.1, 0.1])]),
    seed=seeds,
)
def test_groups_come_within_one_row_where_they_allow(
    groups: list[list[int]], shares: np.ndarray, seed: int
) -> None:
    units = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    classes = np.concatenate(groups)
    done = allocate(units, classes, shares, np.random.default_rng(seed))
    filled = np.unique(done.parts).size
    least = best_there_is(units, classes, shares, filled)
    assert done.worst < 1 or done.worst == pytest.approx(least)


def test_bound_rows_stay_when_all_is_tried() -> None:
    """Two bound rows and groups of 5 and 4: greedily 5 and 6, at best the other way round."""
    units = np.repeat(np.arange(3), [2, 5, 4])
    fixed = np.repeat([0, -1, -1], [2, 5, 4])
    for seed in range(5):
        rng = np.random.default_rng(seed)
        done = allocate(units, np.zeros(11, int), HALVES, rng, fixed)
        assert (done.parts[:2] == 0).all()
        assert sorted(done.counts[0]) == [5, 6]
    huge = np.repeat([0, -1, -1], [2, 9, 9])  # nothing can come within one row
    done = allocate(np.repeat(np.arange(3), [2, 9, 9]), np.zeros(20, int), HALVES, rng, huge)
    assert (done.parts[:2] == 0).all()
    assert sorted(done.counts[0]) == [9, 11]


def test_single_rows_make_up_for_large_groups() -> None:
    sizes = [40, 7, 7, 3, *[1] * 143]
    units = np.repeat(np.arange(len(sizes)), sizes)
    classes = np.where(np.arange(units.size) % 2, 0, 1)
    done = allocate(units, classes, THIRDS, np.random.default_rng(0))
    assert done.worst < 1


def test_what_is_bound_counts_and_stays() -> None:
    fixed = np.full(100, -1)
    fixed[:60] = 0
    done = allocate(np.arange(100), np.zeros(100, int), HALVES, np.random.default_rng(0), fixed)
    assert (done.parts[:60] == 0).all()
    assert (done.parts[60:] == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_mixed_groups_keep_all_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(120), rng.integers(2, 12, 120))
    classes = rng.choice(4, units.size, p=[0.55, 0.3, 0.1, 0.05])
    done = allocate(units, classes, THIRDS, np.random.default_rng(seed))
    assert done.worst < 2
    naive = rng.permutation(120)[units]
    parts = np.searchsorted(np.array([84, 96]), naive, side="right")
    table = np.bincount(classes * 3 + parts, minlength=12).reshape(4, 3)
    assert done.worst < np.abs(table - done.ideal).max()


def test_parts_have_their_sizes_where_every_class_is_one_unit() -> None:
    units = np.repeat(np.arange(20), 3)
    done = allocate(units, units, np.full(5, 0.2), np.random.default_rng(0))
    assert done.counts.sum(axis=0).tolist() == [12] * 5
