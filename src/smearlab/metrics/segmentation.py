"""How well drawn cells agree with outlined ones: pixels and objects.

Every figure is a function of sums over fields (:class:`FieldOverlap`), so it is pooled over
fields and bootstrapped by field without looking at a picture twice.

Objects that are not judged. Specks below a stated area are left out on both sides, and so, if
asked, is what the edge of the field cuts: reference outlines often lack such cells. The rule is
COCO's for ignored objects: an ignored true object and whatever matches it, and an ignored found
object that matches no judged true one, count neither for nor against. So a speck that hits a
judged cell is a hit, and a cell missed is missed whatever lies there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.resampling import ratio

#: An object this near to the edge of the field, px, counts as cut by it: outlines and
#: segmenters often stop a pixel or two short.
BORDER_MARGIN_PX = 2
#: A piece is part of a split cell if it holds this share of the cell.
SPLIT_SHARE = 0.2
#: A piece, or a swallowed cell, lies in an object if this share of it does.
INSIDE_SHARE = 0.5


@dataclass(frozen=True)
class FieldOverlap:
    """What one field adds to every figure.

    Parameters
    ----------
    both_px, found_only_px, true_only_px, neither_px : int
        Judged pixels by whether a found and a true object cover them.
    n_true, n_found : int
        Judged objects; a found object that is matched to an ignored true one is not judged,
        which is taken at IoU 0.5.
    hits_50, wrong_50, missed_50 : int
        True positives, false positives, false negatives at IoU ≥ 0.50.
    hits_75, wrong_75, missed_75 : int
        The same at IoU ≥ 0.75.
    iou_sum : float
        Sum of the IoU of the hits at 0.50.
    splits : int
        Judged true objects in two or more pieces: found objects that lie inside it by at least
        half of themselves and each hold at least 20 % of it.
    merges : int
        Found objects that cover two or more judged true objects, each by at least half.
    """

    both_px: int
    found_only_px: int
    true_only_px: int
    neither_px: int
    n_true: int
    n_found: int
    hits_50: int
    wrong_50: int
    missed_50: int
    hits_75: int
    wrong_75: int
    missed_75: int
    iou_sum: float
    splits: int
    merges: int


def overlap(
    found: NDArray[np.integer],
    true: NDArray[np.integer],
    *,
    min_area_px: int = 0,
    ignore_border: bool = False,
) -> FieldOverlap:
    """Compare the labels of one field.

    Pixels of ignored true objects, and those of unjudged found objects that lie on the
    reference's background, are not judged; every pixel of a judged true object is.

    Parameters
    ----------
    found, true : ndarray of int, shape (H, W)
        0 is background, every other value one object, connected or not.
    min_area_px : int
        Objects with fewer pixels are ignored.
    ignore_border : bool
        Whether objects within :data:`BORDER_MARGIN_PX` of the edge are ignored.

    Returns
    -------
    FieldOverlap

    Raises
    ------
    ValueError
        If the shapes differ or are not two-dimensional.
    """
    if found.shape != true.shape or found.ndim != 2:
        raise ValueError(
            f"labels of one field must share one shape (H, W); received found {found.shape} "
            f"and true {true.shape}"
        )
    found_index, n_found = _consecutive(found)
    true_index, n_true = _consecutive(true)
    table = np.bincount(
        true_index.ravel() * (n_found + 1) + found_index.ravel(),
        minlength=(n_true + 1) * (n_found + 1),
    ).reshape(n_true + 1, n_found + 1)
    skip_true = _ignored(true_index, table.sum(axis=1), min_area_px, ignore_border)
    skip_found = _ignored(found_index, table.sum(axis=0), min_area_px, ignore_border)
    shared = table[1:, 1:].astype(np.float64)
    area_true = table[1:].sum(axis=1).astype(np.float64)
    area_found = table[:, 1:].sum(axis=0).astype(np.float64)
    iou = shared / (area_true[:, None] + area_found[None, :] - shared)
    pairs = match_objects(iou, 0.5)
    at_50 = _outcome(pairs, skip_true, skip_found)
    at_75 = _outcome(match_objects(iou, 0.75), skip_true, skip_found)
    judged = [(t, f) for t, f in pairs if not skip_true[t]]
    counted = ~skip_found
    for t, f in pairs:
        counted[f] = not skip_true[t]
    pixels = _judged_pixels(table, ~skip_true, counted)
    pieces = (shared >= SPLIT_SHARE * area_true[:, None]) & (
        shared >= INSIDE_SHARE * area_found[None, :]
    )
    swallowed = (shared >= INSIDE_SHARE * area_true[:, None]) & ~skip_true[:, None]
    return FieldOverlap(
        *pixels,
        n_true=at_50[0] + at_50[2],
        n_found=at_50[0] + at_50[1],
        hits_50=at_50[0],
        wrong_50=at_50[1],
        missed_50=at_50[2],
        hits_75=at_75[0],
        wrong_75=at_75[1],
        missed_75=at_75[2],
        iou_sum=float(sum(iou[t, f] for t, f in judged)),
        splits=int(((pieces.sum(axis=1) >= 2) & ~skip_true).sum()),
        merges=int((swallowed.sum(axis=0) >= 2).sum()),
    )


def _consecutive(labels: NDArray[np.integer]) -> tuple[NDArray[np.int64], int]:
    """Labels 1 … n in order of value, 0 kept, and n."""
    values, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape).astype(np.int64)
    if 0 not in values:
        return index + 1, len(values)
    zero = int(np.searchsorted(values, 0))  # negative values would come first
    order = np.arange(len(values))
    order[:zero] += 1
    order[zero] = 0
    return order[index], len(values) - 1


def _ignored(
    index: NDArray[np.int64], area: NDArray[np.int64], min_area_px: int, border: bool
) -> NDArray[np.bool_]:
    """Per object, background left out: whether it is not judged."""
    skip = area < min_area_px
    if border:
        m = BORDER_MARGIN_PX
        edge = np.concatenate(
            [index[:m].ravel(), index[-m:].ravel(), index[:, :m].ravel(), index[:, -m:].ravel()]
        )
        skip[np.unique(edge)] = True
    return np.asarray(skip[1:], dtype=np.bool_)


def match_objects(iou: NDArray[np.float64], threshold: float) -> list[tuple[int, int]]:
    """One-to-one pairs of true and found objects, greatest overlap first.

    For labels, which do not overlap among themselves, no object has two partners above IoU 0.5,
    so the pairs are unique there; at exactly 0.5 the earlier objects win.

    Parameters
    ----------
    iou : ndarray of float, shape (G, D)
        IoU of true object g and found object d.
    threshold : float
        Pairs reach at least this IoU.

    Returns
    -------
    list of (int, int)
        Indices ``(g, d)``; every index occurs once at most.
    """
    rows, columns = np.nonzero(iou >= threshold)
    order = np.argsort(-iou[rows, columns], kind="stable")
    pairs: list[tuple[int, int]] = []
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    for place in order:
        row, column = int(rows[place]), int(columns[place])
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            pairs.append((row, column))
    return pairs


def _outcome(
    pairs: Sequence[tuple[int, int]], skip_true: NDArray[np.bool_], skip_found: NDArray[np.bool_]
) -> tuple[int, int, int]:
    """Hits, false positives and false negatives among the judged objects."""
    hits = sum(not skip_true[t] for t, _ in pairs)
    free = ~skip_found
    free[[f for _, f in pairs]] = False  # matched: a hit, or paired with an ignored object
    return hits, int(free.sum()), int((~skip_true).sum()) - hits


def _judged_pixels(
    table: NDArray[np.int64], judged_true: NDArray[np.bool_], judged_found: NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    """Pixels covered by both, by found only, by true only, by neither."""
    rows = table[1:][judged_true]
    return (
        int(rows[:, 1:].sum()),
        int(table[0, 1:][judged_found].sum()),
        int(rows[:, 0].sum()),
        int(table[0, 0]),
    )


#: Names of the sums in the order of :func:`sums`.
SUMS = tuple(one.name for one in fields(FieldOverlap))


def sums(overlaps: Sequence[FieldOverlap]) -> NDArray[np.float64]:
    """One row of sums a field.

    Parameters
    ----------
    overlaps : sequence of FieldOverlap
        F of them.

    Returns
    -------
    ndarray of float64, shape (F, 15)
        Columns as in :data:`SUMS`.
    """
    rows = [[float(getattr(one, name)) for name in SUMS] for one in overlaps]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SUMS))


def segmentation_figures(
    rows: NDArray[np.float64], weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """All figures, pooled over fields: sums first, quotients after.

    Parameters
    ----------
    rows : ndarray of float64, shape (F, 15)
        From :func:`sums`.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    dict of str to ndarray of float64, shape (R,)
        Of pixels: ``pixel_accuracy``, ``precision``, ``sensitivity``, ``iou``, ``dice``.
        Of objects: ``object_f1_50``, ``object_f1_75`` (2·TP / (2·TP + FP + FN)),
        ``panoptic_quality`` (sum of the hits' IoU / (TP + FP/2 + FN/2) at 0.5), and the numbers
        of ``splits`` and ``merges``. NaN where undefined.

    References
    ----------
    Kirillov, A. et al. (2019). Panoptic segmentation. CVPR. doi:10.1109/CVPR.2019.00963
    """
    taken = np.ones((1, len(rows)), dtype=np.int64) if weights is None else weights
    total = dict(zip(SUMS, (taken @ rows).T, strict=True))
    both, extra = total["both_px"], total["found_only_px"]
    lost, neither = total["true_only_px"], total["neither_px"]
    halves = {t: total[f"wrong_{t}"] + total[f"missed_{t}"] for t in (50, 75)}
    return {
        "pixel_accuracy": ratio(both + neither, both + extra + lost + neither),
        "precision": ratio(both, both + extra),
        "sensitivity": ratio(both, both + lost),
        "iou": ratio(both, both + extra + lost),
        "dice": ratio(2 * both, 2 * both + extra + lost),
        "object_f1_50": ratio(2 * total["hits_50"], 2 * total["hits_50"] + halves[50]),
        "object_f1_75": ratio(2 * total["hits_75"], 2 * total["hits_75"] + halves[75]),
        "panoptic_quality": ratio(total["iou_sum"], total["hits_50"] + halves[50] / 2),
        "splits": total["splits"],
        "merges": total["merges"],
    }
