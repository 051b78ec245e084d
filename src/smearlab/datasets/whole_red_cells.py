"""Which red cells of a field are fit to be cut out: whole, alone, like their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.pipeline import Analysis
from smearlab.types import Box, Cell

_MAD_TO_SD = 1.4826
#: One standard deviation over the median, least and greatest: discs differ by pixels where cells
#: do not, and a picture full of fragments must not pass them.
_SIZE, _ROUNDNESS = (0.04, 0.12), (0.02, 0.06)


@dataclass(frozen=True)
class CutRules:
    """Which red cells are cut out, and how.

    Parameters
    ----------
    per_picture : int
        Greatest number from one picture, at least 1.
    context : float
        Side of the cut square over the longer side of the cell's box, 1–4.
    spread : float
        How many standard deviations, estimated from the median deviation, size and roundness may
        lie from the median of the picture's red cells; above 0.
    least : int
        Whole red cells a picture must have for its median to mean something, at least 2.
    alone : float
        Greatest share of the outline that may lie against another cell, 0–1.
    least_px : float
        Diameter below which a red cell is taken for a granule or a fragment, 0–1000; 20 is a
        quarter of a red cell of the Barcelona set. Such pieces do not tell what is usual either.

    Raises
    ------
    UsageError
        If a value lies outside its range.
    """

    per_picture: int = 3
    context: float = 1.2
    spread: float = 2.5
    least: int = 4
    alone: float = 0.05
    least_px: float = 20

    def __post_init__(self) -> None:
        for name, low, high in (
            ("per_picture", 1, 1000),
            ("context", 1, 4),
            ("spread", 0.1, 100),
            ("least", 2, 1000),
            ("alone", 0, 1),
            ("least_px", 0, 1000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} must lie within {low}–{high}; received {value}")


def fit_to_cut(analysis: Analysis, rules: CutRules) -> tuple[Cell, ...]:
    """The red cells of a field that are whole, alone and like their neighbours.

    Parameters
    ----------
    analysis : Analysis
        Of one field.
    rules : CutRules
        What counts as such.

    Returns
    -------
    tuple of Cell
        Top to bottom; empty where too few whole red cells tell what is usual.
    """
    whole = [
        cell
        for cell in analysis.cells
        if cell.element == "RBC"
        and not cell.touches_border
        and cell.equivalent_diameter_px >= rules.least_px
    ]
    if len(whole) < rules.least:
        return ()
    sizes = np.array([cell.equivalent_diameter_px for cell in whole])
    roundness = np.array([cell.circularity for cell in whole])
    usual = _near_median(sizes, rules.spread, _SIZE) & (
        (roundness > np.median(roundness)) | _near_median(roundness, rules.spread, _ROUNDNESS)
    )
    labels = analysis.labels.array
    return tuple(
        cell
        for cell, like_others in zip(whole, usual, strict=True)
        if like_others
        and _fits(square_around(cell.bbox, rules.context), analysis)
        and _touched_share(labels, cell) <= rules.alone
    )


def square_around(box: Box, context: float) -> Box:
    """The square that is cut: ``context`` times the longer side, whole pixels, may leave the field.

    Parameters
    ----------
    box : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open.
    context : float
        At least 1.
    """
    x0, y0, x1, y1 = box
    side = max(round(context * max(x1 - x0, y1 - y0)), x1 - x0, y1 - y0)
    left, top = (x0 + x1 - side) // 2, (y0 + y1 - side) // 2
    return left, top, left + side, top + side


def _near_median(
    values: NDArray[np.float64], spread: float, bounds: tuple[float, float]
) -> NDArray[np.bool_]:
    """Whether each value is usual; one standard deviation lies within ``bounds`` of the median."""
    median = float(np.median(values))
    away = np.abs(values - median)
    low, high = bounds[0] * median, bounds[1] * median
    return np.asarray(
        away <= spread * np.clip(_MAD_TO_SD * float(np.median(away)), low, high), np.bool_
    )


def _fits(square: Box, analysis: Analysis) -> bool:
    x0, y0, x1, y1 = square
    return x0 >= 0 and y0 >= 0 and x1 <= analysis.width_px and y1 <= analysis.height_px


def _touched_share(labels: NDArray[np.int32], cell: Cell) -> float:
    """Share of the ring of pixels around a cell, two wide, that other cells own."""
    x0, y0, x1, y1 = cell.bbox
    near = labels[max(y0 - 3, 0) : y1 + 3, max(x0 - 3, 0) : x1 + 3]
    own = (near == cell.label).astype(np.uint8)
    ring = (cv2.dilate(own, np.ones((5, 5), np.uint8)) > 0) & (own == 0)
    return float((near[ring] > 0).mean()) if ring.any() else 1.0
