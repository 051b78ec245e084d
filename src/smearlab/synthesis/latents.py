"""What a generator makes pictures of: numbers that follow from seed, type and index alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from smearlab.errors import UsageError

#: Sine of the angle below which two latents count as parallel.
_PARALLEL = 1e-6


def draw_latents(
    kind: str,
    indices: Sequence[int],
    seed: int,
    size: int,
    truncation: float | None = None,
) -> NDArray[np.float32]:
    """Latents of some pictures of a type.

    Each follows from seed, type and index: it is the same whatever else is asked for.

    Parameters
    ----------
    kind : str
        The type.
    indices : sequence of int
        Numbers of the pictures, from 0.
    seed : int
        From 0.
    size : int
        Numbers of a latent, Z.
    truncation : float, optional
        Above 0. Numbers farther from 0 are not drawn: pictures are more typical and less varied.

    Returns
    -------
    ndarray of float32, shape (N, Z)
        Standard normal, or standard normal within ± ``truncation``.

    Raises
    ------
    UsageError
        If the seed or an index is below 0, or the truncation not above 0.

    Notes
    -----
    The truncated normal is drawn through its inverse distribution function. Truncation trades
    variety for fidelity (Brock et al. 2019, Large Scale GAN Training for High Fidelity Natural
    Image Synthesis, section 3.1).

    Examples
    --------
    >>> few = draw_latents("basophil", range(2), seed=1, size=4)
    >>> many = draw_latents("basophil", range(9), seed=1, size=4)
    >>> bool((few == many[:2]).all())
    True
    """
    if seed < 0 or any(index < 0 for index in indices):
        raise UsageError(f"seed and index must be at least 0; received {seed} and {[*indices][:3]}")
    check_truncation(truncation)
    word = int.from_bytes(hashlib.sha256(kind.encode()).digest()[:4], "big")
    latents = np.empty((len(indices), size), np.float32)
    for row, index in enumerate(indices):
        rng = np.random.default_rng([word, index, seed])
        if truncation is None:
            latents[row] = rng.standard_normal(size)
        else:
            low = ndtr(-truncation)
            latents[row] = ndtri(low + rng.random(size) * (1 - 2 * low))
    return latents


def check_truncation(truncation: float | None) -> None:
    """Refuse limits within which nothing can be drawn.

    Raises
    ------
    UsageError
        If it is not above 0.
    """
    if truncation is not None and not truncation > 0:
        raise UsageError(f"truncation must be above 0; received {truncation}")


def between(
    start: NDArray[np.float32], end: NDArray[np.float32], steps: int
) -> NDArray[np.float32]:
    """Latents on the way from one to another, both ends included.

    Parameters
    ----------
    start, end : ndarray of float32, shape (Z,)
    steps : int
        At least 2.

    Returns
    -------
    ndarray of float32, shape (steps, Z)
        At even angles. A straight line would lead through latents that are shorter than any that
        is drawn; where both have one direction, it is taken.

    Raises
    ------
    UsageError
        If ``steps`` is below 2.

    Notes
    -----
    Spherical linear interpolation: Shoemake 1985, Animating Rotation with Quaternion Curves,
    doi:10.1145/325165.325242.

    Examples
    --------
    >>> path = between(np.float32([1, 0]), np.float32([0, 1]), 3)
    >>> path.round(3).tolist()
    [[1.0, 0.0], [0.7070000171661377, 0.7070000171661377], [0.0, 1.0]]
    """
    if steps < 2:
        raise UsageError(f"an interpolation has at least 2 steps; received {steps}")
    a, b = start.astype(np.float64), end.astype(np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
    t = np.linspace(0, 1, steps)[:, None]
    if np.sin(angle) < _PARALLEL:
        path = (1 - t) * a + t * b
    else:
        path = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    path[0], path[-1] = a, b
    return np.asarray(path, np.float32)
