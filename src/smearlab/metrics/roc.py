"""Receiver operating characteristics: one type against all others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smearlab.metrics.resampling import ratio


class RocCurve(NamedTuple):
    """Shares of the others and of the type itself that a score threshold lets through.

    Parameters
    ----------
    false_rate : ndarray of float64, shape (P,)
        1 − specificity, rising from 0 to 1; NaN if there are no others.
    true_rate : ndarray of float64, shape (P,)
        Sensitivity, rising from 0 to 1; NaN if the type does not occur.
    thresholds : ndarray of float64, shape (P,)
        A score is let through if it is at least this; falling, the first is infinite. NaN where a
        point stands for several curves.
    """

    false_rate: NDArray[np.float64]
    true_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_curve(scores: ArrayLike, positive: ArrayLike) -> RocCurve:
    """The curve of one type against all others; a point for each distinct score.

    Parameters
    ----------
    scores : array_like of float, shape (N,)
        The higher, the likelier the type.
    positive : array_like of bool, shape (N,)
        Whether it is the type.

    Raises
    ------
    ValueError
        If the lengths differ.

    References
    ----------
    Fawcett, T. (2006). An introduction to ROC analysis. Pattern Recognition Letters 27, 861–874,
    algorithm 1. doi:10.1016/j.patrec.2005.10.010
    """
    score, hit = _pair(scores, positive)
    order = np.argsort(-score, kind="stable")
    score, hit = score[order], hit[order]
    last = np.flatnonzero(np.diff(score, append=-np.inf))  # last of the equals
    true, false = np.cumsum(hit)[last], np.cumsum(~hit)[last]
    return RocCurve(
        ratio(np.concatenate([[0], false]), (~hit).sum()),
        ratio(np.concatenate([[0], true]), hit.sum()),
        np.concatenate([[np.inf], score[last]]),
    )


def roc_auc(
    scores: ArrayLike, positive: ArrayLike, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Area under the curve: how often the type has a higher score than another; ties are half.

    Parameters
    ----------
    scores, positive
        See :func:`roc_curve`.
    weights : ndarray of float64, shape (..., N), optional
        How often each is counted, as :func:`smearlab.metrics.resampling.draw_weights` gives it
        for many resamples at once. All once when left out.

    Returns
    -------
    ndarray of float64, shape (...)
        In [0, 1]; NaN where one of both sides is empty.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    score, hit = _pair(scores, positive)
    counts = np.ones(len(score)) if weights is None else np.asarray(weights, dtype=np.float64)
    if counts.shape[-1] != len(score):
        raise ValueError(f"received {len(score)} scores but {counts.shape[-1]} weights")
    if len(score) == 0:
        return np.full(counts.shape[:-1], np.nan)
    order = np.argsort(score, kind="stable")
    counts, hit = counts[..., order], hit[order]
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # first of the equals
    true = np.add.reduceat(counts * hit, first, axis=-1)
    false = np.add.reduceat(counts * ~hit, first, axis=-1)
    below = np.cumsum(false, axis=-1) - false
    return ratio((true * (below + false / 2)).sum(axis=-1), true.sum(axis=-1) * false.sum(axis=-1))


def micro_average(
    scores: NDArray[np.float64], targets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """All types of all pictures as one problem: is this the type of this picture?

    Parameters
    ----------
    scores : ndarray of float64, shape (N, K)
    targets : ndarray of int64, shape (N,)

    Returns
    -------
    scores : ndarray of float64, shape (N · K,)
        Picture by picture.
    positive : ndarray of bool, shape (N · K,)
    """
    return scores.ravel(), (targets[:, None] == np.arange(scores.shape[1])).ravel()


def macro_curve(curves: Sequence[RocCurve]) -> RocCurve:
    """Mean sensitivity of the curves at each share of false answers.

    Parameters
    ----------
    curves : sequence of RocCurve
        Undefined ones are left out.

    Returns
    -------
    RocCurve
        At every share that one of them has; without thresholds. Empty if none is defined.
    """
    defined = [c for c in curves if not np.isnan([c.false_rate, c.true_rate]).any()]
    if not defined:
        return RocCurve(np.empty(0), np.empty(0), np.empty(0))
    rates = np.unique(np.concatenate([curve.false_rate for curve in defined]))
    heights = np.mean([_height(curve, rates) for curve in defined], axis=0)
    return RocCurve(
        np.concatenate([[0.0], rates]),
        np.concatenate([[0.0], heights]),
        np.full(len(rates) + 1, math.nan),
    )


def _height(curve: RocCurve, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sensitivity at shares of false answers: the upper end of a step, straight in between."""
    top = np.flatnonzero(np.diff(curve.false_rate, append=np.inf))
    return np.interp(rates, curve.false_rate[top], curve.true_rate[top])


def without_straight_points(curve: RocCurve) -> RocCurve:
    """The same curve without the points inside straight runs along an axis.

    Parameters
    ----------
    curve : RocCurve
    """
    if len(curve.false_rate) < 3:
        return curve
    along, up = np.diff(curve.false_rate), np.diff(curve.true_rate)
    turns = ((along[:-1] != 0) | (along[1:] != 0)) & ((up[:-1] != 0) | (up[1:] != 0))
    keep = np.concatenate([[True], turns, [True]])
    return RocCurve(*(values[keep] for values in curve))


def _pair(scores: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    score = np.asarray(scores, dtype=np.float64).ravel()
    hit = np.asarray(positive, dtype=np.bool_).ravel()
    if score.shape != hit.shape:
        raise ValueError(f"received {score.size} scores but {hit.size} outcomes")
    return score, hit
