"""Bundles of stains at work: any size, no seam, and nothing but what the contract promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle
from smearlab.stain.ground import on_ground
from smearlab.stain.models import load_normaliser
from smearlab.stain.networks import NetworkNormaliser
from tiny_stain import foretold, write_pointwise_stain, write_stain
from tiny_upscaler import write_upscaler


class Counting:
    """A bundle whose calls are seen."""

    def __init__(self, bundle: Bundle, run: Any) -> None:
        self.card, self.name, self.run = bundle.card, bundle.name, run


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
    assert blind.card["multiple_px"] > 1, "it is no network of single pixels"
    pixels = noise(20, 20)
    assert np.abs(blind.apply(pixels).astype(int) - foretold(pixels)).max() > 10


def test_a_network_of_single_pixels_is_asked_once_for_each_colour(tmp_path: Path) -> None:
    normaliser = load_normaliser(write_pointwise_stain(tmp_path))
    assert isinstance(normaliser, NetworkNormaliser)
    asked: list[tuple[int, ...]] = []
    answer = normaliser.bundle.run

    def counted(**given: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(given["pixels"].shape)
        return answer(**given)

    object.__setattr__(normaliser, "bundle", Counting(normaliser.bundle, counted))
    pixels = np.repeat(noise(20, 33), 3, axis=1)
    made = normaliser.apply(pixels)
    np.testing.assert_array_equal(made, 255 - pixels[..., ::-1])
    colours = len(np.unique(pixels.reshape(-1, 3), axis=0))
    assert asked == [(1, 1, colours, 3)]
    np.testing.assert_array_equal(normaliser.apply(pixels[:, ::-1]), made[:, ::-1])
    assert len(asked) == 1, "known colours are not asked again"


@pytest.mark.parametrize("write", [write_stain, write_pointwise_stain])
def test_pictures_are_put_on_the_ground_that_it_learned_on(tmp_path: Path, write: Any) -> None:
    ground = [200, 180, 160]
    plain = load_normaliser(write(tmp_path / "plain"))
    on = load_normaliser(write(tmp_path / "on", ground=ground))
    pixels = np.full((40, 48, 3), (231, 214, 204), np.uint8)
    pixels[10:24, 8:30] = (90, 50, 120)
    moved = on_ground(pixels, ground)
    assert moved[0, 0].tolist() == ground
    np.testing.assert_array_equal(on.apply(pixels), plain.apply(moved))
    assert (on.apply(pixels) != plain.apply(pixels)).any()
    blank = np.full((40, 48, 3), (231, 214, 204), np.uint8)
    np.testing.assert_array_equal(on.apply(blank), blank)


def test_its_card_is_the_bundles(tmp_path: Path) -> None:
    normaliser = load_normaliser(write_stain(tmp_path))
    assert normaliser.name == normaliser.card["name"] == "blurred_negative"
    assert normaliser.card["from"] == "cream"


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"multiple_px": 3}, "failed on pixels uint8"),
        ({"ground": [1, 2]}, r"ground is \[1, 2\]; it must be a colour, three numbers"),
        ({"ground": [1, 2, 256]}, "ground is .* three numbers of 0 to 255"),
        ({"ground": "white"}, "ground is 'white'"),
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
