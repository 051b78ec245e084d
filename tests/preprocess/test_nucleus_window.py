"""Squares about nuclei: they follow the cell, stay in the picture, and know black corners."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.preprocess.nucleus_window import nucleus_window

GROUND, RED, CHROMATIN = (235, 220, 205), (205, 165, 160), (85, 45, 120)


def field_with_nucleus(x: int, y: int) -> NDArray[np.uint8]:
    pixels = np.full((120, 128, 3), GROUND, np.uint8)
    for at in ((20, 20), (100, 25), (25, 95), (70, 60)):
        cv2.circle(pixels, at, 9, RED, cv2.FILLED)
    cv2.circle(pixels, (x, y), 14, CHROMATIN, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.8), np.uint8)


@pytest.mark.parametrize(
    ("x", "y", "left", "top"),
    [(64, 60, 32, 28), (40, 80, 8, 48), (120, 4, 64, 0), (3, 118, 0, 56)],
)
def test_the_square_lies_about_the_nucleus_within_the_picture(
    x: int, y: int, left: int, top: int
) -> None:
    x0, y0, x1, y1 = nucleus_window(field_with_nucleus(x, y), 64)
    assert (x1 - x0, y1 - y0) == (64, 64)
    assert abs(x0 - left) <= 2
    assert abs(y0 - top) <= 2


def test_black_corners_are_not_nuclei() -> None:
    pixels = field_with_nucleus(80, 70)
    for corner in (((0, 0), (50, 0), (0, 60)), ((127, 0), (127, 40), (90, 0))):
        cv2.fillConvexPoly(pixels, np.array(corner), (0, 0, 0))
    x0, y0, _, _ = nucleus_window(pixels, 40)
    assert abs(x0 - 60) <= 2
    assert abs(y0 - 50) <= 2


@pytest.mark.parametrize("value", [0, 240])
def test_without_a_nucleus_it_is_the_middle(value: int) -> None:
    empty = np.full((100, 120, 3), value, np.uint8)
    assert nucleus_window(empty, 50) == (35, 25, 85, 75)


@pytest.mark.parametrize("side", [0, 121])
def test_squares_larger_than_the_picture_are_refused(side: int) -> None:
    with pytest.raises(UsageError, match=f"square of {side} px"):
        nucleus_window(field_with_nucleus(64, 60), side)
