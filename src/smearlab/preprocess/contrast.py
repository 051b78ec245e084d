"""Contrast-limited adaptive histogram equalisation (CLAHE) of the lightness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def equalise(
    pixels: NDArray[np.uint8], clip_limit: float = 2.0, tiles: int = 8
) -> NDArray[np.uint8]:
    """CLAHE on the L* channel of CIE Lab; colours keep their a* and b*.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    clip_limit : float
        Largest slope of the mapping, > 0.
    tiles : int
        The field is divided into ``tiles × tiles`` regions.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    References
    ----------
    Zuiderveld, K. (1994). Contrast limited adaptive histogram equalization. Graphics Gems IV.
    """
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    clahe = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=(tiles, tiles))
    lab[..., 0] = clahe.apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)
