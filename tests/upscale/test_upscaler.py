"""Pictures made larger: nothing is shifted, tiles leave no seam, what cannot be is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.upscale.upscaler import Upscaler
from tiny_upscaler import foretold, write_upscaler


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_interpolation_shifts_nothing(factor: int) -> None:
    """On a ramp, the mean of the pixels that one becomes is that pixel."""
    x = np.arange(10, 40, dtype=np.uint8) * 6
    ramp = np.broadcast_to(x[None, :, None], (12, 30, 3)).copy()
    larger = Upscaler.load("bicubic", factor).upscale(ramp)
    assert larger.shape == (12 * factor, 30 * factor, 3)
    means = larger.reshape(12, factor, 30, factor, 3).astype(float).mean((1, 3))
    assert np.abs(means - ramp)[:, 2:-2].max() <= 0.6
    assert Upscaler.load("bicubic").factor == 4


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 5), (20, 33)])
@pytest.mark.parametrize("tile_px", [3, 8, 128])
def test_tiles_leave_no_seam(tmp_path: Path, height: int, width: int, tile_px: int) -> None:
    upscaler = Upscaler.load(str(write_upscaler(tmp_path)), tile_px=tile_px)
    pixels = noise(height, width)
    found = upscaler.upscale(pixels).astype(int)
    assert np.abs(found - foretold(pixels)).max() <= 1  # sums of another order may round otherwise
    assert (found != foretold(pixels)).mean() < 0.01


def test_without_context_there_would_be_seams(tmp_path: Path) -> None:
    """So that the test above can fail."""
    blind = Upscaler.load(str(write_upscaler(tmp_path, context_px=0)), tile_px=8)
    pixels = noise(20, 20)
    assert np.abs(blind.upscale(pixels).astype(int) - foretold(pixels)).max() > 10


def test_a_network_has_its_own_factor(tmp_path: Path) -> None:
    folder = str(write_upscaler(tmp_path))
    assert Upscaler.load(folder).factor == Upscaler.load(folder, 2).factor == 2
    with pytest.raises(UsageError, match=r"blurred_pairs makes pictures 2 times .* 4 is asked for"):
        Upscaler.load(folder, 4)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="factor of bicubic must be 2 to 8; received 1"):
        Upscaler.load("bicubic", 1)
    with pytest.raises(UnknownNameError, match="upscaler bundle 'srgan'"):
        Upscaler.load("srgan")
    with pytest.raises(UsageError, match=r"uint8 \(H, W, 3\); received float64 \(4, 4\)"):
        Upscaler.load("bicubic").upscale(np.zeros((4, 4)))  # type: ignore[arg-type]
    lying = Upscaler.load(str(write_upscaler(tmp_path, factor=3)))
    with pytest.raises(BundleError, match=r"gives uint8 of shape \(1, 8, 8, 3\) .* \(1, 12, 12,"):
        lying.upscale(noise(4, 4))


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"factor": None}, "lacks factor"),
        ({"factor": 1}, "factor is 1; it must be a whole number from 2"),
        ({"context_px": -1}, "context_px is -1; it must be a whole number from 0"),
        ({"kind": "classifier"}, "of kind 'classifier'; an upscaler is needed"),
    ],
)
def test_cards_that_say_nothing_usable(tmp_path: Path, card: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Upscaler.load(str(write_upscaler(tmp_path, **card)))
