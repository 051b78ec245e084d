"""A square about the nucleus of a picture of one white cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import ImageError, UsageError
from smearlab.preprocess.central_square import square_window
from smearlab.preprocess.nucleus import extract_nucleus

#: Black corners that turning left are darker than this in every channel, JPEG's noise included.
_BLACK = 50
#: Smaller black areas are none.
_LEAST_BLACK_PX = 20
#: Edges of black areas are blurred over so many px.
_RIM_PX = 5
#: What black areas are filled with: a bright percentile, so ground.
_GROUND = 90.0


def nucleus_window(pixels: NDArray[np.uint8], side_px: int) -> tuple[int, int, int, int]:
    """Where a square lies that shows the white cell, within the picture.

    Its middle is that of the nucleus' box, or as near to it as the edge allows; the middle of the
    picture where :func:`smearlab.preprocess.nucleus.extract_nucleus` finds none. Black areas at
    the edge, which turning a picture leaves, are taken for ground.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB; a picture of one white cell.
    side_px : int
        Side of the square.

    Returns
    -------
    tuple of int
        ``(x0, y0, x1, y1)``, px, half-open.

    Raises
    ------
    UsageError
        If the square is larger than the picture, or has no pixel.

    References
    ----------
    Ferdousi et al. (2024), section 5.3, cut out the nucleus alone; here what is around it stays.
    """
    height, width = pixels.shape[:2]
    middle = square_window(width, height, side_px)
    try:
        left, top, right, bottom = extract_nucleus(_without_black(pixels)).box
    except (ImageError, UsageError):
        return middle
    x0 = min(max(0, (left + right - side_px) // 2), width - side_px)
    y0 = min(max(0, (top + bottom - side_px) // 2), height - side_px)
    return x0, y0, x0 + side_px, y0 + side_px


def _without_black(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    dark = (pixels.max(2) < _BLACK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark)
    height, width = dark.shape
    at_edge = (
        (stats[:, cv2.CC_STAT_LEFT] == 0)
        | (stats[:, cv2.CC_STAT_TOP] == 0)
        | (stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] == width)
        | (stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] == height)
    )
    taken = at_edge & (stats[:, cv2.CC_STAT_AREA] >= _LEAST_BLACK_PX)
    taken[0] = False  # what is not dark
    if count == 1 or not taken.any() or not (dark == 0).any():
        return pixels
    black = cv2.dilate(taken[labels].astype(np.uint8), np.ones((_RIM_PX, _RIM_PX), np.uint8)) > 0
    filled = pixels.copy()
    filled[black] = np.percentile(pixels[dark == 0], _GROUND, axis=0).astype(np.uint8)
    return filled
