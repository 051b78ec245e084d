"""Size and form of one cell."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray


def solidity(mask: NDArray[np.bool_]) -> float:
    """Area over that of the convex hull.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    float
        Pixels over pixels whose centres lie in the hull of their centres, in (0, 1]: 1 for a
        convex form; NaN of an empty mask.
    """
    area = int(np.count_nonzero(mask))
    if not area:
        return math.nan
    hull = cv2.convexHull(np.argwhere(mask).astype(np.int32))[:, 0].astype(np.int64)
    edges = np.roll(hull, -1, axis=0) - hull
    on_rim = int(np.gcd(abs(edges[:, 0]), abs(edges[:, 1])).sum())
    twice = int((hull[:, 0] * edges[:, 1] - hull[:, 1] * edges[:, 0]).sum())
    return area / (abs(twice) / 2 + on_rim / 2 + 1)  # Pick's theorem: points on and inside


def axes(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Axes of the ellipse that has the same second moments as a mask.

    Four times the roots of the eigenvalues of the covariance of its pixels, a pixel being a unit
    square (which adds 1/12 to both variances).

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    major, minor : float
        Whole axes, px: both are the diameter of a disc. NaN of an empty mask.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return math.nan, math.nan
    y, x = rows - rows.mean(), columns - columns.mean()
    xx, yy, xy = float((x * x).mean()) + 1 / 12, float((y * y).mean()) + 1 / 12, float(x @ y)
    xy /= len(rows)
    middle, apart = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    return 4 * math.sqrt(middle + apart), 4 * math.sqrt(max(0.0, middle - apart))


def eccentricity(major: float, minor: float) -> float:
    """√(1 - (minor / major)²): 0 for a disc, near 1 for a needle."""
    return math.sqrt(max(0.0, 1 - (minor / major) ** 2)) if major else math.nan
