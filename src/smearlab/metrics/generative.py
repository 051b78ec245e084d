"""How far generated pictures are from real ones: FID, KID, inception score and PSI.

All take features or probabilities that some network made of the pictures; a figure means nothing
without the name of that network. Counts as ``weights`` say how often each picture is taken, as
:func:`smearlab.metrics.resampling.draw_weights` draws them: so the figures are resampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from smearlab.metrics.resampling import Interval, percentile_interval, ratio

Features = NDArray[np.float64]
Counts = NDArray[Any]
#: Pictures of one subset of KID at most.
MOST_OF_SUBSET = 1000


@dataclass(frozen=True)
class SubsetMean:
    """A figure as the mean over parts of the pictures.

    Parameters
    ----------
    value, deviation : float
        Mean, and standard deviation from part to part; NaN with one part.
    parts, size : int
        How many parts, of how many pictures each.
    """

    value: float
    deviation: float
    parts: int
    size: int


def frechet_distance(
    a: Features,
    b: Features,
    weights_a: Counts | None = None,
    weights_b: Counts | None = None,
) -> float:
    """Squared Fréchet distance of two Gaussians with the sets' means and covariances: the FID.

    ``|μa - μb|² + tr Σa + tr Σb - 2 tr (Σa Σb)^½``. With roots ``Σ = RᵀR`` the last trace is the
    sum of the singular values of ``Ra Rbᵀ``: no square root is taken of a matrix that may be
    singular. With fewer pictures than dimensions the covariances have not full rank; the figure
    is defined all the same, but more pictures give a lower one. Compare sets of one size.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    weights_a, weights_b : ndarray of int, shapes (N,) and (M,), optional
        How often each row is taken; once when left out.

    Returns
    -------
    float
        At least 0; NaN with fewer than two rows in a set.

    Raises
    ------
    ValueError
        If the arrays are not of two dimensions, or differ in D.

    References
    ----------
    Heusel, M. et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash
    equilibrium. NeurIPS 30. arXiv:1706.08500

    Examples
    --------
    >>> a = np.array([[0.0], [2.0]])
    >>> frechet_distance(a, a + 3)
    9.0
    """
    check_features(a, b)
    first, second = _root(a, weights_a), _root(b, weights_b)
    if first is None or second is None:
        return math.nan
    (mean_a, root_a), (mean_b, root_b) = first, second
    shared = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    apart = np.square(mean_a - mean_b).sum()
    spread = np.square(root_a).sum() + np.square(root_b).sum() - 2 * shared
    return float(apart + max(0.0, spread))


def _root(x: Features, weights: Counts | None) -> tuple[Features, Features] | None:
    """Mean, and R with RᵀR the unbiased covariance; None without one."""
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    n = w.sum()
    if n < 2:
        return None
    mean = w @ x / n
    taken = w > 0
    rows = (x[taken] - mean) * np.sqrt(w[taken] / (n - 1))[:, None]
    # The triangle of a QR has the same RᵀR with fewer rows.
    if len(rows) > rows.shape[1]:
        rows = np.asarray(np.linalg.qr(rows, mode="r"))
    return mean, rows


def kernel_distance(
    a: Features, b: Features, subsets: int = 100, size: int | None = None, seed: int = 0
) -> SubsetMean:
    """Kernel distance (KID): mean unbiased squared MMD of subsets, kernel ``(x·y / D + 1)³``.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    subsets : int
        How many are drawn; at least 1.
    size : int, optional
        Pictures of each set in a subset, without replacement. When left out, half of the smaller
        set and at most 1000; all of a set would leave no deviation.
    seed : int
        Of the draws.

    Returns
    -------
    SubsetMean
        Not biased by the number of pictures; may be below 0. NaN with fewer than two pictures.

    Raises
    ------
    ValueError
        If arrays do not fit, or there are not so many pictures.

    References
    ----------
    Bińkowski, M. et al. (2018). Demystifying MMD GANs. ICLR. arXiv:1801.01401
    """
    check_features(a, b)
    least = min(len(a), len(b))
    if least < 2:
        return SubsetMean(math.nan, math.nan, 0, least)
    size = min(MOST_OF_SUBSET, max(2, least // 2)) if size is None else size
    if subsets < 1 or not 2 <= size <= least:
        raise ValueError(
            f"subsets must be at least 1 and size 2 to {least}; received {subsets} and {size}"
        )
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(subsets):
        x = a[rng.permutation(len(a))[:size]]
        y = b[rng.permutation(len(b))[:size]]
        found.append(kernel_discrepancy(x, y))
    deviation = float(np.std(found, ddof=1)) if subsets > 1 else math.nan
    return SubsetMean(float(np.mean(found)), deviation, subsets, size)


def kernel_discrepancy(a: Features, b: Features) -> float:
    """Unbiased squared MMD of all pictures at once; see :func:`kernel_distance`."""
    one = np.ones((1, len(a)), np.int64), np.ones((1, len(b)), np.int64)
    return float(kernel_draws(a, b, *one)[0])


def kernel_draws(
    a: Features, b: Features, weights_a: Counts, weights_b: Counts
) -> NDArray[np.float64]:
    """Unbiased squared MMD in resamples; a picture is never paired with a copy of itself.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    weights_a, weights_b : ndarray of int, shapes (R, N) and (R, M)

    Returns
    -------
    ndarray of float64, shape (R,)
        NaN where a resample holds one picture only.
    """
    wa, wb = weights_a.astype(np.float64), weights_b.astype(np.float64)
    within = _within(a, wa) + _within(b, wb)
    across = (wa @ _kernel(a, b) * wb).sum(1) / (wa.sum(1) * wb.sum(1))
    return np.asarray(within - 2 * across)


def _within(x: Features, w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean kernel of two different pictures of a set, shape (R,)."""
    kernel = _kernel(x, x)
    np.fill_diagonal(kernel, 0.0)
    return ratio((w @ kernel * w).sum(1), w.sum(1) ** 2 - np.square(w).sum(1))


def _kernel(x: Features, y: Features) -> NDArray[np.float64]:
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3)


def inception_score(
    probabilities: NDArray[np.float64], splits: int = 10, seed: int = 0
) -> SubsetMean:
    """How sure a classifier is of each picture, and how evenly all types are answered.

    ``exp(E KL(p(y|x) ‖ p(y)))``: from 1 to the number of classes K, which is reached where every
    picture is one class for certain and all are equally frequent. Scores of networks with
    different K do not compare, and real pictures of uneven types do not reach K either.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (N, K)
    splits : int
        Parts, shuffled by ``seed``; 1 for all pictures at once.
    seed : int

    Returns
    -------
    SubsetMean

    Raises
    ------
    ValueError
        If a row does not sum to 1, or there are more parts than pictures.

    References
    ----------
    Salimans, T. et al. (2016). Improved techniques for training GANs. NeurIPS 29.
    arXiv:1606.03498
    """
    if probabilities.ndim != 2 or not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise ValueError("probabilities must have shape (N, K) and rows that sum to 1")
    n = len(probabilities)
    if not 1 <= splits <= n:
        raise ValueError(f"splits must lie within 1 to {n}, the pictures; received {splits}")
    order = np.random.default_rng(seed).permutation(n)
    parts = np.array_split(probabilities[order], splits)
    scores = [float(score_draws(part, np.ones((1, len(part))))[0]) for part in parts]
    deviation = float(np.std(scores, ddof=1)) if splits > 1 else math.nan
    return SubsetMean(float(np.mean(scores)), deviation, splits, n // splits)


def score_draws(probabilities: NDArray[np.float64], weights: Counts) -> NDArray[np.float64]:
    """Inception score of all pictures of each resample.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (N, K)
    weights : ndarray of int, shape (R, N)

    Returns
    -------
    ndarray of float64, shape (R,)
    """
    total = weights.sum(1, keepdims=True)
    sure = ratio(weights @ xlogy(probabilities, probabilities).sum(1), total[:, 0])
    marginal = ratio(weights @ probabilities, total)
    return np.asarray(np.exp(sure - xlogy(marginal, marginal).sum(1)))


def paired_distances(a: Features, b: Features) -> NDArray[np.float64]:
    """Distance of the features of each pair; its mean is the PSI of paper B.

    Parameters
    ----------
    a, b : ndarray of float64, shape (N, D)
        Row by row a picture and what was generated for it.

    Returns
    -------
    ndarray of float64, shape (N,)

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Khan et al. (2024), RWP-GAN, equation 16: ``(1/N) Σ ‖f(xᵢ) - f(G(zᵢ))‖₂``. For pictures that
    are made from noise the paper does not say which pairs are meant.
    """
    if a.shape != b.shape:
        raise ValueError(f"pairs need features of one shape; received {a.shape} and {b.shape}")
    check_features(a, b)
    return np.asarray(np.linalg.norm(a - b, axis=1))


def centred_interval(
    draws: NDArray[np.float64], value: float, floor: float = -math.inf, level: float = 0.95
) -> Interval:
    """Interval of a figure that resampling raises, such as a distance of distributions.

    A resample holds fewer different pictures than the set, so distances in it are larger and
    the plain percentile interval may lie above the figure itself. Here the draws are moved so
    that their mean is the figure; their spread is kept.

    Parameters
    ----------
    draws : ndarray of float64, shape (R,)
    value : float
        The figure of the set.
    floor : float
        Below which the figure cannot lie.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Low and high end; NaN, NaN when no draw or no value is defined.

    Examples
    --------
    >>> centred_interval(np.array([5.0, 7.0]), 2.0, floor=0.0, level=0.5)
    (1.5, 2.5)
    """
    defined = draws[~np.isnan(draws)]
    if not defined.size or math.isnan(value):
        return math.nan, math.nan
    low, high = percentile_interval(defined - defined.mean() + value, level)
    return max(floor, low), max(floor, high)


def check_features(a: NDArray[Any], b: NDArray[Any]) -> None:
    """Refuse features that cannot be compared.

    Raises
    ------
    ValueError
        If they are not of shapes (N, D) and (M, D), or hold numbers that are not finite.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"features must have shapes (N, D) and (M, D); received {a.shape} and {b.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features hold numbers that are not finite; look at the pictures")
