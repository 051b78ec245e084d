"""Nucleus and cytoplasm of the cell in the middle of a picture, by colour and distance alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from smearlab.datasets.box_masks import background_distance
from smearlab.errors import ImageError, UsageError
from smearlab.preprocess.nucleus import extract_nucleus

#: Share of Otsu's threshold between ground and bodies above which a pixel is no ground: pale
#: cytoplasm lies nearer to the ground than red cells do.
_PALE = 0.75
#: A body is another cell if its middle lies so far from the nucleus, in radii of the nucleus, or if
#: a neck parts both: the way leads through less than this share of the depth of that middle.
_OTHER_CELL, _NECK = 0.8, 0.7
#: How far from the nucleus that middle lies, and how deep, as shares of the picture's side.
_LEAST_AWAY, _LEAST_DEPTH = 0.06, 0.04
#: Where there is no nucleus the cell covers the middle: radius of the seed, share of the side.
_SEED = 0.06
#: Largest hole of a body that is filled, share of the picture: the pale middle of a red cell, a
#: vacuole, but not the ground that a chain of cells closes in.
_HOLE = 0.025
#: Lobes of one nucleus may lie so far apart, share of the side, where no body joins them.
_LOBES_APART = 0.04


@dataclass(frozen=True, eq=False)
class Regions:
    """Where the parts of the cell are.

    Parameters
    ----------
    nucleus : ndarray of bool, shape (S, S)
        All False where nothing is dark enough.
    cell : ndarray of bool, shape (S, S)
        The nucleus and its cytoplasm; all False in an empty picture.
    """

    nucleus: NDArray[np.bool_]
    cell: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.nucleus.shape != self.cell.shape:
            raise UsageError(
                f"nucleus and cell must be masks of one picture; received {self.nucleus.shape} "
                f"and {self.cell.shape}"
            )

    @property
    def cytoplasm(self) -> NDArray[np.bool_]:
        """The cell without its nucleus."""
        return self.cell & ~self.nucleus


def find_regions(pixels: NDArray[np.uint8]) -> Regions:
    """Part the cell in the middle of a picture from its ground and its neighbours.

    The nucleus comes from :func:`smearlab.preprocess.nucleus.extract_nucleus`, less what ground
    parts from it: platelets, nuclei of neighbours. Whatever differs from the ground is body; the
    watershed of the depth of bodies, with the nucleus as one marker and the middles of the other
    bodies as the others, gives the cell.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB; a picture of one cell.

    Returns
    -------
    Regions
    """
    try:
        nucleus = extract_nucleus(pixels).mask
    except ImageError:
        nucleus = np.zeros(pixels.shape[:2], bool)
    body = _body(pixels, nucleus)
    nucleus = _own_lobes(nucleus, body)
    seed = _hull(nucleus) if nucleus.any() else _middle(body)
    if not seed.any():
        return Regions(nucleus, nucleus)
    depth = np.asarray(cv2.distanceTransform(body.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    markers = seed.astype(np.int32)
    for number, (row, column) in enumerate(_other_middles(depth, seed), start=2):
        markers[row, column] = number
    parts = watershed(-depth, markers, mask=body)  # type: ignore[no-untyped-call]
    return Regions(nucleus, (parts == 1) | nucleus)


def _body(pixels: NDArray[np.uint8], nucleus: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Everything but the ground, without specks and small holes."""
    distance = background_distance(pixels, nucleus)
    pale = distance[~nucleus]  # else the threshold would lie between nucleus and cytoplasm
    if not pale.size or np.ptp(pale) == 0:
        return nucleus
    level = _PALE * float(threshold_otsu(pale))  # type: ignore[no-untyped-call]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx((distance > level).astype(np.uint8), cv2.MORPH_OPEN, disc)
    return _without_holes(np.asarray(opened > 0) | nucleus)


def _without_holes(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bodies with their small holes filled; what reaches the edge of the picture is no hole."""
    _, parts, facts, _ = cv2.connectedComponentsWithStats((~body).astype(np.uint8), connectivity=4)
    left, top, width, height, area = facts.T
    bottom, right = top + height, left + width
    inside = (left > 0) & (top > 0) & (right < body.shape[1]) & (bottom < body.shape[0])
    hole = np.asarray(inside & (area <= _HOLE * body.size), np.bool_)
    hole[0] = False  # the bodies themselves
    return np.asarray(body | hole[parts], np.bool_)


def _own_lobes(nucleus: NDArray[np.bool_], body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest lobe that the picture does not cut, and all that body or a small gap joins."""
    n, lobes = cv2.connectedComponents(nucleus.astype(np.uint8))
    if n <= 2:
        return nucleus
    areas = np.bincount(lobes.ravel(), minlength=n)
    areas[0] = 0
    rim = np.concatenate([lobes[0], lobes[-1], lobes[:, 0], lobes[:, -1]])
    whole = np.setdiff1d(np.arange(1, n), rim)
    among = whole if whole.size else np.arange(1, n)
    kept = np.asarray(lobes == among[areas[among].argmax()], np.bool_)
    _, bodies = cv2.connectedComponents(body.astype(np.uint8))
    reach = _LOBES_APART * min(nucleus.shape)
    while True:
        away = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 5)
        joined = nucleus & ((away <= reach) | np.isin(bodies, np.unique(bodies[kept])))
        more = np.asarray(np.isin(lobes, np.unique(lobes[joined])), np.bool_)
        if (more == kept).all():
            return kept
        kept = more


def _hull(nucleus: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Convex hull: what lies between lobes belongs to the cell."""
    points = np.argwhere(nucleus)[:, ::-1].astype(np.int32)
    filled = np.zeros(nucleus.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return filled > 0


def _middle(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bodies in the very middle of the picture."""
    height, width = body.shape
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    return np.asarray(body & (away <= _SEED * min(body.shape)))


def _other_middles(depth: NDArray[np.float32], seed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(row, column) of the deepest points of other cells, shape (N, 2)."""
    side = min(depth.shape)
    away = cv2.distanceTransform((~seed).astype(np.uint8), cv2.DIST_L2, 5)
    peaks = peak_local_max(  # type: ignore[no-untyped-call]
        depth,
        min_distance=max(3, side // 20),
        threshold_abs=_LEAST_DEPTH * side,
        exclude_border=False,
    )
    least, far = _LEAST_AWAY * side, _OTHER_CELL * float(np.sqrt(np.count_nonzero(seed) / np.pi))
    others = [
        peak
        for peak in map(tuple, peaks.tolist())
        if away[peak] > least and (away[peak] > far or _parted(depth, peak, seed))
    ]
    return np.array(others, np.intp).reshape(-1, 2)


def _parted(depth: NDArray[np.float32], peak: tuple[int, int], seed: NDArray[np.bool_]) -> bool:
    """Whether what is nearly as deep as the peak, and joined to it, does not reach the seed."""
    _, parts = cv2.connectedComponents((depth > _NECK * depth[peak]).astype(np.uint8))
    return not bool((seed & (parts == parts[peak])).any())
