"""Sizes and forms of nucleus and cell."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import perimeter_crofton, regionprops
from skimage.morphology import h_maxima, label

from smearlab.instances.shape import solidity
from smearlab.learn.classical.feature import Feature
from smearlab.learn.classical.regions import Regions

_NAN_NUCLEUS, _NAN_CELL = "; NaN without a nucleus", "; NaN without a cell"
SHAPE_FEATURES: tuple[Feature, ...] = (
    Feature("nucleus_area", "shape", "share of the picture", 0, 1, "nucleus, all lobes"),
    Feature("cell_area", "shape", "share of the picture", 0, 1, "nucleus and cytoplasm"),
    Feature("cytoplasm_area", "shape", "share of the picture", 0, 1, "cell without nucleus"),
    Feature("nucleus_to_cell", "shape", "1", 0, 1, "ratio of the areas" + _NAN_CELL),
    Feature("nucleus_lobes", "shape", "lobes", 0, 20, "pieces that narrow necks or gaps part"),
    Feature("nucleus_circularity", "shape", "1", 0, 1, "4πA / P²; 1 is a disc" + _NAN_NUCLEUS),
    Feature("nucleus_eccentricity", "shape", "1", 0, 1, "of the ellipse of its second moments; "
            "0 is a disc" + _NAN_NUCLEUS),
    Feature("nucleus_solidity", "shape", "1", 0, 1, "area over convex hull" + _NAN_NUCLEUS),
    Feature("nucleus_offset", "shape", "radii of the cell", 0, 10, "from the middle of the cell to "
            "that of the nucleus" + _NAN_NUCLEUS),
    Feature("cell_circularity", "shape", "1", 0, 1, "4πA / P²; 1 is a disc" + _NAN_CELL),
    Feature("cell_eccentricity", "shape", "1", 0, 1, "as for the nucleus" + _NAN_CELL),
    Feature("cell_solidity", "shape", "1", 0, 1, "area over convex hull" + _NAN_CELL),
)  # fmt: skip
#: A lobe is told from its neighbour by a neck narrower than this share of its width.
_NECK = 0.85


def shape_features(regions: Regions) -> NDArray[np.float64]:
    """Measure :data:`SHAPE_FEATURES`.

    Parameters
    ----------
    regions : Regions

    Returns
    -------
    ndarray of float64, shape (12,)
    """
    nucleus, cell = regions.nucleus, regions.cell
    areas = [float(mask.mean()) for mask in (nucleus, cell, regions.cytoplasm)]
    ratio = areas[0] / areas[1] if areas[1] else math.nan
    return np.array(
        [
            *areas,
            ratio,
            count_lobes(nucleus),
            *_form(nucleus),
            _offset(nucleus, cell),
            *_form(cell),
        ],
        np.float64,
    )


def count_lobes(nucleus: NDArray[np.bool_]) -> int:
    """Lobes of a nucleus: maxima of the depth that a neck parts, pieces apart included.

    Parameters
    ----------
    nucleus : ndarray of bool, shape (S, S)

    Returns
    -------
    int
        0 without a nucleus, else 1 to 20.
    """
    if not nucleus.any():
        return 0
    depth = cv2.distanceTransform(np.pad(nucleus, 1).astype(np.uint8), cv2.DIST_L2, 5)
    height = (1 - _NECK) * float(depth.max())
    # A small lobe beside a large one must still rise above its own neck by that much.
    tops = label(h_maxima(depth, height), connectivity=2)  # type: ignore[no-untyped-call]
    return min(20, int(tops.max()))


def _form(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Circularity, eccentricity and solidity; NaN of nothing."""
    area = int(np.count_nonzero(mask))
    if not area:
        return math.nan, math.nan, math.nan
    padded = np.pad(mask, 1)  # a mask at the edge of the picture has an outline there, too
    around = float(perimeter_crofton(padded, directions=4))  # type: ignore[no-untyped-call]
    circularity = min(1.0, 4 * math.pi * area / around**2)
    (whole,) = regionprops(padded.astype(np.uint8))  # type: ignore[no-untyped-call]
    return circularity, float(whole.eccentricity), solidity(mask)


def _offset(nucleus: NDArray[np.bool_], cell: NDArray[np.bool_]) -> float:
    if not nucleus.any():
        return math.nan
    apart = np.argwhere(nucleus).mean(0) - np.argwhere(cell).mean(0)
    return float(np.hypot(*apart)) / math.sqrt(np.count_nonzero(cell) / math.pi)
