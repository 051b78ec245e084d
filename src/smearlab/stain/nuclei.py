"""Whether a picture shows a nucleus, by the light that chromatin takes up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import Floats

#: Chromatin takes up at least so much more of green than of blue light, as a density.
PURPLE = 0.3
#: It does so this many times more than red cells do; where two lie over each other, that is twice.
TIMES = 2.2
#: From here on it is chromatin whatever is beside it, as in a picture that one nucleus fills.
CERTAIN = 0.9
_PERCENTILE = 99.0


def purple(optical: Floats) -> NDArray[np.float32]:
    """How much more green than blue light is taken up, shape (...), as a density."""
    return np.asarray(optical[..., 1] - optical[..., 2], np.float32)


def least_purple(others: NDArray[np.float32]) -> float:
    """From which value on something is a nucleus, beside what else is stained.

    Parameters
    ----------
    others : ndarray of float32, shape (N,)
        :func:`purple` of stained pixels.
    """
    beside = TIMES * float(np.median(others)) if len(others) else 0.0
    return max(PURPLE, min(beside, CERTAIN))


def shows_nuclei(optical: Floats) -> bool:
    """Whether some of the stained pixels are a nucleus, one in a hundred at least.

    Parameters
    ----------
    optical : ndarray of float32, shape (N, 3)
        Densities of stained pixels over the ground.
    """
    values = purple(optical)
    return bool(len(values)) and float(np.percentile(values, _PERCENTILE)) >= least_purple(values)
