"""What :func:`smearlab.evaluation.comparison.compare_runs` returns, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smearlab.evaluation.comparison import FIGURES
from smearlab.evaluation.grids import (
    Grid,
    chance,
    count,
    duration,
    magnitude,
    number,
    percent,
)
from smearlab.evaluation.run_grids import origins_grid

_HEADS = {
    "accuracy": "accuracy %",
    "precision": "precision %",
    "recall": "recall %",
    "specificity": "specificity %",
    "f1": "F1 %",
}
#: Shown where a paper reports it.
_RARE = "specificity"


def comparison_grids(result: Mapping[str, Any]) -> list[Grid]:
    """All tables, in the order in which they are read.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.comparison.compare_runs`.
    """
    grids = [results_grid(result), costs_grid(result)]
    if result["tests"] is not None:
        grids.append(tests_grid(result))
    origins = origins_grid(result["runs"])
    return [*grids, *([origins] if origins else [])]


def results_grid(result: Mapping[str, Any]) -> Grid:
    """Obtained beside reported; the papers' figures only where a run has any."""
    runs = result["runs"]
    told = {name for name in FIGURES if any(name in run["reported"] for run in runs)}
    shown = [name for name in FIGURES if name != _RARE or name in told]
    heads = ["run", "network", "protocol", "n"]
    for name in shown:
        heads += [_HEADS[name], *(["reported"] if name in told else [])]
    rows = []
    for run in runs:
        row = [run["run"], run["network"], _protocol(run), count(run["n"])]
        for name in shown:
            row.append(percent(run["obtained"][name], run["intervals"][name]))
            row += [percent(run["reported"].get(name))] if name in told else []
        rows.append(tuple(row))
    return Grid(
        "Obtained (95 % interval) and reported",
        tuple(heads),
        tuple(rows),
        "All but accuracy are means over the types; recall is sensitivity. Intervals: bootstrap "
        "by group; of accuracy Clopper–Pearson where every picture is a group of its own.",
        n_words=3,
    )


def _protocol(run: Mapping[str, Any]) -> str:
    if run["folds"]:
        return f"{run['protocol']}, {run['folds']} folds"
    return f"{run['protocol']}, fold {run['fold']}" if run["fold"] else str(run["protocol"])


def costs_grid(result: Mapping[str, Any]) -> Grid:
    """What the networks weigh and what their training took."""
    rows = []
    for run in result["runs"]:
        told = run["reported"]
        rows.append(
            (
                run["run"],
                _beside(count(run["parameters"]), count(told.get("parameters"))),
                _beside(magnitude(run["macs"]), magnitude(told.get("macs"))),
                magnitude(run["bundle_bytes"], "B"),
                count(run["n_train"]),
                count(run["epochs"]),
                _beside(duration(run["train_seconds"]), duration(told.get("train_seconds"))),
                number(run["images_per_s"], digits=0),
                run["precision_of_training"],
                run["hardware"],
            )
        )
    size = ("run", "parameters", "MACs", "bundle", "training pictures", "epochs")
    heads = (*size, "training time", "pictures/s", "arithmetic", "hardware")
    return Grid(
        "Size and cost",
        heads,
        tuple(rows),
        "MACs: multiply–accumulate steps for one picture. Folds: means. In brackets: reported.",
    )


def _beside(ours: str, theirs: str) -> str:
    return ours if theirs == "–" else f"{ours} ({theirs})"


def tests_grid(result: Mapping[str, Any]) -> Grid:
    """The best run against every other."""
    tests = result["tests"]
    least = 2 / (result["settings"]["resamples"] + 1)
    rows = []
    for one in tests["against"]:
        mcnemar = one["mcnemar"]
        # Holm raises the least p that resamples can tell, too.
        raised = min(1.0, least * len(tests["against"]))
        rows.append(
            (
                one["run"],
                percent(one["accuracy"]["value"], one["accuracy"]["interval"]),
                chance(one["accuracy"]["p"], least),
                chance(one["accuracy"]["p_holm"], raised if one["accuracy"]["p"] <= least else 0),
                percent(one["macro_f1"]["value"], one["macro_f1"]["interval"]),
                f"{mcnemar['first_only']} : {mcnemar['second_only']}",
                chance(mcnemar["p"]),
                chance(mcnemar["p_holm"]),
            )
        )
    bootstrapped = ("against", "accuracy, points", "p", "p, Holm", "F1, points")
    heads = (*bootstrapped, "only one right", "McNemar p", "p, Holm")
    return Grid(
        f"{tests['best']}, the most accurate, against the others",
        heads,
        tuple(rows),
        "Differences with 95 % intervals and p: paired bootstrap by group. McNemar: exact, takes "
        "pictures as independent. Holm: raised for the number of comparisons.",
    )
