"""Average precision, as COCO defines it, for one sample or for many resamples at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.detection import Matches

#: COCO reads precision at these 101 recalls.
RECALL_POINTS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)

Interpolation = Literal["coco", "all-points"]
#: Resamples that are worked on together: bounds the memory of :func:`average_precision`.
_CHUNK = 64


def average_precision(
    matches: Matches,
    *,
    weights: NDArray[np.int64] | None = None,
    interpolation: Interpolation = "coco",
) -> NDArray[np.float64]:
    """Area under the precision–recall curve of one class, at each IoU threshold.

    The curve is the precision envelope: at recall r, the best precision reached at any recall
    of at least r. ``"coco"`` is the mean of the envelope at 101 recalls 0, 0.01 … 1, which is
    what COCO's evaluation prints and what published figures mean; ``"all-points"`` is the exact
    area under the envelope (PASCAL VOC 2010 and later). Both are taken over the candidates
    given: a list cut at a score lowers them.

    Parameters
    ----------
    matches : Matches
        D candidates of F fields at T IoU thresholds.
    weights : ndarray of int64, shape (R, F), optional
        Bootstrap resamples (:func:`smearlab.metrics.resampling.draw_weights`); without them
        there is one row, every field once. A field taken twice counts as two equal fields.
    interpolation : {"coco", "all-points"}
        See above.

    Returns
    -------
    ndarray of float64, shape (R, T)
        In [0, 1]; NaN in a row without true boxes.

    References
    ----------
    Lin, T.-Y. et al. (2014). Microsoft COCO: common objects in context. ECCV.
    doi:10.1007/978-3-319-10602-1_48
    """
    taken = np.ones((1, matches.n_fields), dtype=np.int64) if weights is None else weights
    levels = len(matches.hits)
    result = np.full((len(taken), levels), np.nan)
    for start in range(0, len(taken), _CHUNK):
        rows = taken[start : start + _CHUNK]
        true = (rows @ matches.n_true).astype(np.float64)  # (R',)
        copies = rows[:, matches.field].astype(np.float64)  # (R', D)
        found = np.cumsum(copies, axis=1)
        for level in range(levels):
            hits = np.flatnonzero(matches.hits[level])  # precision peaks at hits only
            result[start : start + _CHUNK, level] = _area(
                np.cumsum(copies[:, hits], axis=1), found[:, hits], true, interpolation
            )
    return result


def _area(
    hit: NDArray[np.float64],
    found: NDArray[np.float64],
    true: NDArray[np.float64],
    interpolation: Interpolation,
) -> NDArray[np.float64]:
    """Area from running counts at the true positives: ``hit``, ``found`` (R, P), ``true`` (R,)."""
    area = np.full(len(true), np.nan)
    known = true > 0
    if hit.shape[1] == 0:
        area[known] = 0.0
        return area
    precision = np.divide(hit, found, out=np.zeros_like(hit), where=found > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    for row in np.flatnonzero(known):
        recall = hit[row] / true[row]
        if interpolation == "all-points":
            area[row] = float(np.diff(recall, prepend=0.0) @ envelope[row])
        else:
            place = np.searchsorted(recall, RECALL_POINTS, side="left")
            reached = place < recall.size
            area[row] = float(envelope[row, place[reached]].sum() / RECALL_POINTS.size)
    return area
