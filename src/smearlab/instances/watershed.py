"""Splitting touching cells of a foreground map by the watershed of its distance transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.types import Labels

#: A hole is a pale centre up to this share of the area of a smaller body of the field (the lower
#: quartile); pallor takes a third of a red cell's diameter, in hypochromia two thirds.
_PALE_SHARE = 0.45


def split_touching(
    foreground: NDArray[np.bool_], *, min_area_px: float = 30.0, marker_depth: float = 0.12
) -> Labels:
    """One label for each cell of a foreground mask (paper A's way).

    Holes as small as pale centres are filled. Markers are the regional maxima of the smoothed
    distance transform that rise above their saddle by a share of their height; the flood of the
    inverted distance from them gives the labels; labels below an area are dropped.

    Parameters
    ----------
    foreground : ndarray of bool, shape (H, W)
        True on cells.
    min_area_px : float
        Smallest area that is a cell, px². What is less than 5 px across is none in any case.
    marker_depth : float
        A maximum counts if it is this share of its own height above its surroundings; larger
        splits less.

    Returns
    -------
    Labels
        1 … N without gaps.

    References
    ----------
    Beucher, S. & Meyer, F. (1993). The morphological approach to segmentation: the watershed
    transformation. Mathematical Morphology in Image Processing, 433–481.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:40, :64]
    >>> two = ((x - 22) ** 2 + (y - 20) ** 2 < 144) | ((x - 42) ** 2 + (y - 20) ** 2 < 144)
    >>> int(split_touching(two).array.max())
    2
    """
    filled = _fill(foreground, min_area_px)
    sharp = cv2.distanceTransform(np.pad(filled, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    distance: NDArray[np.float32] = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.0), np.float32)
    labels = _flood(-distance, _markers(distance, marker_depth), filled > 0)
    areas = np.bincount(labels.ravel())
    keep = areas >= min_area_px
    keep[0] = False
    renumber = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return Labels(renumber[labels])


def _fill(foreground: NDArray[np.bool_], min_area_px: float) -> NDArray[np.uint8]:
    """Fill pale centres of red cells, but not the background that touching cells enclose."""
    mask = foreground.astype(np.uint8)
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    areas = np.array([cv2.contourArea(one) for one in contours])
    inner = np.array([one[3] >= 0 for one in hierarchy[0]]) if contours else np.zeros(0, bool)
    bodies = areas[~inner & (areas >= min_area_px)]
    if bodies.size:
        largest_px = _PALE_SHARE * float(np.percentile(bodies, 25))
        small = inner & (areas <= largest_px)
        pale = [one for one, keep in zip(contours, small, strict=True) if keep]
        cv2.drawContours(mask, pale, -1, 1, cv2.FILLED)
    return mask


def _markers(distance: NDArray[np.float32], depth: float) -> NDArray[np.int32]:
    """Tops that stay apart when every peak is lowered by a share of its height."""
    lowered = _rebuild(distance * np.float32(1 - depth), distance)
    tops = ((distance > lowered + 1e-3) & (distance > 1.5)).astype(np.uint8)
    return np.asarray(cv2.connectedComponents(tops)[1], np.int32)


def _flood(
    height: NDArray[np.float32], markers: NDArray[np.int32], mask: NDArray[np.bool_]
) -> NDArray[np.int32]:
    watershed, _ = load_scikit_image()
    return np.asarray(watershed(height, markers, connectivity=2, mask=mask), np.int32)


def _rebuild(seed: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    _, reconstruction = load_scikit_image()
    return np.asarray(reconstruction(seed, mask, method="dilation"), np.float32)


def load_scikit_image() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Its watershed and reconstruction; imported late, since most bundles need neither.

    Threads that import a part of scikit-image at once may get it half made: who starts threads
    calls this before.
    """
    from skimage.morphology import reconstruction
    from skimage.segmentation import watershed

    return watershed, reconstruction
