"""Wasserstein distances of features: along each of them, and along random directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.generative import check_features

Features = NDArray[np.float64]


def per_feature_wasserstein(a: Features, b: Features) -> NDArray[np.float64]:
    """Distance of order 1 of the distributions of each feature: the area between their CDFs.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)

    Returns
    -------
    ndarray of float64, shape (D,)

    Raises
    ------
    ValueError
        If the arrays do not fit, or a set has no row.

    Examples
    --------
    >>> per_feature_wasserstein(np.array([[0.0, 1.0]]), np.array([[3.0, 1.0]])).tolist()
    [3.0, 0.0]
    """
    one = (np.ones((1, len(a))), np.ones((1, len(b))))
    return np.asarray(wasserstein_draws(a, b, *one)[0])


def wasserstein_draws(
    a: Features, b: Features, weights_a: NDArray[Any], weights_b: NDArray[Any]
) -> NDArray[np.float64]:
    """:func:`per_feature_wasserstein` in resamples; the pictures are put in order once.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    weights_a, weights_b : ndarray of int, shapes (R, N) and (R, M)
        How often each picture is taken.

    Returns
    -------
    ndarray of float64, shape (R, D)

    Raises
    ------
    ValueError
        If the arrays do not fit, or a set has no picture.
    """
    check_features(a, b)
    if not (weights_a.sum(1).all() and weights_b.sum(1).all()):
        raise ValueError("a distance needs a picture in both sets; received none in one")
    values = np.concatenate([a, b])
    order = np.argsort(values, axis=0, kind="stable")
    steps = np.diff(np.take_along_axis(values, order, axis=0), axis=0)
    found = []
    for wa, wb in zip(weights_a, weights_b, strict=True):
        jumps = np.concatenate([wa / wa.sum(), -wb / wb.sum()])
        between = np.abs(np.cumsum(jumps[order], axis=0))[:-1]
        found.append((between * steps).sum(axis=0))
    return np.array(found)


def directions(dimensions: int, n: int = 128, seed: int = 0) -> NDArray[np.float64]:
    """Random directions of length 1, evenly spread over the sphere.

    Parameters
    ----------
    dimensions, n : int
        Of the features, and how many directions.
    seed : int

    Returns
    -------
    ndarray of float64, shape (D, n)
    """
    drawn = np.random.default_rng(seed).normal(size=(dimensions, n))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=0))


def sliced_wasserstein(a: Features, b: Features, n_directions: int = 128, seed: int = 0) -> float:
    """Mean distance of order 1 along random directions.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (N, D) and (M, D)
    n_directions, seed : int
        See :func:`directions`.

    References
    ----------
    Bonneel, N., Rabin, J., Peyré, G. & Pfister, H. (2015). Sliced and Radon Wasserstein barycenters
    of measures. Journal of Mathematical Imaging and Vision 51, 22–45.
    doi:10.1007/s10851-014-0506-3
    """
    check_features(a, b)
    along = directions(a.shape[1], n_directions, seed)
    return float(per_feature_wasserstein(a @ along, b @ along).mean())
