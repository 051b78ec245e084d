"""Marks that somebody drew into a picture: arrows, scale bars, pointers, letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.types import Box

#: Largest channel of black ink; smallest "largest channel" and chroma (largest less smallest
#: channel) of pure colours. The vivid bright pieces of 3,534 real pictures have a chroma of 157.
_BLACK, _BRIGHT, _CHROMA = 30, 200, 170
_MIN_AREA_PX = 20
#: Ink has a hard edge: its surroundings are this bright (mean of the channels), which those of
#: a dark core inside a nucleus (at most 75 in what we looked at) never are.
_GROUND = 110
#: Ink is even: largest standard deviation of a channel. JPEG smears the colour of thin lines.
_BLACK_SPREAD, _PURE_SPREAD = 16, 45
#: A black piece at the edge of the picture and larger than this share is padding, not a mark.
_PADDING = 0.001


@dataclass(frozen=True)
class Mark:
    """One piece of ink.

    Parameters
    ----------
    colour : tuple of int
        Mean R, G, B.
    area_px : int
    bbox : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open.
    """

    colour: tuple[int, int, int]
    area_px: int
    bbox: Box


def burnt_in_marks(pixels: NDArray[np.uint8]) -> list[Mark]:
    """Pieces of even black or pure colour with a hard edge to a bright ground.

    White marks, and marks that lie wholly on nuclei, are not found.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.

    Returns
    -------
    list of Mark
        The largest first.
    """
    high, low = pixels.max(axis=2), pixels.min(axis=2)
    marks = []
    pure = (high >= _BRIGHT) & (high - low >= _CHROMA)
    for ink, spread in ((high < _BLACK, _BLACK_SPREAD), (pure, _PURE_SPREAD)):
        if int(ink.sum()) < _MIN_AREA_PX:
            continue
        n, pieces, figures, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
        for piece in range(1, n):
            if figures[piece, cv2.CC_STAT_AREA] >= _MIN_AREA_PX:
                mark = _judged(pixels, pieces == piece, figures[piece], spread)
                marks += [mark] if mark else []
    return sorted(marks, key=lambda mark: -mark.area_px)


def _judged(
    pixels: NDArray[np.uint8], piece: NDArray[np.bool_], figures: NDArray[np.int32], spread: float
) -> Mark | None:
    height, width = piece.shape
    x, y, w, h, area = (int(value) for value in figures)
    touches = x == 0 or y == 0 or x + w == width or y + h == height
    if touches and area > _PADDING * height * width:
        return None
    window = np.s_[max(0, y - 4) : y + h + 4, max(0, x - 4) : x + w + 4]
    inside = piece[window].astype(np.uint8)
    around = cv2.dilate(inside, np.ones((7, 7), np.uint8)) > 0
    around &= ~(cv2.dilate(inside, np.ones((3, 3), np.uint8)) > 0)
    colours = pixels[window][inside > 0].astype(np.float64)
    if not around.any() or colours.std(axis=0).max() > spread:
        return None
    if np.median(pixels[window][around], axis=0).mean() < _GROUND:
        return None
    red, green, blue = (round(value) for value in colours.mean(axis=0))
    return Mark((red, green, blue), area, (x, y, x + w, y + h))
