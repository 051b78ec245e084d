"""Curves of a run, as few points as a drawing needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation import run_draws
from smearlab.evaluation.tested_runs import TestedRun
from smearlab.metrics.calibration import bin_of, reliability
from smearlab.metrics.intervals import share_interval
from smearlab.metrics.resampling import ratio
from smearlab.metrics.roc import (
    RocCurve,
    macro_curve,
    micro_average,
    roc_curve,
    without_straight_points,
)
from smearlab.metrics.selective import accuracy_coverage

#: Most points of a curve in a result; a drawing shows no more.
MAX_POINTS = 400
#: Shares of the pictures at which accuracy is given.
COVERAGES = (1.0, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5)


def roc_figures(run: TestedRun) -> dict[str, Any]:
    """Curve of each class against all others, their mean, and that of all answers pooled.

    Returns
    -------
    dict
        ``types`` (class → curve), ``macro``, ``micro``; a curve has ``false_rate`` and
        ``true_rate``, which are empty where it is undefined.
    """
    scores, targets = run.probabilities, run.test.targets
    curves = [roc_curve(scores[:, k], targets == k) for k in range(len(run.classes))]
    return {
        "types": {name: _points(curve) for name, curve in zip(run.classes, curves, strict=True)},
        "macro": _points(macro_curve(curves)),
        "micro": _points(roc_curve(*micro_average(scores, targets))),
    }


def _points(curve: RocCurve) -> dict[str, NDArray[np.float64]]:
    few = without_straight_points(curve)
    if np.isnan(few.false_rate).any() or np.isnan(few.true_rate).any():
        return {"false_rate": np.empty(0), "true_rate": np.empty(0)}
    keep = spread(len(few.false_rate))
    return {"false_rate": few.false_rate[keep], "true_rate": few.true_rate[keep]}


def spread(n: int, most: int = MAX_POINTS) -> NDArray[np.intp]:
    """Numbers of at most so many of ``n`` points, evenly spread, the first and the last included.

    Examples
    --------
    >>> spread(9, most=3).tolist()
    [0, 4, 8]
    """
    return np.unique(np.linspace(0, max(0, n - 1), min(n, most)).round().astype(np.intp))


def reliability_figures(run: TestedRun, weights: NDArray[np.float64]) -> dict[str, Any]:
    """Reliability diagrams: ``raw``, and ``calibrated`` (None without a temperature).

    Parameters
    ----------
    run : TestedRun
    weights : ndarray of float64, shape (R, groups)
        Of the resamples.

    Returns
    -------
    dict
        A diagram is a list of its bins: ``low``, ``high``, ``n``, ``confidence``, ``accuracy``
        with its ``interval``.
    """
    calibrated = None if np.isnan(run.temperatures).any() else run.calibrated
    parts = {"raw": run.probabilities, "calibrated": calibrated}
    return {name: None if p is None else _bins(run, p, weights) for name, p in parts.items()}


def _bins(
    run: TestedRun, probabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[dict[str, Any]]:
    sure = probabilities.max(axis=1)
    diagram = reliability(sure, run.right)
    rows = [
        dict(zip(diagram._fields, values, strict=True)) for values in zip(*diagram, strict=True)
    ]
    places = bin_of(sure)
    for place, row in enumerate(rows):
        row["interval"] = _interval(run, places == place, weights)
    return rows


def _interval(
    run: TestedRun, rows: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Of the share of right answers among some pictures."""
    draws = ratio(
        run_draws.resampled(run, rows & run.right, weights),
        run_draws.resampled(run, rows, weights),
    )
    return share_interval(run.right[rows], run.units[0][rows], draws)


def coverage_figures(run: TestedRun, weights: NDArray[np.float64]) -> dict[str, Any]:
    """Accuracy of the surest answers.

    Confidence is that of the temperature, where there is one: so folds can be compared.

    Parameters
    ----------
    run : TestedRun
    weights : ndarray of float64, shape (R, groups)
        Of the resamples.

    Returns
    -------
    dict
        ``curve``: ``coverage`` and ``accuracy``; ``at``: for each of :data:`COVERAGES` the
        ``threshold``, the ``coverage`` that it gives, ``n``, ``accuracy`` and its ``interval``
        by resamples at this threshold.
    """
    sure = (run.probabilities if np.isnan(run.temperatures).any() else run.calibrated).max(axis=1)
    curve = accuracy_coverage(sure, run.right)
    keep = spread(len(curve.coverage))
    rows = []
    for wanted in COVERAGES:
        threshold, coverage, accuracy = curve.at(wanted)
        answered = sure >= threshold
        rows.append(
            {
                "wanted": wanted,
                "threshold": threshold,
                "coverage": coverage,
                "n": int(answered.sum()),
                "accuracy": accuracy,
                "interval": _interval(run, answered, weights),
            }
        )
    return {
        "calibrated": not np.isnan(run.temperatures).any(),
        "curve": {"coverage": curve.coverage[keep], "accuracy": curve.accuracy[keep]},
        "at": rows,
    }
