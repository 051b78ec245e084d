"""Whether confidence can be believed: reliability, calibration error, temperature."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from smearlab.metrics.resampling import ratio

#: Equal bins of confidence over which calibration is measured.
ECE_BINS = 15


class Reliability(NamedTuple):
    """A reliability diagram: the answers sorted into bins by their confidence.

    Parameters
    ----------
    low, high : ndarray of float64, shape (B,)
        Ends of the bins, open below and closed above; 0 falls into the first.
    n : ndarray of int64, shape (B,)
        Answers in the bin.
    confidence, accuracy : ndarray of float64, shape (B,)
        Mean confidence and share of right answers in the bin; NaN where it is empty.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = ECE_BINS) -> Reliability:
    """Sort answers into bins by their confidence.

    Parameters
    ----------
    confidence : array_like of float, shape (N,)
        In [0, 1]: probability of the most probable type.
    right : array_like of bool, shape (N,)
        Whether that type is the true one.
    bins : int
        Equal bins of (0, 1], at least 1.

    Raises
    ------
    ValueError
        If the lengths differ or a confidence lies outside [0, 1].

    Examples
    --------
    >>> diagram = reliability([0.2, 0.9, 0.9], [False, True, False], bins=2)
    >>> diagram.n.tolist(), diagram.accuracy.tolist()
    ([1, 2], [0.0, 0.5])
    """
    sure = np.asarray(confidence, dtype=np.float64).ravel()
    hit = np.asarray(right, dtype=np.float64).ravel()
    index = bin_of(sure, bins)
    if sure.shape != hit.shape:
        raise ValueError(f"received {sure.size} confidences but {hit.size} outcomes")
    n = np.bincount(index, minlength=bins)
    ends = np.arange(bins + 1) / bins
    return Reliability(
        ends[:-1],
        ends[1:],
        n,
        ratio(np.bincount(index, weights=sure, minlength=bins), n),
        ratio(np.bincount(index, weights=hit, minlength=bins), n),
    )


def bin_of(confidence: NDArray[np.float64], bins: int = ECE_BINS) -> NDArray[np.int64]:
    """The bin of each confidence, counted from 0.

    Parameters
    ----------
    confidence : ndarray of float64, shape (N,)
        In [0, 1].
    bins : int
        Equal bins of (0, 1], closed above; 0 falls into the first.

    Raises
    ------
    ValueError
        If a confidence lies outside [0, 1].
    """
    if confidence.size and not ((confidence >= 0) & (confidence <= 1 + 1e-6)).all():
        raise ValueError(
            f"confidences lie in [0, 1]; received {confidence.min():.4g} … {confidence.max():.4g}"
        )
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = ECE_BINS) -> float:
    """Expected calibration error: how far confidence is from the share of right answers.

    Parameters
    ----------
    confidence, right, bins
        See :func:`reliability`.

    Returns
    -------
    float
        In [0, 1]; NaN when there are no answers.

    Raises
    ------
    ValueError
        If the lengths differ or a confidence lies outside [0, 1].

    References
    ----------
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML, eq. 3.
    arXiv:1706.04599

    Examples
    --------
    >>> round(calibration_error([0.9, 0.9, 0.9, 0.9], [True, True, True, False]), 3)
    0.15
    """
    diagram = reliability(confidence, right, bins)
    total = int(diagram.n.sum())
    if total == 0:
        return math.nan
    used = diagram.n > 0
    gaps = np.abs(diagram.confidence - diagram.accuracy)[used]
    return float(gaps @ diagram.n[used]) / total


def negative_log_likelihood(
    logits: NDArray[np.floating], targets: NDArray[np.int64], heat: float = 1.0
) -> NDArray[np.float64]:
    """How unlikely each true type was held to be, in nats.

    Parameters
    ----------
    logits : ndarray of float, shape (N, K)
    targets : ndarray of int64, shape (N,)
        True types, in [0, K).
    heat : float
        Temperature that the logits are divided by, above 0.

    Returns
    -------
    ndarray of float64, shape (N,)
        At least 0.
    """
    scaled = log_softmax(np.asarray(logits, dtype=np.float64) / heat, axis=1)
    return np.asarray(-scaled[np.arange(len(targets)), targets])


def temperature(
    logits: NDArray[np.floating],
    targets: NDArray[np.int64],
    bounds: tuple[float, float] = (0.3, 3.0),
) -> float:
    """Temperature of the least negative log-likelihood (Guo et al. 2017, section 4.2).

    Parameters
    ----------
    logits : ndarray of float, shape (N, K)
        Of cells that were not trained on.
    targets : ndarray of int64, shape (N,)
        Their true classes.
    bounds : tuple of float
        Lowest and highest answer; a network that makes no mistake would otherwise be given 0.

    Returns
    -------
    float
        Within the bounds; logits are to be divided by it. NaN when N is 0.
    """
    if len(targets) == 0:
        return math.nan

    def cost(heat: float) -> float:
        return float(negative_log_likelihood(logits, targets, heat).mean())

    return float(minimize_scalar(cost, bounds=bounds, method="bounded").x)
