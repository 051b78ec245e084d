"""Ellipses in boxes, whole or cut by the field's edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.instances.ellipse import complete_box, ellipse_distance


@given(x=st.integers(0, 60), y=st.integers(0, 60), w=st.integers(2, 60), h=st.integers(2, 60))
def test_a_box_inside_the_field_stays(x: int, y: int, w: int, h: int) -> None:
    box = (10.0 + x, 10.0 + y, 10.0 + x + w, 10.0 + y + h)
    assert complete_box(box, 140, 140) == box


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ((0, 30, 10, 50), (-10, 30, 10, 50)),  # cut at the left
        ((90, 30, 100, 50), (90, 30, 110, 50)),  # at the right
        ((30, 0, 50, 10), (30, -10, 50, 10)),  # at the top
        ((30, 70, 50, 80), (30, 70, 50, 90)),  # at the bottom
        ((0, 0, 10, 20), (-10, 0, 10, 20)),  # in a corner: along the shorter side
        ((1, 30, 11, 50), (-9, 30, 11, 50)),  # nearly at the edge
        ((0, 30, 40, 50), (0, 30, 40, 50)),  # longer across the edge: nothing is missing
        ((20, 0, 30, 30), (20, 0, 30, 30)),  # too narrow along the edge that cuts it
    ],
)
def test_a_cut_box_is_made_square(box: tuple[float, ...], whole: tuple[float, ...]) -> None:
    assert complete_box(box, 100, 80) == whole


@given(cut=st.floats(0.1, 0.9), d=st.floats(10, 60), at=st.floats(65, 120), turns=st.integers(0, 3))
def test_a_disc_cut_by_an_edge_is_found_again(cut: float, d: float, at: float, turns: int) -> None:
    """Whichever edge cuts it."""
    box = np.array([0, at - d / 2, d * cut, at + d / 2])
    whole = np.array([d * (cut - 1), at - d / 2, d * cut, at + d / 2])
    for _ in range(turns):  # a quarter turn of a field of 200 × 200 px
        box, whole = (np.array([200 - b[3], b[0], 200 - b[1], b[2]]) for b in (box, whole))
    np.testing.assert_allclose(complete_box(box.tolist(), 200, 200), whole, atol=1e-9)


def test_the_distance_is_one_on_the_ellipse() -> None:
    distance = ellipse_distance((40, 60), (10, 5, 50, 35))
    assert distance.shape == (40, 60)
    assert distance.dtype == np.float32
    # pixel centres next to the middle, the ends of the axes, a corner of the box
    assert distance[19:21, 29:31].max() == pytest.approx(np.hypot(0.5 / 20, 0.5 / 15), rel=1e-5)
    assert distance[19, 9] > 1 > distance[19, 10]
    assert distance[19, 49] < 1 < distance[19, 50]
    assert distance[4, 29] > 1 > distance[5, 29]
    assert distance[5, 10] == pytest.approx(np.hypot(19.5 / 20, 14.5 / 15), rel=1e-5)
    assert (distance <= 1).sum() == pytest.approx(np.pi * 20 * 15, rel=0.01)


@given(
    x=st.integers(0, 30),
    y=st.integers(0, 20),
    h=st.integers(1, 20),
    w=st.integers(1, 30),
)
def test_a_window_shows_its_part_of_the_whole(x: int, y: int, h: int, w: int) -> None:
    box = (-3.5, 2.25, 31.0, 44.0)
    whole = ellipse_distance((40, 60), box)
    np.testing.assert_allclose(
        ellipse_distance((h, w), box, (x, y)), whole[y : y + h, x : x + w], rtol=1e-5
    )
