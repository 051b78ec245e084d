"""The two stains of a Romanowsky smear as directions of optical density, and how much of each.

Azure B, with the eosin that it binds in chromatin, makes nuclei purple: it takes up green and red
light and lets blue pass. Eosin Y makes red cells and eosinophil granules pink: it takes up green
light, and in red cells haemoglobin takes up blue. How much red passes tells the two apart in tissue
(haematoxylin and eosin), not here: red cells of one smear are orange, those of another grey. So
azure is the one that lets more blue pass. Matrices of stains have one column a stain, of length 1,
azure first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import ImageError
from smearlab.stain.density import Floats

Matrix = NDArray[np.float64]
#: Names of the columns.
STAINS = ("azure", "eosin")
#: Nearer to each other two directions are one stain, degrees.
LEAST_ANGLE_DEG = 5.0
#: The most of a stain that a picture holds is this percentile of its pixels (Macenko et al. 2009).
MOST_PERCENTILE = 99.0


class TooPlainError(ImageError):
    """A picture has too little in it for its stains to be measured."""


def ordered(first: NDArray[np.floating], second: NDArray[np.floating]) -> Matrix:
    """Two directions as a matrix of stains: azure is the one that takes up less blue.

    Parameters
    ----------
    first, second : ndarray of float, shape (3,)
        Densities of red, green and blue; of any length but 0.

    Returns
    -------
    ndarray of float64, shape (3, 2)
        Columns of length 1, azure first, each pointing to where it absorbs.

    Raises
    ------
    TooPlainError
        If both are one direction.

    Examples
    --------
    >>> ordered(np.array([0.0, 3, 4]), np.array([3.0, 4, 0])).tolist()
    [[0.6, 0.0], [0.8, 0.6], [0.0, 0.8]]
    """
    one, other = (_unit(np.asarray(v, np.float64)) for v in (first, second))
    angle = np.degrees(np.arccos(np.clip(one @ other, -1, 1)))
    if not angle >= LEAST_ANGLE_DEG:
        raise TooPlainError(
            f"only one stain is to be seen: two directions of its density are {angle:.1f} degrees "
            "apart; a picture with nuclei and red cells is needed"
        )
    columns = (one, other) if one[2] < other[2] else (other, one)
    return np.stack(columns, axis=1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    pointed = vector if vector.sum() >= 0 else -vector
    return np.asarray(pointed / np.linalg.norm(pointed))


def amounts(density: Floats, stains: Matrix) -> Floats:
    """How much of each stain pixels hold: least squares of ``density = stains @ amounts``.

    Parameters
    ----------
    density : ndarray of float, shape (..., 3)
    stains : ndarray of float64, shape (3, 2)

    Returns
    -------
    ndarray of float32, shape (..., 2)
        May be below 0 where a pixel is neither.
    """
    return np.asarray(density @ np.linalg.pinv(stains).T.astype(np.float32), np.float32)


def positive_amounts(density: Floats, stains: Matrix, penalty: float = 0.0) -> Floats:
    """The same with no amount below 0, and with a price on each (the lasso of two variables).

    The least of ``|density - stains @ h|^2 / 2 + penalty * sum(h)`` over ``h >= 0``, exactly: the
    free solution where both are positive, else the better of the two edges.

    Parameters
    ----------
    density : ndarray of float, shape (..., 3)
    stains : ndarray of float64, shape (3, 2)
        Columns of length 1.
    penalty : float
        At least 0.

    Returns
    -------
    ndarray of float32, shape (..., 2)
    """
    reach = density @ stains.astype(np.float32) - np.float32(penalty)
    cosine = np.float32(stains[:, 0] @ stains[:, 1])
    free = (reach - cosine * reach[..., ::-1]) / (1 - cosine * cosine)
    edge = np.maximum(reach, 0)
    # On an edge the value gained is reach^2 / 2: the larger one is the better.
    first = edge[..., :1] >= edge[..., 1:]
    alone = np.where(np.concatenate([first, ~first], -1), edge, 0)
    return np.asarray(np.where((free >= 0).all(-1, keepdims=True), free, alone), np.float32)


def most(held: Floats) -> NDArray[np.float64]:
    """The most of each stain, robustly: :data:`MOST_PERCENTILE` over pixels, shape (2,).

    Raises
    ------
    TooPlainError
        If there is none of a stain.
    """
    found = np.percentile(held.reshape(-1, held.shape[-1]), MOST_PERCENTILE, axis=0)
    for name, value in zip(STAINS, found, strict=True):
        if not value > 0:
            raise TooPlainError(
                f"no {name} is to be seen in it; a picture with nuclei and red cells is needed"
            )
    return np.asarray(found, np.float64)
