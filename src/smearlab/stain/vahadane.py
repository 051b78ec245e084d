"""Stains found as a sparse dictionary without negative numbers (Vahadane et al. 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import Floats, density
from smearlab.stain.macenko import BETA, stain_plane
from smearlab.stain.stains import Matrix, TooPlainError, most, ordered, positive_amounts

#: The paper's price of an amount of stain: a pixel is rather one stain than both.
SPARSITY = 0.1
#: Pixels that the dictionary is learned from, and rounds until it stands still.
LEARNED_PX, ROUNDS, STILL = 20_000, 200, 1e-5


def sparse_stains(optical: Floats, sparsity: float = SPARSITY) -> Matrix:
    """The directions of the two stains.

    The least of ``|D - W H|^2 / 2 + sparsity * sum(H)`` with ``W, H >= 0`` and columns of ``W`` of
    length 1, by turns: ``H`` exactly (:func:`smearlab.stain.stains.positive_amounts`), then each
    column of ``W`` with the others held, cut at 0. Begun from Macenko's extremes, so that it is
    the same every time.

    Parameters
    ----------
    optical : ndarray of float32, shape (N, 3)
        Densities of stained pixels.
    sparsity : float
        At least 0.

    Returns
    -------
    ndarray of float64, shape (3, 2)
        See :func:`smearlab.stain.stains.ordered`.

    Raises
    ------
    TooPlainError
        If two stains cannot be told.

    References
    ----------
    Vahadane, A. et al. (2016). Structure-preserving color normalization and sparse stain
    separation for histological images. IEEE Transactions on Medical Imaging 35, 1962-1971.
    doi:10.1109/TMI.2016.2529665
    """
    taken = optical[:: max(1, -(-len(optical) // LEARNED_PX))].astype(np.float32)
    stains = _positive(stain_plane(taken))
    for _ in range(ROUNDS):
        held = positive_amounts(taken, stains, sparsity).astype(np.float64)
        gram, reach = held.T @ held, taken.T.astype(np.float64) @ held
        before = stains.copy()
        for k in range(2):
            if not gram[k, k] > 0:
                raise TooPlainError("only one stain is to be seen in it; leave it out")
            stains[:, k] += (reach[:, k] - stains @ gram[:, k]) / gram[k, k]
            stains[:, k] = _unit(np.maximum(stains[:, k], 0))
        if np.abs(stains - before).max() < STILL:
            break
    return ordered(stains[:, 0], stains[:, 1])


def _positive(stains: Matrix) -> Matrix:
    raised = np.maximum(stains, 0)
    return np.stack([_unit(raised[:, k]) for k in range(2)], axis=1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vector)
    if not length > 0:
        raise TooPlainError("only one stain is to be seen in it; leave it out")
    return np.asarray(vector / length)


def measure(through: Floats, published: bool = False) -> dict[str, NDArray[np.float64]]:
    """The stains of pixels, and the most of each; as :func:`smearlab.stain.macenko.measure`."""
    optical = density(through)
    dense = optical[optical.mean(-1) >= BETA] if published else optical
    stains = sparse_stains(dense)
    return {"stains": stains, "most": most(positive_amounts(optical, stains))}


def carry(
    through: Floats,
    source: dict[str, NDArray[np.float64]],
    target: dict[str, NDArray[np.float64]],
) -> Floats:
    """The same amounts of the target's stains, none of them negative, on the target's scale.

    Amounts are found without the price on them, which would bleach every pixel.

    Parameters
    ----------
    through : ndarray of float32, shape (..., 3)
    source, target : dict
        Of :func:`measure`.

    Returns
    -------
    ndarray of float32, shape (..., 3)
        Transmittances.
    """
    held = positive_amounts(density(through), source["stains"])
    mixed = target["stains"] * (target["most"] / source["most"])
    return np.exp(-(held @ mixed.T.astype(np.float32)))
