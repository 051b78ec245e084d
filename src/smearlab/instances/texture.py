"""Texture of one cell from its grey level co-occurrence matrix.

References
----------
Haralick, R. M., Shanmugam, K. & Dinstein, I. (1973). Textural features for image classification.
IEEE Transactions on Systems, Man, and Cybernetics 3, 610–621. doi:10.1109/TSMC.1973.4309314
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Figures, by their names in scikit-image.
TEXTURES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "ASM")
#: Grey levels that the 256 are binned to.
LEVELS = 32
#: Distance of the pixels of a pair, px, and directions.
DISTANCE_PX = 1
ANGLES = (0.0, math.pi / 4, math.pi / 2, 3 * math.pi / 4)


def grey_levels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of a picture in :data:`LEVELS` bins of equal width, shape (H, W)."""
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.asarray(grey // (256 // LEVELS), np.uint8)


def texture(levels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Haralick's figures of the pixels of a mask.

    Pairs of neighbours (at :data:`DISTANCE_PX`, in four directions, both ways) that both lie in
    the mask are counted into one matrix P of levels i and j, which is normalised to 1.

    Parameters
    ----------
    levels : ndarray of uint8, shape (H, W)
        See :func:`grey_levels`.
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    dict of str to float
        ``contrast`` Σ P (i - j)², ``dissimilarity`` Σ P |i - j|, ``homogeneity``
        Σ P / (1 + (i - j)²), ``ASM`` Σ P², ``energy`` √ASM, ``correlation`` of i and j, NaN for
        an even colour. All NaN where no two pixels of the mask are neighbours.
    """
    graycomatrix, graycoprops = load_co_occurrence()
    marked = np.where(mask, levels + 1, 0).astype(np.uint8)  # 0: outside
    pairs = graycomatrix(marked, [DISTANCE_PX], ANGLES, LEVELS + 1, symmetric=True)
    counts = pairs[1:, 1:].sum(axis=(2, 3), keepdims=True)
    if not counts.any():
        return dict.fromkeys(TEXTURES, math.nan)
    figures = {name: float(graycoprops(counts, name)[0, 0]) for name in TEXTURES}
    if np.count_nonzero(counts.sum(axis=0)) == 1:
        figures["correlation"] = math.nan
    return figures


def load_co_occurrence() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Scikit-image's matrices and their figures; imported late, since most commands need neither.

    Threads that import a part of scikit-image at once may get it half made: who starts threads
    calls this before.
    """
    from skimage.feature import graycomatrix, graycoprops

    return graycomatrix, graycoprops
