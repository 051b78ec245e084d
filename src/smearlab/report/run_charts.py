"""The charts of a trained classifier, from what its evaluation found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smearlab.report.line_chart import (
    HEIGHT,
    Axis,
    Column,
    Line,
    LineChart,
    Point,
    lay_out_lines,
)

#: Curves by type have as many styles; more types take them again.
N_STYLES = 12
#: The corner of the ROC that is drawn again, larger.
_CORNER = 0.1
#: Room beside the first and the last point of a learning curve, as a ratio.
_MARGIN = 1.12
_CELL_PX, _LABEL_PX = 58.0, 172.0
Curves = Mapping[str, Mapping[str, Sequence[float]]]


def roc_chart(result: Mapping[str, Any], *, corner: bool = False) -> LineChart:
    """ROC of each type, their mean, and of all answers pooled.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.run_figures.evaluate_run`.
    corner : bool
        Whether only the corner next to the perfect point is drawn.
    """
    curves = result["roc"]
    lines = [
        Line(name, f"s{place % N_STYLES}", curve["false_rate"], curve["true_rate"])
        for place, (name, curve) in enumerate(curves["types"].items())
    ]
    for name, style, label in (
        ("micro", "pooled", "all answers pooled"),
        ("macro", "mean", "mean of types"),
    ):
        lines.append(Line(label, style, curves[name]["false_rate"], curves[name]["true_rate"]))
    reach = _CORNER if corner else 1.0
    part = "its upper left corner" if corner else "whole"
    return lay_out_lines(
        f"ROC, {part}",
        f"Area under the mean curve {_shown(result['auc_macro'])}",
        Axis("1 − specificity", 0, reach, percent=True),
        Axis("sensitivity", 1 - reach, 1, percent=True),
        lines,
        diagonal=not corner,
    )


def reliability_chart(
    bins: Sequence[Mapping[str, Any]], title: str, error: float | None
) -> LineChart:
    """Share of right answers against confidence.

    Parameters
    ----------
    bins : sequence of mapping
        Of :func:`smearlab.evaluation.run_curves.reliability_figures`.
    title : str
    error : float or None
        Expected calibration error.
    """
    used = [one for one in bins if one["n"]]
    total = sum(one["n"] for one in bins)
    return lay_out_lines(
        title,
        f"Expected calibration error {_shown(error)}",
        Axis("confidence", 0, 1, percent=True),
        Axis("right answers", 0, 1, percent=True),
        [Line("", "s0", [one["confidence"] for one in used], [one["accuracy"] for one in used])],
        points=[_point(one["confidence"], one["accuracy"], one["interval"]) for one in used],
        columns=[Column(one["low"], one["high"], one["n"] / total) for one in used],
        diagonal=True,
    )


def coverage_chart(result: Mapping[str, Any]) -> LineChart:
    """Accuracy of the surest answers against how many they are."""
    curve = result["coverage"]["curve"]
    coverage, accuracy = curve["coverage"], curve["accuracy"]
    # The first few answers alone would say where the axis begins.
    counted = [a for c, a in zip(coverage, accuracy, strict=True) if c >= 0.1] or accuracy
    low = _below(min(counted))
    shown = [max(low, a) for a in accuracy]
    return lay_out_lines(
        "Accuracy against coverage",
        f"All answered: {_shown(result['accuracy'])}",
        Axis("share of pictures answered, the surest first", 0, 1, percent=True),
        Axis("accuracy among them", low, 1, percent=True),
        [Line("", "s0", coverage, shown)],
    )


def learning_charts(runs: Sequence[Mapping[str, Any]]) -> list[LineChart]:
    """Accuracy over the number of training pictures, for every recipe that was given several.

    Parameters
    ----------
    runs : sequence of mapping
        Rows of :func:`smearlab.evaluation.comparison.compare_runs`.
    """
    curves: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for run in runs:
        if run["n_train"] is not None:
            curves.setdefault((run["recipe"], run["protocol"]), []).append(run)
    return [
        _learning_chart(f"{recipe}, {protocol} protocol", sorted(rows, key=lambda r: r["n_train"]))
        for (recipe, protocol), rows in curves.items()
        if len({row["n_train"] for row in rows}) > 2
    ]


def _learning_chart(title: str, rows: Sequence[Mapping[str, Any]]) -> LineChart:
    sizes = [row["n_train"] for row in rows]
    accuracies = [row["obtained"]["accuracy"] for row in rows]
    ends = [row["intervals"]["accuracy"] for row in rows]
    known = [low for low, _ in ends if low is not None]
    points = list(map(_point, sizes, accuracies, ends))
    return lay_out_lines(
        title,
        ", ".join(f"{size:.0f}: {_shown(a)}" for size, a in zip(sizes, accuracies, strict=True)),
        Axis("training pictures", sizes[0] / _MARGIN, sizes[-1] * _MARGIN, log=True),
        Axis("accuracy", _below(min([*known, *accuracies])), 1, percent=True),
        [Line("", "s0", sizes, accuracies)],
        points=points,
        height=HEIGHT * 0.8,
    )


def _point(x: float, y: float, interval: Sequence[float | None]) -> Point:
    """A point with its interval; without one where a single group tells nothing of others."""
    low, high = interval
    return Point(x, y, y if low is None else low, y if high is None else high)


def _below(lowest: float) -> float:
    """A round share below the lowest, so that the curve fills its chart."""
    for step in (0.01, 0.02, 0.05, 0.1, 0.2):
        floor = math.floor((lowest - 1e-9) / step) * step
        if 1 - floor <= 5 * step + 1e-9:
            return round(max(0.0, floor), 10)
    return 0.0


def training_charts(folds: Sequence[Curves]) -> list[LineChart]:
    """Loss and accuracy over the epochs; every fold is a line.

    Parameters
    ----------
    folds : sequence of mapping
        Of :func:`smearlab.evaluation.training_log.training_curves`, one a folder.
    """
    charts = []
    for figure in ("loss", "accuracy"):
        lines = [
            Line(label, style, curves[name]["epoch"], curves[name]["value"])
            for curves in folds
            for name, label, style in (
                (figure, "training", "s0"),
                (f"val_{figure}", "validation", "s1"),
            )
            if name in curves
        ]
        if not lines:
            continue
        values = [value for line in lines for value in line.y]
        last = max(max(line.x) for line in lines)
        share = figure == "accuracy"
        low = _below(min(values)) if share else 0.0
        high = 1.0 if share else max(*values, 1e-6) * 1.04
        charts.append(
            lay_out_lines(
                figure.capitalize(),
                f"Over {last:.0f} epochs, at the end {_shown(lines[-1].y[-1])}",
                Axis("epoch", 1 if last > 1 else 0, max(last, 1.0), percent=False),
                Axis(figure, low, high, percent=share),
                lines,
                height=HEIGHT * 0.8,
            )
        )
    return charts


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


@dataclass(frozen=True)
class MatrixCell:
    """One cell of a confusion matrix in the drawing: place, count, share of its row."""

    x: float
    y: float
    n: int
    share: float
    right: bool

    @property
    def strength(self) -> float:
        """How strongly it is coloured; few wrong answers are to be seen as well."""
        return round(self.share if self.right else math.sqrt(self.share), 3)


@dataclass(frozen=True)
class MatrixChart:
    """A confusion matrix in the drawing's own units."""

    labels: tuple[str, ...]
    totals: tuple[int, ...]
    cells: tuple[MatrixCell, ...]
    cell: float
    left: float
    top: float
    width: float
    height: float


def matrix_chart(confusion: Mapping[str, Any]) -> MatrixChart:
    """Place the cells of a confusion matrix.

    Parameters
    ----------
    confusion : mapping
        ``labels`` (K names) and ``matrix`` (K rows of K counts, rows are true types).
    """
    labels, matrix = tuple(confusion["labels"]), confusion["matrix"]
    totals = tuple(sum(row) for row in matrix)
    cells = tuple(
        MatrixCell(
            round(_LABEL_PX + _CELL_PX * column, 2),
            round(6 + _CELL_PX * row, 2),
            n,
            n / totals[row] if totals[row] else 0.0,
            row == column,
        )
        for row, counts in enumerate(matrix)
        for column, n in enumerate(counts)
    )
    side = _CELL_PX * len(labels)
    return MatrixChart(
        labels, totals, cells, _CELL_PX, _LABEL_PX, 6.0, _LABEL_PX + side + 90, side + 6 + 128
    )
