"""Bundles of stains at work: any size, no seam, and nothing but what the contract promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle
from smearlab.stain.models import load_normaliser
from smearlab.stain.networks import NetworkNormaliser
from tiny_stain import foretold, write_stain
from tiny_upscaler import write_upscaler


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(1, 2), (2, 9), (7, 5), (20, 33)])
@pytest.mark.parametrize("tile_px", [None, 4, 6, 64])
def test_tiles_leave_no_seam(tmp_path: Path, height: int, width: int, tile_px: int | None) -> None:
    bundle = Bundle(write_stain(tmp_path), "stain")
    pixels = noise(height, width)
    made = NetworkNormaliser(bundle, tile_px).normalise(pixels)
    apart = np.abs(made.pixels.astype(int) - foretold(pixels))
    assert made.changed and made.why == ""
    assert apart.max() <= 1  # sums of another order may round otherwise
    assert (apart > 0).mean() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (30, 40)])
def test_blank_pictures_come_back_as_they_are(tmp_path: Path, size: tuple[int, int]) -> None:
    normaliser = NetworkNormaliser(Bundle(write_stain(tmp_path), "stain"))
    blank = np.full((*size, 3), (231, 214, 204), np.uint8)
    made = normaliser.normalise(blank)
    np.testing.assert_array_equal(made.pixels, blank)
    assert not made.changed and "nearly blank, 0 %" in made.why
    if size != (1, 1):
        blank[:5, :5] = (90, 50, 120)  # two in a hundred are stained
        assert normaliser.normalise(blank).changed


def test_without_context_there_would_be_seams(tmp_path: Path) -> None:
    """So that the test above can fail."""
    blind = NetworkNormaliser(Bundle(write_stain(tmp_path, context_px=0), "stain"), 4)
    pixels = noise(20, 20)
    assert np.abs(blind.apply(pixels).astype(int) - foretold(pixels)).max() > 10


def test_its_card_is_the_bundles(tmp_path: Path) -> None:
    normaliser = load_normaliser(write_stain(tmp_path))
    assert normaliser.name == normaliser.card["name"] == "blurred_negative"
    assert normaliser.card["from"] == "cream"


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"multiple_px": 3}, "failed on pixels uint8"),
        ({"kind": "upscaler"}, "of kind 'upscaler'; a stain is needed"),
    ],
)
def test_bundles_that_do_not_keep_their_word(
    tmp_path: Path, card: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        load_normaliser(write_stain(tmp_path, **card)).apply(noise(7, 7))


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"uint8 \(H, W, 3\); received uint8 \(4, 4\)"):
        load_normaliser(write_stain(tmp_path / "a")).apply(noise(4, 4)[..., 0])
    with pytest.raises(BundleError, match="of kind 'upscaler'"):
        load_normaliser(write_upscaler(tmp_path / "b"))
