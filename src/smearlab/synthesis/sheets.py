"""Sheets to look at: pictures of every type, and ways from one picture to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import UsageError
from smearlab.io.images import read_field
from smearlab.report.contact_sheet import TILE_PX, SheetRow, draw_contact_sheet
from smearlab.synthesis.generator import End, Generator, refuse_standstill

#: Pictures of a type on a sheet, and steps of an interpolation.
COLUMNS, STEPS = 8, 9


def sheet_of(
    manifest: Manifest, columns: int = COLUMNS, tile_px: int = TILE_PX
) -> NDArray[np.uint8]:
    """The first pictures of each type, a row a type.

    Parameters
    ----------
    manifest : Manifest
        Of generated pictures, with types; at least one row.
    columns : int
        Pictures of each type, at most.
    tile_px : int
        Longest side of a picture on the sheet.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If a picture cannot be read.
    UsageError
        If there is no picture.
    """
    types, paths = manifest.column("type"), manifest.column("path")
    kinds = list(dict.fromkeys(types))
    if not kinds:
        raise UsageError("there is no picture to put on a sheet")
    rows = []
    for kind in kinds:
        of_kind = paths[types == kind]
        pictures = [read_field(manifest.file(path)).pixels for path in of_kind[:columns]]
        notes = [Path(path).stem.rsplit("-", 1)[-1] for path in of_kind[:columns]]
        empty = columns - len(pictures)
        blank = np.full((1, 1, 3), 32, np.uint8)
        words = f"{kind}, {len(of_kind)} synthetic pictures"
        rows.append(SheetRow(words, [*pictures, *[blank] * empty], [*notes, *[""] * empty]))
    return draw_contact_sheet(rows, tile_px)


def check_ways(pairs: Sequence[tuple[End, End]], makers: Mapping[str, Generator]) -> None:
    """Refuse interpolations that cannot be drawn, before anything is made.

    Raises
    ------
    UsageError
        If two ends are made by two generators, or are one picture.
    """
    for start, end in pairs:
        refuse_standstill(start, end)
        model, other = makers[start.type], makers[end.type]
        if other is not model:
            raise UsageError(
                f"{start.type} and {end.type} are made by two generators, {model.name} and "
                f"{other.name}: there is no way from one to the other"
            )


def ways(
    pairs: Sequence[tuple[End, End]],
    makers: Mapping[str, Generator],
    seed: int,
    truncation: float | None = None,
    steps: int = STEPS,
) -> NDArray[np.uint8]:
    """Interpolations, a row each.

    Parameters
    ----------
    pairs : sequence of (End, End)
        At least one.
    makers : mapping of str to Generator
        Of all types that the ends have.
    seed : int
    truncation : float, optional
    steps : int
        Pictures on each way.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    UsageError
        See :func:`check_ways`.
    """
    check_ways(pairs, makers)
    rows = []
    for start, end in pairs:
        pictures = makers[start.type].interpolate(start, end, steps, seed, truncation)
        notes = [f"{share:.0%}" for share in np.linspace(0, 1, steps)]
        words = f"{start.type} {start.index} to {end.type} {end.index}"
        rows.append(SheetRow(words, list(pictures), notes))
    return draw_contact_sheet(rows)
