"""How well the mask of an element agrees with the true one: area and boundary.

As in :mod:`smearlab.metrics.segmentation`, every figure is a function of sums over fields. That
module judges objects; this one needs none, and leaves out pixels about which nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.resampling import ratio

#: Boundaries this near to each other agree: 2 px where a red cell is 64 px across.
BOUNDARY_TOLERANCE_PX = 2.0
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


@dataclass(frozen=True)
class MaskOverlap:
    """What one field adds to every figure.

    Parameters
    ----------
    both_px, found_only_px, true_only_px, neither_px : int
        Judged pixels by which mask covers them.
    found_edge_px, found_edge_near_px : int
        Judged pixels of the found boundary, and those of them that lie near the true one.
    true_edge_px, true_edge_near_px : int
        The same of the true boundary.
    """

    both_px: int
    found_only_px: int
    true_only_px: int
    neither_px: int
    found_edge_px: int
    found_edge_near_px: int
    true_edge_px: int
    true_edge_near_px: int


def mask_overlap(
    found: NDArray[np.bool_],
    true: NDArray[np.bool_],
    judged: NDArray[np.bool_] | None = None,
    *,
    tolerance_px: float = BOUNDARY_TOLERANCE_PX,
) -> MaskOverlap:
    """Compare two masks of one field.

    The boundary of a mask are its pixels with one of the four neighbours outside it. What lies
    beyond the edge of the field is taken to go on as it is inside, so an edge is no boundary.

    Parameters
    ----------
    found, true : ndarray of bool, shape (H, W)
    judged : ndarray of bool, shape (H, W), optional
        Pixels that count; all when left out. A boundary pixel counts if no pixel within the
        tolerance is unjudged.
    tolerance_px : float
        Greatest distance of boundaries that agree, at least 0.

    Returns
    -------
    MaskOverlap

    Raises
    ------
    ValueError
        If shapes differ, or the tolerance is negative.
    """
    counted = np.ones(true.shape, np.bool_) if judged is None else judged
    if found.ndim != 2 or not found.shape == true.shape == counted.shape:
        raise ValueError(
            f"masks of one field must share one shape (H, W); received found {found.shape}, true "
            f"{true.shape}, judged {counted.shape}"
        )
    if not tolerance_px >= 0:
        raise ValueError(f"tolerance_px must be at least 0; received {tolerance_px}")
    clear = _distance_to(~counted) > tolerance_px
    found_edge, true_edge = boundary(found), boundary(true)
    f, t = found_edge & clear, true_edge & clear
    return MaskOverlap(
        both_px=_count(found & true & counted),
        found_only_px=_count(found & ~true & counted),
        true_only_px=_count(~found & true & counted),
        neither_px=_count(~found & ~true & counted),
        found_edge_px=_count(f),
        found_edge_near_px=_count(f & (_distance_to(true_edge) <= tolerance_px)),
        true_edge_px=_count(t),
        true_edge_near_px=_count(t & (_distance_to(found_edge) <= tolerance_px)),
    )


def boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that have one of their four neighbours outside it.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.zeros((5, 5), bool)
    >>> mask[1:4, 1:4] = True
    >>> int(boundary(mask).sum()), int(boundary(np.ones((5, 5), bool)).sum())
    (8, 0)
    """
    inner = cv2.erode(mask.astype(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(mask & (inner == 0), np.bool_)


def _distance_to(pixels: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance to the nearest true pixel, px; infinite where there is none."""
    if not pixels.any():
        return np.full(pixels.shape, np.inf, np.float32)
    away = (~pixels).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _count(pixels: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(pixels))


#: Names of the sums in the order of :func:`overlap_rows`.
OVERLAP_SUMS = tuple(one.name for one in fields(MaskOverlap))


def overlap_rows(overlaps: Sequence[MaskOverlap]) -> NDArray[np.float64]:
    """One row of sums a field.

    Parameters
    ----------
    overlaps : sequence of MaskOverlap
        F of them.

    Returns
    -------
    ndarray of float64, shape (F, 8)
        Columns as in :data:`OVERLAP_SUMS`.
    """
    rows = [[float(getattr(one, name)) for name in OVERLAP_SUMS] for one in overlaps]
    return np.array(rows, np.float64).reshape(len(rows), len(OVERLAP_SUMS))


def overlap_figures(
    rows: NDArray[np.float64], weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """All figures, pooled over fields: sums first, quotients after.

    Parameters
    ----------
    rows : ndarray of float64, shape (F, 8)
        From :func:`overlap_rows`, of fields or of groups of fields.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    dict of str to ndarray of float64, shape (R,)
        ``dice``, ``iou``, ``precision``, ``sensitivity`` of pixels; ``boundary_f1``, the harmonic
        mean of the share of the found boundary that lies near the true one, and of the share of
        the true boundary that lies near the found one. NaN where undefined: without the element
        on both sides.

    References
    ----------
    Csurka, G., Larlus, D. & Perronnin, F. (2013). What is a good evaluation measure for semantic
    segmentation? BMVC. doi:10.5244/C.27.32
    """
    taken = np.ones((1, len(rows)), dtype=np.int64) if weights is None else weights
    total = dict(zip(OVERLAP_SUMS, (taken @ rows).T, strict=True))
    both, extra, lost = total["both_px"], total["found_only_px"], total["true_only_px"]
    return {
        "dice": ratio(2 * both, 2 * both + extra + lost),
        "iou": ratio(both, both + extra + lost),
        "precision": ratio(both, both + extra),
        "sensitivity": ratio(both, both + lost),
        "boundary_f1": _boundary_f1(total),
    }


def _boundary_f1(total: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """NaN without any boundary; 0 where only one side has one."""
    n_found, n_true = total["found_edge_px"], total["true_edge_px"]
    precision = ratio(total["found_edge_near_px"], n_found)
    recall = ratio(total["true_edge_near_px"], n_true)
    f1 = ratio(2 * precision * recall, precision + recall)
    f1[(precision == 0) & (recall == 0)] = 0.0
    f1[(n_found > 0) != (n_true > 0)] = 0.0
    return f1
