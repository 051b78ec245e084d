"""Every channel given the distribution of values that the target has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import WHITE, Floats
from smearlab.stain.ground import FEWEST_STAINED
from smearlab.stain.stains import TooPlainError

#: Levels at which distributions are kept.
LEVELS = 256


def measure(through: Floats, published: bool = False) -> dict[str, NDArray[np.float64]]:
    """The distribution of each channel.

    Parameters
    ----------
    through : ndarray of float32, shape (N, 3)
        Transmittances, taken for colours on a white ground, at :data:`LEVELS` levels.
    published : bool
        Makes no difference here.

    Returns
    -------
    dict of str to ndarray of float64, shape (3, 256)
        ``share``: of pixels up to and with each level, 0 to 1.

    Raises
    ------
    TooPlainError
        If there are too few pixels.
    """
    levels = _levels(through.reshape(-1, 3))
    if len(levels) < FEWEST_STAINED:
        raise TooPlainError(f"{len(levels)} of its pixels are stained, too few; leave it out")
    counts = [np.bincount(levels[:, k], minlength=LEVELS) for k in range(3)]
    return {"share": np.cumsum(counts, axis=1) / len(levels)}


def carry(
    through: Floats,
    source: dict[str, NDArray[np.float64]],
    target: dict[str, NDArray[np.float64]],
) -> Floats:
    """Each level becomes the one below which the target has the same share of pixels.

    Between the target's levels it is interpolated, as in Gonzalez and Woods (2018), Digital Image
    Processing, section 3.3, and in scikit-image.

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
    values = (through * WHITE - 1).clip(0, LEVELS - 1)
    levels = np.rint(values).astype(np.intp)
    grid = np.arange(LEVELS, dtype=np.float64)
    found = np.empty_like(values)
    for k in range(3):
        there = np.diff(target["share"][k], prepend=0) > 0  # levels that the target has
        curve = np.interp(source["share"][k], target["share"][k][there], grid[there])
        # What lies between two levels stays as far from the nearer one.
        found[..., k] = curve[levels[..., k]] + values[..., k] - levels[..., k]
    return np.asarray((found + 1) / WHITE, np.float32)


def _levels(through: Floats) -> NDArray[np.intp]:
    return np.asarray((through * WHITE - 0.5).clip(0, LEVELS - 1), np.intp)
