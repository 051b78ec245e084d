"""Square crops of cells, the same for training and at the bench."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError

#: Crops that shrink a cell more than to this share are shrunk by area first.
_SHRINK = 0.75


def crop_cell(
    pixels: NDArray[np.uint8], box: Sequence[float], size_px: int, context: float
) -> NDArray[np.uint8]:
    """A square around a cell, resized.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB field.
    box : sequence of float
        ``(x0, y0, x1, y1)`` px of the field.
    size_px : int
        Side of the crop, ≥ 1.
    context : float
        Side of the square over the longer side of the box, > 0; beyond 1 it shows the
        surroundings.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        Beyond the edge of the field its last pixels are repeated.

    Raises
    ------
    UsageError
        If the box has no area, or size or context are out of range.
    """
    _check(box, size_px, context)
    if size_px / _side(box, context) < _SHRINK:  # so that fine granules do not alias
        pixels, box = _shrink(pixels, box, size_px, context)
    x0, y0, x1, y1 = box
    side = _side(box, context)
    scale = size_px / side
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    matrix = np.array(
        [[scale, 0, 0.5 * scale - 0.5 - left * scale], [0, scale, 0.5 * scale - 0.5 - top * scale]]
    )
    crop = cv2.warpAffine(
        pixels, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop, np.uint8)


def _check(box: Sequence[float], size_px: int, context: float) -> None:
    x0, y0, x1, y1 = box
    if not (np.isfinite(box).all() and x1 > x0 and y1 > y0):
        raise UsageError(f"a box to crop needs x0 < x1 and y0 < y1, all finite; received {box}")
    if size_px < 1 or not context > 0:
        raise UsageError(
            f"size_px must be at least 1 and context above 0; received {size_px} and {context}"
        )


def _side(box: Sequence[float], context: float) -> float:
    """Side of the square, px of the field."""
    return max(box[2] - box[0], box[3] - box[1]) * context


def _shrink(
    pixels: NDArray[np.uint8], box: Sequence[float], size_px: int, context: float
) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """The square's part of the field, averaged down to about the size of the crop."""
    x0, y0, x1, y1 = box
    side = _side(box, context)
    scale = size_px / side
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    height, width = pixels.shape[:2]
    margin = int(1 / scale) + 2  # one pixel of the shrunken picture
    wx0, wy0 = _within(left - margin, width - 1), _within(top - margin, height - 1)
    wx1 = max(wx0, _within(left + side + margin, width - 1)) + 1
    wy1 = max(wy0, _within(top + side + margin, height - 1)) + 1
    shape = (max(1, round((wx1 - wx0) * scale)), max(1, round((wy1 - wy0) * scale)))
    small = cv2.resize(pixels[wy0:wy1, wx0:wx1], shape, interpolation=cv2.INTER_AREA)
    fx, fy = shape[0] / (wx1 - wx0), shape[1] / (wy1 - wy0)
    inside = ((x0 - wx0) * fx, (y0 - wy0) * fy, (x1 - wx0) * fx, (y1 - wy0) * fy)
    return np.asarray(small, np.uint8), inside


def _within(value: float, highest: int) -> int:
    return int(min(max(value, 0), highest))
