"""The palette's promises, measured: distances for every kind of vision, and contrasts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from smearlab.report.palette import (
    CODE_OF_TYPE,
    HALO,
    HEX_OF_TYPE,
    RGB,
    ink_on,
    relative_luminance,
    rgb_of,
)
from smearlab.types import CELL_TYPES

#: Linear RGB → what is seen, at severity 1.0 (Machado et al. 2009, table 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def seen_lab(vision: str) -> NDArray[np.float64]:
    """CIELAB of the palette as it is seen, shape (10, 3)."""
    srgb = np.array([rgb_of(name) for name in CELL_TYPES]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISION[vision].T, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return rgb2lab(back[None])[0]


def contrast(a: RGB, b: RGB) -> float:
    """WCAG contrast ratio, 1–21."""
    bright, dark = sorted((relative_luminance(a), relative_luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_every_type_has_a_colour_and_a_code() -> None:
    assert tuple(HEX_OF_TYPE) == CELL_TYPES
    assert tuple(CODE_OF_TYPE) == CELL_TYPES
    assert len(set(CODE_OF_TYPE.values())) == len(CELL_TYPES)


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_by_every_eye(vision: str) -> None:
    lab = seen_lab(vision)
    distances = {
        (CELL_TYPES[a], CELL_TYPES[b]): float(deltaE_ciede2000(lab[a], lab[b]))
        for a, b in combinations(range(len(CELL_TYPES)), 2)
    }
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > 11, closest


def test_colours_stand_out_from_their_halo() -> None:
    assert seen_lab("normal")[:, 0].min() > 37
    assert rgb2lab(np.array(HALO)[None, None] / 255)[0, 0, 0] < 10


@pytest.mark.parametrize("name", CELL_TYPES)
def test_codes_can_be_read_on_their_colour(name: str) -> None:
    assert contrast(rgb_of(name), ink_on(name)) >= 4.5


def test_luminance_of_black_white_and_a_worked_example() -> None:
    assert relative_luminance((0, 0, 0)) == 0
    assert relative_luminance((255, 255, 255)) == pytest.approx(1)
    # 0x77 is the darkest grey channel that still fails 4.5 : 1 on white.
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.478, abs=1e-3)
