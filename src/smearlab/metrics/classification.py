"""How good types are: confusion, accuracy, precision, recall, specificity, F1.

A row of a confusion matrix is a true type; a column is an answer. There may be more columns
than rows: answers such as *unidentified*, which are never right, come after the types.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smearlab.errors import UnknownNameError
from smearlab.metrics.resampling import ratio


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
        ``macro_precision``, ``macro_recall``, ``macro_specificity``, ``macro_f1`` (means over the
        types that occur; a type that is never answered has precision and F1 0 in them) and the
        same ``weighted_…``, by how often a type occurs, all of shape ``(...)``; ``precision``,
        ``recall`` (sensitivity), ``specificity``, ``f1`` of shape ``(..., K)``, where precision is
        NaN for a type never answered, recall for one that does not occur, specificity where no
        other type occurs, F1 where neither precision nor recall is defined.

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
    total = true.sum(axis=-1)
    others = total[..., None] - true
    per_type = {
        "precision": ratio(right, answered),
        "recall": ratio(right, true),
        "specificity": ratio(others - (answered - right), others),
        "f1": ratio(2 * right, true + answered),
    }

    def mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        counted = np.where(weights > 0, np.nan_to_num(values, nan=0.0) * weights, 0.0)
        return ratio(counted.sum(axis=-1), weights.sum(axis=-1))

    occurs = (true > 0).astype(np.float64)
    return {
        "accuracy": ratio(right.sum(axis=-1), total),
        "balanced_accuracy": mean(per_type["recall"], occurs),
        **{f"macro_{name}": mean(values, occurs) for name, values in per_type.items()},
        **{f"weighted_{name}": mean(values, true) for name, values in per_type.items()},
        **per_type,
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
