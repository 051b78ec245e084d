"""CLAHE against scikit-image's, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color, exposure

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.preprocess.contrast import equalise


@pytest.fixture(scope="module")
def pale() -> np.ndarray:
    """A field of low contrast, unevenly lit."""
    config = SmearConfig(height_px=240, width_px=320, rbc_diameter_px=40, illumination=0.3, noise=0)
    pixels = simulate_field(4, config).field.pixels.astype(float)
    return (200 + (pixels - 200) * 0.3).clip(0, 255).astype(np.uint8)


def test_it_agrees_with_scikit_image(pale: np.ndarray) -> None:
    lightness = color.rgb2lab(equalise(pale, clip_limit=2.0, tiles=8))[..., 0]
    original = color.rgb2lab(pale)[..., 0] / 100
    kernel = (pale.shape[0] // 8, pale.shape[1] // 8)
    # Both clip at twice the mean of 256 bins.
    reference = exposure.equalize_adapthist(original, kernel, clip_limit=2 / 256, nbins=256)
    assert np.corrcoef(lightness.ravel(), reference.ravel())[0, 1] > 0.97
    assert np.corrcoef(lightness.ravel(), original.ravel())[0, 1] < 0.97  # it does something


def test_contrast_grows_with_the_clip_limit(pale: np.ndarray) -> None:
    spread = [float(equalise(pale, clip_limit=limit).std()) for limit in (1.0, 2.0, 4.0)]
    assert pale.std() < spread[0] < spread[1] < spread[2]


def test_hues_are_kept(pale: np.ndarray) -> None:
    before, after = color.rgb2lab(pale), color.rgb2lab(equalise(pale))
    inside = (after[..., 0] > 5) & (after[..., 0] < 95)  # colours clip at the ends of the scale
    difference = np.abs(before - after)[..., 1:][inside]
    assert np.median(difference) < 1
    assert np.quantile(difference, 0.99) < 4


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (180, 90, 140)])
def test_a_flat_field_stays_flat(colour: tuple[int, int, int]) -> None:
    flat = np.full((64, 96, 3), colour, np.uint8)
    result = equalise(flat)
    assert (result == result[0, 0]).all()


@pytest.mark.parametrize("shape", [(16, 16), (16, 2000), (17, 33)])
def test_small_and_narrow_fields_keep_their_shape(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    before = pixels.copy()
    result = equalise(pixels)
    assert result.shape == pixels.shape
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(pixels, before)
