"""Nuclei found by edges and contours: on drawn cells whose nucleus is known, and on real masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from smearlab.errors import ImageError, UsageError
from smearlab.preprocess.nucleus import extract_nucleus

Lobes = tuple[tuple[float, float, float], ...]
GROUND, RED, BODY, CHROMATIN = (235, 220, 205), (205, 165, 160), (190, 180, 205), (85, 45, 120)
ROUND: Lobes = ((0.0, 0.0, 26.0),)
BILOBED: Lobes = ((-17.0, 4.0, 15.0), (18.0, -4.0, 14.0))
SEGMENTED: Lobes = ((-20.0, 10.0, 11.0), (2.0, -14.0, 11.0), (22.0, 10.0, 11.0))


def drawn_cell(
    lobes: Lobes, seed: int = 0, size: tuple[int, int] = (150, 150)
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A white cell between red ones, and where its nucleus is."""
    rng = np.random.default_rng(seed)
    height, width = size
    pixels = np.full((height, width, 3), GROUND, np.float32)
    x, y = width // 2 + int(rng.integers(-8, 9)), height // 2 + int(rng.integers(-8, 9))
    for at in ((8, 10), (width - 12, 20), (15, height - 14), (width - 20, height - 10)):
        cv2.circle(pixels, at, 24, RED, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(pixels, (x, y), 44, BODY, cv2.FILLED, cv2.LINE_AA)
    nucleus = np.zeros((height, width), np.uint8)
    for dx, dy, radius in lobes:
        cv2.circle(nucleus, (x + round(dx), y + round(dy)), round(radius), 1, cv2.FILLED)
    pixels[nucleus > 0] = CHROMATIN
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0) + rng.normal(0, 3, pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8), nucleus > 0


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


@pytest.mark.parametrize("lobes", [ROUND, BILOBED, SEGMENTED], ids=["round", "two", "three"])
@pytest.mark.parametrize("size", [(150, 150), (140, 200)])
def test_the_nucleus_is_found_with_all_its_lobes(lobes: Lobes, size: tuple[int, int]) -> None:
    for seed in range(5):
        pixels, truth = drawn_cell(lobes, seed, size)
        nucleus = extract_nucleus(pixels)
        assert nucleus.mask.shape == truth.shape
        assert dice(nucleus.mask, truth) > 0.93
        rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
        box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert nucleus.box == pytest.approx(box, abs=3)


def test_the_cut_out_is_the_nucleus_on_black() -> None:
    pixels, _ = drawn_cell(ROUND)
    nucleus = extract_nucleus(pixels)
    assert nucleus.cut.shape == (128, 128, 3)
    assert nucleus.cut[64, 64].tolist() == pytest.approx(CHROMATIN, abs=20)
    black = nucleus.cut.max(-1) < 60
    assert black[0, 0]
    assert black[-1, -1]
    assert black.mean() == pytest.approx(1 - np.pi / 4, abs=0.05)
    assert extract_nucleus(pixels, 32).cut.shape == (32, 32, 3)


def test_a_long_nucleus_keeps_its_shape_in_the_cut_out() -> None:
    pixels, _ = drawn_cell(BILOBED)
    nucleus = extract_nucleus(pixels)
    x0, y0, x1, y1 = nucleus.box
    shown = (nucleus.cut > 0).any(-1)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    ratio = (columns[-1] + 1 - columns[0]) / (rows[-1] + 1 - rows[0])
    assert ratio == pytest.approx((x1 - x0) / (y1 - y0), rel=0.06)


def test_a_platelet_far_away_is_left_out() -> None:
    pixels, truth = drawn_cell(ROUND)
    cv2.circle(pixels, (75, 8), 5, CHROMATIN, cv2.FILLED)
    assert dice(extract_nucleus(pixels).mask, truth) > 0.93


def test_the_picture_is_not_changed() -> None:
    pixels, _ = drawn_cell(ROUND)
    before = pixels.copy()
    extract_nucleus(pixels)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("grey", [0, 200, 255])
def test_an_empty_picture_has_no_nucleus(grey: int) -> None:
    with pytest.raises(ImageError, match="nothing as dark and as large as a nucleus"):
        extract_nucleus(np.full((96, 96, 3), grey, np.uint8))


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(UsageError, match="size_px must be at least 1; received 0"):
        extract_nucleus(drawn_cell(ROUND)[0], 0)


def test_nuclei_of_real_white_cells(data_part: Callable[[str], Path]) -> None:
    """300 cells of two stains with masks by experts (nucleus 255)."""
    folder = data_part("cells/zheng1")
    found = []
    for path in sorted((folder / "images").iterdir()):
        with Image.open(path) as picture, Image.open(folder / "masks" / path.name) as mask:
            pixels, truth = np.array(picture.convert("RGB")), np.array(mask.convert("L")) == 255
        found.append(dice(extract_nucleus(pixels).mask, truth))
    assert len(found) == 300
    assert np.mean(found) > 0.94
    assert np.median(found) > 0.95
