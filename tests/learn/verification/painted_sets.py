"""Painted cells of two types: real ones with a split, and what a generator might have made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import write_manifest

TYPES = ("basophil", "monocyte")
REAL_PX, MADE_PX = 48, 24
_PARTS = ("train", "val", "test", "train", "test")
_COLOURS = {"basophil": (70, 30, 170), "monocyte": (190, 60, 90), "platelet": (80, 160, 80)}


def paint(
    folder: Path,
    each: int,
    *,
    synthetic: bool,
    types: tuple[str, ...] = TYPES,
    seed: int = 0,
    **changed: Any,
) -> Path:
    """Discs of a colour for each type; two neighbours are one group where they are real."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, synthetic])
    side, rows = (MADE_PX if synthetic else REAL_PX), []
    for name in types:
        for n in range(each):
            pixels = np.full((side, side, 3), 225.0)
            radius = int(side * rng.uniform(0.2, 0.35))
            cv2.circle(pixels, (side // 2, side // 2), radius, _COLOURS[name], cv2.FILLED)
            pixels += rng.normal(0, 12, pixels.shape)
            path = f"{name}-{n}.png"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / path)
            row = {"path": path, "type": name, "synthetic": synthetic, "source": "painter"}
            if synthetic:
                row["split"] = "train"
            else:
                row |= {"split": _PARTS[n // 2 % 5], "group": f"{name} {n // 2}"}
            rows.append({**row, **changed})
    return write_manifest(folder / "manifest.parquet", manifest_of(rows, folder))
