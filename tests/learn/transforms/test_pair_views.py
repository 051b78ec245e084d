"""Views of pairs: picture and element go the same way, at the scale of the red cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smearlab.datasets.pair_files import ElementPair
from smearlab.errors import DataError, UsageError
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.pair_views import (
    PairViewConfig,
    draw_pair_view,
    pair_view,
    scale_pair,
)

GROUND, PAINT = (230, 220, 210), (200, 0, 90)
STILL = PairViewConfig(size=64, cell_px=32, ranges=AffineRanges())


def painted_pair(
    box: tuple[int, int, int, int] | None = (300, 40, 330, 60),
    size: tuple[int, int] = (240, 400),
    diameter_px: float = 32.0,
) -> ElementPair:
    """A field of (height, width) in which the element is a painted rectangle; a second one in the
    lower left corner is unknown."""
    pixels = np.full((*size, 3), GROUND, np.uint8)
    target, unknown = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    if box:
        x0, y0, x1, y1 = box
        pixels[y0:y1, x0:x1], target[y0:y1, x0:x1] = PAINT, True
    unknown[-20:, :20] = True
    return ElementPair("painted", "WBC", "g", "train", "mask", pixels, target, diameter_px, unknown)


def painted(pixels: np.ndarray) -> np.ndarray:
    """Where paint is, by its lack of green."""
    return np.asarray(pixels[..., 1] < GROUND[1] / 2)


def test_a_view_shows_the_field_and_the_element_alone() -> None:
    pair = scale_pair(painted_pair(), 32)
    view = pair_view(pair, (290, 20), 64)
    whole = painted_pair()
    assert np.array_equal(view["pixels"], whole.pixels[20:84, 290:354])
    assert np.array_equal(view["mask"] > 0, whole.target[20:84, 290:354])
    assert np.array_equal(view["target"], whole.picture[20:84, 290:354])
    assert bool(view["known"].all())
    corner = pair_view(pair, (0, 176), 64)
    assert np.array_equal(corner["known"] == 0, whole.unknown[176:, :64])


@pytest.mark.parametrize("diameter_px", [16.0, 64.0])
def test_red_cells_get_the_diameter_asked_for(diameter_px: float) -> None:
    pair = scale_pair(painted_pair(diameter_px=diameter_px), 32)
    scale = 32 / diameter_px
    assert pair.shown.shape == (240 * scale, 400 * scale)
    assert np.count_nonzero(pair.shown >= 128) == pytest.approx(30 * 20 * scale**2, rel=0.1)


def test_a_field_without_red_cells_needs_their_size() -> None:
    pair = painted_pair(diameter_px=float("nan"))
    with pytest.raises(DataError, match="nothing tells how large the red cells of painted are"):
        scale_pair(pair, 32)
    assert scale_pair(pair, 32, 64.0).shown.shape == (120, 200)


def test_picture_and_element_go_the_same_way() -> None:
    pair = scale_pair(painted_pair(), 32)
    config = PairViewConfig(size=64, cell_px=32, on_element=1.0, scale_jitter=0.2, beyond=0.2)
    seen = set()
    for seed in range(40):
        view = draw_pair_view(pair, config, np.random.default_rng(seed))
        assert view["pixels"].shape == view["target"].shape == (64, 64, 3)
        assert {view[key].dtype for key in view} == {np.dtype(np.uint8)}
        mask = view["mask"] > 0
        assert mask.any()
        assert np.mean(painted(view["pixels"]) != mask) < 0.03
        assert not view["target"][~mask].any()
        assert np.array_equal(view["target"][mask], view["pixels"][mask])
        seen.add(int(mask.sum()))
    assert len(seen) > 10, "crops, mirror images and turns differ"


def test_as_many_views_as_asked_for_show_the_element() -> None:
    pair = scale_pair(painted_pair(), 32)
    shown = {}
    for share in (0.0, 0.5, 1.0):
        config = replace(STILL, on_element=share)
        views = [draw_pair_view(pair, config, np.random.default_rng(n)) for n in range(200)]
        shown[share] = np.mean([bool(view["mask"].any()) for view in views])
    assert shown[1.0] == 1
    assert shown[0.0] < 0.3
    assert shown[0.5] == pytest.approx((shown[0.0] + 1) / 2, abs=0.1)


def test_a_field_without_the_element_gives_black_targets() -> None:
    pair = scale_pair(painted_pair(box=None), 32)
    assert not draw_pair_view(pair, STILL, np.random.default_rng(0))["target"].any()


def test_a_small_field_is_mirrored_at_its_edges() -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (40, 50, 3)).astype(np.uint8)
    pair = replace(
        painted_pair(box=None, size=(40, 50)), pixels=pixels, unknown=np.zeros((40, 50), np.bool_)
    )
    view = draw_pair_view(scale_pair(pair, 32), STILL, np.random.default_rng(0))
    wanted = np.pad(pixels, ((12, 12), (7, 7), (0, 0)), mode="reflect")
    assert np.array_equal(view["pixels"], wanted)


def test_windows_stay_in_the_field_unless_they_may_leave_it() -> None:
    """Nothing is shown twice, and the field's first column is unlike its second."""
    ramp = np.repeat(np.arange(240, dtype=np.uint8)[:, None], 3, axis=1)
    pixels = np.ascontiguousarray(np.broadcast_to(ramp[:, None], (240, 240, 3)))
    pair = replace(
        painted_pair(box=None, size=(240, 240)),
        pixels=pixels,
        unknown=np.zeros((240, 240), np.bool_),
    )
    left = {}
    for beyond in (0.0, 0.3):
        config, left[beyond] = replace(STILL, beyond=beyond), 0
        for seed in range(60):
            view = draw_pair_view(scale_pair(pair, 32), config, np.random.default_rng(seed))
            rows = view["pixels"][:, 0, 0]
            left[beyond] += len(set(rows.tolist())) < 64
    assert left[0.0] == 0
    assert left[0.3] > 5


def test_colours_change_the_target_with_the_picture() -> None:
    pair = scale_pair(painted_pair(), 32)
    config = replace(STILL, colour=1.0, on_element=1.0)
    view = draw_pair_view(pair, config, np.random.default_rng(3))
    plain = draw_pair_view(pair, replace(config, colour=0.0), np.random.default_rng(3))
    assert not np.array_equal(view["pixels"], plain["pixels"])
    mask = view["mask"] > 0
    assert np.array_equal(view["target"][mask], view["pixels"][mask])
    assert not view["target"][~mask].any()


def test_a_view_follows_from_its_generator() -> None:
    pair = scale_pair(painted_pair(), 32)
    config = PairViewConfig(size=64, cell_px=32, colour=0.3, scale_jitter=0.1)
    views = [draw_pair_view(pair, config, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(views[0]["pixels"], views[1]["pixels"])
    assert np.array_equal(views[0]["target"], views[1]["target"])
    assert not np.array_equal(views[0]["pixels"], views[2]["pixels"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 4}, "size must be at least 8 and cell_px above 0; received 4, 64.0"),
        ({"cell_px": 0.0}, "cell_px above 0; received 256, 0.0"),
        ({"on_element": 1.5}, r"on_element must lie within \[0, 1\]; received 1.5"),
        ({"beyond": -0.1}, r"beyond must lie within \[0, 1\]; received -0.1"),
        ({"colour": -1.0}, "colour must be at least 0; received -1.0"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PairViewConfig(**given)  # type: ignore[arg-type]
