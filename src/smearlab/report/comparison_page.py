"""The page that puts trained classifiers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.report import numbers
from smearlab.report.line_chart import Mark, ticks
from smearlab.report.run_charts import learning_charts
from smearlab.report.run_page import write_page

_NAMES, _AXIS, _VALUES = 190.0, 520.0, 180.0
_ROW, _TOP, _BOTTOM = 34.0, 8.0, 50.0
#: Width of a letter of a name, and room between name and axis.
_LETTER, _GAP = 8.6, 16.0


@dataclass(frozen=True)
class AccuracyRow:
    """One run of the chart in the drawing's own units; ``reported_x`` is None without a paper."""

    name: str
    y: float
    x: float
    low_x: float
    high_x: float
    reported_x: float | None
    value: str


@dataclass(frozen=True)
class AccuracyChart:
    """Accuracies with their intervals, and what the papers report."""

    rows: tuple[AccuracyRow, ...]
    marks: tuple[Mark, ...]
    left: float
    right: float
    width: float
    height: float
    foot: float


def write_comparison_page(
    path: str | Path, result: Mapping[str, Any], grids: Sequence[Any]
) -> None:
    """Write the comparison, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
        Usually ``comparison.html``.
    result : mapping
        Of :func:`smearlab.evaluation.comparison.compare_runs`.
    grids : sequence of table
        Its tables; a table has a ``title``, ``columns``, ``rows`` of words and a ``note``.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    write_page(
        path,
        "comparison_page.html.j2",
        "Comparison of classifiers",
        result=result,
        grids=grids,
        chart=accuracy_chart(result["runs"]),
        learning=learning_charts(result["runs"]),
        cautions=cautions(result),
    )


def accuracy_chart(runs: Sequence[Mapping[str, Any]]) -> AccuracyChart:
    """Place the accuracies of runs, obtained and reported, on one axis.

    Parameters
    ----------
    runs : sequence of mapping
        Rows of :func:`smearlab.evaluation.comparison.compare_runs`.
    """
    reported = [run["reported"].get("accuracy") for run in runs]
    ends = [_ends(run) for run in runs]
    known = [value for value in reported if value is not None]
    lowest: float = min([*known, *(low_end for low_end, _ in ends)])
    low = max(0.0, lowest - 0.08 * (1 - lowest))

    left = max(_NAMES, *(_LETTER * len(run["run"]) + _GAP for run in runs))

    def x(value: float) -> float:
        return round(left + _AXIS * (value - low) / (1 - low), 2)

    rows = []
    for place, (run, told) in enumerate(zip(runs, reported, strict=True)):
        accuracy, (low_end, high_end) = run["obtained"]["accuracy"], ends[place]
        rows.append(
            AccuracyRow(
                run["run"],
                _TOP + _ROW * (place + 0.5),
                x(accuracy),
                x(low_end),
                x(high_end),
                None if told is None else x(told),
                f"{100 * accuracy:.2f} %, n {numbers.integer(run['n'])}",
            )
        )
    foot = _TOP + _ROW * len(rows)
    marks = tuple(Mark(x(tick), f"{round(100 * tick, 6):g} %") for tick in ticks(low, 1.0))
    right = left + _AXIS
    return AccuracyChart(tuple(rows), marks, left, right, right + _VALUES, foot + _BOTTOM, foot)


def _ends(run: Mapping[str, Any]) -> tuple[float, float]:
    """Of the interval of accuracy; the accuracy itself where one group alone has none."""
    low, high = run["intervals"]["accuracy"]
    accuracy: float = run["obtained"]["accuracy"]
    return (accuracy if low is None else low, accuracy if high is None else high)


def cautions(result: Mapping[str, Any]) -> list[str]:
    """What must be known before the table is used.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.comparison.compare_runs`.
    """
    runs, said = result["runs"], []
    paper = [run["run"] for run in runs if run["protocol"] == "paper"]
    if paper:
        said.append(
            f"{', '.join(paper)}: the split is the paper's. It does not keep pictures of one "
            "source or near-duplicates on one side, which flatters the figures."
        )
    if result["tests"] is None and len(runs) > 1:
        said.append(
            "The runs were not tested against each other, and perhaps on different pictures: "
            "differences between rows may come from these."
        )
    if any(run["reported"] for run in runs):
        said.append(
            "Reported figures come from the papers' own pictures and splits; only where these "
            "are the same is the comparison exact."
        )
    if result["tests"] is not None and any(run["n_groups"] < run["n"] for run in runs):
        said.append(
            "Some test pictures share a source: McNemar's test takes pictures as independent; "
            "trust the bootstrap by group."
        )
    return said
