"""Which cell a single-cell picture was taken of: the one in its middle."""

from __future__ import annotations

import math
from collections.abc import Sequence

from smearlab.types import Box

#: How far the middle of a cell may be off the picture's, in sides of its box: the cell covers the
#: picture's middle, or lies beside it.
COVERS, BESIDE = 0.5, 1.6


def off_middle(bbox: Box, width_px: int, height_px: int) -> float:
    """Distance of a box's middle from the picture's, in sides of the box.

    Parameters
    ----------
    bbox : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open, not empty.
    width_px, height_px : int
        Size of the picture.

    Examples
    --------
    >>> off_middle((40, 40, 60, 60), 100, 100), off_middle((60, 40, 80, 60), 100, 100)
    (0.0, 1.0)
    """
    x0, y0, x1, y1 = bbox
    right = (width_px / 2 - (x0 + x1) / 2) / (x1 - x0)
    down = (height_px / 2 - (y0 + y1) / 2) / (y1 - y0)
    return math.hypot(right, down)


def nearest_to_middle(
    boxes: Sequence[Box], scores: Sequence[float], width_px: int, height_px: int, within: float
) -> int | None:
    """The cell that a picture was most likely taken of: sure, large and near the middle.

    Parameters
    ----------
    boxes : sequence of tuple of int
        ``(x0, y0, x1, y1)`` px, half-open.
    scores : sequence of float
        In [0, 1], one a box.
    width_px, height_px : int
        Size of the picture.
    within : float
        How far it may be off, as :func:`off_middle` counts; :data:`COVERS` or :data:`BESIDE`.

    Returns
    -------
    int or None
        Its place in ``boxes``; None if none is near enough.

    Examples
    --------
    >>> nearest_to_middle([(0, 0, 20, 20), (45, 40, 65, 60)], [0.9, 0.6], 100, 100, COVERS)
    1
    """
    away = [off_middle(bbox, width_px, height_px) for bbox in boxes]
    near = [place for place, distance in enumerate(away) if distance < within]
    return max(near, key=lambda place: scores[place] - away[place], default=None)
