"""Masks as polygons and back: areas and pixels are kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.instances.polygons import ellipse_polygon, fill_polygon, polygon_area, rim_polygon


def disc(radius: float, x: float, y: float, size: int) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.uint8)


def filled(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns, inside = fill_polygon(corners, width, height)
    canvas = np.zeros((height, width), bool)
    canvas[rows, columns] = inside
    return canvas


def circularity(corners: np.ndarray) -> float:
    steps = np.diff(corners, axis=0, append=corners[:1])
    return 4 * np.pi * polygon_area(corners) / np.hypot(*steps.T).sum() ** 2


@given(radius=st.floats(1.6, 45), dx=st.floats(0, 1), dy=st.floats(0, 1))
def test_a_disc_comes_back(radius: float, dx: float, dy: float) -> None:
    mask = disc(radius, 50 + dx, 50 + dy, 100)
    corners = rim_polygon(mask)
    assert corners is not None
    assert polygon_area(corners) == pytest.approx(mask.sum(), rel=0.015)
    again = filled(corners, 100, 100)
    assert (again ^ (mask > 0)).sum() <= 4 + radius


@pytest.mark.parametrize("radius", [6, 10, 20, 40])
def test_a_disc_is_round(radius: int) -> None:
    """Stairs of pixels do not lengthen the outline."""
    corners = rim_polygon(disc(radius, 50.3, 50.6, 100))
    assert circularity(corners) > 0.95 if radius < 10 else 0.98
    assert len(corners) < 60


def test_what_is_not_round_is_not() -> None:
    bar = np.zeros((60, 100), np.uint8)
    bar[20:30, 10:90] = 1
    assert circularity(rim_polygon(bar)) == pytest.approx(4 * np.pi * 800 / 180**2, rel=0.05)


@given(seed=st.integers(0, 10_000))
def test_a_blob_comes_back(seed: int) -> None:
    """Shapes as cells have them: smooth, not convex."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    waves = sum(rng.normal(0, 3 / k) * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 4))
    radius = 24 + waves
    points = np.stack([50 + radius * np.cos(angle), 50 + radius * np.sin(angle)], axis=1)
    mask = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    corners = rim_polygon(mask)
    assert polygon_area(corners) == pytest.approx(mask.sum(), rel=0.02)
    wrong = filled(corners, 100, 100) ^ (mask > 0)
    assert wrong.sum() < 0.03 * mask.sum()


def test_the_largest_piece_counts_and_holes_are_filled() -> None:
    mask = disc(20, 40, 40, 100)
    mask[disc(8, 40, 40, 100) > 0] = 0
    mask |= disc(6, 80, 80, 100)
    corners = rim_polygon(mask)
    assert polygon_area(corners) == pytest.approx(disc(20, 40, 40, 100).sum(), rel=0.01)
    assert corners.max() < 65


@pytest.mark.parametrize("n", [0, 1, 2])
def test_specks_have_no_outline(n: int) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5, 5 : 5 + n] = 1
    assert rim_polygon(mask) is None


@given(bits=st.lists(st.booleans(), min_size=36, max_size=36))
def test_any_mask_has_a_sound_outline_or_none(bits: list[bool]) -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[1:7, 1:7] = np.array(bits).reshape(6, 6)
    corners = rim_polygon(mask)
    if corners is None:
        return
    assert len(corners) >= 3
    assert np.isfinite(corners).all()
    assert polygon_area(corners) > 0
    assert -1 <= corners.min() <= corners.max() <= 9


def test_an_ellipse_has_its_area() -> None:
    corners = ellipse_polygon((10, 20, 50, 40))
    assert polygon_area(corners) == pytest.approx(np.pi * 20 * 10)
    np.testing.assert_allclose(corners.mean(axis=0), (30, 30), atol=1e-9)


@pytest.mark.parametrize(
    ("corners", "pixels"),
    [
        ([(2, 3), (6, 3), (6, 5), (2, 5)], [(y, x) for y in (3, 4) for x in (2, 3, 4, 5)]),
        ([(2.3, 3.3), (5.7, 3.3), (5.7, 4.7), (2.3, 4.7)],
         [(y, x) for y in (3, 4) for x in range(2, 6)]),
        ([(-5, -5), (2, -5), (2, 1), (-5, 1)], [(0, 0), (0, 1)]),
        ([(9, 7), (14, 7), (14, 12), (9, 12)], [(7, 9)]),
    ],
)  # fmt: skip
def test_pixels_belong_whose_centres_lie_inside(
    corners: list[tuple[float, float]], pixels: list[tuple[int, int]]
) -> None:
    canvas = filled(np.array(corners, float), 8, 10)
    found = [tuple(at) for at in np.argwhere(canvas).tolist()]
    assert found == pixels


def test_between_the_centres_there_is_one_pixel() -> None:
    sliver = np.array([(2.8, 3.8), (5.2, 3.8), (5.2, 4.2), (2.8, 4.2)])
    canvas = filled(sliver, 8, 10)
    assert canvas.sum() == 1
    assert canvas[3:5, 2:6].any()


@given(
    points=st.lists(
        st.tuples(st.floats(-20, 60), st.floats(-20, 60)), min_size=3, max_size=8, unique=True
    )
)
def test_every_polygon_has_a_pixel(points: list[tuple[float, float]]) -> None:
    assert filled(np.array(points), 40, 40).sum() >= 1
