"""Moments of known colours, patterns of known textures, directions of known gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted_cells import disc

from smearlab.learn.classical.colour import COLOUR_FEATURES, colour_features
from smearlab.learn.classical.feature import Feature, names_of
from smearlab.learn.classical.regions import Regions
from smearlab.learn.classical.texture import (
    GRADIENT_FEATURES,
    TEXTURE_FEATURES,
    gradient_features,
    texture_features,
)

REGIONS = Regions(disc(20), disc(40))
NUCLEUS, CYTOPLASM = REGIONS.nucleus, REGIONS.cytoplasm


def named(features: tuple[Feature, ...], values: NDArray[Any]) -> dict[str, float]:
    return dict(zip(names_of(features), values.tolist(), strict=True))


def colours(pixels: NDArray[np.uint8]) -> dict[str, float]:
    return named(COLOUR_FEATURES, colour_features(pixels, REGIONS))


def picture(nucleus: tuple[int, int, int], cytoplasm: tuple[int, int, int]) -> NDArray[np.uint8]:
    pixels = np.full((128, 128, 3), 255, np.uint8)
    pixels[NUCLEUS], pixels[CYTOPLASM] = nucleus, cytoplasm
    return pixels


def test_even_colours() -> None:
    found = colours(picture((0, 0, 255), (128, 64, 64)))  # blue, 240°; a dull red, 0°
    assert found["nucleus_hue_cos"] == pytest.approx(math.cos(math.radians(240)), abs=1e-5)
    assert found["nucleus_hue_sin"] == pytest.approx(math.sin(math.radians(240)), abs=1e-5)
    assert found["nucleus_hue_spread"] == pytest.approx(0, abs=1e-6)
    assert found["nucleus_saturation_mean"] == pytest.approx(1)
    assert found["cytoplasm_hue_cos"] == pytest.approx(1)
    assert found["cytoplasm_saturation_mean"] == pytest.approx(0.5, abs=1e-5)
    assert found["cytoplasm_value_mean"] == pytest.approx(128 / 255, abs=1e-5)
    assert found["cytoplasm_value_sd"] == pytest.approx(0, abs=1e-6)
    assert math.isnan(found["cytoplasm_value_skewness"])


def test_reds_on_both_sides_of_the_circle_are_alike() -> None:
    """Hues of 350° and 10° have a mean of 0°, not of 180°."""
    pixels = picture((255, 0, 43), (255, 0, 43))
    left = NUCLEUS & (np.mgrid[:128, :128][1] < 64)
    pixels[left] = (255, 43, 0)
    found = colours(pixels)
    angle = math.radians(60 * 43 / 255)
    assert found["nucleus_hue_cos"] == pytest.approx(math.cos(angle), abs=1e-4)
    assert found["nucleus_hue_sin"] == pytest.approx(0, abs=1e-4)
    assert found["nucleus_hue_spread"] == pytest.approx(1 - math.cos(angle), abs=1e-4)


def test_moments_of_two_greys() -> None:
    """A share p of bright pixels: sd √(p(1−p)), skewness (1−2p)/√(p(1−p)), times the step."""
    pixels = picture((0, 0, 0), (0, 0, 0))
    inside = np.argwhere(NUCLEUS)
    bright = inside[: len(inside) // 4]
    pixels[bright[:, 0], bright[:, 1]] = 255
    p = len(bright) / len(inside)
    found = colours(pixels)
    assert found["nucleus_value_mean"] == pytest.approx(p)
    assert found["nucleus_value_sd"] == pytest.approx(math.sqrt(p * (1 - p)))
    skewness = (1 - 2 * p) / math.sqrt(p * (1 - p))
    assert found["nucleus_value_skewness"] == pytest.approx(skewness)
    assert found["nucleus_saturation_mean"] == 0


def test_without_cytoplasm_it_has_no_colour() -> None:
    found = colour_features(picture((1, 2, 3), (4, 5, 6)), Regions(NUCLEUS, NUCLEUS))
    values = named(COLOUR_FEATURES, found)
    assert all(math.isnan(v) == name.startswith("cytoplasm") or "skewness" in name
               for name, v in values.items())  # fmt: skip


def test_an_even_picture_has_one_pattern() -> None:
    """No point is darker than the middle: all P of P count as brighter."""
    found = named(
        TEXTURE_FEATURES, texture_features(picture((90,) * 3, (90,) * 3) * 0 + 90, REGIONS)
    )
    for part in ("nucleus", "cytoplasm"):
        assert found[f"lbp_{part}_r1_08"] == 1
        assert found[f"lbp_{part}_r3_16"] == 1
    assert sum(found.values()) == 4


def test_patterns_are_shares_that_turning_leaves() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    found = texture_features(pixels, REGIONS)
    turned = Regions(np.rot90(NUCLEUS).copy(), np.rot90(REGIONS.cell).copy())
    np.testing.assert_allclose(found, texture_features(np.rot90(pixels).copy(), turned), atol=0.03)
    for at, bins in ((0, 10), (10, 18), (28, 10), (38, 18)):
        assert found[at : at + bins].sum() == pytest.approx(1)
    smooth = texture_features(np.full_like(pixels, 7), REGIONS)
    assert np.abs(found - smooth).max() > 0.5


def test_stripes_have_the_gradients_across_them() -> None:
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, (np.arange(128) // 8) % 2 == 0] = 200
    upright = named(GRADIENT_FEATURES, gradient_features(stripes))
    lying = named(GRADIENT_FEATURES, gradient_features(np.swapaxes(stripes, 0, 1).copy()))
    assert len(upright) == 9 * 4 * 9
    # The gradients of one run at 90° to those of the other; nothing lies between.
    directions = {
        name.rpartition("_")[2]
        for found in (upright, lying)
        for name, value in found.items()
        if value > 0.01
    }
    assert directions == {"0deg", "80deg"}
    assert upright != lying
    for found in (upright, lying):
        blocks = np.array(list(found.values())).reshape(9, 36)
        np.testing.assert_allclose(np.linalg.norm(blocks, axis=1), 1, atol=1e-3)
