"""What is measured of cells: forms and colours whose figures are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab
from skimage.measure import regionprops

from smearlab.instances.polygons import rim_polygon
from smearlab.instances.shape import axes, eccentricity, solidity
from smearlab.instances.statistics import STATISTICS, colour_moments, measure_cells
from smearlab.instances.texture import LEVELS, grey_levels, texture
from smearlab.types import Cell

Y, X = np.mgrid[:120, :160]
DISC = np.hypot(X - 70, Y - 60) <= 30
SQUARE = (abs(X - 80) < 20.5) & (abs(Y - 60) < 20.5)
ELLIPSE = ((X - 80) / 60) ** 2 + ((Y - 60) / 30) ** 2 <= 1
RING = DISC & (np.hypot(X - 70, Y - 60) > 15)
NOTCHED = SQUARE & ~((abs(X - 80) < 10) & (Y < 60))


def cell_of(mask: np.ndarray, label: int = 1) -> Cell:
    rows, columns = np.nonzero(mask)
    corners = rim_polygon(mask.astype(np.uint8))
    assert corners is not None
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    area = float(np.count_nonzero(mask))
    contour = corners.astype(np.float32)
    return Cell("f", label, contour, box, area, False, "WBC", 0.9, "unidentified")


def measured(mask: np.ndarray, colour: tuple[int, int, int] = (200, 120, 40)) -> dict[str, float]:
    pixels = np.full((*mask.shape, 3), 255, np.uint8)
    pixels[mask] = colour
    (figures,) = measure_cells(pixels, mask.astype(np.int32), [cell_of(mask)])
    return figures


def test_a_disc() -> None:
    found = measured(DISC)
    assert found["area"] == pytest.approx(math.pi * 30**2, rel=0.01)
    assert found["perimeter"] == pytest.approx(2 * math.pi * 30, rel=0.02)
    assert found["equivalent_diameter"] == pytest.approx(60, rel=0.01)
    assert found["major_axis"] == pytest.approx(60, rel=0.01)
    assert found["minor_axis"] == pytest.approx(60, rel=0.01)
    assert found["eccentricity"] == pytest.approx(0, abs=0.02)
    assert found["solidity"] == pytest.approx(1, abs=0.01)
    assert found["circularity"] == pytest.approx(1, abs=0.03)


def test_a_square() -> None:
    found = measured(SQUARE)
    assert found["area"] == 41**2
    assert found["perimeter"] == pytest.approx(4 * 41, rel=0.03)
    # Variance of a uniform side a is a² / 12: the axes are 4 a / √12.
    assert found["major_axis"] == pytest.approx(4 * 41 / math.sqrt(12))
    assert found["minor_axis"] == pytest.approx(4 * 41 / math.sqrt(12))
    assert found["eccentricity"] == 0
    assert found["solidity"] == 1
    assert found["circularity"] == pytest.approx(math.pi / 4, rel=0.06)


def test_an_ellipse() -> None:
    found = measured(ELLIPSE)
    assert found["area"] == pytest.approx(math.pi * 60 * 30, rel=0.01)
    assert found["major_axis"] == pytest.approx(120, rel=0.01)
    assert found["minor_axis"] == pytest.approx(60, rel=0.01)
    assert found["eccentricity"] == pytest.approx(math.sqrt(3) / 2, abs=0.005)
    ramanujan = math.pi * (3 * 90 - math.sqrt((3 * 60 + 30) * (60 + 3 * 30)))
    assert found["perimeter"] == pytest.approx(ramanujan, rel=0.02)


def test_a_notch_lowers_the_solidity() -> None:
    assert solidity(NOTCHED) == pytest.approx(np.count_nonzero(NOTCHED) / 41**2)
    assert solidity(DISC) == solidity(SQUARE) == solidity(X == 5) == 1
    assert math.isnan(solidity(np.zeros((4, 4), bool)))


@pytest.mark.parametrize(
    "mask", [DISC, SQUARE, ELLIPSE, RING, NOTCHED, X == 5, (X == 3) & (Y == 9)]
)
def test_axes_are_those_of_scikit_image_and_a_pixels_own_extent(mask: np.ndarray) -> None:
    """Scikit-image takes pixels for points; here they are squares of variance 1/12."""
    (region,) = regionprops(mask.astype(np.uint8))
    major, minor = axes(mask)
    assert major**2 == pytest.approx(region.axis_major_length**2 + 16 / 12)
    assert minor**2 == pytest.approx(region.axis_minor_length**2 + 16 / 12)
    if region.area > 200:
        assert eccentricity(major, minor) == pytest.approx(region.eccentricity, abs=1e-3)


def test_a_flat_colour() -> None:
    found = measured(DISC, (200, 120, 40))
    assert [found[f"{name}_mean"] for name in ("red", "green", "blue")] == [200, 120, 40]
    assert found["hue_mean"] == pytest.approx(60 * (120 - 40) / (200 - 40), abs=0.01)
    assert found["saturation_mean"] == pytest.approx(160 / 200, abs=1e-5)
    assert found["value_mean"] == pytest.approx(200 / 255, abs=1e-5)
    lab = rgb2lab(np.array([[[200, 120, 40]]], np.uint8))[0, 0]
    for channel, value in zip("lab", lab, strict=True):
        assert found[f"lab_{channel}_mean"] == pytest.approx(value, abs=0.1)
    for name in ("red", "green", "blue", "hue", "saturation", "value", "lab_l", "lab_a", "lab_b"):
        assert found[f"{name}_sd"] == pytest.approx(0, abs=1e-4)
        assert math.isnan(found[f"{name}_skewness"])
    assert found["glcm_contrast"] == found["glcm_dissimilarity"] == 0
    assert found["glcm_homogeneity"] == found["glcm_energy"] == found["glcm_asm"] == 1
    assert math.isnan(found["glcm_correlation"])


def test_moments_of_known_colours() -> None:
    red = np.array([10, 10, 10, 50], np.uint8)
    found = colour_moments(np.stack([red, red, red], axis=1))
    assert found["red_mean"] == 20
    assert found["red_sd"] == pytest.approx(math.sqrt(300))
    assert found["red_skewness"] == pytest.approx(2 / math.sqrt(3))  # p = 1/4: (1 - 2p) / √(pq)
    assert math.isnan(found["hue_mean"])  # grey has no hue
    assert found["saturation_mean"] == 0


def test_hue_is_an_angle() -> None:
    """Colours on both sides of red: their mean is red, not cyan."""
    found = colour_moments(np.array([[200, 0, 20], [200, 20, 0]], np.uint8))
    assert min(found["hue_mean"], 360 - found["hue_mean"]) == pytest.approx(0, abs=1e-3)
    assert found["hue_sd"] == pytest.approx(6, abs=1e-3)


def test_without_pixels_there_are_no_moments() -> None:
    assert all(math.isnan(value) for value in colour_moments(np.empty((0, 3), np.uint8)).values())


def test_texture_of_stripes() -> None:
    """Columns of two levels, 4 apart: across, all pairs differ; down, none does."""
    levels = np.tile(np.array([3, 7], np.uint8), (20, 10))
    mask = np.ones_like(levels, bool)
    found = texture(levels, mask)
    across, down = 20 * 19, 19 * 20
    diagonal = 2 * 19 * 19
    differing = (across + diagonal) / (across + diagonal + down)
    assert found["contrast"] == pytest.approx(16 * differing)
    assert found["dissimilarity"] == pytest.approx(4 * differing)
    assert found["homogeneity"] == pytest.approx(1 - differing + differing / 17)
    assert found["energy"] == pytest.approx(math.sqrt(found["ASM"]))
    assert found["correlation"] == pytest.approx(1 - 2 * differing, abs=1e-9)


def test_texture_is_that_of_the_mask_alone() -> None:
    rng = np.random.default_rng(4)
    levels = rng.integers(0, LEVELS, DISC.shape).astype(np.uint8)
    other = np.where(DISC, levels, rng.integers(0, LEVELS, DISC.shape)).astype(np.uint8)
    assert texture(levels, DISC) == texture(other, DISC)
    assert texture(levels, DISC) != texture(levels, SQUARE)


def test_texture_of_a_lone_pixel_is_undefined() -> None:
    lone = (X == 4) & (Y == 4)
    assert all(math.isnan(value) for value in texture(np.zeros_like(X, np.uint8), lone).values())


def test_grey_levels_are_thirty_two() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(grey_levels(ramp)[0], np.arange(256) // 8)


@given(turn=st.integers(0, 3), flip=st.booleans())
def test_turning_a_cell_changes_no_figure(turn: int, flip: bool) -> None:
    rng = np.random.default_rng(1)
    pixels = cv2.GaussianBlur(rng.integers(0, 255, (90, 90, 3)).astype(np.uint8), (0, 0), 2)
    y, x = np.mgrid[:90, :90]
    mask = ((x - 40) / 30) ** 2 + ((y - 50) / 18) ** 2 <= 1
    turned, moved = np.rot90(pixels, turn), np.rot90(mask, turn)
    if flip:
        turned, moved = turned[:, ::-1], moved[:, ::-1]
    one = measure_cells(pixels, mask.astype(np.int32), [cell_of(mask)])[0]
    other = measure_cells(
        np.ascontiguousarray(turned), moved.astype(np.int32), [cell_of(np.ascontiguousarray(moved))]
    )[0]
    for name, value in one.items():
        tolerance = 0.02 if name in ("perimeter", "circularity") else 1e-4  # corners are rounded
        assert other[name] == pytest.approx(value, rel=tolerance, abs=1e-6), name


def test_every_statistic_is_measured() -> None:
    assert set(measured(DISC)) == {one.name for one in STATISTICS}
    assert len({one.name for one in STATISTICS}) == len(STATISTICS)


def test_cells_are_told_apart_by_their_label() -> None:
    labels = np.where(DISC, 1, 0).astype(np.int32)
    far = np.hypot(X - 140, Y - 20) <= 10
    labels[far] = 7
    pixels = np.full((*DISC.shape, 3), 255, np.uint8)
    pixels[DISC], pixels[far] = (10, 20, 30), (200, 100, 0)
    one, other = measure_cells(pixels, labels, [cell_of(DISC), cell_of(far, 7)])
    assert (one["red_mean"], other["red_mean"]) == (10, 200)
    assert other["major_axis"] == pytest.approx(20, rel=0.03)
