"""How good types are: confusion, accuracy, precision, recall, F1, calibration.

A row of a confusion matrix is a true type; a column is an answer. There may be more columns
than rows: answers such as *unidentified*, which are never right, come after the types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smearlab.errors import UnknownNameError
from smearlab.metrics.resampling import ratio

#: Equal bins of confidence over which calibration is measured.
ECE_BINS = 15


def confusion_matrix(
    true: Sequence[str], answers: Sequence[str], labels: Sequence[str], others: Sequence[str] = ()
) -> NDArray[np.int64]:
    """Count the answers given to each true type.

    Parameters
    ----------
    true : sequence of str
        N true types, each in ``labels``.
    answers : sequence of str
        N answers, each in ``labels`` or ``others``.
    labels : sequence of str
        K types.
    others : sequence of str
        M answers that are no type.

    Returns
    -------
    ndarray of int64, shape (K, K + M)
        ``[i, j]``: pictures of type i answered with j.

    Raises
    ------
    ValueError
        If there are not as many answers as true types.
    UnknownNameError
        If a name is in neither list.
    """
    if len(true) != len(answers):
        raise ValueError(f"received {len(true)} true types but {len(answers)} answers")
    columns = {name: index for index, name in enumerate((*labels, *others))}
    matrix = np.zeros((len(labels), len(columns)), dtype=np.int64)
    for truth, answer in zip(true, answers, strict=True):
        if truth not in columns or columns[truth] >= len(labels):
            raise UnknownNameError("true type", truth, labels)
        if answer not in columns:
            raise UnknownNameError("answer", answer, columns)
        matrix[columns[truth], columns[answer]] += 1
    return matrix


def classification_figures(confusion: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Every figure that follows from a confusion matrix, or from many at once.

    Parameters
    ----------
    confusion : array_like of int, shape (..., K, K + M)
        One matrix, or a stack of resamples; columns beyond K are wrong answers.

    Returns
    -------
    dict of str to ndarray of float64
        ``accuracy``, ``balanced_accuracy`` (mean recall over the types that occur),
        ``macro_precision``, ``macro_recall``, ``macro_f1`` (means over the types that occur; a
        type that is never answered has precision and F1 0 in them), all of shape ``(...)``;
        ``precision``, ``recall``, ``f1`` of shape ``(..., K)``, where precision is NaN for a
        type never answered, recall for one that does not occur, F1 where both hold.

    Raises
    ------
    ValueError
        If there are fewer columns than rows.
    """
    matrix = np.asarray(confusion, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] < matrix.shape[-2]:
        raise ValueError(
            f"a confusion matrix has K rows and at least K columns; received {matrix.shape}"
        )
    types = matrix.shape[-2]
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    true, answered = matrix.sum(axis=-1), matrix.sum(axis=-2)[..., :types]
    precision, recall = ratio(right, answered), ratio(right, true)
    f1 = ratio(2 * right, true + answered)
    occurs = true > 0

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        counted = np.where(occurs, np.nan_to_num(values, nan=0.0), 0.0)
        return ratio(counted.sum(axis=-1), occurs.sum(axis=-1))

    return {
        "accuracy": ratio(right.sum(axis=-1), true.sum(axis=-1)),
        "balanced_accuracy": mean(recall),
        "macro_precision": mean(precision),
        "macro_recall": mean(recall),
        "macro_f1": mean(f1),
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }


def resample_confusion(
    confusion: NDArray[np.int64], *, resamples: int = 1000, seed: int = 0
) -> NDArray[np.int64]:
    """Confusion matrices of bootstrap resamples of the pictures.

    Drawing N pictures with replacement and counting is the same as one multinomial draw over
    the cells of the matrix.

    Parameters
    ----------
    confusion : ndarray of int64, shape (K, C)
        Sums to N.
    resamples : int
        R draws.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    ndarray of int64, shape (R, K, C)
        Each sums to N.
    """
    n = int(confusion.sum())
    if n == 0:
        return np.zeros((resamples, *confusion.shape), dtype=np.int64)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, confusion.ravel() / n, size=resamples)
    return draws.reshape(resamples, *confusion.shape).astype(np.int64)


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = ECE_BINS) -> float:
    """Expected calibration error: how far confidence is from the share of right answers.

    Parameters
    ----------
    confidence : array_like of float, shape (N,)
        In [0, 1]: probability of the most probable type.
    right : array_like of bool, shape (N,)
        Whether that type is the true one.
    bins : int
        Equal bins of (0, 1], closed above; 0 falls into the first.

    Returns
    -------
    float
        In [0, 1]; NaN when N is 0.

    Raises
    ------
    ValueError
        If the lengths differ or a confidence lies outside [0, 1].

    References
    ----------
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML, eq. 3.
    arXiv:1706.04599

    Examples
    --------
    >>> round(calibration_error([0.9, 0.9, 0.9, 0.9], [True, True, True, False]), 3)
    0.15
    """
    sure = np.asarray(confidence, dtype=np.float64).ravel()
    hit = np.asarray(right, dtype=np.float64).ravel()
    if sure.shape != hit.shape:
        raise ValueError(f"received {sure.size} confidences but {hit.size} outcomes")
    if sure.size == 0:
        return math.nan
    if not ((sure >= 0) & (sure <= 1 + 1e-6)).all():
        raise ValueError(f"confidences lie in [0, 1]; received {sure.min():.4g} … {sure.max():.4g}")
    index = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(index, weights=sure - hit, minlength=bins)
    return float(np.abs(gap).sum() / sure.size)
