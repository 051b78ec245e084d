"""Splitting a mask at its waists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.instances.watershed import split_touching


def discs(*listed: tuple[float, float, float], size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """Union of discs (x, y, radius)."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return np.any([(x - cx) ** 2 + (y - cy) ** 2 <= r * r for cx, cy, r in listed], axis=0)


def areas(labels: np.ndarray) -> list[int]:
    return sorted(np.bincount(labels.ravel())[1:].tolist())


def test_two_touching_discs_are_two() -> None:
    labels = split_touching(discs((40, 60, 20), (74, 60, 20))).array
    assert labels.dtype == np.int32
    assert labels.max() == 2
    assert labels[60, 40] != labels[60, 74]
    # the line lies in the middle, at x = 57
    left, right = labels == labels[60, 40], labels == labels[60, 74]
    assert np.nonzero(left)[1].max() <= 58
    assert np.nonzero(right)[1].min() >= 55


def test_a_disc_of_another_size_is_split_off() -> None:
    labels = split_touching(discs((40, 60, 24), (72, 60, 12))).array
    small, large = areas(labels)
    assert small == pytest.approx(np.pi * 12**2, rel=0.25)
    assert large == pytest.approx(np.pi * 24**2, rel=0.1)


@pytest.mark.parametrize(
    "centres", [((40, 60), (72, 60), (104, 60)), ((40, 40), (72, 40), (56, 67))]
)
def test_three_discs_in_a_row_or_a_clover_are_three(
    centres: tuple[tuple[int, int], ...],
) -> None:
    labels = split_touching(discs(*((x, y, 18) for x, y in centres))).array
    assert labels.max() == 3
    assert len({int(labels[y, x]) for x, y in centres}) == 3


def test_a_round_cell_stays_whole() -> None:
    assert split_touching(discs((60, 60, 30))).array.max() == 1


def test_an_oval_cell_stays_whole() -> None:
    y, x = np.mgrid[:120, :160] + 0.5
    oval = ((x - 80) / 44) ** 2 + ((y - 60) / 25) ** 2 <= 1
    assert split_touching(oval).array.max() == 1


def test_a_crescent_stays_whole() -> None:
    crescent = discs((60, 60, 30)) & ~discs((72, 60, 22))
    labels = split_touching(crescent).array
    assert labels.max() == 1
    assert (labels > 0).sum() == crescent.sum()


def test_holes_are_filled() -> None:
    """The pale middle of a red cell is part of it."""
    ring = discs((60, 60, 25)) & ~discs((60, 60, 10))
    labels = split_touching(ring).array
    np.testing.assert_array_equal(labels > 0, discs((60, 60, 25)))
    assert labels.max() == 1


def test_background_that_touching_cells_enclose_stays_background() -> None:
    """A chain of cells is no cell with a hole; the pale middle of one of them is filled."""
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    chain = [(80 + 40 * np.cos(t), 60 + 40 * np.sin(t), 16.0) for t in turns]
    alone = [(17.0, 17.0, 15.0), (17.0, 103.0, 15.0), (143.0, 17.0, 15.0)]
    mask = discs(*chain, *alone) & ~discs((*chain[0][:2], 9))
    labels = split_touching(mask).array
    assert labels[60, 80] == 0
    np.testing.assert_array_equal(labels > 0, discs(*chain, *alone))
    assert labels.max() == 11


def test_specks_are_dropped_and_labels_have_no_gaps() -> None:
    mask = discs((20, 20, 2), (60, 60, 15), (110, 30, 4), (130, 90, 15))
    labels = split_touching(mask, min_area_px=60).array
    assert np.unique(labels).tolist() == [0, 1, 2]
    assert labels[20, 20] == labels[30, 110] == 0
    assert split_touching(mask, min_area_px=30).array[30, 110] > 0


def test_deeper_waists_are_asked_for() -> None:
    pair = discs((50, 60, 20), (72, 60, 20))  # a shallow waist
    assert split_touching(pair, marker_depth=0.02).array.max() == 2
    assert split_touching(pair, marker_depth=0.6).array.max() == 1


@pytest.mark.parametrize("value", [False, True])
def test_an_empty_or_full_field_gives_none_or_one(value: bool) -> None:
    labels = split_touching(np.full((40, 60), value)).array
    assert labels.max() == int(value)
    assert (labels > 0).all() == value


@given(
    listed=st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 79), st.integers(3, 18)), max_size=8
    ),
    depth=st.floats(0.02, 0.5),
)
def test_labels_cover_the_foreground(listed: list[tuple[int, int, int]], depth: float) -> None:
    """No more labels than discs, none beyond the foreground, nothing large left out."""
    size = (80, 100)
    mask = discs(*listed, size=size) if listed else np.zeros(size, bool)
    labels = split_touching(mask, min_area_px=20, marker_depth=depth).array
    assert labels.max() <= len(listed)
    filled = split_touching(mask, min_area_px=20, marker_depth=0.99).array > 0
    assert not (labels > 0)[~filled].any()
    assert set(np.unique(labels)) == set(range(int(labels.max()) + 1)) | {0}
    for area in areas(labels):
        assert area >= 20
    left_out = filled & (labels == 0)
    assert left_out.sum() < 20 * len(listed) + 1
