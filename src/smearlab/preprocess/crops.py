"""Square crops of cells, the same for training and at the bench."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


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
        Side of the crop.
    context : float
        Side of the square over the longer side of the box, ≥ 1 shows the surroundings.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        Beyond the edge of the field its last pixels are repeated.
    """
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * context
    scale = size_px / side
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    if scale < 0.75:  # shrink by area first, so that fine granules do not alias
        height, width = pixels.shape[:2]
        wx0, wy0 = max(0, int(left) - 2), max(0, int(top) - 2)
        wx1, wy1 = min(width, int(left + side) + 3), min(height, int(top + side) + 3)
        window = pixels[wy0:wy1, wx0:wx1]
        shape = (max(1, round((wx1 - wx0) * scale)), max(1, round((wy1 - wy0) * scale)))
        small = cv2.resize(window, shape, interpolation=cv2.INTER_AREA)
        fx, fy = shape[0] / (wx1 - wx0), shape[1] / (wy1 - wy0)
        box = ((x0 - wx0) * fx, (y0 - wy0) * fy, (x1 - wx0) * fx, (y1 - wy0) * fy)
        pixels = np.asarray(small, np.uint8)
        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0) * context
        scale = size_px / side
        left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    matrix = np.array(
        [[scale, 0, 0.5 * scale - 0.5 - left * scale], [0, scale, 0.5 * scale - 0.5 - top * scale]]
    )
    crop = cv2.warpAffine(
        pixels, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop, np.uint8)
