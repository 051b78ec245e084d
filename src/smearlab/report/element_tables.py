"""The tables of ``smearlab segment``: every cell with what was measured of it, and a summary.

Rules of :mod:`smearlab.report.tables` hold: whole or not there, no formulas, lengths in px and,
where the pixel pitch is known, in µm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from smearlab.instances.statistics import STATISTICS, Statistic
from smearlab.io.atomic import open_atomic
from smearlab.report.element_records import FieldElements
from smearlab.report.tables import csv_writer, fixed_digits, spreadsheet_text
from smearlab.types import Cell, Element, Field

#: Column endings of a unit; the second is for µm.
_ENDINGS = {"px": ("_px", "_um"), "px²": ("_px", "_um2"), "deg": ("_deg",), "": ("",)}


def _columns(one: Statistic) -> list[str]:
    return [f"{one.name}{ending}" for ending in _ENDINGS[one.unit]]


#: Columns of ``cells.csv``, in order. Lengths in µm are empty where the pixel pitch is unknown.
ELEMENT_CELLS_COLUMNS: tuple[str, ...] = (
    "field",
    "element",
    "label",
    "x0",
    "y0",
    "x1",
    "y1",
    "centroid_x_px",
    "centroid_y_px",
    "touches_border",
    "detection_score",
    *(column for one in STATISTICS for column in _columns(one)),
)
#: Columns of ``summary.csv``: a row for each element of each field.
SUMMARY_COLUMNS: tuple[str, ...] = (
    "field",
    "element",
    "n",
    "n_touching_border",
    "area_px",
    "area_um2",
    "share_of_field",
    "median_area_px",
    "median_area_um2",
)


def cell_rows(
    field: Field,
    element: Element,
    cells: Sequence[Cell],
    measured: Sequence[Mapping[str, float]],
) -> Iterator[tuple[str, ...]]:
    """Rows of ``cells.csv``.

    Parameters
    ----------
    field : Field
    element : {"RBC", "WBC", "PLT"}
    cells : sequence of Cell
        Of that element.
    measured : sequence of mapping
        For each, what :func:`smearlab.instances.statistics.measure_cells` gives.

    Yields
    ------
    tuple of str
        In the order of :data:`ELEMENT_CELLS_COLUMNS`; what is undefined or unknown is empty.
    """
    for cell, figures in zip(cells, measured, strict=True):
        x, y = cell.centroid
        yield (
            spreadsheet_text(field.name),
            element,
            str(cell.label),
            *(str(side) for side in cell.bbox),
            fixed_digits(x, 2),
            fixed_digits(y, 2),
            str(int(cell.touches_border)),
            fixed_digits(cell.detection_score, 4),
            *(
                text
                for one in STATISTICS
                for text in _written(one, figures[one.name], field.um_per_px)
            ),
        )


def _written(one: Statistic, value: float, um_per_px: float | None) -> list[str]:
    texts = [fixed_digits(value, one.digits)]
    if one.unit in ("px", "px²"):
        power = 2 if one.unit == "px²" else 1
        in_um = math.nan if um_per_px is None else value * um_per_px**power
        texts.append(fixed_digits(in_um, 3))
    return texts


def write_element_cells(path: Path, fields: Iterable[FieldElements]) -> None:
    """Write ``cells.csv``: the rows that the fields carry.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    rows = (row for field in fields for row in field.rows)
    _write(path, ELEMENT_CELLS_COLUMNS, rows)


def write_summary(path: Path, fields: Iterable[FieldElements]) -> None:
    """Write ``summary.csv``: cells and area of each element of each field.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    _write(path, SUMMARY_COLUMNS, (row for field in fields for row in _summary(field)))


def _summary(field: FieldElements) -> Iterator[list[str]]:
    square = math.nan if field.um_per_px is None else field.um_per_px**2
    for line in field.elements:
        median = math.nan if line.median_area_px is None else line.median_area_px
        yield [
            spreadsheet_text(field.name),
            line.element,
            str(line.n),
            str(line.n_border),
            fixed_digits(line.area_px, 0),
            fixed_digits(line.area_px * square, 3),
            fixed_digits(line.area_px / (field.width_px * field.height_px), 6),
            fixed_digits(median, 1),
            fixed_digits(median * square, 3),
        ]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with open_atomic(path, "wb") as file:
        writer, text = csv_writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
        text.detach()  # flushes, and leaves the file to open_atomic
