"""Results as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from smearlab.types import ELEMENTS

_FIELD_ROWS = (
    ("ap50", "AP50", 3),
    ("ap", "AP", 3),
    ("precision", "precision", 3),
    ("recall", "recall", 3),
    ("count_mae", "count MAE", 2),
    ("count_bias", "count bias", 2),
    ("count_mape", "count MAPE %", 2),
)
_MASK_ROWS = (
    ("object_f1_50", "object F1 at IoU 0.5"),
    ("object_f1_75", "object F1 at IoU 0.75"),
    ("panoptic_quality", "panoptic quality"),
    ("pixel_accuracy", "pixel accuracy"),
    ("precision", "pixel precision"),
    ("sensitivity", "pixel sensitivity"),
    ("iou", "pixel IoU"),
    ("dice", "pixel Dice"),
)
_CELL_ROWS = (
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced accuracy"),
    ("macro_f1", "mean F1"),
    ("unidentified", "share unidentified"),
    ("accuracy_identified", "accuracy of the identified"),
    ("ece", "calibration error"),
)


def figure(value: float | None, interval: Sequence[float | None] | None, digits: int = 4) -> str:
    """A figure and its interval, or a dash where it is undefined.

    Parameters
    ----------
    value : float or None
        The figure.
    interval : sequence of two floats, or None
        Low and high end; left out where they are None.
    digits : int
        After the point.

    Returns
    -------
    str

    Examples
    --------
    >>> figure(0.5, (0.25, 0.75), 2), figure(0.5, (None, None), 2), figure(None, None)
    ('0.50 (0.25–0.75)', '0.50', '–')
    """
    if value is None:
        return "–"
    if interval is None or interval[0] is None or interval[1] is None:
        return f"{value:.{digits}f}"
    dash = "…" if interval[0] < 0 else "–"
    return f"{value:.{digits}f} ({interval[0]:.{digits}f}{dash}{interval[1]:.{digits}f})"


def fields_table(result: Mapping[str, Any], title: str = "") -> Table:
    """Classes as columns, figures as rows, the means below.

    Parameters
    ----------
    result : mapping
        What :func:`smearlab.evaluation.fields.evaluate_fields` returns, or one of its groups.
    title : str
        Over the table.

    Returns
    -------
    rich.table.Table
    """
    ends = result["intervals"]
    named = [n for n, end in ends.items() if isinstance(end, Mapping) and n not in ELEMENTS]
    classes = [*ELEMENTS, *named]
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column(f"{result['n_fields']} fields")
    for name in classes:
        table.add_column(name, justify="right")
    table.add_row("cells boxed", *[str(result[name]["n"]) for name in classes])
    for key, label, digits in _FIELD_ROWS:
        cells = [figure(result[n][key], ends[n][key], digits) for n in classes]
        table.add_row(label, *cells, end_section=key == "recall")
    table.add_section()
    table.add_row("mean AP50", figure(result["map50"], ends["map50"], 3))
    table.add_row("mean AP", figure(result["map"], ends["map"], 3))
    return table


def masks_table(result: Mapping[str, Any]) -> Table:
    """Figures as rows, both rules for the border as columns.

    Parameters
    ----------
    result : mapping
        What :func:`smearlab.evaluation.masks.evaluate_masks` returns.

    Returns
    -------
    rich.table.Table
    """
    asked = result["settings"]["border"]
    heads = {"ignore": "cells at the edge ignored", "count": "cells at the edge counted"}
    rules = sorted(heads, key=lambda rule: rule != asked)
    parts = [result["by_border"][rule] for rule in rules]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(f"{result['n']} fields")
    for rule in rules:
        table.add_column(heads[rule], justify="right")
    for key, label in _MASK_ROWS:
        cells = [figure(part[key], part["intervals"][key]) for part in parts]
        table.add_row(label, *cells, end_section=key == "panoptic_quality")
    table.add_section()
    for key, label in (
        ("n_true", "cells outlined"),
        ("n_found", "cells found"),
        ("splits", "cells split"),
        ("merges", "cells merged"),
    ):
        table.add_row(label, *[str(part[key]) for part in parts])
    return table


def cells_tables(result: Mapping[str, Any]) -> tuple[Table, Table, Table]:
    """Overall figures, figures per type, and the confusion matrix.

    Parameters
    ----------
    result : mapping
        What :func:`smearlab.evaluation.cells.evaluate_cells` returns.

    Returns
    -------
    tuple of rich.table.Table
    """
    ends = result["intervals"]
    overall = Table(box=box.SIMPLE, pad_edge=False)
    overall.add_column(f"{result['n']} pictures")
    overall.add_column("", justify="right")
    for key, label in _CELL_ROWS:
        overall.add_row(label, figure(result[key], ends[key]))
    types = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("type", "n", "precision", "recall", "F1"):
        types.add_column(column, justify="left" if column == "type" else "right")
    for name, one in result["types"].items():
        cells = [figure(one[key], ends["types"][name][key], 3) for key in ("precision", "recall")]
        types.add_row(name, str(one["n"]), *cells, figure(one["f1"], ends["types"][name]["f1"], 3))
    confusion = result["confusion"]
    matrix = Table(
        title="rows: what it is; columns: the answer",
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
    )
    matrix.add_column("")
    for name in confusion["columns"]:
        matrix.add_column(_short(name), justify="right")
    for name, row in zip(confusion["labels"], confusion["matrix"], strict=True):
        matrix.add_row(name, *[str(count) if count else "·" for count in row])
    return overall, types, matrix


def _short(name: str) -> str:
    """A head for a narrow column."""
    return SHORT_NAMES.get(name, name[:4])


#: Heads of narrow columns, as laboratories write them.
SHORT_NAMES = {
    "erythrocyte": "RBC",
    "platelet": "PLT",
    "immature granulocyte": "IG",
    "erythroblast": "NRBC",
    "unidentified": "?",
}
