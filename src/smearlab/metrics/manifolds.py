"""Which pictures lie among the others: precision and recall, density and coverage, neighbours.

A set of pictures covers the balls around its members that reach to the k-th neighbour in the set.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.generative import check_features

Features = NDArray[np.float64]
#: Neighbours of precision and recall (Kynkäänniemi et al.), and of density and coverage (Naeem).
K_PRECISION, K_DENSITY = 3, 5
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Improved precision and recall, picture by picture.

    Parameters
    ----------
    fake_inside : ndarray of bool, shape (M,)
        Whether each generated picture lies among the real ones.
    real_inside : ndarray of bool, shape (N,)
        Whether each real picture lies among the generated ones.
    """

    fake_inside: NDArray[np.bool_]
    real_inside: NDArray[np.bool_]

    @property
    def precision(self) -> float:
        """Share of generated pictures that could be real."""
        return float(self.fake_inside.mean())

    @property
    def recall(self) -> float:
        """Share of real pictures that could have been generated."""
        return float(self.real_inside.mean())


@dataclass(frozen=True, eq=False)
class DensityCoverage:
    """Density and coverage, picture by picture.

    Parameters
    ----------
    densities : ndarray of float64, shape (M,)
        Balls of real pictures that each generated one lies in, over k.
    covered : ndarray of bool, shape (N,)
        Whether a generated picture lies in the ball of each real one.
    """

    densities: NDArray[np.float64]
    covered: NDArray[np.bool_]

    @property
    def density(self) -> float:
        """1 where both sets are of one distribution; may be above it."""
        return float(self.densities.mean())

    @property
    def coverage(self) -> float:
        """Share of real pictures with a generated one near to them."""
        return float(self.covered.mean())


def precision_recall(real: Features, fake: Features, k: int = K_PRECISION) -> PrecisionRecall:
    """Improved precision and recall.

    Parameters
    ----------
    real, fake : ndarray of float64, shapes (N, D) and (M, D)
        Of more than k pictures each.
    k : int
        Which neighbour the balls reach to.

    Raises
    ------
    ValueError
        If arrays do not fit, or a set has no k neighbours.

    References
    ----------
    Kynkäänniemi, T. et al. (2019). Improved precision and recall metric for assessing generative
    models. NeurIPS 32. arXiv:1904.06991
    """
    check_features(real, fake)
    return PrecisionRecall(_inside(fake, real, k), _inside(real, fake, k))


def _inside(queries: Features, members: Features, k: int) -> NDArray[np.bool_]:
    balls = radii(members, k)
    return np.concatenate(
        [
            (distances(queries[n : n + _BLOCK], members) <= balls).any(1)
            for n in range(0, len(queries), _BLOCK)
        ]
    )


def density_coverage(real: Features, fake: Features, k: int = K_DENSITY) -> DensityCoverage:
    """Density and coverage: as precision and recall, without the reach of outliers.

    Parameters
    ----------
    real, fake : ndarray of float64, shapes (N, D) and (M, D)
        More than k real ones, at least one generated.
    k : int

    Raises
    ------
    ValueError
        If arrays do not fit, or the real set has no k neighbours.

    References
    ----------
    Naeem, M. F. et al. (2020). Reliable fidelity and diversity metrics for generative models. ICML.
    arXiv:2002.09797
    """
    check_features(real, fake)
    balls = radii(real, k)
    densities, nearest = [], np.full(len(real), math.inf)
    for n in range(0, len(fake), _BLOCK):
        apart = distances(fake[n : n + _BLOCK], real)
        densities.append((apart <= balls).sum(1) / k)
        nearest = np.minimum(nearest, apart.min(0))
    return DensityCoverage(np.concatenate(densities), nearest <= balls)


def radii(members: Features, k: int) -> NDArray[np.float64]:
    """Distance of each picture to its k-th neighbour in the set, shape (N,).

    Raises
    ------
    ValueError
        If there are not more than k pictures.
    """
    if not 1 <= k < len(members):
        raise ValueError(
            f"k must lie within 1 to {len(members) - 1}, one less than the pictures; received {k}"
        )
    found = []
    for n in range(0, len(members), _BLOCK):
        apart = distances(members[n : n + _BLOCK], members)
        rows = np.arange(len(apart))
        apart[rows, n + rows] = -1.0  # itself comes first, whatever the rounding
        found.append(np.partition(apart, k, axis=1)[:, k])
    return np.concatenate(found)


def nearest(queries: Features, members: Features) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest member to each query.

    Parameters
    ----------
    queries, members : ndarray of float64, shapes (N, D) and (M, D)

    Returns
    -------
    places : ndarray of int, shape (N,)
    apart : ndarray of float64, shape (N,)
        Euclidean distances.

    Raises
    ------
    ValueError
        If arrays do not fit, or there is no member.
    """
    check_features(queries, members)
    if not len(members):
        raise ValueError("there is no picture to be near to")
    places = [
        distances(queries[n : n + _BLOCK], members).argmin(1)
        for n in range(0, len(queries), _BLOCK)
    ]
    chosen = np.concatenate([*places, np.empty(0, np.intp)]).astype(np.intp)
    return chosen, np.asarray(np.linalg.norm(queries - members[chosen], axis=1))


def nearest_version(
    versions: Iterable[Features], members: Features
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The nearest member to each query in any of its versions, as mirrored or turned ones.

    Parameters
    ----------
    versions : iterable of ndarray of float64, each of shape (N, D)
        At least one; the same queries in the same order.
    members : ndarray of float64, shape (M, D)

    Returns
    -------
    version, places : ndarray of int, shape (N,)
    apart : ndarray of float64, shape (N,)
        Euclidean distances.

    Raises
    ------
    ValueError
        If arrays do not fit, or there is no version or no member.
    """
    found = [nearest(version, members) for version in versions]
    if not found:
        raise ValueError("there is no version of the pictures to compare")
    apart = np.stack([one[1] for one in found])
    version = apart.argmin(0)
    every = np.arange(apart.shape[1])
    return version, np.stack([one[0] for one in found])[version, every], apart[version, every]


def distances(a: Features, b: Features) -> NDArray[np.float64]:
    """Euclidean distance of every pair, shape (N, M)."""
    middle = b.mean(0) if len(b) else 0.0  # less is lost in the difference of large squares
    x, y = a - middle, b - middle
    squares = np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Whether generated pictures lie closer to training pictures than other real ones do.

    Parameters
    ----------
    places : ndarray of int, shape (M,)
        The nearest training picture to each generated one.
    apart, held_out_apart : ndarray of float64, shapes (M,) and (H,)
        Distance of each generated, and of each held-out real picture, to the nearest training
        picture.
    quantile, threshold : float
        The share of held-out pictures that is nearer than the threshold.
    """

    places: NDArray[np.intp]
    apart: NDArray[np.float64]
    held_out_apart: NDArray[np.float64]
    quantile: float
    threshold: float

    @property
    def copied(self) -> NDArray[np.bool_]:
        """Which generated pictures are nearer than the threshold, shape (M,)."""
        return self.apart < self.threshold

    @property
    def rate(self) -> float:
        """Their share; about the quantile where nothing was memorised."""
        return float(self.copied.mean())


def memorisation(
    train: Features, fake: Features, held_out: Features, quantile: float = 0.05
) -> Memorisation:
    """Compare distances to the training pictures with those of real pictures beside them.

    Parameters
    ----------
    train, fake, held_out : ndarray of float64, shapes (N, D), (M, D) and (H, D)
        Features, or pixels; at least one row each. Held-out pictures must share no group with
        those of training, or their distances are too small.
    quantile : float
        In (0, 1).

    Raises
    ------
    ValueError
        If arrays do not fit, a set is empty, or the quantile is out of range.
    """
    places, apart = nearest(fake, train)
    _, beside = nearest(held_out, train)
    return as_near(places, apart, beside, quantile)


def as_near(
    places: NDArray[np.intp],
    apart: NDArray[np.float64],
    held_out_apart: NDArray[np.float64],
    quantile: float = 0.05,
) -> Memorisation:
    """:func:`memorisation` of distances that are known.

    Parameters
    ----------
    places, apart, held_out_apart
        As :class:`Memorisation` has them.
    quantile : float
        In (0, 1).

    Raises
    ------
    ValueError
        If a set is empty, or the quantile is out of range.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must lie within (0, 1); received {quantile}")
    if not len(held_out_apart) or not len(apart):
        raise ValueError("memorisation needs generated and held-out pictures; received none")
    threshold = float(np.quantile(held_out_apart, quantile))
    return Memorisation(places, apart, held_out_apart, quantile, threshold)
