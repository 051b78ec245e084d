"""The middle of a single-cell picture, cut the same for every class."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError

#: What paper C leaves of a 360×361 picture (360 wide): 80 px off the top, the left and the right,
#: 81 px off the bottom.
W_NET_CROP_PX = 200
#: Side of W-Net's input.
W_NET_INPUT_PX = 128


def square_window(width_px: int, height_px: int, side_px: int) -> tuple[int, int, int, int]:
    """Where the middle square lies; an odd remainder is left at the right and at the bottom.

    Parameters
    ----------
    width_px, height_px : int
        Size of the picture.
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
    """
    if not 1 <= side_px <= min(width_px, height_px):
        raise UsageError(
            f"a square of {side_px} px cannot be cut from {width_px}×{height_px} px; ask for a "
            "smaller one, at least 1 px"
        )
    x0, y0 = (width_px - side_px) // 2, (height_px - side_px) // 2
    return x0, y0, x0 + side_px, y0 + side_px


def border_crop(
    pixels: NDArray[np.uint8], crop_px: int = W_NET_CROP_PX, size_px: int = W_NET_INPUT_PX
) -> NDArray[np.uint8]:
    """W-Net's border crop: 360×361 → 200×200 → 128×128.

    For pictures of other sizes the middle square of the same side is kept, so that the size of a
    picture, which tells the class in some archives, is not seen.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    crop_px : int
        Side of the square that is kept.
    size_px : int
        Side of the result, at least 1.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)

    Raises
    ------
    UsageError
        If the picture is smaller than the square, or ``size_px`` below 1.

    References
    ----------
    Jung et al. (2021), section 2.2.

    Examples
    --------
    >>> border_crop(np.zeros((361, 360, 3), np.uint8)).shape
    (128, 128, 3)
    """
    if size_px < 1:
        raise UsageError(f"size_px must be at least 1; received {size_px}")
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = square_window(width, height, crop_px)
    how = cv2.INTER_AREA if size_px < crop_px else cv2.INTER_LINEAR
    small = cv2.resize(pixels[y0:y1, x0:x1], (size_px, size_px), interpolation=how)
    return np.asarray(small, np.uint8)
