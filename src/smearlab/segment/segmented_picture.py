"""Segmented pictures: one element in its own colours, black elsewhere; what they say of pixels.

A generator of paper B (Khan et al. 2024) draws such a picture. Black means "not this element", so
a pixel belongs to the element when the brightest channel of the drawn picture is bright enough.
The two constants are defined here and nowhere else; the graph of an exported bundle uses them too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: A pixel is the element's when its brightest channel, in [0, 1], lies above this.
PRESENT = 0.15
#: From this brightness on it is so for certain: probability 1.
CERTAIN = 2 * PRESENT


def probability_of(segmented: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probability that each pixel is the element's, from a segmented picture.

    ``clip(brightest channel / 0.3, 0, 1)``: 0 on black, 0.5 at the threshold, 0.15.

    Parameters
    ----------
    segmented : ndarray of float, shape (..., C)
        In [0, 1]; channels last.

    Returns
    -------
    ndarray of float32, shape (...)
        In [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> probability_of(np.array([[0.0, 0.0, 0.0], [0.15, 0.1, 0.0], [0.2, 0.9, 0.4]])).tolist()
    [0.0, 0.5, 1.0]
    """
    brightest = np.asarray(segmented, np.float32).max(axis=-1)
    return np.asarray((brightest / np.float32(CERTAIN)).clip(0, 1), np.float32)


def own_pixels(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture itself where a mask is, black elsewhere: the target that a generator learns.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    return np.where(mask[..., None], pixels, np.uint8(0))
