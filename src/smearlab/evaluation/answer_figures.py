"""Answers to typed pictures, by a network or by a person: confusion, accuracy, figures of types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.part_accuracy import share_right
from smearlab.evaluation.results import RESAMPLES, SEED, intervals
from smearlab.metrics.classification import classification_figures, confusion_matrix
from smearlab.metrics.resampling import Interval, draw_weights, sums_by_unit, units_of

_MEANS = (
    "balanced_accuracy", "macro_precision", "macro_recall", "macro_specificity", "macro_f1",
)  # fmt: skip
_OF_TYPES = ("precision", "recall", "specificity", "f1")


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
        ``n``, ``n_groups``, ``accuracy``, ``balanced_accuracy``, the ``macro_…`` means, and
        ``intervals`` of all of them; ``types``, each with ``n``, ``precision``, ``recall``,
        ``specificity``, ``f1``, ``accuracy`` (told from all others), the ``interval`` of the
        recall, and ``intervals`` of all of them; and ``confusion``. Shares of pictures have
        intervals of :func:`smearlab.evaluation.part_accuracy.share_right` (Clopper–Pearson where
        every picture is a group of its own); F1 and means have percentile intervals over resampled
        groups, and none where all resamples are alike.

    Raises
    ------
    ValueError, UnknownNameError
        See :func:`smearlab.metrics.classification.confusion_matrix`.
    """
    matrix = confusion_matrix(true, answers, labels, others)
    figures = classification_figures(matrix)
    is_of, is_said = np.asarray(true, dtype=object), np.asarray(answers, dtype=object)
    ends = _ends(is_of, is_said, groups, [*labels], [*others])
    types = {}
    for place, name in enumerate(labels):
        own, said = is_of == name, is_said == name
        recall = share_right(said[own], groups[own])
        meant = share_right(own[said], groups[said])["intervals"]["accuracy"]
        spared = share_right(~said[~own], groups[~own])["intervals"]["accuracy"]
        told = share_right(own == said, groups)
        types[name] = {
            "n": recall["n"],
            **{key: float(figures[key][place]) for key in _OF_TYPES},
            "accuracy": told["accuracy"],
            "interval": recall["intervals"]["accuracy"],
            "intervals": {
                "precision": meant,
                "recall": recall["intervals"]["accuracy"],
                "specificity": spared,
                "f1": ends[f"f1 {place}"],
                "accuracy": told["intervals"]["accuracy"],
            },
        }
    whole = share_right(is_of == is_said, groups)
    return {
        **whole,
        **{name: float(figures[name]) for name in _MEANS},
        "intervals": {**whole["intervals"], **{name: ends[name] for name in _MEANS}},
        "types": types,
        "confusion": {"labels": [*labels], "others": [*others], "matrix": matrix},
    }


def _ends(
    true: NDArray[np.object_],
    answers: NDArray[np.object_],
    groups: NDArray[np.str_],
    labels: list[str],
    others: list[str],
) -> dict[str, Interval]:
    """Intervals of the means, and of each type's F1 by its place."""
    columns = {name: place for place, name in enumerate([*labels, *others])}
    shape = len(labels), len(columns)
    cells = np.zeros((len(true), shape[0] * shape[1]))
    places = [
        columns[one] * shape[1] + columns[other] for one, other in zip(true, answers, strict=True)
    ]
    cells[np.arange(len(true)), places] = 1
    units, n_units = units_of(groups)
    weights = draw_weights(n_units, resamples=RESAMPLES, seed=SEED)
    drawn = classification_figures(
        (weights @ sums_by_unit(cells, units, n_units)).reshape(-1, *shape)
    )
    found = {name: drawn[name] for name in _MEANS}
    found |= {f"f1 {place}": drawn["f1"][:, place] for place in range(len(labels))}
    return {
        name: ends if ends[0] < ends[1] else (math.nan, math.nan)
        for name, ends in intervals(found, n_units).items()
    }
