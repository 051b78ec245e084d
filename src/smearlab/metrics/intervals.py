"""Intervals: no figure goes without one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv


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
