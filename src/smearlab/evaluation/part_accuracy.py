"""Accuracy of what a classifier answered for one part of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.evaluation.runs import Predictions
from smearlab.metrics.intervals import share_interval
from smearlab.metrics.resampling import draw_weights, ratio, sums_by_unit, units_of


def accuracy_of(parts: Sequence[Predictions]) -> dict[str, Any]:
    """Share of right answers with its interval.

    Parameters
    ----------
    parts : sequence of Predictions
        Of one split, or of the folds; at least one.

    Returns
    -------
    dict
        ``n`` pictures in ``n_groups`` groups, ``accuracy``, and its interval, by
        :func:`~smearlab.metrics.intervals.share_interval`, under ``intervals``.
    """
    right = np.concatenate([one.logits.argmax(1) == one.targets for one in parts])
    return share_right(right, np.concatenate([one.groups for one in parts]))


def share_right(right: NDArray[np.bool_], groups: NDArray[np.str_]) -> dict[str, Any]:
    """Share of right answers with its interval.

    Parameters
    ----------
    right : ndarray of bool, shape (N,)
    groups : ndarray of str, shape (N,)
        Pictures of one group are drawn together.

    Returns
    -------
    dict
        As of :func:`accuracy_of`.
    """
    units, n_units = units_of(groups)
    sums = sums_by_unit(np.column_stack([right, np.ones(right.size)]), units, n_units)
    draws = draw_weights(n_units, resamples=RESAMPLES, seed=SEED) @ sums
    interval = share_interval(right, units, ratio(draws[:, 0], draws[:, 1]))
    return {
        "n": right.size,
        "n_groups": n_units,
        "accuracy": float(ratio(right.sum(), right.size)),
        "intervals": {"accuracy": interval},
    }
