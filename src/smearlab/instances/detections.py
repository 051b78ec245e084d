"""From centre heat to detections: peaks, their boxes, overlaps removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.segment.maps import FieldMaps

_ROWS = 256  # detections compared with all others at a time: bounds memory


@dataclass(frozen=True, eq=False)
class Detections:
    """Cells as boxes, best first.

    Parameters
    ----------
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` field px, clipped to the field.
    scores : ndarray of float32, shape (N,)
        In [0, 1].
    elements : ndarray of int64, shape (N,)
        Channel of the heat map.
    shares : ndarray of float32, shape (N, E)
        Heat of every channel at the peak, as shares of their sum.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    elements: NDArray[np.int64]
    shares: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Detections:
        """Those that ``keep`` selects."""
        return Detections(
            self.boxes[keep], self.scores[keep], self.elements[keep], self.shares[keep]
        )

    def best_first(self) -> Detections:
        """The same in falling order of their scores; equals stay in their order."""
        return self.take(np.argsort(-self.scores, kind="stable"))


def find_peaks(maps: FieldMaps, grid_step: int, min_scores: Sequence[float]) -> Detections:
    """Local maxima (3×3) of the heat with the boxes predicted there.

    Parameters
    ----------
    maps : FieldMaps
        With heat and sides.
    grid_step : int
        Network px per step of the heat.
    min_scores : sequence of float
        Lowest score for each element's channel.

    Returns
    -------
    Detections
        Boxes narrower or lower than a pixel are left out.

    Raises
    ------
    UsageError
        If the maps hold no heat.
    """
    if maps.heat is None or maps.sides is None:
        raise UsageError("these maps hold no centre heat; decode them by watershed")
    heat = maps.heat
    around = cv2.dilate(heat, np.ones((3, 3), np.uint8)).reshape(heat.shape)
    # That some cell lies here: the likeliest element is credited with the others' heat as well,
    # so a cell of a strange stain, whose heat is divided among elements, is not lost.
    likeliest = heat >= heat.max(axis=2, keepdims=True)
    credit = np.where(likeliest, heat.sum(axis=2, keepdims=True), heat).clip(0, 1)
    rows, columns, elements = np.nonzero((heat >= around) & (credit >= np.asarray(min_scores)))
    scores = credit[rows, columns, elements]
    left, top, right, bottom = maps.sides[rows, columns].T
    x, y = (columns + 0.5) * grid_step, (rows + 0.5) * grid_step
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    boxes /= [maps.scale_x, maps.scale_y, maps.scale_x, maps.scale_y]
    limit = np.array([maps.width_px, maps.height_px] * 2, np.float32)
    order = np.lexsort((columns, rows, -scores))
    own = heat[rows, columns, elements, None]
    evidence = np.minimum(around[rows, columns], own)  # no element speaks louder than the peak's
    found = Detections(
        boxes.clip(0, limit).astype(np.float32),
        scores,
        elements.astype(np.int64),
        evidence / evidence.sum(axis=1, keepdims=True).clip(1e-6),
    ).take(order)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    return found.take(np.asarray((sides >= 1).all(axis=1)))


def overlaps(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with many, shape (N,)."""
    return np.asarray(_pairwise_overlaps(box[None], boxes)[0], np.float32)


def suppress(found: Detections, same: float, other: float) -> Detections:
    """Greedy non-maximum suppression.

    A weaker detection never changes what becomes of a stronger one, so dropping weak detections
    before or after gives the same.

    Parameters
    ----------
    found : Detections
        Best first.
    same, other : float
        Overlap (IoU) above which the weaker of two boxes of the same element, or of different
        elements, is dropped.
    """
    alive = np.ones(len(found), bool)
    for start in range(0, len(found), _ROWS):
        rows = slice(start, start + _ROWS)
        limit = np.where(
            found.elements[rows, None] == found.elements[None, start:],
            np.float32(same),
            np.float32(other),
        )
        clash = _pairwise_overlaps(found.boxes[rows], found.boxes[start:]) > limit
        for n in np.flatnonzero(clash.sum(axis=1) > 1).tolist():  # each clashes with itself
            if alive[start + n]:
                alive[start + n + 1 :] &= ~clash[n, n + 1 :]
    return found.take(alive)


def _pairwise_overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each of N boxes with each of M, shape (N, M)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = width.clip(0) * height.clip(0)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return np.asarray(shared / (area_a[:, None] + area_b - shared), np.float32)
