"""The bootstrap as weights: one draw says how often each unit is taken."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]


def draw_weights(n: int, *, resamples: int = 1000, seed: int = 0) -> NDArray[np.int64]:
    """How often each of ``n`` units is taken by each resample with replacement.

    A figure that is a function of sums over units needs no loop over resamples: the sums are
    ``weights @ values``. The draws are those of :func:`smearlab.metrics.intervals.bootstrap`
    with the same seed, so both give the same interval.

    Parameters
    ----------
    n : int
        Units (fields, pictures); 0 is allowed.
    resamples : int
        Draws, at least 1.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    ndarray of int64, shape (resamples, n)
        Every row sums to ``n``.

    Raises
    ------
    ValueError
        If ``n`` is negative or ``resamples`` is below 1.

    Examples
    --------
    >>> draw_weights(4, resamples=3).sum(axis=1).tolist()
    [4, 4, 4]
    """
    if n < 0 or resamples < 1:
        raise ValueError(f"need n >= 0 and resamples >= 1; received n={n}, resamples={resamples}")
    weights = np.zeros((resamples, n), dtype=np.int64)
    if n == 0:
        return weights
    rng = np.random.default_rng(seed)
    for row in weights:
        row += np.bincount(rng.integers(0, n, n), minlength=n)
    return weights


def units_of(groups: NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    """Number the groups whose members stay together in a resample.

    Parameters
    ----------
    groups : ndarray, shape (N,)
        Name of each one's group.

    Returns
    -------
    units : ndarray of int, shape (N,)
        Number of each one's group, from 0.
    n_units : int

    Examples
    --------
    >>> units, n = units_of(np.array(["b", "a", "b"]))
    >>> units.tolist(), n
    ([1, 0, 1], 2)
    """
    names, units = np.unique(groups, return_inverse=True)
    return units.reshape(-1), len(names)


def sums_by_unit(
    values: NDArray[Any], units: NDArray[np.intp], n_units: int
) -> NDArray[np.float64]:
    """Sums over the members of each group; ``weights @`` them gives those of the resamples.

    Parameters
    ----------
    values : ndarray, shape (N, ...)
    units : ndarray of int, shape (N,)
        See :func:`units_of`.
    n_units : int

    Returns
    -------
    ndarray of float64, shape (n_units, ...)
    """
    sums = np.zeros((n_units, *values.shape[1:]), dtype=np.float64)
    np.add.at(sums, units, values)
    return sums


def percentile_interval(draws: NDArray[Any], level: float = 0.95) -> Interval:
    """The interval that holds the middle ``level`` of bootstrap draws.

    Parameters
    ----------
    draws : ndarray of float, shape (resamples,)
        The figure in each resample; NaN where a resample does not define it.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Low and high end; NaN, NaN when no draw is defined.

    Raises
    ------
    ValueError
        If ``level`` is not within (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie within (0, 1); received {level}")
    defined = np.asarray(draws, dtype=float)
    defined = defined[~np.isnan(defined)]
    if defined.size == 0:
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def ratio(numerator: Any, denominator: Any) -> NDArray[np.float64]:
    """Elementwise quotient that is NaN, not 0, where the denominator is 0.

    Parameters
    ----------
    numerator, denominator : array_like
        Of shapes that broadcast.

    Returns
    -------
    ndarray of float64
        The broadcast shape.

    Examples
    --------
    >>> ratio([1, 2], [2, 0]).tolist()
    [0.5, nan]
    """
    top, bottom = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    quotient: NDArray[np.float64] = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=quotient, where=bottom != 0)
    return quotient
