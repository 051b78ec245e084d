"""From colours to what the stains took away of the light, and back (Beer-Lambert).

A pixel of value ``I`` under the light ``L`` has the transmittance ``T = (I + 1) / L`` and the
optical density ``D = -ln T``. Dyes that lie over each other add their densities. The 1 keeps black
pixels finite; the light of a ground of the colour ``g`` is ``g + 1``, so that ground has density 0
and every value comes back as it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
#: Light under which a transmittance is the colour itself: ``256 T - 1``.
WHITE = 256.0


def light_of(ground: NDArray[np.floating]) -> Floats:
    """The light of a ground.

    Parameters
    ----------
    ground : ndarray of float, shape (3,)
        sRGB, 0-255.

    Returns
    -------
    ndarray of float32, shape (3,)
    """
    return np.asarray(ground, np.float32) + 1


def transmittance(pixels: Pixels, light: NDArray[np.floating]) -> Floats:
    """How much of the light each pixel lets through.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (..., 3)
        sRGB.
    light : ndarray of float, shape (3,)
        Above 0.

    Returns
    -------
    ndarray of float32, shape (..., 3)
        Above 0; above 1 where a pixel is brighter than the light.

    Examples
    --------
    >>> transmittance(np.array([[0, 127, 255]], np.uint8), np.full(3, 256.0)).tolist()
    [[0.00390625, 0.5, 1.0]]
    """
    found = (pixels.astype(np.float32) + 1) / np.asarray(light, np.float32)
    return np.asarray(found, np.float32)


def density(through: Floats) -> Floats:
    """Optical density of transmittances, natural logarithm; 0 is the ground."""
    return np.asarray(-np.log(through), np.float32)


def colours(through: NDArray[np.floating], light: NDArray[np.floating]) -> Floats:
    """The other way round, not rounded: ``T L - 1``, cut to 0-255.

    Parameters
    ----------
    through : ndarray of float, shape (..., 3)
        Transmittances.
    light : ndarray of float, shape (3,)

    Returns
    -------
    ndarray of float32, shape (..., 3)
    """
    found = through * np.asarray(light, np.float32) - 1
    return np.asarray(np.clip(found, 0, 255), np.float32)


def to_pixels(values: NDArray[np.floating]) -> Pixels:
    """Rounded to whole levels.

    Parameters
    ----------
    values : ndarray of float, shape (..., 3)
        0-255.
    """
    return np.asarray(values + 0.5, np.uint8)
