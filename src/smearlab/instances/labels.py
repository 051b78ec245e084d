"""Label pictures from outlines."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from smearlab.types import Cell, Labels


def paint_labels(cells: Iterable[Cell], width_px: int, height_px: int) -> Labels:
    """Each cell's label over its outline.

    Parameters
    ----------
    cells : iterable of Cell
        Painted in their order; outlines of one field do not overlap by more than their rims.
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    Labels
        Shape (height_px, width_px).
    """
    array = np.zeros((height_px, width_px), np.int32)
    for cell in cells:
        points = np.floor(cell.contour).astype(np.int32)
        cv2.fillPoly(array, [points], int(cell.label))
    return Labels(array)
