"""Found objects of an element against boxes that people drew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from smearlab.metrics.detection import box_iou
from smearlab.metrics.resampling import ratio
from smearlab.metrics.segmentation import match_objects

#: A found object without partner is not judged if this share of it lies where nothing is claimed.
_UNKNOWN_SHARE = 0.5
_IOU = 0.5


@dataclass(frozen=True)
class BoxHits:
    """What one field adds to object F1 by boxes.

    Parameters
    ----------
    hits, wrong, missed : int
        Found objects whose box has IoU ≥ 0.5 with a true one, each with one at most; those
        without; true boxes without a found object.
    """

    hits: int
    wrong: int
    missed: int

    @property
    def n_true(self) -> int:
        """True boxes."""
        return self.hits + self.missed

    @property
    def n_found(self) -> int:
        """Judged found objects."""
        return self.hits + self.wrong

    @property
    def row(self) -> tuple[int, int, int]:
        """For :func:`box_hit_figures`."""
        return self.hits, self.wrong, self.missed


def box_hits(
    labels: NDArray[np.int32], boxes: NDArray[np.float32], unknown: NDArray[np.bool_]
) -> BoxHits:
    """Match the boxes of found objects to true boxes at IoU 0.5, greatest overlap first.

    Parameters
    ----------
    labels : ndarray of int32, shape (H, W)
        Found objects, 1 … N without gaps; 0 is background.
    boxes : ndarray of float32, shape (M, 4)
        ``(x0, y0, x1, y1)`` px.
    unknown : ndarray of bool, shape (H, W)
        True where nothing is claimed.
    """
    places = ndimage.find_objects(labels)
    found = np.array([(x.start, y.start, x.stop, y.stop) for y, x in places], np.float64)
    matched = match_objects(box_iou(boxes, found), _IOU)
    taken = {index for _, index in matched}
    areas = np.bincount(labels.ravel(), minlength=len(places) + 1)
    hidden = np.bincount(labels[unknown].ravel(), minlength=len(places) + 1)
    wrong = sum(
        index not in taken and hidden[index + 1] < _UNKNOWN_SHARE * areas[index + 1]
        for index in range(len(places))
    )
    return BoxHits(len(matched), int(wrong), len(boxes) - len(matched))


def box_hit_figures(
    rows: NDArray[np.float64], weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Object F1, pooled over fields.

    Parameters
    ----------
    rows : ndarray of float64, shape (F, 3)
        Hits, wrong and missed objects.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    dict of str to ndarray of float64, shape (R,)
        ``object_f1_50``; NaN without any object.
    """
    taken = np.ones((1, len(rows)), dtype=np.int64) if weights is None else weights
    hits, wrong, missed = (taken @ rows).T
    return {"object_f1_50": ratio(2 * hits, 2 * hits + wrong + missed)}
