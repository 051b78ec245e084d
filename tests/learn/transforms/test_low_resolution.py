"""Pairs of two resolutions show the same thing at the same place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import smearlab.learn  # noqa: F401  (makes torchvision importable)
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import UsageError

pytest.importorskip("torchvision", reason="torchvision is not installed")
from smearlab.learn.transforms.low_resolution import lower, resolution_pair


@pytest.fixture(scope="module")
def cell() -> torch.Tensor:
    config = SmearConfig(height_px=160, width_px=192, rbc_diameter_px=60, n_wbc=1, noise=0)
    pixels = simulate_field(2, config).field.pixels
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


@pytest.mark.parametrize("factor", [2, 4])
def test_averaging_the_fine_picture_gives_the_coarse_one(cell: torch.Tensor, factor: int) -> None:
    coarse, fine = resolution_pair(cell, 128, factor)
    assert fine.shape == (3, 128, 128)
    assert coarse.shape == (3, 128 // factor, 128 // factor)
    assert coarse.dtype == fine.dtype == torch.uint8
    array = fine.permute(1, 2, 0).numpy()
    averaged = cv2.resize(array, coarse.shape[:0:-1], interpolation=cv2.INTER_AREA)
    difference = np.abs(averaged.astype(int) - coarse.permute(1, 2, 0).numpy())
    assert difference.mean() < 2.5
    # A shift by half a coarse pixel would be worse.
    moved = np.roll(array, factor // 2, axis=1)
    shifted = cv2.resize(moved, coarse.shape[:0:-1], interpolation=cv2.INTER_AREA)
    worse = np.abs(shifted.astype(int) - coarse.permute(1, 2, 0).numpy())
    assert worse[2:-2, 2:-2].mean() > 1.5 * difference[2:-2, 2:-2].mean()


@given(st.sampled_from([2, 3, 4, 8]), st.floats(40, 56), st.floats(40, 56))
def test_nothing_moves(factor: int, x: float, y: float) -> None:
    rows, columns = np.mgrid[:96, :96]
    bell = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 100).astype(np.float32)
    coarse = lower(torch.from_numpy(bell)[None], factor)[0].numpy()
    at_y, at_x = ndimage.center_of_mass(coarse)
    assert (at_x + 0.5) * factor - 0.5 == pytest.approx(x, abs=0.05)
    assert (at_y + 0.5) * factor - 0.5 == pytest.approx(y, abs=0.05)


def test_the_blur_is_gaussian_of_the_width_asked_for() -> None:
    point = torch.zeros(1, 96, 96)
    point[0, 48, 48] = 1
    for factor, sigma, expected in ((4, None, 1.6), (2, None, 0.8), (2, 3.0, 3.0)):
        coarse = lower(point.double(), factor, sigma)[0].numpy()
        rows = np.arange(coarse.shape[0])
        weight = coarse.sum(1) / coarse.sum()
        spread = np.sqrt((weight * rows**2).sum() - (weight * rows).sum() ** 2) * factor
        # Reading between pixels widens by at most half a coarse pixel.
        assert expected - 0.1 <= spread <= np.hypot(expected, factor / 2) + 0.1


def test_stripes_that_the_coarse_grid_cannot_hold_vanish() -> None:
    stripes = (torch.arange(128) % 3 == 0).float().expand(1, 128, 128) * 255
    coarse = lower(stripes, 4)[0, 4:-4, 4:-4]
    assert float(coarse.std()) < 3
    assert float(coarse.mean()) == pytest.approx(85, abs=2)


def test_batches_are_lowered_one_by_one(cell: torch.Tensor) -> None:
    batch = torch.stack([cell, cell.flip(-1)])
    coarse, fine = resolution_pair(batch, 64, 4)
    assert coarse.shape == (2, 3, 16, 16)
    assert torch.equal(coarse[0], lower(fine[0], 4))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factor": 1}, "factor must be at least 2 and divide both sides; received 1"),
        ({"factor": 5}, "received 5 for 128×128 px"),
        ({"sigma_px": 0.0}, "sigma_px must be above 0; received 0.0"),
        ({"high_px": 0}, "high_px must be at least 1; received 0"),
        ({"high_px": 4, "factor": 4}, "a blur of 1.6 px needs sides over 5 px; received 4×4 px"),
    ],
)
def test_impossible_pairs_are_refused(
    cell: torch.Tensor, given: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        resolution_pair(cell, **given)  # type: ignore[arg-type]
