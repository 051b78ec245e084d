"""Fine texture (local binary patterns) and its layout over the picture (oriented gradients)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog, local_binary_pattern

from smearlab.learn.classical.colour import LEAST_PIXELS, PARTS
from smearlab.learn.classical.feature import Feature
from smearlab.learn.classical.regions import Regions

#: (radius, px; points on the circle) of the patterns.
_CIRCLES = ((1, 8), (3, 16))
#: Cells of the gradients along each side, cells of a block along each side, orientations.
_CELLS, _BLOCK, _ORIENTATIONS = 4, 2, 9


def _pattern(part: str, radius: int, points: int, bin_: int) -> Feature:
    kind = "patterns that are not uniform" if bin_ > points else f"uniform, {bin_} points brighter"
    return Feature(
        f"lbp_{part}_r{radius}_{bin_:02}",
        "texture",
        "share of the pixels",
        0,
        1,
        f"{points} points at {radius} px: {kind}; NaN where the {part} has fewer than "
        f"{LEAST_PIXELS} px",
    )


#: Rotation-invariant uniform patterns (Ojala, Pietikäinen & Mäenpää 2002,
#: doi:10.1109/TPAMI.2002.1017623): P + 2 shares for P points.
TEXTURE_FEATURES: tuple[Feature, ...] = tuple(
    _pattern(part, radius, points, bin_)
    for part in PARTS
    for radius, points in _CIRCLES
    for bin_ in range(points + 2)
)

#: Histograms of oriented gradients (Dalal & Triggs 2005, doi:10.1109/CVPR.2005.177).
GRADIENT_FEATURES: tuple[Feature, ...] = tuple(
    Feature(
        f"hog_block{row}{column}_cell{y}{x}_{angle}deg",
        "gradients",
        "1",
        0,
        1,
        f"gradients around {angle}°, block {row}, {column}, its cell {y}, {x}",
    )
    for row in range(_CELLS - _BLOCK + 1)
    for column in range(_CELLS - _BLOCK + 1)
    for y in range(_BLOCK)
    for x in range(_BLOCK)
    for angle in range(0, 180, 180 // _ORIENTATIONS)
)


def texture_features(pixels: NDArray[np.uint8], regions: Regions) -> NDArray[np.float64]:
    """Measure :data:`TEXTURE_FEATURES`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        sRGB.
    regions : Regions
        Of that picture.

    Returns
    -------
    ndarray of float64, shape (56,)
        Each histogram sums to 1, or is NaN.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    maps = [
        local_binary_pattern(grey, points, radius, method="uniform")  # type: ignore[no-untyped-call]
        for radius, points in _CIRCLES
    ]
    return np.concatenate(
        [
            _histogram(codes[getattr(regions, part)], points + 2)
            for part in PARTS
            for codes, (_, points) in zip(maps, _CIRCLES, strict=True)
        ]
    )


def gradient_features(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure :data:`GRADIENT_FEATURES`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        sRGB; S is a multiple of 4.

    Returns
    -------
    ndarray of float64, shape (324,)
        Nine blocks of four histograms, each block of length (L2) at most 1.
    """
    side = pixels.shape[0] // _CELLS
    found = hog(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY),
        orientations=_ORIENTATIONS,
        pixels_per_cell=(side, side),
        cells_per_block=(_BLOCK, _BLOCK),
        block_norm="L2-Hys",
    )
    return np.asarray(found, np.float64)


def _histogram(codes: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Shares of the codes 0 to ``bins`` - 1."""
    if len(codes) < LEAST_PIXELS:
        return np.full(bins, math.nan)
    return np.asarray(np.bincount(codes.astype(np.intp), minlength=bins) / len(codes))
