"""Whole fields for paper A's network: map and pixels go the same way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_fields import painted_field, where_painted

from smearlab.errors import UsageError
from smearlab.learn.transforms.whole_views import WholeViewConfig, draw_whole_view
from smearlab.preprocess.contrast import equalise
from smearlab.types import ELEMENTS

STILL = WholeViewConfig(size=64, turn=0, shift=0, shear=0, zoom=0, clip_limit=0)


def test_map_and_pixels_go_the_same_way() -> None:
    field = painted_field()
    config = WholeViewConfig(size=160, clip_limit=0)
    moved = 0
    for seed in range(12):
        view = draw_whole_view(field.pixels, field.element_map, config, np.random.default_rng(seed))
        assert view["pixels"].shape == (160, 160, 3)
        assert view["element_map"].shape == (160, 160)
        assert set(np.unique(view["element_map"])) <= {0, 1, 2, 3}
        for code in range(1, len(ELEMENTS) + 1):
            mine = view["element_map"] == code
            painted = where_painted(view["pixels"], code - 1)
            assert np.count_nonzero(mine & painted) >= 0.85 * np.count_nonzero(mine)
        still = draw_whole_view(
            field.pixels, field.element_map, replace(STILL, size=160), np.random.default_rng(seed)
        )
        moved += int((still["element_map"] != view["element_map"]).mean() > 0.02)
    assert moved >= 10


def test_without_changes_only_a_mirror_remains() -> None:
    field = painted_field()
    seen = set()
    for seed in range(12):
        view = draw_whole_view(field.pixels, field.element_map, STILL, np.random.default_rng(seed))
        x = np.nonzero(view["element_map"] == 2)[1].mean()
        seen.add(round(float(x)))
    assert len(seen) == 2
    assert sum(seen) == pytest.approx(63, abs=1.5)


def test_contrast_is_that_of_the_bench() -> None:
    """The bundle's card asks the bench for the same CLAHE, at the same size."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(90, 160, (64, 64, 3)).astype(np.uint8)
    marks = np.zeros((64, 64), np.uint8)
    view = draw_whole_view(pixels, marks, replace(STILL, clip_limit=2.0), np.random.default_rng(5))
    expected = equalise(pixels, clip_limit=2.0)
    same = np.array_equal(view["pixels"], expected)
    mirrored = np.array_equal(view["pixels"], expected[:, ::-1])
    assert same or mirrored


def test_a_view_follows_from_its_generator() -> None:
    field = painted_field()
    views = [
        draw_whole_view(
            field.pixels, field.element_map, WholeViewConfig(size=64), np.random.default_rng(seed)
        )
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(views[0]["pixels"], views[1]["pixels"])
    assert np.array_equal(views[0]["element_map"], views[1]["element_map"])
    assert not np.array_equal(views[0]["pixels"], views[2]["pixels"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 100}, "size must be a multiple of 16; received 100"),
        ({"shift": -0.1}, "shift must be at least 0; received -0.1"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        WholeViewConfig(**given)  # type: ignore[arg-type]
