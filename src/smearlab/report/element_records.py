"""What the tables and the page of ``smearlab segment`` are made of."""

from __future__ import annotations

from dataclasses import dataclass

from smearlab.types import Element


@dataclass(frozen=True)
class ElementLine:
    """One element of one field, in figures.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    n, n_border : int
        Cells, and those of them that the edge of the field cuts.
    area_px : float
        Pixels of the mask, px².
    median_area_px : float or None
        Of the cells that are not cut by the edge, px²; None without one.
    picture : str
        Its segmented picture, relative to the output folder.
    """

    element: Element
    n: int
    n_border: int
    area_px: float
    median_area_px: float | None
    picture: str


@dataclass(frozen=True)
class FieldElements:
    """One segmented field, without its pixels.

    Parameters
    ----------
    name, source : str
        Of the field, and the file as the user wrote it.
    width_px, height_px : int
        Size of the field.
    um_per_px : float or None
        Pixel pitch, None when unknown.
    notes : tuple of str
        What had to be decided.
    together : str
        The picture with all elements, relative to the output folder.
    elements : tuple of ElementLine
        Those that were asked for.
    rows : tuple of tuple of str
        Its rows of ``cells.csv``.
    """

    name: str
    source: str
    width_px: int
    height_px: int
    um_per_px: float | None
    notes: tuple[str, ...]
    together: str
    elements: tuple[ElementLine, ...]
    rows: tuple[tuple[str, ...], ...] = ()
