"""From centre heat to detections: peaks, their boxes, overlaps removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.segment.maps import FieldMaps


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
    """
    if maps.heat is None or maps.sides is None:
        raise ValueError("these maps hold no centre heat; use the watershed decoder")
    heat = maps.heat
    around = cv2.dilate(heat, np.ones((3, 3), np.uint8)).reshape(heat.shape)
    rows, columns, elements = np.nonzero((heat >= around) & (heat >= np.asarray(min_scores)))
    scores = heat[rows, columns, elements]
    left, top, right, bottom = maps.sides[rows, columns].T
    x, y = (columns + 0.5) * grid_step, (rows + 0.5) * grid_step
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1) / maps.scale
    limit = np.array([maps.width_px, maps.height_px] * 2, np.float32)
    order = np.lexsort((columns, rows, -scores))
    evidence = around[rows, columns]
    found = Detections(
        boxes.clip(0, limit).astype(np.float32),
        scores,
        elements.astype(np.int64),
        evidence / evidence.sum(axis=1, keepdims=True).clip(1e-6),
    ).take(order)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    return found.take((sides >= 1).all(axis=1))


def overlaps(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with many, shape (N,)."""
    corner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    inter = np.prod(corner.clip(0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray(inter / (np.prod(box[2:] - box[:2]) + areas - inter), np.float32)


def suppress(found: Detections, same: float, other: float) -> Detections:
    """Greedy non-maximum suppression.

    Parameters
    ----------
    found : Detections
        Best first.
    same, other : float
        Overlap (IoU) above which the weaker of two boxes of the same element, or of different
        elements, is dropped.
    """
    alive = np.ones(len(found), bool)
    for n in range(len(found)):
        if not alive[n]:
            continue
        rest = np.flatnonzero(alive[n + 1 :]) + n + 1
        if not rest.size:
            break
        limit = np.where(found.elements[rest] == found.elements[n], same, other)
        alive[rest[overlaps(found.boxes[n], found.boxes[rest]) > limit]] = False
    return found.take(alive)
