"""What :func:`smearlab.evaluation.run_figures.evaluate_run` returns, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smearlab.evaluation.grids import UNDEFINED, Grid, count, number, percent
from smearlab.evaluation.run_figures import OF_FOLDS, OF_TYPES
from smearlab.evaluation.tables import SHORT_NAMES

_PERCENT = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_precision": "precision, mean of types",
    "macro_recall": "recall = sensitivity, mean of types",
    "macro_specificity": "specificity, mean of types",
    "macro_f1": "F1, mean of types",
    "weighted_precision": "precision, weighted by n",
    "weighted_recall": "recall, weighted by n",
    "weighted_specificity": "specificity, weighted by n",
    "weighted_f1": "F1, weighted by n",
}
_FRACTION = {
    "auc_macro": "area under ROC, mean of types",
    "auc_micro": "area under ROC, all answers pooled",
    "ece": "calibration error (ECE)",
    "ece_calibrated": "calibration error at the temperature",
    "nll": "negative log-likelihood",
    "nll_calibrated": "negative log-likelihood at the temperature",
}
_HEADS = {
    "precision": "precision %",
    "recall": "recall %",
    "specificity": "specificity %",
    "f1": "F1 %",
    "auc": "area under ROC",
    "accuracy": "accuracy %",
    "balanced_accuracy": "balanced accuracy %",
    "macro_precision": "precision %",
    "macro_recall": "recall %",
    "macro_f1": "F1 %",
}
#: Keys under which a paper's figures may stand in a recipe → our figure.
_REPORTED = {
    "accuracy": "accuracy",
    "precision": "macro_precision",
    "recall": "macro_recall",
    "specificity": "macro_specificity",
    "f1": "macro_f1",
}


def text_grids(result: Mapping[str, Any]) -> list[Grid]:
    """What is shown on a terminal."""
    grids = [overall_grid(result), types_grid(result), confusion_grid(result)]
    folds = folds_grid(result)
    return [*grids, *([folds] if folds else []), coverage_grid(result)]


def page_grids(result: Mapping[str, Any]) -> dict[str, Grid]:
    """The tables of a page, by the part that they stand in."""
    grids = {
        "overall": overall_grid(result),
        "types": types_grid(result),
        "coverage": coverage_grid(result),
    }
    folds = folds_grid(result)
    return {**grids, **({"folds": folds} if folds else {})}


def overall_grid(result: Mapping[str, Any]) -> Grid:
    """Figures of all types together, beside what the paper reports."""
    ends = result["intervals"]
    reported = {
        _REPORTED.get(key, key): value
        for key, value in result["summary"]["reported"].items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    shown = any(key in reported for key in (*_PERCENT, *_FRACTION))
    rows = []
    for names, write in ((_PERCENT, percent), (_FRACTION, number)):
        for key, label in names.items():
            unit = " %" if names is _PERCENT else ""
            row = (label + unit, write(result[key], ends[key]))
            rows.append((*row, write(reported[key]) if key in reported else "") if shown else row)
    n, groups = result["n"], result["n_groups"]
    title = f"{result['run']}: {count(n)} test pictures in {count(groups)} groups"
    return Grid(title, ("", "obtained (95 %)", *(["reported"] if shown else [])), tuple(rows))


def types_grid(result: Mapping[str, Any]) -> Grid:
    """Figures of each type."""
    ends = result["intervals"]["types"]
    rows = []
    for name, one in result["types"].items():
        cells = [
            (number if key == "auc" else percent)(one[key], ends[name][key]) for key in OF_TYPES
        ]
        rows.append((name, count(one["n"]), count(one["n_groups"]), *cells))
    return Grid("Types", ("type", "n", "groups", *(_HEADS[key] for key in OF_TYPES)), tuple(rows))


def confusion_grid(result: Mapping[str, Any]) -> Grid:
    """Who was taken for whom; a point stands for none."""
    labels, matrix = result["confusion"]["labels"], result["confusion"]["matrix"]
    rows = [
        (label, *(str(n) if n else "·" for n in row))
        for label, row in zip(labels, matrix, strict=True)
    ]
    return Grid("Rows: what it is; columns: the answer", ("", *_cut(labels)), tuple(rows))


def _cut(labels: Sequence[str]) -> list[str]:
    """Heads of narrow columns: as few letters of each, from four, as tell it from the others.

    Examples
    --------
    >>> _cut(["monocyte", "monoblast", "neutrophil", "erythrocyte"])
    ['monoc', 'monob', 'neut', 'RBC']
    """

    def head(label: str) -> str:
        others = [one for one in labels if one != label]
        for letters in range(4, len(label)):
            if not any(one.startswith(label[:letters]) for one in others):
                return label[:letters]
        return label

    return [SHORT_NAMES.get(label) or head(label) for label in labels]


def folds_grid(result: Mapping[str, Any]) -> Grid | None:
    """Figures of each fold and their means; None without folds."""
    folds = result["folds"]
    if folds is None:
        return None
    rows = [
        (
            str(one["fold"]),
            count(one["n"]),
            *(percent(one[key], one["intervals"][key]) for key in OF_FOLDS),
        )
        for one in folds["each"]
    ]
    means = [percent(folds["mean"][key], folds["intervals"][key]) for key in OF_FOLDS]
    return Grid(
        "Folds",
        ("fold", "n", *(_HEADS[key] for key in OF_FOLDS)),
        (*rows, ("mean", "", *means)),
        "Interval of the mean: Student. The folds share training pictures, so it is rather too "
        "narrow.",
    )


def coverage_grid(result: Mapping[str, Any]) -> Grid:
    """Accuracy when only the surest answers are given."""
    rows = [
        (
            percent(row["wanted"]),
            percent(row["coverage"]),
            number(row["threshold"]),
            count(row["n"]),
            percent(row["accuracy"], row["interval"]),
        )
        for row in result["coverage"]["at"]
    ]
    heads = ("answered, wanted %", "answered %", "confidence from", "n", "accuracy %")
    return Grid("Accuracy against coverage", heads, tuple(rows))


def origins_grid(results: Sequence[Mapping[str, Any]]) -> Grid | None:
    """Accuracy of each run on the test pictures of each origin: the cross-stain table.

    Parameters
    ----------
    results : sequence of mapping
        With ``run``, ``origins``, ``home`` and ``trained_on``.

    Returns
    -------
    Grid or None
        None with one origin in all, unless a run was trained on another.
    """
    origins = sorted({origin for result in results for origin in result["origins"]})
    crossed = any(result["home"] for result in results)
    if len(origins) < 2 and not crossed:
        return None
    rows = []
    for result in results:
        parts = [result["origins"].get(origin) for origin in origins]
        cells = [_accuracy(one) for one in ([result["home"], *parts] if crossed else parts)]
        rows.append((result["run"], ", ".join(result["trained_on"]) or UNDEFINED, *cells))
    home = ["at home"] if crossed else []
    note = "At home: validation pictures of the origins trained on; the epoch was chosen on them."
    return Grid(
        "Accuracy % by origin of the test pictures",
        ("run", "trained on", *home, *(f"on {origin}" for origin in origins)),
        tuple(rows),
        note if crossed else "",
        n_words=2,
    )


def _accuracy(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return UNDEFINED
    return f"{percent(one['accuracy'], one['intervals']['accuracy'])}, n {count(one['n'])}"
