"""Patches of typed cells, cut once and kept: what cell classifiers train on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_images import CellImage
from smearlab.errors import ImageError, UsageError
from smearlab.io.atomic import open_atomic
from smearlab.io.images import read_field
from smearlab.pipeline import Analyzer
from smearlab.preprocess.crops import crop_cell
from smearlab.types import Field

#: Side of a patch, px, and how many cell boxes it spans.
PATCH_PX, PATCH_CONTEXT = 160, 2.0
#: Whole red cells taken from each field.
_RED_PER_FIELD = 2

#: Share of ``bccd4`` that is used: it holds some thirty variants of every source.
_BCCD4_SHARE = 0.16


@dataclass(frozen=True, eq=False)
class Patches:
    """Cells as equal squares.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, P, P, 3)
        The cell's box in the middle; P px span ``PATCH_CONTEXT`` boxes.
    types, origins, parts, groups : ndarray of str, shape (N,)
        Type; archive; train, tune or val; source.
    """

    pixels: NDArray[np.uint8]
    types: NDArray[np.str_]
    origins: NDArray[np.str_]
    parts: NDArray[np.str_]
    groups: NDArray[np.str_]

    def take(self, keep: NDArray[np.bool_]) -> Patches:
        """Those that ``keep`` (bool, shape (N,)) selects."""
        return Patches(*(getattr(self, name)[keep] for name in _COLUMNS))

    def save(self, path: Path) -> None:
        """Write as ``.npz``, whole or not at all."""
        with open_atomic(path) as stream:
            np.savez(stream, **{name: getattr(self, name) for name in _COLUMNS})

    @classmethod
    def load(cls, path: Path) -> Patches:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(*(stored[name] for name in _COLUMNS))


_COLUMNS = ("pixels", "types", "origins", "parts", "groups")
_Row = tuple[NDArray[np.uint8], str, str, str, str]


def _pack(rows: Sequence[_Row]) -> Patches:
    columns = list(zip(*rows, strict=True))
    return Patches(np.stack(columns[0]), *(np.array(column) for column in columns[1:]))


def _draw(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def patch_of_image(image: CellImage, analyzer: Analyzer) -> _Row | None:
    """The cell of one picture.

    Parameters
    ----------
    image : CellImage
    analyzer : Analyzer
        Finds the cell.

    Returns
    -------
    tuple or None
        Pixels, type, ``archive/set``, part and source; None when the picture cannot be read, or
        it cannot be told which cell is meant.
    """
    try:
        field = read_field(image.path)
    except ImageError:
        return None
    if image.dataset == "bccd4":
        # A whole 4:3 field squeezed to a square; its white cell lies anywhere.
        field = _unsqueeze(field)
        white = [c for c in analyzer.detect(field, 0.3) if c.element == "WBC"]
        if len(white) != 1:
            return None
        box: Sequence[float] = white[0].bbox
    else:
        box = analyzer.central_cell(field)
    patch = crop_cell(field.pixels, box, PATCH_PX, PATCH_CONTEXT)
    return patch, image.type, f"{image.origin}/{image.dataset}", image.part, image.group


def _unsqueeze(field: Field) -> Field:
    height, width = field.pixels.shape[:2]
    pixels = cv2.resize(field.pixels, (round(width * 4 / 3), height), interpolation=cv2.INTER_CUBIC)
    return Field(np.asarray(pixels, np.uint8), field.name)


def patches_of_fields(fields: Iterable[tuple[BoxedField, str]], seed: int = 0) -> list[_Row]:
    """Red cells (some) and platelets (all) of boxed fields.

    Parameters
    ----------
    fields : iterable of (BoxedField, str)
        Fields with their part.
    seed : int
        Of the choice of red cells.

    Returns
    -------
    list of tuple
        As :func:`patch_of_image` gives them.
    """
    rng = np.random.default_rng(seed)
    rows: list[_Row] = []
    for field, part in fields:
        for element, kind in (("RBC", "erythrocyte"), ("PLT", "platelet")):
            own = [n for n, e in enumerate(field.elements) if e == element]
            if element == "RBC":
                own = rng.permutation(own)[:_RED_PER_FIELD].tolist()
            for n in own:
                patch = crop_cell(field.pixels, field.boxes[n].tolist(), PATCH_PX, PATCH_CONTEXT)
                rows.append((patch, kind, f"{field.origin}/fields", part, field.group))
    return rows


def cut_patches(
    images: Sequence[CellImage],
    fields: Iterable[tuple[BoxedField, str]],
    analyzer: Analyzer,
    threads: int = 2,
) -> Patches:
    """Cut all patches; pictures whose cell cannot be told are left out.

    Parameters
    ----------
    images : sequence of CellImage
        Single-cell pictures; of ``bccd4`` only a share is used.
    fields : iterable of (BoxedField, str)
        Fields with their part.
    analyzer : Analyzer
        Finds the cell of each picture.
    threads : int
        How many pictures at a time.

    Raises
    ------
    UsageError
        If no cell could be cut.
    """
    images = [i for i in images if i.dataset != "bccd4" or _draw(i.path.name) < _BCCD4_SHARE]
    with ThreadPoolExecutor(threads) as pool:
        cut = list(pool.map(lambda image: patch_of_image(image, analyzer), images))
    rows = [row for row in cut if row is not None] + patches_of_fields(fields)
    if not rows:
        raise UsageError(
            f"none of {len(images)} pictures shows a cell that can be cut out: does the manifest "
            "name the single-cell sets, and is the segmenter a trained one?"
        )
    return _pack(rows)
