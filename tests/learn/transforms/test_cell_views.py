"""Views of single cells: the cell stays in the middle, at the size it will have at the bench."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.transforms.cell_views import CellViewConfig, draw_cell_view

STILL = CellViewConfig(
    input_px=96, context=1.5, turn=0, shift=0, zoom=0, stretch=0, shear=0, colour=0
)


def patch(side: int = 160) -> NDArray[np.uint8]:
    """A red disc of half the patch's side (one box wide), with a green mark at its right."""
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    pixels = np.full((side, side, 3), 255, np.uint8)
    pixels[x**2 + y**2 < (side / 4) ** 2] = (255, 0, 0)
    pixels[(x - side * 0.15) ** 2 + y**2 < (side / 20) ** 2] = (0, 255, 0)
    return pixels


def disc(view: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(view[..., 2] < 128)


def middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    y, x = np.nonzero(mask)
    return float(x.mean()) + 0.5, float(y.mean()) + 0.5


@pytest.mark.parametrize("side", [96, 160, 200])
def test_the_box_fills_its_share_of_the_view(side: int) -> None:
    view = draw_cell_view(patch(side), STILL, np.random.default_rng(0))
    assert view.shape == (96, 96, 3) and view.dtype == np.uint8
    wide = disc(view).any(0).sum()
    assert wide == pytest.approx(96 / 1.5, abs=1.5)
    assert middle(disc(view)) == pytest.approx((48, 48), abs=0.6)


def test_it_turns_all_around_and_mirrors() -> None:
    config = replace(STILL, turn=180.0)
    angles = []
    for seed in range(40):
        view = draw_cell_view(patch(), config, np.random.default_rng(seed))
        assert middle(disc(view)) == pytest.approx((48, 48), abs=0.6)
        x, y = middle((view[..., 1] > 128) & (view[..., 0] < 128))
        assert np.hypot(x - 48, y - 48) == pytest.approx(0.15 * 2 * 64, abs=1.5)
        angles.append(np.arctan2(y - 48, x - 48))
    assert np.histogram(angles, bins=4, range=(-np.pi, np.pi))[0].min() >= 3


def test_without_turning_a_mirror_remains() -> None:
    sides = set()
    for seed in range(12):
        view = draw_cell_view(patch(), STILL, np.random.default_rng(seed))
        x, y = middle((view[..., 1] > 128) & (view[..., 0] < 128))
        assert y == pytest.approx(48, abs=0.6)
        sides.add(x > 48)
    assert sides == {True, False}


def test_shift_and_zoom_stay_within_what_was_asked() -> None:
    config = replace(STILL, shift=0.1, zoom=0.1)
    offsets, widths = [], []
    for seed in range(60):
        view = draw_cell_view(patch(), config, np.random.default_rng(seed))
        offsets.append(np.abs(np.subtract(middle(disc(view)), 48)).max())
        widths.append(disc(view).any(0).sum() / 64)
    assert max(offsets) <= 0.1 * 64 * 1.4
    assert max(offsets) > 2
    assert np.log(widths).std() == pytest.approx(0.1, abs=0.04)


def test_a_view_follows_from_its_generator() -> None:
    config = CellViewConfig()
    views = [draw_cell_view(patch(), config, np.random.default_rng(s)) for s in (1, 1, 2)]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_px": 0}, "input_px must be above 0; received 0"),
        ({"zoom": -0.1}, "zoom must be at least 0; received -0.1"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CellViewConfig(**given)  # type: ignore[arg-type]
