"""Stains found as the two extremes of the plane that densities lie in (Macenko et al. 2009)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import Floats, density
from smearlab.stain.ground import FEWEST_STAINED, STAINED
from smearlab.stain.stains import Matrix, TooPlainError, amounts, most, ordered

#: The paper's: pixels below this density are left out, and this percentile of angles at each end.
BETA, ALPHA = STAINED, 1.0


def stain_plane(optical: NDArray[np.floating], alpha: float = ALPHA) -> Matrix:
    """The directions of the two stains.

    Densities of two dyes lie in a plane, that of the two largest eigenvectors of their covariance.
    In it the stains are the extreme angles, robustly: the percentiles ``alpha`` and
    ``100 - alpha``.

    Parameters
    ----------
    optical : ndarray of float, shape (N, 3)
        Densities of stained pixels.
    alpha : float
        In (0, 50).

    Returns
    -------
    ndarray of float64, shape (3, 2)
        See :func:`smearlab.stain.stains.ordered`.

    Raises
    ------
    TooPlainError
        If there are too few pixels, or they lie on a line.

    References
    ----------
    Macenko, M. et al. (2009). A method for normalizing histology slides for quantitative analysis.
    ISBI 2009, 1107-1110. doi:10.1109/ISBI.2009.5193250
    """
    if len(optical) < FEWEST_STAINED:
        raise TooPlainError(
            f"{len(optical)} of its pixels are stained, too few to tell two stains; leave it out"
        )
    values = np.asarray(optical, np.float64)
    _, vectors = np.linalg.eigh(np.cov(values.T))
    plane = vectors[:, [2, 1]]
    if (values @ plane[:, 0]).mean() < 0:  # an eigenvector has no sense; angles need one
        plane[:, 0] *= -1
    across = values @ plane
    angles = np.arctan2(across[:, 1], across[:, 0])
    low, high = np.percentile(angles, [alpha, 100 - alpha])
    ends = [plane @ np.array([np.cos(angle), np.sin(angle)]) for angle in (low, high)]
    return ordered(*ends)


def measure(through: Floats, published: bool = False) -> dict[str, NDArray[np.float64]]:
    """The stains of pixels, and the most of each.

    Parameters
    ----------
    through : ndarray of float32, shape (N, 3)
        Transmittances; of stained pixels, unless ``published``.
    published : bool
        Of all pixels: those with a channel below :data:`BETA` are left out of the plane.

    Returns
    -------
    dict of str to ndarray of float64
        ``stains`` (3, 2), ``most`` (2,).

    Raises
    ------
    TooPlainError
        If two stains cannot be told.
    """
    optical = density(through)
    dense = optical[(optical >= BETA).all(-1)] if published else optical
    stains = stain_plane(dense)
    return {"stains": stains, "most": most(amounts(optical, stains))}


def carry(
    through: Floats,
    source: dict[str, NDArray[np.float64]],
    target: dict[str, NDArray[np.float64]],
) -> Floats:
    """The same amounts of the target's stains, on the target's scale.

    Parameters
    ----------
    through : ndarray of float32, shape (..., 3)
    source, target : dict
        Of :func:`measure`.

    Returns
    -------
    ndarray of float32, shape (..., 3)
        Transmittances; what the two stains do not explain is left out.
    """
    scale = np.diag(target["most"] / source["most"])
    matrix = target["stains"] @ scale @ np.linalg.pinv(source["stains"])
    return np.exp(-(density(through) @ matrix.T.astype(np.float32)))
