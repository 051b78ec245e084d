"""The ground of a smear: which colour it has, and which pixels are ground."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from smearlab.stain.density import (
    Floats,
    Pixels,
    colours,
    density,
    light_of,
    to_pixels,
    transmittance,
)

#: Mean density up to which a pixel is ground, and from which on it is stained (Macenko's beta).
CLEAR, STAINED = 0.04, 0.15
#: A picture with fewer stained pixels is as good as blank: share, and number.
LEAST_STAINED, FEWEST_STAINED = 0.005, 32
#: Pixels from which a colour is estimated at most.
SAMPLE_PX = 100_000
#: Pixels from which the ground is told at most.
GROUND_PX = 50_000
#: Levels between darkest and brightest below which there is nothing but ground.
_CONTRAST = 12
#: Levels round the colour within which pixels of the same ground lie.
_NEAR = 12.0
_ROUNDS = 6
_BRIGHTEST = 1 / 3


def sampled(pixels: Pixels, most: int = SAMPLE_PX) -> Pixels:
    """Pixels at even distances over a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    most : int
        About so many at most.

    Returns
    -------
    ndarray of uint8, shape (N, 3)
        All of a picture that has no more.
    """
    height, width = pixels.shape[:2]
    step = max(1, int(np.ceil(np.sqrt(height * width / most))))
    return pixels[::step, ::step].reshape(-1, 3)


def ground_colour(pixels: Pixels) -> NDArray[np.float64]:
    """The colour of the ground.

    Of the brighter of the two tones that Otsu's threshold parts, the brightest third: pale red
    cells may be more of it than the ground. From their median on, time and again, the median of all
    bright pixels near the last colour, so that glare and pallors pull it nowhere.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (..., 3)
        sRGB. Where there is hardly any contrast, all of it is ground.

    Returns
    -------
    ndarray of float64, shape (3,)
        0-255.
    """
    flat = pixels.reshape(-1, 3)
    tone = flat.sum(1, dtype=np.float64) / 3
    bright = flat
    if np.ptp(tone) >= _CONTRAST:
        inside = tone > threshold_otsu(tone)  # type: ignore[no-untyped-call]
        bright, tone = flat[inside], tone[inside]
    channels = np.ascontiguousarray(bright.T)
    colour = _medians(channels[:, tone >= np.quantile(tone, 1 - _BRIGHTEST)])
    for _ in range(_ROUNDS):
        low, high = np.ceil(colour - _NEAR).clip(0), np.floor(colour + _NEAR).clip(0, 255)
        near = np.ones(channels.shape[1], bool)
        for values, least, most in zip(
            channels, low.astype(np.uint8), high.astype(np.uint8), strict=True
        ):
            near &= (values >= least) & (values <= most)
        last, colour = colour, _medians(channels[:, near]) if near.any() else colour
        if (last == colour).all():
            break
    return colour


def _medians(channels: Pixels) -> NDArray[np.float64]:
    """Median of each row of whole levels, uint8 (3, N), by counting them."""
    middles = []
    for values in channels:
        below = np.cumsum(np.bincount(values, minlength=256))
        n = below[-1]
        middles.append(np.searchsorted(below, [(n - 1) // 2, n // 2], side="right").mean())
    return np.array(middles, np.float64)


def ground_of(pixels: Pixels) -> NDArray[np.float64]:
    """:func:`ground_colour` of a picture of any size, from pixels at even distances."""
    return ground_colour(sampled(pixels, GROUND_PX))


def on_ground(
    pixels: Pixels,
    ground: NDArray[np.floating] | Sequence[float],
    was: NDArray[np.float64] | None = None,
) -> Pixels:
    """A picture as its stains would look over another ground.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB, of any size.
    ground : array of float, shape (3,)
        The colour that its ground gets, 0-255. Optical densities over the ground stay.
    was : ndarray of float64, shape (3,), optional
        The colour that it has, where it is known: :func:`ground_of`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    light = light_of(ground_of(pixels) if was is None else was)
    levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    curves = to_pixels(colours(transmittance(levels, light), light_of(np.asarray(ground))))
    return np.asarray(cv2.LUT(pixels, curves[None]), np.uint8)


def density_of(pixels: Pixels) -> Floats:
    """Optical density of a picture over its own ground, shape (H, W, 3)."""
    return density(transmittance(pixels, light_of(ground_of(pixels))))


def stained_share(optical: Floats) -> Floats:
    """How far pixels are stained: 0 ground, 1 stained, a smooth step between.

    Parameters
    ----------
    optical : ndarray of float32, shape (..., 3)
        Density over the ground.

    Returns
    -------
    ndarray of float32, shape (..., 1)
    """
    step = ((optical.mean(-1, keepdims=True) - CLEAR) / (STAINED - CLEAR)).clip(0, 1)
    return np.asarray(step * step * (3 - 2 * step), np.float32)


def is_stained(optical: Floats) -> NDArray[np.bool_]:
    """Pixels whose mean density reaches :data:`STAINED`, shape (...)."""
    return np.asarray(optical.mean(-1) >= STAINED)


def why_blank(stained: NDArray[np.bool_], fewest: int = 0) -> str:
    """Why a picture is left as it is.

    Parameters
    ----------
    stained : ndarray of bool
        :func:`is_stained` of pixels at even distances.
    fewest : int
        Stained pixels that are needed, besides their share.

    Returns
    -------
    str
        Empty where enough is stained.
    """
    share = float(stained.mean())
    if share >= LEAST_STAINED and stained.sum() >= fewest:
        return ""
    return f"nearly blank, {100 * share:.2g} % of it is stained: left as it is"
