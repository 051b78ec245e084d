"""Intervals: no figure goes without one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

from smearlab.metrics.resampling import percentile_interval


def clopper_pearson(n: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a binomial share.

    Parameters
    ----------
    n : int
        Successes, ``0 <= n <= total``.
    total : int
        Trials.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Low and high end in [0, 1]; NaN, NaN when ``total`` is 0.

    Raises
    ------
    ValueError
        If ``n`` is not within ``0 … total`` or ``level`` not within (0, 1).

    References
    ----------
    Clopper, C. & Pearson, E. S. (1934). Biometrika 26, 404–413. doi:10.1093/biomet/26.4.404

    Examples
    --------
    >>> low, high = clopper_pearson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4439, 0.9748)
    """
    if not 0 <= n <= total:
        raise ValueError(f"n must lie within 0 … total; received n={n}, total={total}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie within (0, 1); received {level}")
    if total == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    # Quantiles of the beta distribution; scipy.stats has the same, and takes long to import.
    low = 0.0 if n == 0 else float(betaincinv(n, total - n + 1, tail))
    high = 1.0 if n == total else float(betaincinv(n + 1, total - n, 1 - tail))
    return low, high


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval over independent units (fields, images, cells).

    Parameters
    ----------
    statistic : callable
        Takes the indices of a resample, shape ``(n,)``, and returns the figure.
    n : int
        Number of units.
    resamples : int
        How many resamples are drawn with replacement.
    level : float
        Coverage in (0, 1).
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    tuple of float
        Low and high end; NaN, NaN when ``n`` is 0 or no resample defines the figure.
    """
    if n == 0:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    draws = np.array([statistic(rng.integers(0, n, n)) for _ in range(resamples)], dtype=float)
    defined: NDArray[Any] = draws[~np.isnan(draws)]
    if defined.size == 0:
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(
    hits: NDArray[np.bool_], units: NDArray[np.intp], draws: NDArray[Any], level: float = 0.95
) -> tuple[float, float]:
    """Interval of a share of pictures of which some belong together.

    Parameters
    ----------
    hits : ndarray of bool, shape (N,)
        Whether each of the pictures counts.
    units : ndarray of int, shape (N,)
        Number of each one's group; see :func:`smearlab.metrics.resampling.units_of`.
    draws : ndarray of float, shape (R,)
        The share in resamples of whole groups; NaN where one does not define it.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Clopper–Pearson where every picture is a group of its own, else the middle of the draws.
        Where all pictures are alike the draws have no spread, and the groups stand for their
        pictures in Clopper–Pearson. NaN, NaN without a picture, or with a single group of both
        kinds.

    Raises
    ------
    ValueError
        If ``level`` is not within (0, 1).

    Examples
    --------
    >>> alike = share_interval(np.ones(40, bool), np.arange(40) // 10, np.ones(9))
    >>> alike == clopper_pearson(4, 4)
    True
    """
    n, right = len(hits), int(hits.sum())
    groups = len(np.unique(units))
    if groups == n:
        return clopper_pearson(right, n, level)
    if right in (0, n):
        return clopper_pearson(groups if right else 0, groups, level)
    return percentile_interval(draws, level) if groups > 1 else (math.nan, math.nan)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Student interval of the mean of independent values, as of the folds of a k-fold.

    Folds share most of their training pictures, so the interval of their mean is rather too
    narrow than too wide.

    Parameters
    ----------
    values : sequence of float
        One a fold; NaN are left out.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Low and high end; NaN, NaN with fewer than two values.

    Raises
    ------
    ValueError
        If ``level`` is not within (0, 1).

    References
    ----------
    Bengio, Y. & Grandvalet, Y. (2004). No unbiased estimator of the variance of k-fold
    cross-validation. JMLR 5, 1089–1105.

    Examples
    --------
    >>> low, high = mean_interval([0.96, 0.97, 0.98])
    >>> round(low, 4), round(high, 4)
    (0.9452, 0.9948)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie within (0, 1); received {level}")
    defined = np.asarray(values, dtype=np.float64)
    defined = defined[~np.isnan(defined)]
    if defined.size < 2:
        return math.nan, math.nan
    reach = float(stdtrit(defined.size - 1, (1 + level) / 2))
    half = reach * float(defined.std(ddof=1)) / math.sqrt(defined.size)
    return float(defined.mean()) - half, float(defined.mean()) + half
