"""Manifests as CSV: notes in comment lines, boxes as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from smearlab.datasets.manifest.schema import BOX, BOX_NAMES, SCHEMA
from smearlab.errors import ManifestError


def write_csv(stream: Any, table: pa.Table, notes: Mapping[bytes, bytes]) -> None:
    """Write the notes as comment lines, then the rows, with boxes as JSON.

    Parameters
    ----------
    stream : binary file
    table : Table
        With the columns of :data:`smearlab.datasets.manifest.schema.SCHEMA`.
    notes : mapping of bytes to bytes
    """
    for key, value in notes.items():
        stream.write(b"# " + key + b" " + value + b"\n")
    boxes = [
        None if row is None else json.dumps([list(box.values()) for box in row])
        for row in table.column("boxes").to_pylist()
    ]
    place = SCHEMA.get_field_index("boxes")
    pyarrow.csv.write_csv(table.set_column(place, "boxes", pa.array(boxes, pa.string())), stream)


def read_csv(path: Path) -> tuple[pa.Table, dict[bytes, bytes]]:
    """The rows and the notes of what :func:`write_csv` wrote, or a person did.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Table
    dict of bytes to bytes

    Raises
    ------
    ManifestError
        If a row, or its boxes, cannot be read; names it, counted from 1.
    ArrowInvalid, UnicodeDecodeError, OSError
        If the file is no such table.
    """
    notes: dict[bytes, bytes] = {}
    with path.open("rb") as stream:
        while (line := stream.readline()).startswith(b"# "):
            key, _, value = line[2:].rstrip(b"\n").partition(b" ")
            notes[key] = value
    table = _parse_csv(path, len(notes))
    if table.column_names.count("boxes") == 1:
        boxes = [
            None if text is None else _boxes_of(path, row, text)
            for row, text in enumerate(table.column("boxes").to_pylist(), start=1)
        ]
        place = table.column_names.index("boxes")
        table = table.set_column(place, "boxes", pa.array(boxes, pa.list_(BOX)))
    return table, notes


def _parse_csv(path: Path, n_notes: int, threads: bool = True) -> pa.Table:
    """The rows below the comments; an error names its row, counted from 1."""
    kinds = {f.name: f.type for f in SCHEMA if f.name != "boxes"} | {"boxes": pa.string()}
    try:
        return pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(skip_rows=n_notes, use_threads=threads),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        )
    except pa.ArrowInvalid as error:
        if threads:  # one thread is slower, but knows where it is
            return _parse_csv(path, n_notes, threads=False)
        where = re.search(r"Row #(\d+)", str(error))
        if where is None:
            raise
        row = int(where[1]) - n_notes - 1
        why = str(error).replace(f"{where[0]}: ", "")
        raise ManifestError(f"{path}: row {row} cannot be read: {why}") from error


def _boxes_of(path: Path, row: int, text: str) -> list[dict[str, Any]]:
    """The boxes of one row of a CSV: a JSON list of label, x0, y0, x1, y1."""
    try:
        boxes = [(str(label), *map(float, sides)) for label, *sides in json.loads(text)]
        return [dict(zip(BOX_NAMES, box, strict=True)) for box in boxes]
    except (ValueError, TypeError) as error:
        raise ManifestError(
            f"{path}: row {row} has boxes that cannot be read; each is [label, x0, y0, x1, y1] "
            f"({error})"
        ) from error
