"""Overlapping tiles of one size: exact where nothing depends on the tile, no seam where it does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.segment.blend import blend_corners, blend_weights, blended, mirrored

TILE, OVERLAP = 32, 12


def pointwise(tile: np.ndarray) -> dict[str, np.ndarray]:
    """A network that sees one pixel at a time."""
    light = tile.astype(np.float32) / 255
    return {"classes": light[..., :2] ** 2, "segmented": light}


def of_its_tile(tile: np.ndarray) -> dict[str, np.ndarray]:
    """A smooth network whose answer depends on the place within its tile: x + y, from 0 to 1."""
    side = tile.shape[1]
    y, x = np.mgrid[:side, :side].astype(np.float32) / (2 * side)
    return {"classes": (x + y)[None, ..., None]}


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def run(pixels: np.ndarray, answer: object = pointwise, **more: object) -> dict[str, np.ndarray]:
    return blended(pixels, answer, tile_px=TILE, overlap_px=OVERLAP, **more)  # type: ignore[arg-type]


@given(height=st.integers(1, 90), width=st.integers(1, 90))
def test_a_pointwise_network_gives_its_untiled_answer(height: int, width: int) -> None:
    pixels = picture(height, width)
    whole = pointwise(pixels[None])
    for name, value in run(pixels).items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, whole[name][0])


def test_a_constant_network_stays_constant() -> None:
    def constant(tile: np.ndarray) -> dict[str, np.ndarray]:
        return {"classes": np.full((*tile.shape[:3], 1), 0.3, np.float32)}

    assert (run(picture(77, 50), constant)["classes"] == np.float32(0.3)).all()


def test_no_seam_is_left() -> None:
    """Where tiles disagree, the blend turns from one to the other without a jump."""
    found = run(picture(100, 140), of_its_tile)["classes"][..., 0]
    apart = (TILE - OVERLAP) / (2 * TILE)  # what neighbours differ by wherever they overlap
    slope = 1 / (2 * TILE)
    rise = np.abs(np.diff(blend_weights(TILE, OVERLAP))).max()
    for axis in (0, 1):
        assert np.abs(np.diff(found, axis=axis)).max() <= slope + rise * apart + 1e-6
    assert rise < 0.15  # cut hard, the weight would change by 1 from pixel to pixel


def test_a_seam_would_show() -> None:
    """A network whose tiles differ by a constant: hard cuts jump by it, the blend does not."""
    levels = iter(np.linspace(0, 1, 1000))

    def brighter_and_brighter(tile: np.ndarray) -> dict[str, np.ndarray]:
        return {"classes": np.full((*tile.shape[:3], 1), next(levels) * 100, np.float32)}

    corners = list(blend_corners(52, 20, TILE, OVERLAP))
    assert len({x for x, _ in corners}) == 3
    found = run(picture(20, 52), brighter_and_brighter)["classes"][0, :, 0]
    between_tiles = (found.max() - found.min()) / 2
    assert np.abs(np.diff(found)).max() < 0.2 * between_tiles


@given(height=st.integers(1, 80), width=st.integers(1, 80), seed=st.integers(0, 99))
def test_the_order_of_the_tiles_does_not_matter(height: int, width: int, seed: int) -> None:
    pixels = picture(height, width, seed)

    def of_tile_and_pixels(tile: np.ndarray) -> dict[str, np.ndarray]:
        return {"classes": of_its_tile(tile)["classes"] * tile.mean()}

    corners = list(blend_corners(width, height, TILE, OVERLAP))
    shuffled = [corners[n] for n in np.random.default_rng(seed).permutation(len(corners))]
    one = run(pixels, of_tile_and_pixels, tiles=corners)["classes"]
    np.testing.assert_allclose(
        one, run(pixels, of_tile_and_pixels, tiles=shuffled)["classes"], rtol=1e-6
    )


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    tile=st.sampled_from((16, 32)),
    overlap=st.sampled_from((2, 6, 12)),
)
def test_every_pixel_is_well_inside_some_tile(
    width: int, height: int, tile: int, overlap: int
) -> None:
    away = np.zeros((height, width))
    for x0, y0 in blend_corners(width, height, tile, overlap):
        x, y = np.arange(width) - x0, np.arange(height) - y0
        inside_x = np.minimum(x, tile - 1 - x)
        inside_y = np.minimum(y, tile - 1 - y)
        away = np.maximum(away, np.minimum.outer(inside_y, inside_x))
    assert away.min() >= overlap // 2 - 1


def test_neighbours_weights_sum_to_one() -> None:
    weights = blend_weights(TILE, OVERLAP)
    np.testing.assert_allclose(weights[-OVERLAP:] + weights[:OVERLAP], 1)
    assert (weights[OVERLAP:-OVERLAP] == 1).all()
    assert 0 < weights[0] < 0.02
    np.testing.assert_array_equal(weights, weights[::-1])


@given(size=st.integers(1, 12), start=st.integers(-40, 20), length=st.integers(1, 60))
def test_mirrors_are_numpys(size: int, start: int, length: int) -> None:
    before, after = max(0, -start), max(0, start + length - size)
    padded = np.pad(np.arange(size), (before, after), mode="reflect")
    first = start + before
    np.testing.assert_array_equal(mirrored(start, length, size), padded[first : first + length])


def test_answers_may_be_coarser_than_the_picture() -> None:
    def halved(tile: np.ndarray) -> dict[str, np.ndarray]:
        small = tile.reshape(1, TILE // 2, 2, TILE // 2, 2, 3).mean(axis=(2, 4))
        return {"classes": small.astype(np.float32)}

    pixels = picture(60, 44)
    found = run(pixels, halved, step=2)["classes"]
    whole = pixels.reshape(30, 2, 22, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(found, whole, rtol=1e-6)
    assert run(picture(61, 45), halved, step=2)["classes"].shape == (31, 23, 3)


@pytest.mark.parametrize(("length", "tiles"), [(1, 1), (20, 1), (21, 2), (40, 2), (41, 3)])
def test_no_more_tiles_than_needed(length: int, tiles: int) -> None:
    assert len(list(blend_corners(length, 1, TILE, OVERLAP))) == tiles
