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
    chain: NDArray[np.int32] = np.asarray(rim[:, 0, :], np.int32)
    area = cv2.contourArea(rim) + len(chain) / 2 + 1  # Pick's theorem: pixels on and inside
    corners = _smooth(chain) if len(chain) > _SHORT else None
    if corners is None or len(corners) < 3:
        (x0, y0), (x1, y1) = chain.min(axis=0).tolist(), (chain.max(axis=0) + 1).tolist()
        corners = ellipse_polygon((x0, y0, x1, y1))
    corners = _grow(corners, area)
    return corners if abs(polygon_area(corners) / area - 1) < 0.01 else _grow(corners, area)


def _smooth(chain: NDArray[np.int32]) -> NDArray[np.float64]:
    """Corners of a rim whose stairs are blurred away along it, shape (M, 2)."""
    p = np.concatenate([chain[-2:], chain, chain[:2]]).astype(np.float32)
    blurred = (p[:-4] + p[4:] + 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]) / 16
    corners = cv2.approxPolyDP(blurred, _TOLERANCE_PX, True)[:, 0, :]
    return np.asarray(corners, np.float64) + 0.5


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
    ring = np.concatenate([corners[-1:], corners, corners[:1]])
    edge = ring[1:] - ring[:-1]  # the last edge, then all
    length = np.sqrt((edge * edge).sum(axis=1))
    outward = np.stack([edge[:, 1], -edge[:, 0]], axis=1) / length[:, None]
    before, after = outward[:-1], outward[1:]
    mitre = (before + after) / (1 + (before * after).sum(axis=1, keepdims=True)).clip(0.5)
    return np.asarray(corners + mitre * ((area - own) / length[1:].sum()))
