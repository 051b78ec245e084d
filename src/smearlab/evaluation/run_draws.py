"""Figures of a run in bootstrap resamples of its groups: sums over groups, no loop over them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.tested_runs import TestedRun
from smearlab.metrics.calibration import ECE_BINS, bin_of, negative_log_likelihood
from smearlab.metrics.classification import classification_figures
from smearlab.metrics.resampling import ratio, sums_by_unit
from smearlab.metrics.roc import micro_average, roc_auc

#: Resamples whose weights of every picture are held at a time.
_AT_ONCE = 20
Draws = NDArray[np.float64]


def confusion(run: TestedRun, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Confusion matrix of the test pictures, or of some; shape (K, K), rows are true classes."""
    keep = np.ones(len(run.right), np.bool_) if rows is None else rows
    matrix = np.zeros((len(run.classes),) * 2, dtype=np.int64)
    np.add.at(matrix, (run.test.targets[keep], run.answers[keep]), 1)
    return matrix


def figure_draws(
    run: TestedRun, weights: Draws, rows: NDArray[np.bool_] | None = None
) -> dict[str, Draws]:
    """All figures of :func:`~smearlab.metrics.classification.classification_figures`, resampled.

    Parameters
    ----------
    run : TestedRun
    weights : ndarray of float64, shape (R, groups)
        From :meth:`~smearlab.evaluation.tested_runs.TestedRun.draws`.
    rows : ndarray of bool, shape (N,), optional
        The pictures that are counted; all when left out.

    Returns
    -------
    dict of str to ndarray
        Of shape (R,), or (R, K) for the figures of types.
    """
    kinds = len(run.classes)
    answered = np.zeros((len(run.right), kinds * kinds))
    counted = np.ones(len(answered)) if rows is None else rows.astype(np.float64)
    answered[np.arange(len(answered)), run.test.targets * kinds + run.answers] = counted
    return classification_figures(resampled(run, answered, weights).reshape(-1, kinds, kinds))


def resampled(
    run: TestedRun, values: NDArray[np.floating] | NDArray[np.bool_], weights: Draws
) -> Draws:
    """Sums of values over the pictures of each resample.

    Parameters
    ----------
    run : TestedRun
    values : ndarray of float or bool, shape (N, ...)
    weights : ndarray of float64, shape (R, groups)

    Returns
    -------
    ndarray of float64, shape (R, ...)
    """
    return np.tensordot(weights, sums_by_unit(values, *run.units), axes=1)


def calibration_draws(run: TestedRun, probabilities: Draws, weights: Draws) -> Draws:
    """Expected calibration error in each resample, shape (R,)."""
    sure = probabilities.max(axis=1)
    gaps = np.zeros((len(sure), ECE_BINS))
    gaps[np.arange(len(sure)), bin_of(sure)] = sure - run.right
    sizes = resampled(run, np.ones(len(sure)), weights)
    return ratio(np.abs(resampled(run, gaps, weights)).sum(axis=1), sizes)


def likelihood_draws(run: TestedRun, heat: NDArray[np.float64], weights: Draws) -> Draws:
    """Mean negative log-likelihood in each resample, shape (R,).

    Parameters
    ----------
    run : TestedRun
    heat : ndarray of float64, shape (N,)
        Temperature of each picture.
    weights : ndarray of float64, shape (R, groups)
    """
    unlikely = negative_log_likelihood(run.test.logits / heat[:, None], run.test.targets)
    sizes = resampled(run, np.ones(len(heat)), weights)
    return ratio(resampled(run, unlikely, weights), sizes)


def auc_draws(run: TestedRun, weights: Draws) -> dict[str, Draws]:
    """Areas under the curves in each resample: ``types`` (R, K), ``macro`` and ``micro`` (R,).

    The macro area is the mean of those types whose area is defined.
    """
    scores, targets = run.probabilities, run.test.targets
    kinds = range(len(run.classes))
    types, micro = [], []
    pooled, hits = micro_average(scores, targets)
    for some in _portions(run, weights):
        types.append(np.stack([roc_auc(scores[:, k], targets == k, some) for k in kinds], axis=-1))
        micro.append(roc_auc(pooled, hits, np.repeat(some, len(run.classes), axis=-1)))
    by_type = np.concatenate(types)
    return {
        "types": by_type,
        "macro": mean_of_defined(by_type),
        "micro": np.concatenate(micro),
    }


def mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def _portions(run: TestedRun, weights: Draws) -> Iterator[Draws]:
    """Weights of the pictures, shape (few, N), a few resamples at a time."""
    units, _ = run.units
    for start in range(0, len(weights), _AT_ONCE):
        yield weights[start : start + _AT_ONCE, units]
