"""Bundles of stains: what a sound one gives, and what is said of one that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError
from smearlab.io.bundles import Bundle, find_bundle, read_card
from tiny_bundles import write_bundle
from tiny_stain import CARD, CONTEXT_PX, MULTIPLE_PX, foretold, write_stain
from tiny_upscaler import write_upscaler


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (8, 12), (20, 16)])
def test_a_stain_answers_pictures_of_any_size(tmp_path: Path, height: int, width: int) -> None:
    bundle = Bundle(write_stain(tmp_path / "stain"), "stain")
    pixels = noise(height, width)
    found = bundle.run(pixels=np.stack([pixels, pixels[::-1]]))["normalised"]
    assert (found.dtype, found.shape) == (np.uint8, (2, height, width, 3))
    for one, given in zip(found, (pixels, pixels[::-1]), strict=True):
        off = np.abs(one.astype(int) - foretold(given))
        assert off.max() <= 1  # sums of another order may round otherwise
        assert (off > 0).mean() < 0.01


def test_a_tile_with_its_context_is_the_part_of_the_whole(tmp_path: Path) -> None:
    """The contract, by which readers cut pictures into tiles."""
    bundle = Bundle(write_stain(tmp_path / "stain"), "stain")
    pixels = noise(24, 24)
    whole = bundle.run(pixels=pixels[None])["normalised"][0].astype(int)
    x0, x1 = 2 * MULTIPLE_PX, 4 * MULTIPLE_PX
    assert CONTEXT_PX <= MULTIPLE_PX
    window = pixels[None, x0 - MULTIPLE_PX : x1 + MULTIPLE_PX, x0 - MULTIPLE_PX : x1 + MULTIPLE_PX]
    inner = slice(MULTIPLE_PX, MULTIPLE_PX + x1 - x0)
    part = bundle.run(pixels=np.ascontiguousarray(window))["normalised"][0, inner, inner]
    assert np.abs(part.astype(int) - whole[x0:x1, x0:x1]).max() <= 1
    blind = bundle.run(pixels=np.ascontiguousarray(pixels[None, x0:x1, x0:x1]))["normalised"][0]
    assert np.abs(blind.astype(int) - whole[x0:x1, x0:x1]).max() > 10  # so that it can fail


def test_sides_that_are_no_multiples_fail_with_a_name(tmp_path: Path) -> None:
    bundle = Bundle(write_stain(tmp_path / "stain"), "stain")
    with pytest.raises(BundleError, match="'blurred_negative' failed on pixels uint8"):
        bundle.run(pixels=noise(5, 8)[None])


@pytest.mark.parametrize("key", ["name", "multiple_px", "context_px", "tile_px", "from", "network"])
def test_a_missing_key_of_a_stain_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(BundleError, match=f"lacks {key}; export the bundle again"):
        read_card(write_stain(tmp_path / "lacking", **{key: None}), "stain")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"multiple_px": 0}, "multiple_px is 0; it must be a whole number from 1"),
        ({"context_px": -1}, "context_px is -1; it must be a whole number from 0"),
        ({"tile_px": "512"}, "tile_px is '512'; it must be a whole number from 1"),
        ({"to": ""}, "to is ''; it must name a stain"),
        ({"from": 3}, "from is 3; it must name a stain"),
    ],
)
def test_a_card_that_says_nothing_usable(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        read_card(write_stain(tmp_path / "strange", **changed), "stain")


def test_other_kinds_are_not_stains(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="of kind 'upscaler'; a stain is needed here"):
        read_card(write_upscaler(tmp_path / "larger"), "stain")
    model = (write_upscaler(tmp_path / "other") / "model.onnx").read_bytes()
    with pytest.raises(BundleError, match="its kind also needs normalised"):
        Bundle(write_bundle(tmp_path / "posing", model, CARD), "stain")


def test_a_stain_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_stain(tmp_path / "pbc_to_raabin")
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path))
    assert find_bundle("stain", "pbc_to_raabin") == folder
    with pytest.raises(UnknownNameError, match=r"stain bundle 'pbc_to_rabin'.*pbc_to_raabin"):
        find_bundle("stain", "pbc_to_rabin")
