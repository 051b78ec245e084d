"""Noise by choice: the factors of a network's dropout, drawn here and given as an input.

Paper B keeps the dropout of its generator on and takes it for the noise z of the GAN. A bundle
with ``noise`` on its card takes the factors as an input, so they are the user's choice: ones are
the network without noise, and several draws tell how much its answer depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def no_noise(card: Mapping[str, Any]) -> NDArray[np.float32]:
    """Factors of one: nothing is dropped.

    Parameters
    ----------
    card : mapping
        Of a bundle with ``noise``.

    Returns
    -------
    ndarray of float32, shape (1, size)
    """
    return np.ones((1, card["noise"]["size"]), np.float32)


def draw_noise(card: Mapping[str, Any], seed: int, draw: int) -> NDArray[np.float32]:
    """Factors of one draw: 1/keep with probability ``keep``, else 0; their mean is 1.

    Parameters
    ----------
    card : mapping
        Of a bundle with ``noise``.
    seed, draw : int
        Not negative. The same pair gives the same factors, whatever else was drawn before.

    Returns
    -------
    ndarray of float32, shape (1, size)
    """
    size, keep = card["noise"]["size"], card["noise"]["keep"]
    kept = np.random.default_rng([seed, draw]).random((1, size)) < keep
    return np.where(kept, np.float32(1 / keep), np.float32(0))
