"""Several runs side by side: what was reported, what was obtained, what it cost, what is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.evaluation import run_draws
from smearlab.evaluation.results import RESAMPLES, SEED, intervals, plain
from smearlab.evaluation.run_figures import home_figures, origin_figures
from smearlab.evaluation.tested_runs import TestedRun, same_pictures
from smearlab.metrics.classification import classification_figures
from smearlab.metrics.intervals import share_interval
from smearlab.metrics.significance import Difference, holm, mcnemar, paired_difference

#: Column of the papers' tables → our figure: means over the types, as Table 4 of paper C.
FIGURES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "precision": "macro_precision",
    "recall": "macro_recall",
    "specificity": "macro_specificity",
    "f1": "macro_f1",
}
_NETWORK = "model.onnx"


def compare_runs(
    runs: Sequence[TestedRun], *, tests: bool = True, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Put runs into one table and test the best against the others.

    Parameters
    ----------
    runs : sequence of TestedRun
        From :func:`smearlab.evaluation.tested_runs.open_runs`.
    tests : bool
        Whether to test differences, which takes that all were tested on the same pictures.
    resamples : int
        Of the bootstrap, by group.

    Returns
    -------
    dict
        ``classes``; ``runs``: a row each with ``obtained`` and ``reported`` figures of
        :data:`FIGURES`, ``intervals``, n, parameters, MACs, times, ``bundle_bytes``,
        ``origins``, ``home``;
        ``tests``: None without, else ``best`` and ``against`` it every other: differences of
        accuracy and mean F1 with intervals and p, McNemar's p, and p after Holm; ``settings``.
        Undefined figures are None.

    Raises
    ------
    UsageError
        If no run is given, or differences are asked for and the test pictures differ.
    """
    if not runs:
        raise UsageError("there is no run to compare; name the folders of one or more runs")
    tested = tests and len(runs) > 1
    runs = same_pictures(runs) if tested else runs
    return dict(
        plain(
            {
                "classes": runs[0].classes,
                "runs": [_row(run, resamples) for run in runs],
                "tests": _tests(runs, resamples) if tested else None,
                "settings": {"resamples": resamples, "seed": SEED},
            }
        )
    )


def _row(run: TestedRun, resamples: int) -> dict[str, Any]:
    summary = run.summary
    figures = classification_figures(run_draws.confusion(run))
    weights = run.draws(resamples, SEED)
    draws = run_draws.figure_draws(run, weights)
    ends = intervals({name: draws[ours] for name, ours in FIGURES.items()}, run.units[1])
    return {
        "run": run.name,
        "recipe": summary.recipe,
        "network": summary.network,
        "protocol": summary.protocol,
        "folds": len(run.folders) if summary.folds and len(run.folders) > 1 else None,
        "fold": summary.fold if len(run.folders) == 1 else None,
        "datasets": summary.datasets,
        "trained_on": run.trained_on,
        "n": len(run.right),
        "n_groups": run.units[1],
        "n_train": _mean([one.n_train for one in run.summaries]),
        "obtained": {name: figures[ours].item() for name, ours in FIGURES.items()},
        "intervals": {
            **ends,
            "accuracy": share_interval(run.right, run.units[0], draws["accuracy"]),
        },
        "reported": {key: value for key, value in summary.reported.items() if _number(value)},
        "parameters": summary.parameters,
        "macs": summary.macs,
        "input_px": summary.input_px,
        "epochs": _mean([one.epochs for one in run.summaries]),
        "train_seconds": _mean([one.train_seconds for one in run.summaries]),
        "images_per_s": _mean([one.images_per_s for one in run.summaries]),
        "precision_of_training": summary.precision,
        "hardware": summary.hardware,
        "bundle_bytes": bundle_bytes(run),
        "origins": origin_figures(run, weights),
        "home": home_figures(run),
        "deviations": summary.deviations,
    }


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mean(values: Sequence[float | None]) -> float:
    """Mean over the folds; NaN if one is not known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else float("nan")


def bundle_bytes(run: TestedRun) -> int | None:
    """Size of the network that was exported from a run; None if none lies in its folder.

    Of several, as with a quantised one beside, the one of the shortest path counts.
    """
    places = {*run.folders, *(folder.parent for folder in run.folders if len(run.folders) > 1)}
    found: list[Path] = sorted(
        (path for place in places for path in place.rglob(_NETWORK)),
        key=lambda path: (len(str(path)), path),
    )
    return found[0].stat().st_size if found else None


def _tests(runs: Sequence[TestedRun], resamples: int) -> dict[str, Any]:
    """The most accurate run against every other; the first of equals is called the best."""
    best = max(runs, key=lambda run: int(run.right.sum()))
    others = [run for run in runs if run is not best]
    # Groups may differ between manifests: the best run's say what is drawn together.
    weights = best.draws(resamples, SEED)
    against = [_against(best, other, weights) for other in others]
    for name in ("mcnemar", "accuracy", "macro_f1"):
        for row, p in zip(against, holm([row[name]["p"] for row in against]), strict=True):
            row[name]["p_holm"] = p
    return {"best": best.name, "against": against}


def _against(best: TestedRun, other: TestedRun, weights: NDArray[np.float64]) -> dict[str, Any]:
    regrouped = _with_groups_of(other, best)
    found: dict[str, Any] = {
        "run": other.name,
        "mcnemar": mcnemar(best.right, other.right)._asdict(),
    }
    ours, theirs = (run_draws.figure_draws(run, weights) for run in (best, regrouped))
    figures = [classification_figures(run_draws.confusion(run)) for run in (best, other)]
    for name in ("accuracy", "macro_f1"):
        value = float(figures[0][name] - figures[1][name])
        difference: Difference = paired_difference(value, ours[name] - theirs[name])
        found[name] = difference._asdict()
    return found


def _with_groups_of(run: TestedRun, other: TestedRun) -> TestedRun:
    """The same answers in the groups of another run of the same pictures."""
    return replace(run, test=replace(run.test, groups=other.test.groups))
