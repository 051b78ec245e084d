"""Every figure of a trained classifier on its test pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation import run_draws
from smearlab.evaluation.part_accuracy import accuracy_of
from smearlab.evaluation.results import RESAMPLES, SEED, intervals, plain
from smearlab.evaluation.run_curves import coverage_figures, reliability_figures, roc_figures
from smearlab.evaluation.runs import Predictions
from smearlab.evaluation.tested_runs import TestedRun
from smearlab.metrics.calibration import (
    ECE_BINS,
    calibration_error,
    negative_log_likelihood,
)
from smearlab.metrics.classification import classification_figures
from smearlab.metrics.intervals import mean_interval, share_interval
from smearlab.metrics.roc import micro_average, roc_auc

Interval = tuple[float, float]
_MEANS = tuple(
    f"{kind}_{name}"
    for kind in ("macro", "weighted")
    for name in ("precision", "recall", "specificity", "f1")
)
#: Figures of all pictures together, from the confusion matrix.
OVERALL = ("accuracy", "balanced_accuracy", *_MEANS)
#: Figures of a type.
OF_TYPES = ("precision", "recall", "specificity", "f1", "auc")
#: Figures of which the mean over the folds is given.
OF_FOLDS = ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")
#: Wrong answers that are listed.
MOST_WRONG = 24


def evaluate_run(
    run: TestedRun, *, resamples: int = RESAMPLES, most_wrong: int = MOST_WRONG
) -> dict[str, Any]:
    """Measure a run on its test pictures.

    Parameters
    ----------
    run : TestedRun
    resamples : int
        Of the bootstrap, by group.
    most_wrong : int
        How many wrong answers are listed, the most confident ones first.

    Returns
    -------
    dict
        ``run``, ``trained_on``, ``summary``; ``n`` pictures in ``n_groups`` groups;
        :data:`OVERALL`, ``auc_macro``, ``auc_micro``, ``ece`` and ``nll`` with and without
        ``_calibrated``, ``temperatures``; ``types``: :data:`OF_TYPES`, n and n_groups of each
        class; ``confusion``; ``origins``; ``home``: of :func:`home_figures`; ``folds`` (None
        without); ``roc``, ``reliability``, ``coverage``: curves; ``most_wrong``; ``intervals``:
        :func:`~smearlab.metrics.intervals.share_interval` for shares of pictures, bootstrap by
        group for all others; ``settings``. Undefined figures are None.
    """
    weights = run.draws(resamples, SEED)
    matrix = run_draws.confusion(run)
    figures = classification_figures(matrix)
    draws = run_draws.figure_draws(run, weights)
    areas, area_draws = _areas(run), run_draws.auc_draws(run, weights)
    trust, trust_draws = _trust(run, weights)
    ends = intervals({name: draws[name] for name in OVERALL}, run.units[1])
    return dict(
        plain(
            {
                "run": run.name,
                "trained_on": run.trained_on,
                "summary": _summary(run),
                "n": len(run.right),
                "n_groups": run.units[1],
                **{name: figures[name].item() for name in OVERALL},
                "auc_macro": run_draws.mean_of_defined(areas).item(),
                "auc_micro": _micro_area(run),
                **trust,
                "temperatures": run.temperatures,
                "types": _types(run, matrix, figures, areas),
                "confusion": {"labels": run.classes, "matrix": matrix},
                "origins": origin_figures(run, weights),
                "home": home_figures(run),
                "folds": _folds(run, weights),
                "roc": roc_figures(run),
                "reliability": reliability_figures(run, weights),
                "coverage": coverage_figures(run, weights),
                "most_wrong": _most_wrong(run, most_wrong),
                "intervals": {
                    **ends,
                    "accuracy": share_interval(run.right, run.units[0], draws["accuracy"]),
                    **intervals(
                        {
                            "auc_macro": area_draws["macro"],
                            "auc_micro": area_draws["micro"],
                            **trust_draws,
                        },
                        run.units[1],
                    ),
                    "types": _type_intervals(run, draws, area_draws["types"]),
                },
                "settings": {"ece_bins": ECE_BINS, "resamples": resamples, "seed": SEED},
            }
        )
    )


def _summary(run: TestedRun) -> dict[str, Any]:
    """That of the first folder; sums where every fold has its own."""
    whole = asdict(run.summary)
    seconds = [one.train_seconds for one in run.summaries]
    known = [value for value in seconds if value is not None]
    whole["train_seconds"] = sum(known) if len(known) == len(seconds) else None
    rates = [one.images_per_s for one in run.summaries if one.images_per_s is not None]
    whole["images_per_s"] = float(np.mean(rates)) if rates else None
    for name in ("n_train", "n_val", "n_test", "epochs", "best_epoch"):
        whole[name] = [getattr(one, name) for one in run.summaries]
    return whole


def _areas(run: TestedRun) -> NDArray[np.float64]:
    """Area under the curve of each class, shape (K,)."""
    scores, targets = run.probabilities, run.test.targets
    return np.array([roc_auc(scores[:, k], targets == k) for k in range(len(run.classes))])


def _micro_area(run: TestedRun) -> float:
    return float(roc_auc(*micro_average(run.probabilities, run.test.targets)))


def _trust(
    run: TestedRun, weights: NDArray[np.float64]
) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Calibration before and after the temperature, and in the resamples."""
    heats = {"": np.ones(len(run.right)), "_calibrated": run.temperatures[run.folds]}
    figures: dict[str, float] = {}
    draws: dict[str, NDArray[np.float64]] = {}
    for suffix, heat in heats.items():
        probabilities = run.calibrated if suffix else run.probabilities
        names = (f"ece{suffix}", f"nll{suffix}")
        if np.isnan(heat).any():  # a fold has no validation part
            figures |= dict.fromkeys(names, np.nan)
            draws |= dict.fromkeys(names, np.full(len(weights), np.nan))
            continue
        unlikely = negative_log_likelihood(run.test.logits / heat[:, None], run.test.targets)
        figures[names[0]] = calibration_error(probabilities.max(axis=1), run.right)
        figures[names[1]] = float(unlikely.mean()) if unlikely.size else np.nan
        draws[names[0]] = run_draws.calibration_draws(run, probabilities, weights)
        draws[names[1]] = run_draws.likelihood_draws(run, heat, weights)
    return figures, draws


def _types(
    run: TestedRun,
    matrix: NDArray[np.int64],
    figures: Mapping[str, NDArray[np.float64]],
    areas: NDArray[np.float64],
) -> dict[str, dict[str, float]]:
    by_name = {**figures, "auc": areas}
    return {
        name: {
            "n": int(matrix[place].sum()),
            "n_groups": len(np.unique(run.units[0][run.test.targets == place])),
            **{key: float(by_name[key][place]) for key in OF_TYPES},
        }
        for place, name in enumerate(run.classes)
    }


def _type_intervals(
    run: TestedRun, draws: Mapping[str, NDArray[np.float64]], auc: NDArray[np.float64]
) -> dict[str, dict[str, Interval]]:
    """As for accuracy, since all but the area are shares of pictures or follow from one."""
    units, n_units = run.units
    found = {}
    for place, name in enumerate(run.classes):
        true, answered = run.test.targets == place, run.answers == place
        shares = {
            "precision": (answered, true),
            "recall": (true, answered),
            "specificity": (~true, ~answered),
        }
        found[name] = {
            **{
                key: share_interval(hits[rows], units[rows], draws[key][:, place])
                for key, (rows, hits) in shares.items()
            },
            "f1": _f1_interval(run, true, answered, draws["f1"][:, place]),
            **intervals({"auc": auc[:, place]}, n_units),
        }
    return found


def _f1_interval(
    run: TestedRun,
    true: NDArray[np.bool_],
    answered: NDArray[np.bool_],
    draws: NDArray[np.float64],
) -> Interval:
    """By the share J of right ones among those that are of the type or were held for it.

    F1 = 2 J / (1 + J), which rises with J.
    """
    rows = true | answered
    share = draws / (2 - draws)
    low, high = share_interval((true & answered)[rows], run.units[0][rows], share)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def origin_figures(run: TestedRun, weights: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Accuracy and mean F1 on the test pictures of each origin: do other stains cost something?

    Parameters
    ----------
    run : TestedRun
    weights : ndarray of float64, shape (R, groups)
        Of the resamples.

    Returns
    -------
    dict
        Origin → ``n``, ``n_groups``, ``accuracy``, ``macro_f1``, ``intervals`` of both.
    """
    return {
        str(origin): _part(run, run.test.origins == origin, weights, ("accuracy", "macro_f1"))
        for origin in np.unique(run.test.origins)
    }


def home_figures(run: TestedRun) -> dict[str, Any] | None:
    """Accuracy on the validation pictures of a run that was tested on other origins.

    Returns
    -------
    dict or None
        Of :func:`~smearlab.evaluation.part_accuracy.accuracy_of`; None for a run that was not
        crossed, or has no validation part. The epoch was chosen on these pictures.
    """
    if not run.crossed or np.isnan(run.temperatures).any():
        return None
    return accuracy_of([Predictions.load(folder, "val") for folder in run.folders])


def _part(
    run: TestedRun, rows: NDArray[np.bool_], weights: NDArray[np.float64], names: Sequence[str]
) -> dict[str, Any]:
    """Figures of some of the pictures, accuracy among them, with their intervals."""
    figures = classification_figures(run_draws.confusion(run, rows))
    draws = run_draws.figure_draws(run, weights, rows)
    units = run.units[0][rows]
    n_groups = len(np.unique(units))
    ends = intervals({name: draws[name] for name in names}, n_groups)
    return {
        "n": int(rows.sum()),
        "n_groups": n_groups,
        **{name: figures[name].item() for name in names},
        "intervals": {
            **ends,
            "accuracy": share_interval(run.right[rows], units, draws["accuracy"]),
        },
    }


def _folds(run: TestedRun, weights: NDArray[np.float64]) -> dict[str, Any] | None:
    """Figures of each fold with intervals, their means, and Student intervals of these."""
    if len(run.folders) < 2:
        return None
    rows = [
        {"fold": summary.fold or place + 1, **_part(run, run.folds == place, weights, OF_FOLDS)}
        for place, summary in enumerate(run.summaries)
    ]
    columns = {name: [row[name] for row in rows] for name in OF_FOLDS}
    return {
        "each": rows,
        "mean": {name: _mean(values) for name, values in columns.items()},
        "intervals": {name: _within_shares(values) for name, values in columns.items()},
    }


def _within_shares(values: Sequence[float]) -> Interval:
    """Student's interval, which knows no bounds, cut at 0 and 1."""
    low, high = (float(np.clip(end, 0.0, 1.0)) for end in mean_interval(values))
    return low, high


def _mean(values: Sequence[float]) -> float:
    return float(run_draws.mean_of_defined(np.array(values)))


def _most_wrong(run: TestedRun, most: int) -> list[dict[str, Any]]:
    """Wrong answers, those first of which the network held the truth for least likely."""
    probabilities = run.probabilities
    truth = probabilities[np.arange(len(run.right)), run.test.targets]
    wrong = np.flatnonzero(~run.right)
    # By logits, since probabilities of sure networks are rounded to 0.
    losses = negative_log_likelihood(run.test.logits[wrong], run.test.targets[wrong])
    return [
        {
            "path": str(run.test.paths[row]),
            "origin": str(run.test.origins[row]),
            "fold": int(run.folds[row]),
            "true": run.classes[run.test.targets[row]],
            "answer": run.classes[run.answers[row]],
            "confidence": float(probabilities[row].max()),
            "true_probability": float(truth[row]),
        }
        for row in wrong[np.argsort(-losses, kind="stable")][:most]
    ]
