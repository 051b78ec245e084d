"""Light and ground: values come back exactly, and ground is told from what is stained."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from drawn_smears import CREAM, PINK, Dyes, nucleus_mask, smear
from smearlab.stain.density import colours, density, light_of, to_pixels, transmittance
from smearlab.stain.ground import (
    density_of,
    ground_colour,
    ground_of,
    is_stained,
    on_ground,
    sampled,
    stained_share,
)


def test_every_value_comes_back() -> None:
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    light = light_of(np.array([255.0, 231, 203]))
    through = transmittance(values, light)
    assert (to_pixels(colours(np.exp(-density(through)), light)) == values).all()


def test_density_is_that_of_beer_and_lambert() -> None:
    """Half the light through is ln 2; through two layers, twice as much."""
    light = np.full(3, 240.0)
    once, twice = (np.full((1, 3), value, np.uint8) for value in (119, 59))
    assert density(transmittance(once, light))[0] == pytest.approx(np.log(2), abs=1e-6)
    assert density(transmittance(twice, light))[0] == pytest.approx(2 * np.log(2), abs=1e-6)


@pytest.mark.parametrize("dyes", [CREAM, PINK])
def test_the_ground_is_found(dyes: Dyes) -> None:
    assert ground_of(smear(dyes)) == pytest.approx(dyes.ground, abs=1)
    nearly_full = np.concatenate([smear(dyes)[20:44, 36:60].reshape(-1, 3)] * 2)
    dotted = np.concatenate([nearly_full, np.tile(np.array(dyes.ground, np.uint8), (300, 1))])
    assert ground_colour(dotted) == pytest.approx(dyes.ground, abs=1)


def test_glare_and_pale_cells_pull_it_nowhere() -> None:
    pixels = smear(CREAM)
    pixels[:4] = 255  # glare
    pixels[-6:] = (226, 190, 180)  # pale cytoplasm
    assert ground_of(pixels) == pytest.approx(CREAM.ground, abs=1)


def test_pale_red_cells_may_cover_more_than_the_ground() -> None:
    """As in a picture of PBC, where Otsu's threshold parts the nucleus from all the rest."""
    pixels = np.empty((100, 100, 3), np.uint8)
    pixels[:30] = (254, 227, 202)
    pixels[30:80] = (226, 196, 192)
    pixels[80:] = (74, 36, 118)
    assert ground_of(pixels) == pytest.approx((254, 227, 202), abs=1)


def test_an_even_picture_is_all_ground() -> None:
    even = np.full((8, 8, 3), (90, 30, 120), np.uint8)
    assert ground_of(even).tolist() == [90, 30, 120]
    assert np.abs(density_of(even)).max() < 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_the_ground_is_that_of_medians_over_all_pixels(seed: int) -> None:
    """Counted medians are those of sorting, whatever the picture."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, rng.uniform(1, 40), (40, 37, 3))
    tones = rng.choice([40.0, 130, 215], (40, 37, 1), p=[0.3, 0.2, 0.5])
    pixels = np.clip(tones + steps + rng.uniform(-20, 20, 3), 0, 255).astype(np.uint8)
    flat = pixels.reshape(-1, 3).astype(float)
    tone = flat.mean(1)
    bright = flat[tone > threshold_otsu(tone)]
    tone = bright.mean(1)
    colour = np.median(bright[tone >= np.quantile(tone, 2 / 3)], axis=0)
    for _ in range(6):
        near = bright[np.abs(bright - colour).max(1) <= 12]
        colour = np.median(near, axis=0) if len(near) else colour
    assert ground_colour(pixels).tolist() == colour.tolist()


def test_stains_stay_on_another_ground() -> None:
    pixels = smear(CREAM)
    moved = on_ground(pixels, PINK.ground)
    assert ground_of(moved) == pytest.approx(PINK.ground, abs=1)
    bright = (moved > 30).all(-1)  # darker ones stand for wide steps of density
    apart = np.abs(density_of(moved) - density_of(pixels))[bright]
    assert apart.max() < 0.05
    np.testing.assert_array_equal(on_ground(pixels, ground_of(pixels)), pixels)
    np.testing.assert_array_equal(on_ground(pixels, PINK.ground, ground_of(pixels)), moved)


def test_what_is_stained() -> None:
    optical = density_of(smear(CREAM))
    stained = is_stained(optical)
    assert stained[nucleus_mask()].all()
    assert not stained[:4, 48:52].any()
    share = stained_share(optical)[..., 0]
    assert share[nucleus_mask()].min() == 1
    assert share[:4, 48:52].max() == 0


def test_the_step_between_is_smooth() -> None:
    levels = np.linspace(0, 0.2, 400, dtype=np.float32)
    share = stained_share(np.repeat(levels[:, None], 3, 1))[:, 0]
    assert share[0] == 0 and share[-1] == 1
    assert (np.diff(share) >= 0).all() and np.diff(share).max() < 0.01


def test_samples_are_spread_evenly() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[..., 0] = np.arange(100)[:, None]
    pixels[..., 1] = np.arange(200)
    assert sampled(pixels, 20_000).shape == (20_000, 3)
    found = sampled(pixels, 800)
    assert len(found) == 800
    assert sorted(set(found[:, 0].tolist())) == list(range(0, 100, 5))
