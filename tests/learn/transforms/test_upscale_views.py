"""Pairs for super-resolution: small and large show the same place, in the same position."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.errors import UsageError
from smearlab.learn.transforms.upscale_views import UpscaleViewConfig, draw_pair, lowered


def ramps(side: int) -> np.ndarray:
    """Rows in red, columns in green: every place and position looks different."""
    y, x = np.mgrid[:side, :side]
    return np.dstack([y * 2, x * 2, np.full_like(x, 90)]).astype(np.uint8)


@pytest.mark.parametrize("factor", [2, 4])
def test_small_and_large_show_the_same(factor: int) -> None:
    """On ramps the blur changes nothing: a small pixel is the mean of those it stands for."""
    high, config = ramps(96), UpscaleViewConfig(96, 32)
    seen = set()
    for seed in range(12):
        low, patch = draw_pair(high, config, factor, np.random.default_rng(seed))
        assert patch.shape == (32, 32, 3) and low.shape == (32 // factor, 32 // factor, 3)
        blocks = patch.reshape(low.shape[0], factor, low.shape[1], factor, 3).astype(float)
        apart = np.abs(blocks.mean((1, 3)) - low)
        # Where the part lies at the picture's edge, the blur sees its mirror image.
        at_edge = patch[..., :2].min() < 12 or patch[..., :2].max() > 178
        assert apart.max() <= (12 if at_edge else 1.01)
        seen.add(tuple(patch[0, 0]))
    assert len(seen) > 6, "places and positions are drawn"


def test_all_eight_positions_are_drawn_and_none_when_not_asked() -> None:
    high = ramps(32)
    whole, still = UpscaleViewConfig(32), UpscaleViewConfig(32, turned=False)
    rngs = [np.random.default_rng(seed) for seed in range(64)]
    drawn = {draw_pair(high, whole, 4, rng)[1].tobytes() for rng in rngs}
    turned = [np.rot90(one, q) for one in (high, high[:, ::-1]) for q in range(4)]
    assert drawn == {one.tobytes() for one in turned}
    low, patch = draw_pair(high, still, 4, rngs[0])
    assert np.array_equal(patch, high) and np.array_equal(low, lowered(high, 4))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"high_px": 32, "patch_px": 64}, "patch_px lie within 1 and high_px; received 32 and 64"),
        ({"high_px": 0}, "high_px must be at least 1"),
        ({"sigma_px": 0.0}, "sigma_px must be above 0 or None; received 0"),
    ],
)
def test_impossible_views_are_refused(given: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UpscaleViewConfig(**given)  # type: ignore[arg-type]


def test_sides_are_multiples_of_the_factor() -> None:
    UpscaleViewConfig(128, 64).refuse_factor(4)
    with pytest.raises(UsageError, match=r"patch_px must be a multiple of the factor, 4; .* 30"):
        UpscaleViewConfig(128, 30).refuse_factor(4)
