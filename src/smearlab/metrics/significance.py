"""Whether one model is better than another on the same pictures, or only luckier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from smearlab.metrics.resampling import percentile_interval


class McNemar(NamedTuple):
    """Exact test of two models that answered the same pictures.

    Parameters
    ----------
    first_only, second_only : int
        Pictures that only one of both answered right.
    p : float
        Two-sided probability of so uneven a split, were both equally good; 1 if they never
        differ.
    """

    first_only: int
    second_only: int
    p: float


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    """Exact McNemar test: a binomial test of the pictures on which the models differ.

    It takes the pictures as independent. Where several come from one source, believe
    :func:`paired_difference` by group instead.

    Parameters
    ----------
    first_right, second_right : array_like of bool, shape (N,)
        Whether each model answered the picture right; the same pictures in the same order.

    Raises
    ------
    ValueError
        If the lengths differ.

    References
    ----------
    McNemar, Q. (1947). Psychometrika 12, 153–157. doi:10.1007/BF02295996

    Examples
    --------
    >>> result = mcnemar([True] * 5 + [False], [False] * 5 + [True])
    >>> result.first_only, result.second_only, round(result.p, 5)
    (5, 1, 0.21875)
    """
    first = np.asarray(first_right, dtype=np.bool_).ravel()
    second = np.asarray(second_right, dtype=np.bool_).ravel()
    if first.shape != second.shape:
        raise ValueError(f"received {first.size} answers of one model, {second.size} of the other")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    if differ == 0:
        return McNemar(0, 0, 1.0)
    tail = float(bdtr(min(only_first, only_second), differ, 0.5))
    return McNemar(only_first, only_second, min(1.0, 2 * tail))


class Difference(NamedTuple):
    """How much better the first model is than the second.

    Parameters
    ----------
    value : float
        First minus second.
    interval : tuple of float
        Ends of its bootstrap interval.
    p : float
        Two-sided; at least 2 / (R + 1), as R resamples can tell no more.
    """

    value: float
    interval: tuple[float, float]
    p: float


def paired_difference(value: float, draws: NDArray[Any], level: float = 0.95) -> Difference:
    """A difference with its paired bootstrap interval and test.

    Parameters
    ----------
    value : float
        First minus second on all pictures.
    draws : ndarray of float, shape (R,)
        First minus second in each resample, the same resample for both; NaN where it is
        undefined.
    level : float
        Coverage of the interval in (0, 1).

    Returns
    -------
    Difference
        The test turns the interval round: p is the level at which it just holds 0. NaN when no
        draw is defined.

    References
    ----------
    Efron, B. & Tibshirani, R. J. (1993). An Introduction to the Bootstrap, sections 13.3 and
    15.4.
    """
    defined = np.asarray(draws, dtype=np.float64)
    defined = defined[~np.isnan(defined)]
    if not defined.size:
        return Difference(value, (math.nan, math.nan), math.nan)
    below, above = int((defined <= 0).sum()), int((defined >= 0).sum())
    p = min(1.0, 2 * (min(below, above) + 1) / (defined.size + 1))
    return Difference(value, percentile_interval(defined, level), p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Raise the p of several tests so that they may be believed together.

    Parameters
    ----------
    p_values : sequence of float
        In [0, 1]; those that are NaN stay so and are not counted.

    Returns
    -------
    list of float
        In the same order.

    References
    ----------
    Holm, S. (1979). Scandinavian Journal of Statistics 6, 65–70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    raised = np.full(p.shape, np.nan)
    tested = [int(place) for place in np.argsort(p) if not math.isnan(p[place])]
    highest = 0.0
    for rank, place in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * float(p[place])))
        raised[place] = highest
    return [float(value) for value in raised]
