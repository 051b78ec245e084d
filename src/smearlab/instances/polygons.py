"""Outlines as polygons along the borders of pixels, and back to pixels.

A polygon's area is that of the pixels it stands for, and a pixel belongs to it when its centre
lies inside: what other programs assume when they read the polygons.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_FINE = 5  # odd, so that a fine pixel has its centre where a pixel has it
_SHIFT = 4  # fractional bits of cv2's fixed-point corners
_TOLERANCE_PX = 0.3  # how far a corner may be cut
_BLUR = np.array([1, 4, 6, 4, 1], np.float64) / 16  # along the rim: takes away its stairs
_SHORT = 16  # pixels of a rim that is too short to be blurred


def rim_polygon(mask: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Smooth polygon around the largest piece of a mask, its holes filled.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, W)
        0 or 1.

    Returns
    -------
    ndarray of float64, shape (N, 2), or None
        (x, y), pixel (i, j) reaching from (j, i) to (j + 1, i + 1). None when no piece has at
        least 3 pixels along its rim.
    """
    rims, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rim = max(rims, key=cv2.contourArea, default=None)
    if rim is None or len(rim) < 3:
        return None
    chain = rim[:, 0, :].astype(np.float64)
    area = cv2.contourArea(rim) + len(chain) / 2 + 1  # Pick's theorem: pixels on and inside
    low, high = chain.min(axis=0), chain.max(axis=0) + 1
    corners = ellipse_polygon((low[0], low[1], high[0], high[1]))
    if len(chain) > _SHORT:
        reach = len(_BLUR) // 2
        closed = np.concatenate([chain[-reach:], chain, chain[:reach]])
        smooth = np.stack([np.convolve(axis, _BLUR, "valid") for axis in closed.T], axis=1)
        simple = cv2.approxPolyDP(smooth.astype(np.float32), _TOLERANCE_PX, True)[:, 0, :]
        corners = simple.astype(np.float64) + 0.5 if len(simple) > 2 else corners
    return _grow(corners, area)


def ellipse_polygon(box: tuple[float, float, float, float], n: int = 24) -> NDArray[np.float64]:
    """The ellipse inscribed in a box, as a polygon of the ellipse's area, shape (n, 2)."""
    x0, y0, x1, y1 = box
    angle = np.arange(n) * (2 * np.pi / n)
    swell = np.sqrt(2 * np.pi / n / np.sin(2 * np.pi / n))
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1) * swell
    return np.asarray(unit * ((x1 - x0) / 2, (y1 - y0) / 2) + ((x0 + x1) / 2, (y0 + y1) / 2))


def polygon_area(corners: NDArray[np.floating]) -> float:
    """Area of a closed polygon, > 0 when its corners run clockwise as seen (y down)."""
    x, y = corners[:, 0].astype(float), corners[:, 1].astype(float)
    return float(x[:-1] @ y[1:] - y[:-1] @ x[1:] + x[-1] * y[0] - y[-1] * x[0]) / 2


def fill_polygon(
    corners: NDArray[np.floating], width_px: int, height_px: int
) -> tuple[slice, slice, NDArray[np.bool_]]:
    """The pixels of a field whose centres lie inside a polygon.

    Parameters
    ----------
    corners : ndarray, shape (N, 2)
        (x, y) px of the field.
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    rows, columns : slice
        The part of the field that the polygon lies in.
    inside : ndarray of bool
        Of that part; at least one pixel is True where the polygon meets the field.
    """
    low = np.floor(corners.min(axis=0)).astype(int).clip(0, (width_px - 1, height_px - 1))
    high = np.ceil(corners.max(axis=0)).astype(int).clip(low + 1, (width_px, height_px))
    columns, rows = slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))
    size = high - low
    canvas = np.zeros((size[1] * _FINE, size[0] * _FINE), np.uint8)
    points = ((corners - low) * _FINE - 0.5) * (1 << _SHIFT)
    cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1, shift=_SHIFT)
    inside = canvas[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE] > 0
    if not inside.any():  # a sliver between pixel centres
        at = (corners.mean(axis=0) - low).astype(int).clip(0, size - 1)
        inside = inside.copy()
        inside[at[1], at[0]] = True
    return rows, columns, inside


def _grow(corners: NDArray[np.float64], area: float) -> NDArray[np.float64]:
    """Move every edge outwards by the same distance, so that the polygon has this area."""
    own = polygon_area(corners)
    if own < 0:
        corners, own = corners[::-1], -own
    edge = np.roll(corners, -1, axis=0) - corners
    length = np.hypot(edge[:, 0], edge[:, 1])
    along = edge / length[:, None]
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    before = np.roll(outward, 1, axis=0)
    mitre = (outward + before) / (1 + (outward * before).sum(axis=1, keepdims=True)).clip(0.5)
    return np.asarray(corners + mitre * ((area - own) / length.sum()))
