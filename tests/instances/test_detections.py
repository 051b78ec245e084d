"""Peaks of the heat and their boxes; overlaps removed as by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.instances.detections import Detections, find_peaks, overlaps, suppress
from smearlab.segment.maps import FieldMaps

STEP = 4


def heat_maps(
    heat: np.ndarray, sides: np.ndarray | None = None, size: tuple[int, int] | None = None
) -> FieldMaps:
    """Maps of a field at the network's own scale, with boxes of 20 × 16 px."""
    height, width, _ = heat.shape
    if sides is None:
        sides = np.broadcast_to(np.array([10, 8, 10, 8], np.float32), (height, width, 4))
    width_px, height_px = size or (width * STEP, height * STEP)
    scales = (width * STEP / width_px, height * STEP / height_px)
    return FieldMaps(np.zeros((1, 1, 4), np.float32), heat, sides, *scales, width_px, height_px)


def brute_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union by counting pixels of whole-numbered boxes."""
    canvas = np.zeros((2, 64, 64), bool)
    for layer, (x0, y0, x1, y1) in zip(canvas, (a, b), strict=True):
        layer[int(y0) : int(y1), int(x0) : int(x1)] = True
    return float((canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum())


boxes = st.tuples(
    st.integers(0, 40), st.integers(0, 40), st.integers(1, 20), st.integers(1, 20)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(one=boxes, many=st.lists(boxes, min_size=1, max_size=8))
def test_overlap_is_intersection_over_union(
    one: tuple[int, ...], many: list[tuple[int, ...]]
) -> None:
    a, b = np.array(one, np.float32), np.array(many, np.float32)
    expected = [brute_overlap(a, other) for other in b]
    np.testing.assert_allclose(overlaps(a, b), expected, atol=1e-6)


def brute_suppress(found: Detections, same: float, other: float) -> list[int]:
    kept: list[int] = []
    for n in range(len(found)):
        for m in kept:
            limit = same if found.elements[n] == found.elements[m] else other
            if brute_overlap(found.boxes[n], found.boxes[m]) > limit:
                break
        else:
            kept.append(n)
    return kept


def detections(listed: list[tuple[tuple[int, ...], int]]) -> Detections:
    n = len(listed)
    return Detections(
        np.array([box for box, _ in listed], np.float32).reshape(n, 4),
        np.linspace(0.9, 0.1, n, dtype=np.float32),
        np.array([element for _, element in listed], np.int64),
        np.full((n, 3), 1 / 3, np.float32),
    )


@given(
    listed=st.lists(st.tuples(boxes, st.integers(0, 2)), max_size=30),
    same=st.floats(0.05, 0.95),
    other=st.floats(0.05, 0.95),
)
def test_suppression_is_the_greedy_one(
    listed: list[tuple[tuple[int, ...], int]], same: float, other: float
) -> None:
    found = detections(listed)
    kept = suppress(found, same, other)
    expected = found.take(np.array(brute_suppress(found, same, other), np.int64))
    np.testing.assert_array_equal(kept.boxes, expected.boxes)
    np.testing.assert_array_equal(kept.scores, expected.scores)
    np.testing.assert_array_equal(kept.elements, expected.elements)


@given(listed=st.lists(st.tuples(boxes, st.integers(0, 2)), max_size=30), n=st.integers(0, 30))
def test_weak_detections_change_nothing_for_strong_ones(
    listed: list[tuple[tuple[int, ...], int]], n: int
) -> None:
    found = detections(listed)
    strongest = np.arange(min(n, len(found)))
    before = suppress(found.take(strongest), 0.4, 0.6)
    after = suppress(found, 0.4, 0.6)
    np.testing.assert_array_equal(after.boxes[: len(before)], before.boxes)
    assert len(after) == len(before) or after.scores[len(before)] <= found.scores[len(strongest)]


def test_suppression_of_many_goes_block_by_block() -> None:
    """More detections than are compared at a time: 700 boxes, each there twice."""
    x, y = np.meshgrid(np.arange(28) * 30, np.arange(25) * 30)
    corners = np.stack([x.ravel(), y.ravel(), x.ravel() + 20, y.ravel() + 20], axis=1)
    twice = np.concatenate([corners, corners + 1]).astype(np.float32)
    n = len(twice)
    found = Detections(
        twice, np.linspace(1, 0.1, n, dtype=np.float32), np.zeros(n, np.int64), np.ones((n, 3))
    )
    np.testing.assert_array_equal(suppress(found, 0.5, 0.5).boxes, corners)


def test_a_peak_gives_its_box() -> None:
    heat = np.zeros((20, 30, 3), np.float32)
    heat[5, 7] = (0.6, 0.2, 0.0)
    found = find_peaks(heat_maps(heat), STEP, (0.5, 0.5, 0.5))
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes, [[20, 14, 40, 30]])  # centre (30, 22)
    assert found.scores[0] == pytest.approx(0.8)  # all that speaks for a cell
    assert found.elements[0] == 0
    np.testing.assert_allclose(found.shares, [[0.75, 0.25, 0]], atol=1e-6)


def test_boxes_are_in_pixels_of_the_field() -> None:
    heat = np.zeros((20, 30, 3), np.float32)
    heat[5, 7, 1] = 0.9
    found = find_peaks(heat_maps(heat, size=(240, 320)), STEP, (0.5, 0.5, 0.5))
    np.testing.assert_allclose(found.boxes, [[40, 56, 80, 120]])  # twice as wide, 4 × as high


def test_boxes_are_cut_at_the_edge_of_the_field() -> None:
    heat = np.zeros((20, 30, 3), np.float32)
    heat[0, 0, 0] = heat[19, 29, 0] = 0.9
    found = find_peaks(heat_maps(heat), STEP, (0.5,) * 3)
    np.testing.assert_allclose(found.boxes, [[0, 0, 12, 10], [108, 70, 120, 80]])


def test_boxes_narrower_than_a_pixel_are_left_out() -> None:
    heat = np.zeros((20, 30, 3), np.float32)
    heat[5, 7, 0] = heat[12, 20, 0] = 0.9
    sides = np.full((20, 30, 4), 3, np.float32)
    sides[5, 7, [0, 2]] = 0.4
    found = find_peaks(heat_maps(heat, sides), STEP, (0.5,) * 3)
    np.testing.assert_allclose(found.boxes, [[79, 47, 85, 53]])


@given(seed=st.integers(0, 2**32 - 1), lowest=st.tuples(*[st.floats(0.05, 0.95)] * 3))
def test_peaks_are_what_no_neighbour_exceeds(seed: int, lowest: tuple[float, float, float]) -> None:
    heat = np.random.default_rng(seed).random((9, 11, 3)).astype(np.float32) ** 2
    sides = np.ones((9, 11, 4), np.float32)
    found = find_peaks(heat_maps(heat, sides), STEP, lowest)
    expected = {}
    for row, column, element in np.ndindex(heat.shape):
        here = heat[row, column]
        score = min(1, here.sum()) if here[element] == here.max() else here[element]
        near = heat[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2, element]
        if score >= lowest[element] and here[element] == near.max():
            expected[row, column, element] = score
    columns, rows = ((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 // STEP).astype(int).T
    places = zip(rows.tolist(), columns.tolist(), found.elements.tolist(), strict=True)
    scores = dict(zip(places, found.scores.tolist(), strict=True))
    assert scores == pytest.approx(expected, abs=1e-6)
    assert (np.diff(found.scores) <= 0).all()
    np.testing.assert_allclose(found.shares.sum(axis=1), 1, rtol=1e-5)


def test_a_field_without_heat_has_no_cells() -> None:
    assert len(find_peaks(heat_maps(np.zeros((8, 8, 3), np.float32)), STEP, (0.1,) * 3)) == 0


def test_maps_without_heat_are_refused() -> None:
    maps = FieldMaps(np.zeros((4, 4, 2), np.float32), None, None, 1.0, 1.0, 8, 8)
    with pytest.raises(UsageError, match="no centre heat"):
        find_peaks(maps, STEP, (0.5,) * 3)
