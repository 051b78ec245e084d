"""Smears drawn of two dyes by Beer-Lambert, so that stains, ground and nucleus are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Dyes:
    """A ground, and what the two dyes take of red, green and blue light."""

    ground: tuple[float, float, float]
    azure: tuple[float, float, float]
    eosin: tuple[float, float, float]

    @property
    def stains(self) -> NDArray[np.float64]:
        """Columns azure and eosin, each of length 1."""
        columns = np.array([self.azure, self.eosin], np.float64).T
        return np.asarray(columns / np.linalg.norm(columns, axis=0))


#: Near PBC and Raabin: nuclei of both are purple, red cells are orange and grey.
CREAM = Dyes((250, 226, 202), (0.54, 0.81, 0.20), (0.43, 0.77, 0.47))
PINK = Dyes((216, 184, 170), (0.33, 0.92, 0.15), (0.60, 0.71, 0.36))


def smear(
    dyes: Dyes, seed: int = 0, height: int = 64, width: int = 96, nucleus: bool = True
) -> NDArray[np.uint8]:
    """A field with red cells of eosin and, in the middle, a nucleus of azure.

    In the middle above it there is ground.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros((height, width, 2))
    for _ in range(9):
        x, y = rng.random(2)
        x = 0.36 * x if rng.random() < 0.5 else 1 - 0.36 * x  # to the left or to the right
        inside = disc(height, width, x, y, rng.uniform(0.07, 0.12))
        held[inside, 1] = rng.uniform(0.5, 0.65) + 0.05 * rng.random(inside.sum())
    if nucleus:
        inside = nucleus_mask(height, width)
        held[inside] = np.stack([1.9 + 0.4 * rng.random(inside.sum()), np.zeros(inside.sum())], 1)
    light = np.array(dyes.ground) + 1
    colours = light * np.exp(-held @ dyes.stains.T) - 1
    return np.asarray(np.clip(colours + 0.5, 0, 255), np.uint8)


def nucleus_mask(height: int = 64, width: int = 96) -> NDArray[np.bool_]:
    """Where the nucleus lies."""
    return disc(height, width, 0.5, 0.5, 0.2)


def disc(height: int, width: int, x: float, y: float, r: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:height, :width]
    return np.asarray((columns - x * width) ** 2 + (rows - y * height) ** 2 <= (r * height) ** 2)


def write_smears(folder: Path, dyes: Dyes, seeds: range) -> Path:
    """Smears as PNG files, each another one."""
    folder.mkdir(parents=True)
    for seed in seeds:
        Image.fromarray(smear(dyes, seed)).save(folder / f"smear{seed}.png")
    return folder
