"""Painted cells whose nucleus and body are known, and small manifests of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import Manifest

GROUND, RED, BODY, CHROMATIN = (235, 220, 205), (205, 165, 160), (190, 180, 205), (85, 45, 120)
#: Type → middles and radii of the lobes, and the radius of the cell; px of a 128 px picture.
KINDS: dict[str, tuple[Sequence[tuple[int, int, int]], int]] = {
    "lymphocyte": (((0, 0, 24),), 30),
    "neutrophil": (((-18, 8, 11), (2, -14, 11), (19, 10, 11)), 42),
}


def disc(radius: float, side: int = 128, at: tuple[float, float] = (0, 0)) -> NDArray[np.bool_]:
    """A disc; ``at`` is (x, y) from the middle of the picture, px."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.hypot(x - at[0], y - at[1]) <= radius


def paint(
    kind: str, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A cell between red ones: picture, nucleus and cell."""
    lobes, radius = KINDS[kind]
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-4, 5, 2).tolist()
    pixels = np.full((128, 128, 3), GROUND, np.float32)
    for corner in ((-56, -56), (56, -56), (-56, 56), (56, 56)):
        pixels[disc(16, at=corner)] = RED
    cell = disc(radius, at=(x, y))
    nucleus = np.any([disc(r, at=(x + dx, y + dy)) for dx, dy, r in lobes], axis=0)
    pixels[cell] = BODY
    pixels[nucleus] = CHROMATIN
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0) + rng.normal(0, 3, pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8), nucleus, cell


def painted_manifest(folder: Path, per_part: dict[str, int]) -> Manifest:
    """So many pictures of each type in every part, each its own group, as PNG files of 128 px."""
    rows, seed = [], 0
    for part, count in per_part.items():
        for kind in KINDS:
            for _ in range(count):
                name = f"{seed:03}.png"
                Image.fromarray(paint(kind, seed)[0]).save(folder / name)
                row = {"path": name, "label": kind, "type": kind, "split": part}
                rows.append({**row, "group": f"g{seed}", "source": "painted"})
                seed += 1
    return manifest_of(rows, folder)
