"""Draw the figures of docs/preprocessing.md from simulated cells.

    python docs/preprocessing_figures.py [DIR]

Writes into ``docs/images/preprocessing`` unless another folder is named. Nothing in the figures
is a real picture; the same code gives the same figures. Needs the ``train`` extra.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import smearlab.learn  # noqa: F401  (makes torchvision importable: it comes first)

# isort: split
from torchvision import tv_tensors

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.atomic import write_bytes
from smearlab.learn.transforms.low_resolution import lower
from smearlab.learn.transforms.paper_augmentations import (
    VERSIONS,
    EightVersions,
    paper_a,
    paper_d,
)
from smearlab.preprocess.central_square import W_NET_CROP_PX, border_crop, square_window
from smearlab.preprocess.contrast import equalise
from smearlab.preprocess.nucleus import extract_nucleus, nuclear_tone

FOLDER = Path(__file__).parent / "images" / "preprocessing"
Pixels = NDArray[np.uint8]
GAP, LINE = 6, (200, 30, 30)
CELL = 144  # side of one picture in a figure


@dataclass(frozen=True, eq=False)
class Cell:
    """A simulated single-cell picture, 360 wide and 361 high, and where the cell is."""

    pixels: Pixels
    mask: Pixels


def cell(kind: str, seed: int, **settings: float) -> Cell:
    """A white cell in the middle of a picture cut from a simulated field."""
    config = SmearConfig(
        height_px=600, width_px=600, n_wbc=1, wbc_types=(kind,), coverage=0.25, **settings
    )
    while True:
        field = simulate_field(seed, config)
        white = next(one for one in field.cells if one.type == kind)
        x0, y0, x1, y1 = white.bbox
        left, top = (x0 + x1) // 2 - 180, (y0 + y1) // 2 - 180
        if 0 <= left <= 600 - 360 and 0 <= top <= 600 - 361:
            part = (slice(top, top + 361), slice(left, left + 360))
            mask = np.where(field.labels.array[part] == white.label, 255, 0)
            return Cell(np.ascontiguousarray(field.field.pixels[part]), mask.astype(np.uint8))
        seed += 1000


def contrast() -> list[list[Pixels]]:
    """Before and after CLAHE: a pale, unevenly lit picture."""
    picture = cell("monocyte", 1, illumination=0.4).pixels
    pale = (210 + (picture.astype(np.float32) - 210) * 0.5).clip(0, 255).astype(np.uint8)
    return [[pale, equalise(pale)]]


def crop() -> list[list[Pixels]]:
    """What W-Net keeps, and what it is given."""
    picture = cell("neutrophil", 2).pixels
    x0, y0, x1, y1 = square_window(360, 361, W_NET_CROP_PX)
    framed = cv2.rectangle(picture.copy(), (x0, y0), (x1 - 1, y1 - 1), LINE, 2)
    return [[np.asarray(framed, np.uint8), border_crop(picture)]]


def augmentation(
    transform: Callable[[tv_tensors.Image, tv_tensors.Mask], tuple[torch.Tensor, torch.Tensor]],
    columns: int,
) -> list[list[Pixels]]:
    """The picture as it is, then draws; below each its mask, changed by the same call."""
    source = cell("eosinophil", 3)
    picture, mask = border_crop(source.pixels), border_crop(np.dstack([source.mask] * 3))[..., 0]
    rows: list[list[Pixels]] = [[picture], [np.dstack([mask] * 3)]]
    for _ in range(columns):
        tensor = torch.from_numpy(picture.transpose(2, 0, 1).copy())
        moved, marks = transform(
            tv_tensors.Image(tensor), tv_tensors.Mask(torch.from_numpy(mask.copy()))
        )
        rows[0].append(np.asarray(moved.permute(1, 2, 0)))
        rows[1].append(np.dstack([np.asarray(marks)] * 3))
    return rows


def versions() -> list[list[Pixels]]:
    """Paper B's eight, in two rows with their masks between."""
    rows: list[list[Pixels]] = []
    for first in (0, 4):
        pairs = [
            augmentation(EightVersions(np.random.default_rng(0), version), 1)
            for version in range(first, first + len(VERSIONS) // 2)
        ]
        rows += [[pair[0][1] for pair in pairs], [pair[1][1] for pair in pairs]]
    return rows


def nuclei() -> list[list[Pixels]]:
    """Picture, tone, mask with the box, and cut-out of three types."""
    rows = []
    for kind, seed in (("neutrophil", 4), ("monocyte", 5), ("lymphocyte", 6)):
        picture = border_crop(cell(kind, seed).pixels)
        found = extract_nucleus(picture)
        tone = np.dstack([nuclear_tone(picture)] * 3)
        x0, y0, x1, y1 = found.box
        mask = np.dstack([np.where(found.mask, 255, 0).astype(np.uint8)] * 3)
        boxed = cv2.rectangle(mask.copy(), (x0 - 1, y0 - 1), (x1, y1), LINE, 1)
        rows.append([picture, tone, np.asarray(boxed, np.uint8), found.cut])
    return rows


def resolutions() -> list[list[Pixels]]:
    """128 px, then ×2 and ×4 coarser; pixels are drawn as squares."""
    picture = border_crop(cell("basophil", 7).pixels)
    fine = torch.from_numpy(picture.transpose(2, 0, 1).copy())
    coarse = [np.asarray(lower(fine, factor).permute(1, 2, 0)) for factor in (2, 4)]
    shown = [np.kron(one, np.ones((128 // len(one),) * 2 + (1,), np.uint8)) for one in coarse]
    return [[picture, *shown]]


#: Name of the file → what it shows, and the width of one picture in it.
FIGURES: Mapping[str, tuple[Callable[[], list[list[Pixels]]], int]] = {
    "contrast.png": (contrast, 2 * CELL),
    "border_crop.png": (crop, 2 * CELL),
    "augmentation_a.png": (lambda: augmentation(paper_a(np.random.default_rng(1)), 5), CELL),
    "augmentation_b.png": (versions, CELL),
    "augmentation_d.png": (lambda: augmentation(paper_d(np.random.default_rng(1)), 5), CELL),
    "nucleus.png": (nuclei, CELL),
    "low_resolution.png": (resolutions, 256),
}


def arranged(rows: Sequence[Sequence[Pixels]], side: int) -> Pixels:
    """Pictures in rows on white, each as wide as ``side``."""
    lines = []
    for row in rows:
        parts = []
        for picture in row:
            height = round(side * picture.shape[0] / picture.shape[1])
            enlarge = picture.shape[1] < side
            how = cv2.INTER_NEAREST if side % picture.shape[1] == 0 else cv2.INTER_LINEAR
            size = (side, height)
            parts.append(
                cv2.resize(picture, size, interpolation=how if enlarge else cv2.INTER_AREA)
            )
        tallest = max(part.shape[0] for part in parts)
        padded = [padded_to(np.asarray(part, np.uint8), tallest) for part in parts]
        lines.append(np.concatenate(padded, axis=1))
    stacked = np.concatenate([np.pad(line, ((0, GAP), (0, 0), (0, 0)), constant_values=255)
                              for line in lines])  # fmt: skip
    return np.ascontiguousarray(stacked[:-GAP, :-GAP])


def padded_to(picture: Pixels, height: int) -> Pixels:
    """White below and at the right."""
    below = ((0, height - picture.shape[0]), (0, GAP), (0, 0))
    return np.pad(picture, below, constant_values=255)


def write(folder: Path) -> list[Path]:
    """Draw all figures; small files, as a palette of 128 colours hardly shows.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, (make, side) in FIGURES.items():
        image = Image.fromarray(arranged(make(), side))
        buffer = io.BytesIO()
        image.quantize(128, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        write_bytes(folder / name, buffer.getvalue())
        paths.append(folder / name)
    return paths


if __name__ == "__main__":
    for path in write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(path, path.stat().st_size)
