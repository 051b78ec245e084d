"""What a report is made of: one record a field, one a failed file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smearlab.types import Cell


@dataclass(frozen=True, eq=False)
class FieldRecord:
    """Everything that is kept of one analysed field; its pixels are not.

    Parameters
    ----------
    name : str
        Unique name of the field.
    source : str
        The file, as the user wrote it.
    width_px, height_px : int
        Size of the upright field.
    um_per_px : float or None
        Pixel pitch, None when unknown.
    notes : tuple of str
        What the reader or the pipeline had to decide.
    cells : tuple of Cell
        In label order.
    thumbnails : mapping of int to bytes
        Cell label → JPEG picture for the gallery; not every cell has one.
    overlay : str or None
        Path of the overlay PNG relative to the output folder.
    """

    name: str
    source: str
    width_px: int
    height_px: int
    um_per_px: float | None
    notes: tuple[str, ...]
    cells: tuple[Cell, ...]
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)
    overlay: str | None = None


@dataclass(frozen=True)
class FileError:
    """One input file that could not be analysed."""

    path: str
    reason: str
