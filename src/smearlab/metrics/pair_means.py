"""Means over pairs of pictures of one set, as of a diversity, and their resamples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.resampling import ratio

Places = NDArray[np.intp]


def drawn_pairs(
    types: NDArray[Any], most: int, *, same: bool, seed: int = 0
) -> tuple[Places, Places]:
    """Pairs of different pictures of one type, or of two types.

    Parameters
    ----------
    types : ndarray, shape (N,)
    most : int
        Pairs that are drawn at most, without replacement; at least 1.
    same : bool
        Whether both are of one type.
    seed : int

    Returns
    -------
    left, right : ndarray of int, shape (P,)
        ``left < right``; in the order of the draw.

    Examples
    --------
    >>> left, right = drawn_pairs(np.array(["a", "b", "a"]), 9, same=True)
    >>> left.tolist(), right.tolist()
    ([0], [2])
    """
    left, right = np.triu_indices(len(types), 1)
    wanted = np.flatnonzero((types[left] == types[right]) == same)
    chosen = np.random.default_rng(seed).permutation(wanted)[:most]
    return left[chosen], right[chosen]


def pair_mean_draws(
    values: NDArray[np.float64], left: Places, right: Places, weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Mean over the pairs in resamples of the pictures.

    Parameters
    ----------
    values : ndarray of float64, shape (P,)
    left, right : ndarray of int, shape (P,)
        The pictures of each pair.
    weights : ndarray of int, shape (R, N)
        How often each picture is taken; a pair counts as often as both together.

    Returns
    -------
    ndarray of float64, shape (R,)
        NaN where a resample holds no pair.
    """
    both = (weights[:, left] * weights[:, right]).astype(np.float64)
    return ratio(both @ values, both.sum(1))
