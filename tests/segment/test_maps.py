"""A field through a network: tiled as untiled, at the scale asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle, find_bundle
from smearlab.preprocess.contrast import equalise
from smearlab.segment.maps import FieldMaps, Segmenter
from tiny_bundles import STRIDE, TILE_PX, draw_discs, write_element, write_segmenter


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(write_segmenter(tmp_path_factory.mktemp("bundles") / "discs"), "segmenter")


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    folder = find_bundle("segmenter", "default")
    if not folder.is_dir():
        pytest.skip("the shipped segmenter is not in this checkout")
    return Bundle(folder, "segmenter")


@pytest.fixture(scope="module")
def field() -> np.ndarray:
    return draw_discs([(20, 30, "RBC"), (44, 30, "RBC"), (100, 90, "WBC"), (150, 120, "PLT")])


def assert_same(a: FieldMaps, b: FieldMaps, tolerance: float = 1e-4) -> None:
    for name in ("classes", "heat", "sides"):
        one, other = getattr(a, name), getattr(b, name)
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=tolerance)


@given(
    tile_px=st.integers(1, 260),
    overlap_px=st.integers(0, 200),
    scale=st.sampled_from((0.7, 1, 1.4)),
)
def test_tiled_is_untiled(
    tiny: Bundle, field: np.ndarray, tile_px: int, overlap_px: int, scale: float
) -> None:
    tiled = Segmenter(tiny, tile_px, overlap_px).maps(field, scale)
    assert_same(tiled, Segmenter(tiny, 4096, 0).maps(field, scale), 1e-6)


def test_too_little_context_would_show(tiny: Bundle, field: np.ndarray, tmp_path: Path) -> None:
    """The property above can fail: a card that promises too small a reach breaks it."""
    short = Bundle(write_segmenter(tmp_path / "short", context_px=0), "segmenter")
    tiled = Segmenter(short, 32, 0).maps(field, 1.0)
    whole = Segmenter(tiny, 4096, 0).maps(field, 1.0)
    assert np.abs(tiled.heat - whole.heat).max() > 0.01


@settings(max_examples=6)
@given(tile_px=st.integers(20, 200), overlap_px=st.sampled_from((0, 40, 300)))
def test_tiled_is_untiled_with_the_shipped_network(
    shipped: Bundle, tile_px: int, overlap_px: int
) -> None:
    config = SmearConfig(height_px=150, width_px=210, rbc_diameter_px=40)
    pixels = simulate_field(5, config).field.pixels
    tiled = Segmenter(shipped, tile_px, overlap_px).maps(pixels, 1.0)
    whole = Segmenter(shipped, 4096).maps(pixels, 1.0)
    for name in ("classes", "heat"):
        np.testing.assert_allclose(getattr(tiled, name), getattr(whole, name), atol=1e-4)
    np.testing.assert_allclose(tiled.sides, whole.sides, rtol=1e-4)


@pytest.mark.parametrize("size", [(192, 160), (16, 16), (200, 16), (16, 200), (193, 161)])
@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 1.7])
def test_maps_cover_the_field(tiny: Bundle, size: tuple[int, int], scale: float) -> None:
    width, height = size
    maps = Segmenter(tiny).maps(np.full((height, width, 3), 255, np.uint8), scale)
    net_width, net_height = max(1, round(width * scale)), max(1, round(height * scale))
    assert maps.classes.shape == (-(-net_height // 2), -(-net_width // 2), 4)
    assert maps.heat.shape == (-(-net_height // 4), -(-net_width // 4), 3)
    assert maps.sides.shape == (-(-net_height // 4), -(-net_width // 4), 4)
    assert (maps.width_px, maps.height_px) == size
    assert maps.scale_x == pytest.approx(net_width / width)
    assert maps.scale_y == pytest.approx(net_height / height)


def test_padding_is_not_part_of_the_answer(tiny: Bundle) -> None:
    """Whatever the size beyond a multiple of the stride, the cell lies where it lies."""
    for extra in range(STRIDE):
        pixels = draw_discs([(62, 46, "RBC")], size=(128 + extra, 96 + extra))
        maps = Segmenter(tiny).maps(pixels, 1.0)
        y, x = np.unravel_index(int(maps.heat[..., 0].argmax()), maps.heat.shape[:2])
        assert (x * 4 + 2, y * 4 + 2) == (62, 46)


def test_contrast_is_equalised_where_the_card_asks(tmp_path: Path, tiny: Bundle) -> None:
    dull = simulate_field(3, SmearConfig(height_px=96, width_px=128, rbc_diameter_px=30))
    pixels = dull.field.pixels
    asked = Bundle(write_segmenter(tmp_path / "clahe", clahe={"clip_limit": 3.0}), "segmenter")
    equal = Segmenter(asked).maps(pixels, 1.0)
    assert_same(equal, Segmenter(tiny).maps(equalise(pixels, clip_limit=3.0), 1.0), 0)
    assert not np.array_equal(equal.classes, Segmenter(tiny).maps(pixels, 1.0).classes)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_cannot_be_is_refused(tiny: Bundle, field: np.ndarray, scale: float) -> None:
    with pytest.raises(UsageError, match=f"received {scale}"):
        Segmenter(tiny).maps(field, scale)


def test_an_answer_of_another_shape_is_refused(tmp_path: Path, field: np.ndarray) -> None:
    wrong = Bundle(write_segmenter(tmp_path / "wrong", map_step=4), "segmenter")
    with pytest.raises(BundleError, match=r"gives classes of shape \(1, 80, 96, 4\).*\(1, 40, 48"):
        Segmenter(wrong).maps(field, 1.0)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_maps_at_the_fields_size_lie_where_they_lay(step: int, scale: float) -> None:
    """A ramp over the field is the same ramp, wherever the network has sampled it."""
    height, width = 24, 40
    rows, columns = round(height * scale / step), round(width * scale / step)
    y, x = np.mgrid[:rows, :columns]
    place = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], axis=-1).astype(np.float32)
    maps = FieldMaps(place, None, None, scale, scale, width, height)
    found = maps.at_field_size(place, step)
    assert found.shape == (height, width, 2)
    assert found.dtype == np.float32
    inner = slice(5, -5)
    want_x, want_y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    np.testing.assert_allclose(
        found[inner, inner, 0], np.broadcast_to(want_x[inner], (height - 10, width - 10)), atol=2e-3
    )
    np.testing.assert_allclose(found[inner, 20, 1], want_y[inner], atol=2e-3)
    if scale == step == 1:
        np.testing.assert_array_equal(found, place)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (TILE_PX, TILE_PX), (150, 97)])
def test_blended_tiles_of_a_pointwise_network_are_its_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    bundle = Bundle(write_element(tmp_path / "wbc", "WBC"), "segmenter")
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    maps = Segmenter(bundle).maps(pixels, 1.0)
    light = pixels.astype(np.float32)
    presence = (light @ np.array([-0.5, -0.5, 1], np.float32) / 255).clip(0, 1)
    assert maps.segmented is not None
    np.testing.assert_allclose(maps.segmented, light / 255 * presence[..., None], atol=1e-5)
    assert maps.classes.shape == (size[1], size[0], 2)
    np.testing.assert_allclose(maps.classes.sum(axis=2), 1, atol=1e-6)


def test_factors_for_a_network_without_noise_are_refused(tiny: Bundle, field: np.ndarray) -> None:
    with pytest.raises(UsageError, match="'colour_discs' has no noise: it takes no keep"):
        Segmenter(tiny).maps(field, 1.0, np.ones((1, 4), np.float32))
