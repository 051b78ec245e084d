"""The page of trained classifiers: figures, curves and the pictures that were answered worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from smearlab import __version__
from smearlab.io.atomic import open_atomic
from smearlab.report import numbers, run_charts
from smearlab.report.html import content_hash, page_environment

#: A type with fewer groups of test pictures is pointed out.
FEW = 30
#: Reported figures that stand in a table, here or in a comparison.
_IN_TABLES = ("accuracy", "precision", "recall", "specificity", "f1", "train_seconds")


@dataclass(frozen=True, eq=False)
class WrongPicture:
    """A picture that was answered wrongly.

    Parameters
    ----------
    path, true, answer : str
    confidence, true_probability : float
        Of the answer, and of the true type, in [0, 1].
    jpeg : bytes or None
        The picture; None if it cannot be shown.
    map_jpeg : bytes or None
        What the network saw, with what it looked at; None without.
    """

    path: str
    true: str
    answer: str
    confidence: float
    true_probability: float
    jpeg: bytes | None = None
    map_jpeg: bytes | None = None


@dataclass(frozen=True, eq=False)
class RunOnPage:
    """One run as the page shows it.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.run_figures.evaluate_run`.
    grids : mapping of str to table
        ``overall``, ``types``, ``coverage`` and perhaps ``folds``; a table has a ``title``,
        ``columns``, ``rows`` of words and a ``note``.
    curves : sequence of mapping
        Of the training, one a fold; empty ones are left out.
    pictures : sequence of WrongPicture
    notes : sequence of str
        What the reader must know of the pictures.
    """

    result: Mapping[str, Any]
    grids: Mapping[str, Any]
    curves: Sequence[run_charts.Curves] = ()
    pictures: Sequence[WrongPicture] = ()
    notes: Sequence[str] = ()


def write_run_page(path: str | Path, runs: Sequence[RunOnPage], origins: Any = None) -> None:
    """Write the report of trained classifiers, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
        Usually ``evaluation.html``.
    runs : sequence of RunOnPage
        At least one.
    origins : table, optional
        Accuracy of every run on the pictures of each origin.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    names = [str(one.result["run"]) for one in runs]
    title = "Evaluation of " + (", ".join(names) if len(names) < 4 else f"{len(names)} runs")
    write_page(
        path,
        "run_page.html.j2",
        title,
        runs=[_shown(place, one) for place, one in enumerate(runs)],
        origins=origins,
    )


def write_page(path: str | Path, template: str, title: str, **context: Any) -> None:
    """Render one of the pages about classifiers with the style of the house.

    Parameters
    ----------
    path : str or Path
    template : str
        Name of the template.
    title : str
    **context
        What the template shows.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    environment = page_environment()
    environment.filters["parted"] = figure_and_interval
    style = environment.get_template("report.css.j2").render()
    style += environment.get_template("run.css").render()
    stream = environment.get_template(template).stream(
        version=__version__,
        title=title,
        style=Markup(style),
        style_hash=content_hash(style),
        **context,
    )
    stream.enable_buffering(16)
    with open_atomic(path, "wb") as file:
        for chunk in stream:
            file.write(chunk.encode("utf-8", errors="backslashreplace"))


def figure_and_interval(cell: str) -> tuple[str, str, str]:
    """A cell of a table in two: what stands before its bracket, a space, the bracket.

    Examples
    --------
    >>> figure_and_interval("97.1 (96.5–97.6)"), figure_and_interval("lwcnn")
    (('97.1', ' ', '(96.5–97.6)'), ('lwcnn', '', ''))
    """
    before, space, bracket = cell.partition(" (")
    return (before, " ", "(" + bracket) if space else (cell, "", "")


def _shown(place: int, run: RunOnPage) -> dict[str, Any]:
    result = run.result
    diagrams, trust = result["reliability"], [("raw", "ece", "As the network answers")]
    if diagrams["calibrated"] is not None:
        heats = ", ".join(f"{heat:.2f}" for heat in result["temperatures"])
        trust.append(("calibrated", "ece_calibrated", f"At the temperature {heats}"))
    return {
        "place": place,
        "result": result,
        "grids": run.grids,
        "cautions": cautions(result),
        "facts": _facts(result["summary"]),
        "matrix": run_charts.matrix_chart(result["confusion"]),
        "roc": [run_charts.roc_chart(result), run_charts.roc_chart(result, corner=True)],
        "trust": [
            run_charts.reliability_chart(diagrams[name], title, result[error])
            for name, error, title in trust
        ],
        "coverage": run_charts.coverage_chart(result),
        "training": run_charts.training_charts([c for c in run.curves if c]),
        "pictures": run.pictures,
        "notes": run.notes,
    }


def cautions(result: Mapping[str, Any]) -> list[str]:
    """What must be known before the figures are used.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.run_figures.evaluate_run`.
    """
    summary, said = result["summary"], []
    if summary["protocol"] == "paper":
        said.append(
            "The split is the paper's. It does not keep pictures of one source or near-duplicates "
            "on one side, which flatters the figures; compare with the honest protocol."
        )
    few = [
        f"{name} ({one['n_groups']})"
        for name, one in result["types"].items()
        if one["n_groups"] < FEW
    ]
    if few:
        said.append(
            f"Few groups of test pictures: {', '.join(few)}. Pictures of one group share a source "
            "and count as one; figures of these types say little, however many pictures there are."
        )
    if result["reliability"]["calibrated"] is None:
        said.append("There are no answers on validation pictures, so no temperature was fitted.")
    if "simulated" in summary["datasets"]:
        said.append("The pictures are simulated: the figures say nothing about blood.")
    return said


def _facts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the run was, a line each."""

    def counts(values: Any) -> str:
        values = values if isinstance(values, Iterable) else [values]
        return ", ".join(numbers.integer(value) for value in dict.fromkeys(values))

    lines = [
        ("Recipe", summary["recipe"]),
        ("Network", summary["network"]),
        ("Protocol", summary["protocol"]),
        ("Data", ", ".join(summary["datasets"])),
        ("Pictures: training", counts(summary["n_train"])),
        ("validation", counts(summary["n_val"])),
        ("test", counts(summary["n_test"])),
        ("Seen side", f"{summary['input_px']} px"),
        ("Parameters", counts(summary["parameters"])),
        ("MACs", "" if summary["macs"] is None else counts(summary["macs"])),
        ("Epochs", counts(summary["epochs"])),
        ("Weights of epoch", counts(summary["best_epoch"])),
        ("Training took", _seconds(summary["train_seconds"])),
        ("Pictures per second", _rate(summary["images_per_s"])),
        ("Hardware", summary["hardware"]),
        ("Arithmetic", summary["precision"]),
        ("Seed", str(summary["seed"])),
        ("Reported in", str(summary["reported"].get("where", ""))),
        ("Reported, too", _rest_of(summary["reported"])),
        ("Deviations", "; ".join(summary["deviations"])),
    ]
    return [(name, value) for name, value in lines if value]


def _rest_of(reported: Mapping[str, Any]) -> str:
    """Shares that a paper reports and no table shows: of its folds, of other pictures."""
    said = []
    for name, value in reported.items():
        shares = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        if name not in _IN_TABLES and all(isinstance(one, float) for one in shares):
            said.append(f"{name} {', '.join(f'{100 * one:.2f}' for one in shares)} %")
    return "; ".join(said)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value / 60:,.1f} min"


def _rate(value: float | None) -> str:
    return "" if value is None else numbers.integer(round(value))
