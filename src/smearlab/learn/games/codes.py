"""Which type each code of an unsupervised generator came to stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from smearlab.errors import UsageError


@dataclass(frozen=True)
class NamedCodes:
    """Types in the order of codes.

    Parameters
    ----------
    types : tuple of int
        Number of the type that each code stands for; every type once.
    agreement : float
        Share of the real pictures whose code stands for their type; 1 / K is chance.
    """

    types: tuple[int, ...]
    agreement: float


def name_codes(codes: NDArray[np.int64], types: NDArray[np.int64], classes: int) -> NamedCodes:
    """Give each code a type of its own, so that as many real pictures as can be agree.

    Kuhn (1955), the Hungarian method.

    Parameters
    ----------
    codes, types : ndarray of int, shape (N,)
        Of real pictures: the code that was read, and what they show; in [0, ``classes``).
    classes : int

    Raises
    ------
    UsageError
        If there is no picture, or the lengths differ.

    Examples
    --------
    >>> name_codes(np.array([2, 2, 0, 1]), np.array([0, 0, 1, 2]), 3)
    NamedCodes(types=(1, 2, 0), agreement=1.0)
    """
    if not len(codes) or len(codes) != len(types):
        raise UsageError(
            f"codes and types must be of the same pictures, at least one; received {len(codes)} "
            f"and {len(types)}"
        )
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (codes, types), 1)
    _, assigned = linear_sum_assignment(table, maximize=True)
    agreed = int(table[np.arange(classes), assigned].sum())
    return NamedCodes(tuple(int(one) for one in assigned), agreed / len(codes))
