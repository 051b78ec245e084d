"""The camera: light, focus and noise with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.datasets.simulated_camera import expose
from smearlab.datasets.simulated_config import SmearConfig
from smearlab.datasets.simulated_looks import LOOKS

LOOK = LOOKS["grey"]
STILL = {"blur_px": 0.0, "noise": 0.0, "illumination": 0.0, "jpeg_quality": None}


def picture(density: np.ndarray, **changes: object) -> np.ndarray:
    config = SmearConfig(**{**STILL, **changes})
    return expose(np.random.default_rng(3), density, LOOK, config).astype(float)


def test_a_density_of_ln_2_halves_the_light() -> None:
    clear = picture(np.zeros((80, 90, 3), np.float32))
    half = picture(np.full((80, 90, 3), np.log(2), np.float32))
    assert clear.shape == (80, 90, 3)
    assert np.abs(clear.mean((0, 1)) - LOOK.background).max() < 3
    assert half == pytest.approx(clear / 2, abs=0.8)


def test_noise_has_the_standard_deviation_asked_for() -> None:
    density = np.zeros((120, 120, 3), np.float32)
    rough = picture(density, noise=8) - picture(density)
    assert rough.std() == pytest.approx(8, rel=0.05)
    assert abs(rough.mean()) < 0.3


def test_light_falls_off_by_the_share_asked_for() -> None:
    lit = picture(np.zeros((100, 100, 3), np.float32), illumination=0.4)
    assert lit.min() / lit.max() == pytest.approx(0.6, abs=0.05)


def edges(density: np.ndarray, **changes: object) -> np.ndarray:
    """Sharpness of a pattern of stripes, in 4 × 4 parts of the picture."""
    steps = np.abs(np.diff(picture(density, **changes)[..., 1], axis=1))
    return np.array([[part.max() for part in np.array_split(row, 4, 1)]
                     for row in np.array_split(steps, 4, 0)])  # fmt: skip


def test_uneven_focus_blurs_one_side_and_keeps_the_other() -> None:
    stripes = np.zeros((160, 160, 3), np.float32)
    stripes[:, np.arange(160) // 10 % 2 == 0] = 0.7
    even = edges(stripes, blur_px=0.7)
    assert even.max() < 1.1 * even.min()
    uneven = edges(stripes, blur_px=0.7, uneven_focus_px=4)
    assert uneven.max() > 0.8 * even.max()
    assert uneven.min() < 0.5 * even.min()


def test_more_blur_leaves_less_edge() -> None:
    step = np.zeros((60, 60, 3), np.float32)
    step[:, 30:] = 1
    contrast = [edges(step, blur_px=blur).max() for blur in (0.0, 1.0, 3.0)]
    assert contrast[0] > 2 * contrast[1] > 4 * contrast[2]
