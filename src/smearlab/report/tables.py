"""The tables of an analysis: ``cells.csv``, ``counts.json`` and ``errors.csv``.

All are written in one pass, so memory does not grow with the number of fields, and all are whole
or not there (:mod:`smearlab.io.atomic`). The same cells give the same bytes: no table carries a
date.

A spreadsheet takes a text that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and file
names are chosen by strangers. In the CSV tables such a text gets an apostrophe in front, and so
does a text that begins with an apostrophe; dropping one leading apostrophe gives every text back
(:func:`plain_text`). ``counts.json`` has the names as they are.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from smearlab.count.summary import Tally
from smearlab.io.atomic import open_atomic
from smearlab.report.records import FieldRecord, FileError, ReportMeta
from smearlab.types import CELL_TYPES, UNIDENTIFIED, Cell, Counts

#: Types that have a probability of their own.
_SURE_TYPES = tuple(name for name in CELL_TYPES if name != UNIDENTIFIED)

#: Columns of ``cells.csv``, in order. Lengths in µm are empty where the pixel size is unknown.
CELLS_COLUMNS: tuple[str, ...] = (
    "field",
    "id",
    "type",
    "confidence",
    "element",
    "detection_score",
    *(f"p_{name}" for name in _SURE_TYPES),
    "centroid_x_px",
    "centroid_y_px",
    "x0",
    "y0",
    "x1",
    "y1",
    "area_px",
    "area_um2",
    "equivalent_diameter_px",
    "equivalent_diameter_um",
    "circularity",
    "touches_border",
)

#: Columns of ``errors.csv``.
ERRORS_COLUMNS: tuple[str, ...] = ("path", "reason")

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    Parameters
    ----------
    text : str
        Any, e.g. a file name.

    Returns
    -------
    str
        The same, with an apostrophe in front where it begins like a formula or with an
        apostrophe; :func:`plain_text` gives it back.

    References
    ----------
    OWASP Foundation, "CSV Injection".

    Examples
    --------
    >>> spreadsheet_text("=1+2.png"), spreadsheet_text("smear 7.png")
    ("'=1+2.png", 'smear 7.png')
    """
    return f"'{text}" if text.startswith((*_FORMULA_STARTS, "'")) else text


def plain_text(text: str) -> str:
    """The text that :func:`spreadsheet_text` was given."""
    return text.removeprefix("'")


def cell_row(record: FieldRecord, cell: Cell) -> list[str]:
    """One row of ``cells.csv``.

    Parameters
    ----------
    record : FieldRecord
        The field of the cell.
    cell : Cell
        One of its cells.

    Returns
    -------
    list of str
        In the order of :data:`CELLS_COLUMNS`. What is undefined or unknown is empty;
        ``touches_border`` is 0 or 1.
    """
    pitch = record.um_per_px
    x, y = cell.centroid
    diameter = cell.equivalent_diameter_px
    given = cell.probabilities
    return [
        spreadsheet_text(record.name),
        str(cell.label),
        cell.type,
        fixed_digits(cell.confidence, 4),
        cell.element,
        fixed_digits(cell.detection_score, 4),
        *(fixed_digits(given.get(name, 0.0), 4) if given else "" for name in _SURE_TYPES),
        fixed_digits(x, 2),
        fixed_digits(y, 2),
        *(str(int(side)) for side in cell.bbox),
        fixed_digits(cell.area_px, 1),
        "" if pitch is None else fixed_digits(cell.area_px * pitch**2, 3),
        fixed_digits(diameter, 2),
        "" if pitch is None else fixed_digits(diameter * pitch, 3),
        fixed_digits(cell.circularity, 4),
        str(int(cell.touches_border)),
    ]


def write_cells_csv(path: str | Path, records: Iterable[FieldRecord]) -> int:
    """Write a row for every cell of every field.

    Parameters
    ----------
    path : str or Path
        Usually ``cells.csv``; UTF-8, comma-separated, quoted where needed, one header line.
    records : iterable of FieldRecord
        Read once, in order.

    Returns
    -------
    int
        How many cells were written.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    n_cells = 0
    with open_atomic(path, "wb") as file:
        writer, text = csv_writer(file)
        writer.writerow(CELLS_COLUMNS)
        for record in records:
            writer.writerows(cell_row(record, cell) for cell in record.cells)
            n_cells += len(record.cells)
        text.detach()  # flushes, and leaves the file to open_atomic
    return n_cells


def write_errors_csv(path: str | Path, errors: Iterable[FileError]) -> int:
    """Write a row for every file that could not be analysed; only the header if there is none.

    Parameters
    ----------
    path : str or Path
        Usually ``errors.csv``.
    errors : iterable of FileError
        Read once, in order.

    Returns
    -------
    int
        How many were written.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    n_errors = 0
    with open_atomic(path, "wb") as file:
        writer, text = csv_writer(file)
        writer.writerow(ERRORS_COLUMNS)
        for error in errors:
            writer.writerow([spreadsheet_text(error.path), spreadsheet_text(error.reason)])
            n_errors += 1
        text.detach()
    return n_errors


def write_counts_json(
    path: str | Path,
    records: Iterable[FieldRecord],
    errors: Iterable[FileError] = (),
    meta: ReportMeta | None = None,
) -> Counts:
    """Write the counts of every field and of all fields together.

    Parameters
    ----------
    path : str or Path
        Usually ``counts.json``: one object with ``smearlab`` (version), ``bundles`` (name, kind,
        sha256), ``inputs``, ``simulated``, ``notes``, ``looked_for`` (elements), ``fields`` (one
        line each), ``pooled`` and ``failed``. Valid JSON in ASCII: what is undefined, or was not
        looked for, is null.
    records : iterable of FieldRecord
        Read once, in order.
    errors : iterable of FileError
        Files that are in no count.
    meta : ReportMeta, optional
        Where the counts come from.

    Returns
    -------
    Counts
        Pooled over all fields.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    meta = meta or ReportMeta()
    pooled = Tally(meta.looked_for)
    with open_atomic(path, "wb") as file:
        _write(file, "{")
        for key, value in _origin(meta).items():
            _write(file, f"{_json(key)}: {_json(value)},\n ")
        _write(file, '"fields": [')
        for index, record in enumerate(records):
            tally = Tally(meta.looked_for)
            tally.add_field(record.cells)
            pooled.merge(tally)
            _write(file, (",\n  " if index else "\n  ") + _json(_field_object(record, tally)))
        _write(file, f'],\n "pooled": {_json(_counts_object(pooled))},\n "failed": [')
        for index, error in enumerate(errors):
            entry = {"path": error.path, "reason": error.reason}
            _write(file, (",\n  " if index else "\n  ") + _json(entry))
        _write(file, "]}\n")
    return pooled.counts()


def _origin(meta: ReportMeta) -> dict[str, Any]:
    return {
        "smearlab": meta.version,
        "research_use_only": True,
        "simulated": meta.simulated,
        "inputs": list(meta.inputs),
        "notes": list(meta.notes),
        "looked_for": list(meta.looked_for),
        "bundles": [
            {"name": bundle.name, "kind": bundle.kind, "sha256": bundle.sha256}
            for bundle in meta.bundles
        ],
    }


def _field_object(record: FieldRecord, tally: Tally) -> dict[str, Any]:
    return {
        "name": record.name,
        "source": record.source,
        "width_px": record.width_px,
        "height_px": record.height_px,
        "um_per_px": record.um_per_px,
        "notes": list(record.notes),
        **_counts_object(tally),
    }


def _counts_object(tally: Tally) -> dict[str, Any]:
    return {
        "n_cells": tally.n_cells,
        "n_touching_border": tally.n_border,
        "n_unidentified_wbc": tally.n_unidentified_wbc,
        **tally.counts().to_dict(),
    }


def _json(value: Any) -> str:
    # ASCII, because a file name may hold bytes that are no UTF-8 (lone surrogates in Python).
    return json.dumps(value, allow_nan=False)


def _write(file: IO[bytes], text: str) -> None:
    file.write(text.encode("ascii"))


def csv_writer(file: IO[bytes]) -> tuple[Any, io.TextIOWrapper]:
    """A writer of rows, and its text layer, which is to be detached at the end."""
    # Lines end as RFC 4180 has them: only so does Python quote a "\r" within a name.
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    return csv.writer(text), text


def fixed_digits(value: float, digits: int) -> str:
    """Fixed digits; empty for NaN; never "-0.00"."""
    if math.isnan(value):
        return ""
    return f"{round(value, digits) + 0.0:.{digits}f}"
