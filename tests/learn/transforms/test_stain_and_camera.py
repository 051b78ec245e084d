"""Colour changes: nothing at strength 0, something else with every draw, the same with the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.learn.transforms.colour import camera_jitter, dark_cells, stain_jitter


@pytest.fixture(scope="module")
def smear() -> NDArray[np.uint8]:
    return simulate_field(
        3, SmearConfig(height_px=96, width_px=128, rbc_diameter_px=30)
    ).field.pixels


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_no_stain_is_within_one_grey_level(smear: NDArray[np.uint8]) -> None:
    assert difference(stain_jitter(smear, rng(), 0.0), smear) <= 1


def test_another_stain_is_another_colour_for_the_same_cells(smear: NDArray[np.uint8]) -> None:
    shifts = []
    for seed in range(20):
        stained = stain_jitter(smear, rng(seed))
        assert stained.shape == smear.shape and stained.dtype == np.uint8
        shifts.append(difference(stained, smear))
        # What was dense stays dense: the order of brightness survives.
        was, now = smear.mean(-1).ravel(), stained.mean(-1).ravel()
        assert np.corrcoef(was, now)[0, 1] > 0.7
    assert min(shifts) > 5
    assert max(shifts) > 60


def test_strength_is_monotone_on_average(smear: NDArray[np.uint8]) -> None:
    means = [
        np.mean(
            [np.abs(stain_jitter(smear, rng(s), k).astype(int) - smear).mean() for s in range(12)]
        )
        for k in (0.2, 0.6, 1.2)
    ]
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("change", [stain_jitter, camera_jitter])
def test_the_same_seed_gives_the_same_picture(change, smear: NDArray[np.uint8]) -> None:  # type: ignore[no-untyped-def]
    before = smear.copy()
    for seed in range(8):
        assert np.array_equal(change(smear, rng(seed)), change(smear, rng(seed)))
    assert not np.array_equal(change(smear, rng(1)), change(smear, rng(2)))
    assert np.array_equal(smear, before), "the picture that was given has changed"


def test_the_camera_sometimes_leaves_a_picture_alone_and_never_breaks_it(
    smear: NDArray[np.uint8],
) -> None:
    changed = [camera_jitter(smear, rng(seed)) for seed in range(150)]
    assert all(c.shape == smear.shape and c.dtype == np.uint8 for c in changed)
    assert all(c.flags.c_contiguous for c in changed)
    same = sum(np.array_equal(c, smear) for c in changed)
    assert 1 <= same <= 40
    grey = sum(
        bool((c[..., 0] == c[..., 1]).all() and (c[..., 1] == c[..., 2]).all()) for c in changed
    )
    assert 1 <= grey <= 20


def test_jpeg_keeps_red_red() -> None:
    """OpenCV codes BGR: a channel swap there would turn every stain around."""
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 0] = 200
    swapped = 0
    for seed in range(120):
        out = camera_jitter(red, rng(seed), 0.05).reshape(-1, 3).mean(0)
        swapped += int(out.argmax() != 0)
    assert swapped <= 6  # channels are swapped, on purpose, in a few of a thousand draws


def test_dark_cells_darken_the_chosen_pixels_only() -> None:
    pixels = np.full((96, 96, 3), (240, 225, 215), np.uint8)
    cells = np.zeros((96, 96), bool)
    cells[20:50, 30:60] = cells[60:80, 10:30] = True
    pixels[cells] = (215, 150, 150)
    for seed in range(12):
        out = dark_cells(pixels, cells, np.random.default_rng(seed))
        far = cv2.dilate(cells.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
        np.testing.assert_array_equal(out[far], pixels[far])
        core = cv2.erode(cells.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert out[core].mean() < pixels[core].mean() - 5
        assert np.array_equal(out, dark_cells(pixels, cells, np.random.default_rng(seed)))


def test_stain_is_the_formula_of_densities(smear: NDArray[np.uint8]) -> None:
    """Written out, draw by draw: a run that is taken up again sees what it would have seen."""
    light = np.quantile(smear[::8, ::8].reshape(-1, 3), 0.95, axis=0).clip(32)
    density = -np.log((smear.astype(np.float32) + 4) / (light.astype(np.float32) + 4))
    draw = rng(5)
    gain = np.exp(draw.normal(0, 0.28, 3) + draw.normal(0, 0.25))
    mix = np.diag(gain) + draw.normal(0, 0.12, (3, 3))
    lamp = light * np.exp(draw.normal(0, 0.07, 3) + draw.normal(0, 0.06))
    out = (lamp.clip(60, 255) + 4) * np.exp(-(density @ mix.T.astype(np.float32))) - 4
    np.testing.assert_array_equal(stain_jitter(smear, rng(5)), out.clip(0, 255).astype(np.uint8))
