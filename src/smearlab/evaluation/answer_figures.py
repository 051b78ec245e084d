"""Answers to typed pictures, by a network or by a person: confusion, accuracy, recall of types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.part_accuracy import share_right
from smearlab.metrics.classification import classification_figures, confusion_matrix

_MEANS = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")
_OF_TYPES = ("precision", "recall", "f1")


def answer_figures(
    true: Sequence[str],
    answers: Sequence[str],
    groups: NDArray[np.str_],
    labels: Sequence[str],
    others: Sequence[str] = (),
) -> dict[str, Any]:
    """Measure answers.

    Parameters
    ----------
    true, answers : sequence of str
        N types, and what was answered.
    groups : ndarray of str, shape (N,)
        Pictures of one group are drawn together.
    labels : sequence of str
        All types.
    others : sequence of str
        Answers that are no type.

    Returns
    -------
    dict
        ``n``, ``n_groups``, ``accuracy``, ``intervals`` (of
        :func:`smearlab.evaluation.part_accuracy.share_right`: Clopper–Pearson where every picture
        is a group of its own), ``balanced_accuracy`` and the ``macro_…`` means, ``types`` (``n``,
        ``precision``, ``recall``, ``f1``, ``interval`` of the recall) and ``confusion``.

    Raises
    ------
    ValueError, UnknownNameError
        See :func:`smearlab.metrics.classification.confusion_matrix`.
    """
    matrix = confusion_matrix(true, answers, labels, others)
    figures = classification_figures(matrix)
    right = np.asarray(true, dtype=object) == np.asarray(answers, dtype=object)
    types = {}
    for place, name in enumerate(labels):
        rows = np.asarray(true, dtype=object) == name
        share = share_right(right[rows], groups[rows])
        types[name] = {
            "n": share["n"],
            **{key: float(figures[key][place]) for key in _OF_TYPES},
            "interval": share["intervals"]["accuracy"],
        }
    return {
        **share_right(right, groups),
        **{name: float(figures[name]) for name in _MEANS},
        "types": types,
        "confusion": {"labels": [*labels], "others": [*others], "matrix": matrix},
    }
