"""Mean cosine similarity of pictures, among themselves and with others (paper C, check 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.resampling import ratio, sums_by_unit


def directions_of(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vectors at length 1; those of length 0 stay.

    Parameters
    ----------
    vectors : ndarray of float64, shape (N, D)
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length == 0, 1, length))


def similarity_within(
    vectors: NDArray[np.float64], units: NDArray[np.intp], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Mean cosine of all pairs of different groups in each resample.

    Parameters
    ----------
    vectors : ndarray of float64, shape (N, D)
    units : ndarray of int, shape (N,)
        Number of each picture's group, from 0 to G - 1: pictures of one group are copies or
        parts of one another, and their pairs do not count.
    weights : ndarray of int, shape (R, G)
        How often each group is taken.

    Returns
    -------
    ndarray of float64, shape (R,)
        NaN with a single group.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> similarity_within(x, np.array([0, 1]), np.ones((1, 2))).tolist()
    [0.0]
    """
    n_units = weights.shape[1]
    sums = sums_by_unit(directions_of(vectors), units, n_units)
    sizes = np.bincount(units, minlength=n_units)
    squares = np.square(weights)
    pairs = np.square(weights @ sizes) - squares @ np.square(sizes)
    alike = np.square(weights @ sums).sum(1) - squares @ np.square(sums).sum(1)
    return ratio(alike, pairs)


def similarity_across(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    weights_a: NDArray[Any],
    weights_b: NDArray[Any],
) -> NDArray[np.float64]:
    """Mean cosine of all pairs of two sets in each resample.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    weights_a, weights_b : ndarray of int, shapes (R, N) and (R, M)
        How often each picture is taken.

    Returns
    -------
    ndarray of float64, shape (R,)
    """
    x, y = weights_a @ directions_of(a), weights_b @ directions_of(b)
    return ratio((x * y).sum(1), weights_a.sum(1) * weights_b.sum(1))
