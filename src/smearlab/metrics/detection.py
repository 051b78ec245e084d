"""Which found boxes are true: greedy matching, precision, recall, count errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smearlab.metrics.resampling import ratio

#: The ten IoU thresholds .50, .55 … .95 over which COCO's AP is averaged.
COCO_IOUS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True, eq=False)
class FieldMatches:
    """One class in one field: which candidates hit a true box.

    Parameters
    ----------
    scores : ndarray of float64, shape (D,)
        Descending.
    hits : ndarray of bool, shape (T, D)
        Whether a candidate is a true positive, at each of T IoU thresholds.
    n_true : int
        True boxes in the field.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    n_true: int


@dataclass(frozen=True, eq=False)
class Matches:
    """One class over many fields, all candidates in one descending list.

    Parameters
    ----------
    scores : ndarray of float64, shape (D,)
        Descending; equal scores keep the order of their fields.
    field : ndarray of int64, shape (D,)
        Index of the field of each candidate.
    hits : ndarray of bool, shape (T, D)
        True positives at each IoU threshold.
    n_true : ndarray of int64, shape (F,)
        True boxes of each field.
    """

    scores: NDArray[np.float64]
    field: NDArray[np.int64]
    hits: NDArray[np.bool_]
    n_true: NDArray[np.int64]

    @property
    def n_fields(self) -> int:
        """Fields F, those without any box included."""
        return int(self.n_true.size)


def box_iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    first : array_like, shape (D, 4)
        ``(x0, y0, x1, y1)`` px, half-open; empty for no boxes.
    second : array_like, shape (G, 4)
        Likewise.

    Returns
    -------
    ndarray of float64, shape (D, G)
        In [0, 1]; 0 where both boxes are empty.

    Raises
    ------
    ValueError
        If a box has not four numbers.

    Examples
    --------
    >>> box_iou([(0, 0, 2, 2)], [(1, 0, 3, 2)]).round(3).tolist()
    [[0.333]]
    """
    a, b = _boxes(first), _boxes(second)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a = (a[:, 2:] - a[:, :2]).clip(0).prod(axis=1)
    area_b = (b[:, 2:] - b[:, :2]).clip(0).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    iou: NDArray[np.float64] = np.zeros_like(shared)
    np.divide(shared, union, out=iou, where=union > 0)
    return iou


def _boxes(boxes: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must have shape (N, 4); received {array.shape}")
    return array


def match_boxes(
    found: ArrayLike,
    scores: ArrayLike,
    true: ArrayLike,
    iou_thresholds: ArrayLike = COCO_IOUS,
) -> FieldMatches:
    """Give true boxes to candidates, the surest candidate first.

    In descending order of score each candidate takes, of the true boxes that are still free,
    the one it overlaps most, if their IoU reaches the threshold; of equal overlaps the later
    box, as COCO's evaluation does. There is no limit on the candidates of a field. A candidate
    is matched without regard to less sure ones, so the matches above any score threshold are a
    prefix of these.

    Parameters
    ----------
    found : array_like, shape (D, 4)
        Candidates of one class in one field, ``(x0, y0, x1, y1)`` px half-open.
    scores : array_like, shape (D,)
        Their scores; equal scores keep the order given.
    true : array_like, shape (G, 4)
        True boxes of the class.
    iou_thresholds : array_like, shape (T,)
        Each in (0, 1].

    Returns
    -------
    FieldMatches

    Raises
    ------
    ValueError
        If there are not as many scores as candidates, or a score is NaN.
    """
    boxes, marks = _boxes(found), np.asarray(scores, dtype=np.float64).ravel()
    if marks.size != len(boxes) or np.isnan(marks).any():
        raise ValueError(
            f"every box needs one score that is a number; received {len(boxes)} boxes "
            f"and scores {marks.tolist()[:5]}"
        )
    needed = np.minimum(np.asarray(iou_thresholds, dtype=np.float64).ravel(), 1 - 1e-10)
    order = np.argsort(-marks, kind="stable")
    overlap = box_iou(boxes[order], true)
    n_true = overlap.shape[1]
    hits = np.zeros((needed.size, order.size), dtype=np.bool_)
    if n_true:
        free = np.ones((needed.size, n_true), dtype=np.bool_)
        rows = np.arange(needed.size)
        for index, row in enumerate(overlap):
            allowed = np.where(free & (row >= needed[:, None]), row, -1.0)  # (T, G)
            best = n_true - 1 - np.argmax(allowed[:, ::-1], axis=1)  # the later of equals
            hit = allowed[rows, best] >= 0
            hits[:, index] = hit
            free[rows[hit], best[hit]] = False
    return FieldMatches(marks[order], hits, n_true)


def pool_matches(fields: Sequence[FieldMatches]) -> Matches:
    """Put the candidates of many fields into one descending list.

    Parameters
    ----------
    fields : sequence of FieldMatches
        All matched at the same IoU thresholds.

    Returns
    -------
    Matches

    Raises
    ------
    ValueError
        If there is no field, or the fields have different numbers of IoU thresholds.
    """
    thresholds = {len(one.hits) for one in fields}
    if len(thresholds) != 1:
        raise ValueError(
            "pooling needs at least one field, all matched at the same IoU thresholds; "
            f"received {len(fields)} fields with {sorted(thresholds)} thresholds"
        )
    scores = np.concatenate([one.scores for one in fields])
    field = np.repeat(np.arange(len(fields)), [one.scores.size for one in fields])
    hits = np.concatenate([one.hits for one in fields], axis=1)
    order = np.argsort(-scores, kind="stable")
    n_true = np.array([one.n_true for one in fields], dtype=np.int64)
    return Matches(scores[order], field[order].astype(np.int64), hits[:, order], n_true)


def select_fields(matches: Matches, chosen: Sequence[int]) -> Matches:
    """The same matches, of some of the fields only.

    Parameters
    ----------
    matches : Matches
        Over F fields.
    chosen : sequence of int
        Their indices, without repetition; they become 0, 1, 2 ….

    Returns
    -------
    Matches
    """
    place = np.full(matches.n_fields, -1, dtype=np.int64)
    place[list(chosen)] = np.arange(len(chosen))
    kept = place[matches.field] >= 0
    return Matches(
        matches.scores[kept],
        place[matches.field[kept]],
        matches.hits[:, kept],
        matches.n_true[list(chosen)],
    )


def hits_by_field(
    matches: Matches, threshold: float, level: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and false positives of each field at one score threshold.

    Parameters
    ----------
    matches : Matches
        Over F fields.
    threshold : float
        Candidates with at least this score count.
    level : int
        Index of the IoU threshold.

    Returns
    -------
    true_positives, false_positives : ndarray of int64, shape (F,)
    """
    counted = matches.scores >= threshold
    hit = matches.hits[level]
    field = matches.field
    return (
        np.bincount(field[counted & hit], minlength=matches.n_fields).astype(np.int64),
        np.bincount(field[counted & ~hit], minlength=matches.n_fields).astype(np.int64),
    )


def precision_recall(
    matches: Matches,
    threshold: float,
    *,
    level: int = 0,
    weights: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall at one score threshold, pooled over fields.

    Parameters
    ----------
    matches : Matches
        Over F fields.
    threshold : float
        Candidates with at least this score count.
    level : int
        Index of the IoU threshold.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    precision, recall : ndarray of float64, shape (R,)
        In [0, 1]; NaN without candidates, or without true boxes.
    """
    taken = np.ones((1, matches.n_fields), dtype=np.int64) if weights is None else weights
    true_positives, false_positives = hits_by_field(matches, threshold, level)
    hit, missed = taken @ true_positives, taken @ false_positives
    return ratio(hit, hit + missed), ratio(hit, taken @ matches.n_true)


def count_errors(
    found: ArrayLike, true: ArrayLike, *, weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[Any]]:
    """How far the number of cells found in a field is from the true one.

    Parameters
    ----------
    found, true : array_like of int, shape (F,)
        Cells found in, and boxed in, each field.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    dict of str to ndarray, shape (R,)
        ``count_mae``: mean of ``|found - true|``, cells. ``count_bias``: mean of
        ``found - true``, cells. ``count_mape``: mean of ``|found - true| / true`` in percent
        over the fields that hold at least one true cell. All NaN where no field is left.

    Raises
    ------
    ValueError
        If ``found`` and ``true`` differ in length.

    Examples
    --------
    >>> errors = count_errors([9, 12, 1], [10, 10, 0])
    >>> {name: round(float(value[0]), 3) for name, value in errors.items()}
    {'count_mae': 1.333, 'count_bias': 0.667, 'count_mape': 15.0}
    """
    counted = np.asarray(found, dtype=np.float64)
    boxed = np.asarray(true, dtype=np.float64)
    if counted.shape != boxed.shape or counted.ndim != 1:
        raise ValueError(
            f"one count a field on both sides; received {counted.shape} and {boxed.shape}"
        )
    taken = np.ones((1, counted.size), dtype=np.int64) if weights is None else weights
    miss = counted - boxed
    holds = boxed > 0
    share = np.divide(np.abs(miss), boxed, out=np.zeros_like(miss), where=holds)
    fields = taken.sum(axis=1)
    return {
        "count_mae": ratio(taken @ np.abs(miss), fields),
        "count_bias": ratio(taken @ miss, fields),
        "count_mape": 100 * ratio(taken @ share, taken @ holds.astype(np.int64)),
    }
