"""What is gained by not answering: accuracy of the surest answers against how many they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class AccuracyCoverage(NamedTuple):
    """Accuracy among the answers whose confidence is at least a threshold.

    Parameters
    ----------
    thresholds : ndarray of float64, shape (P,)
        Distinct confidences, falling.
    coverage : ndarray of float64, shape (P,)
        Share of the pictures that are answered, rising to 1.
    accuracy : ndarray of float64, shape (P,)
        Share of right ones among the answered.
    """

    thresholds: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def at(self, coverage: float) -> tuple[float, float, float]:
        """Threshold, coverage and accuracy where at least this share is answered.

        Parameters
        ----------
        coverage : float
            In (0, 1].

        Returns
        -------
        tuple of float
            NaN if there are no pictures.
        """
        enough = np.flatnonzero(self.coverage >= coverage - 1e-12)
        if not enough.size:
            return math.nan, math.nan, math.nan
        place = enough[0]
        return (
            float(self.thresholds[place]),
            float(self.coverage[place]),
            float(self.accuracy[place]),
        )


def accuracy_coverage(confidence: ArrayLike, right: ArrayLike) -> AccuracyCoverage:
    """The curve over all thresholds; pictures of equal confidence are answered together.

    Parameters
    ----------
    confidence : array_like of float, shape (N,)
        The higher, the surer.
    right : array_like of bool, shape (N,)
        Whether the answer is right.

    Raises
    ------
    ValueError
        If the lengths differ.

    References
    ----------
    El-Yaniv, R. & Wiener, Y. (2010). On the foundations of noise-free selective classification.
    JMLR 11, 1605–1641.

    Examples
    --------
    >>> curve = accuracy_coverage([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
    >>> curve.at(0.5)
    (0.8, 0.5, 1.0)
    """
    sure = np.asarray(confidence, dtype=np.float64).ravel()
    hit = np.asarray(right, dtype=np.bool_).ravel()
    if sure.shape != hit.shape:
        raise ValueError(f"received {sure.size} confidences but {hit.size} outcomes")
    order = np.argsort(-sure, kind="stable")
    sure, hit = sure[order], hit[order]
    last = np.flatnonzero(np.diff(sure, append=-np.inf))  # last of the equals
    answered = last + 1
    return AccuracyCoverage(
        sure[last], answered / max(1, len(sure)), np.cumsum(hit)[last] / answered
    )
