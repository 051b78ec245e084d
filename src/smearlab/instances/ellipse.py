"""Cells as ellipses in boxes: the shape that both training masks and splitting lean on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def complete_box(
    box: Sequence[float], width_px: int, height_px: int, margin_px: float = 1.5
) -> tuple[float, float, float, float]:
    """Reach of the whole cell when the field's edge has cut it.

    A box that ends at the edge is lengthened across that edge until it is square, as far as it
    is shorter that way; a box inside the field is returned as it is.

    Parameters
    ----------
    box : sequence of float
        ``(x0, y0, x1, y1)`` px.
    width_px, height_px : int
        Size of the field.
    margin_px : float
        How near the edge counts as cut.

    Returns
    -------
    tuple of float
        ``(x0, y0, x1, y1)`` px, possibly outside the field.

    Examples
    --------
    >>> complete_box((0, 10, 20, 50), 100, 100)
    (-20.0, 10.0, 20.0, 50.0)
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    missing = (y1 - y0) - (x1 - x0)
    if missing > 0:
        if x0 <= margin_px:
            x0 -= missing
        elif x1 >= width_px - margin_px:
            x1 += missing
    elif missing < 0:
        if y0 <= margin_px:
            y0 += missing
        elif y1 >= height_px - margin_px:
            y1 -= missing
    return x0, y0, x1, y1


def ellipse_distance(
    shape: tuple[int, int], box: Sequence[float], offset: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """Distance from a box's centre in units of its half axes: 1 on the inscribed ellipse.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the window.
    box : sequence of float
        ``(x0, y0, x1, y1)`` px of the field.
    offset : tuple of int
        (x, y) of the window's first pixel.

    Returns
    -------
    ndarray of float32, shape (H, W)
    """
    x0, y0, x1, y1 = box
    x = (np.arange(shape[1], dtype=np.float32) + 0.5 + offset[0] - (x0 + x1) / 2) * 2 / (x1 - x0)
    y = (np.arange(shape[0], dtype=np.float32) + 0.5 + offset[1] - (y0 + y1) / 2) * 2 / (y1 - y0)
    return np.sqrt(x[None, :] ** 2 + y[:, None] ** 2)
