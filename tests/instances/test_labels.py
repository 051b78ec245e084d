"""Label pictures: every cell is seen, and has the area it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_cells import make_cell
from smearlab.instances.labels import paint_labels, paint_polygons
from smearlab.instances.polygons import ellipse_polygon


def test_a_cell_is_painted_where_it_lies() -> None:
    labels = paint_labels([make_cell(label=7, box=(10, 20, 50, 40))], 80, 60).array
    assert labels.dtype == np.int32
    assert labels.shape == (60, 80)
    assert set(np.unique(labels)) == {0, 7}
    y, x = np.nonzero(labels)
    assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == (10, 20, 50, 40)
    assert (labels == 7).sum() == pytest.approx(np.pi * 20 * 10, rel=0.02)


def test_small_cells_lie_on_large_ones() -> None:
    """Whatever their order: a platelet on a red cell is seen."""
    red = make_cell(label=1, box=(10, 10, 50, 50))
    platelet = make_cell("platelet", label=2, box=(25, 25, 35, 35))
    for order in ([red, platelet], [platelet, red]):
        labels = paint_labels(order, 60, 60).array
        assert labels[30, 30] == 2
        assert labels[30, 15] == 1


def test_no_cells_give_an_empty_picture() -> None:
    assert not paint_labels([], 30, 20).array.any()


ovals = st.tuples(st.integers(-5, 35), st.integers(-5, 25), st.integers(9, 30), st.integers(9, 30))


@given(listed=st.lists(ovals, max_size=12))
def test_every_cell_keeps_a_pixel_and_areas_are_pixels(
    listed: list[tuple[int, int, int, int]],
) -> None:
    polygons = [
        ellipse_polygon((x, y, x + w, y + h)).clip(0, (40, 30)).astype(np.float32)
        for x, y, w, h in listed
    ]
    numbers = range(1, len(polygons) + 1)
    array, areas = paint_polygons(polygons, numbers, 40, 30)
    counted = [int((array == number).sum()) for number in numbers]
    assert areas.tolist() == counted
    assert min(counted, default=1) >= 1


def test_cells_of_one_pixel_do_not_rob_each_other() -> None:
    box = ellipse_polygon((10, 10, 11, 11)).astype(np.float32)
    array, areas = paint_polygons([box, box], [1, 2], 40, 30)
    assert sorted(areas.tolist()) == [0, 1]
    assert np.count_nonzero(array) == 1


def test_a_hidden_cell_is_given_a_pixel() -> None:
    box = ellipse_polygon((10, 10, 20, 20)).astype(np.float32)
    array, areas = paint_polygons([box, box, box], [3, 1, 2], 40, 30)
    assert sorted(areas.tolist())[:2] == [1, 1]
    assert set(np.unique(array)) == {0, 1, 2, 3}
