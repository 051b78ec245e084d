"""The manifest: a row a picture, whatever archive it came from.

Stored as Parquet, or as CSV where a spreadsheet is to open it. Every operation that makes a
manifest from another adds a line to its provenance, which travels in the file's metadata.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from smearlab.datasets.manifest.csv_tables import read_csv, write_csv
from smearlab.datasets.manifest.schema import REQUIRED, SCHEMA
from smearlab.errors import ManifestError
from smearlab.io.atomic import open_atomic

_PROVENANCE, _ROOT = b"smearlab.provenance", b"smearlab.root"
_ESCAPES = r"(^|/)\.\.(/|$)|^/|^[A-Za-z]:|\\"
#: Other spellings of one path, under which a file could stand twice.
_CROOKED = r"(^|/)\.?(/|$)"
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Manifest:
    """A table of pictures.

    Parameters
    ----------
    table : pyarrow.Table
        N rows with the columns of :data:`SCHEMA`.
    root : Path
        Folder that ``path`` and ``mask`` are relative to.
    provenance : tuple of mapping
        What made the table, oldest first: ``operation``, ``arguments``, ``rows``, ``changed``.
    """

    table: pa.Table
    root: Path
    provenance: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @classmethod
    def from_rows(
        cls, rows: Sequence[Mapping[str, Any]], root: Path, operation: str, **arguments: Any
    ) -> Manifest:
        """Build from dicts; columns that a row lacks are null, ``synthetic`` false.

        Raises
        ------
        ManifestError
            If a row has a column that there is not, or a value of another kind.
        """
        for n, row in enumerate(rows):
            for name in row:
                if name not in SCHEMA.names:
                    raise ManifestError(f"row {n + 1} has a column {name!r} that no manifest has")
        filled = [{"synthetic": False, **row} for row in rows]
        try:
            table = pa.Table.from_pylist(filled, SCHEMA)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            wrong = _first_misfit(lambda n: pa.Table.from_pylist([filled[n]], SCHEMA), len(filled))
            raise ManifestError(f"row {wrong} does not fit the manifest: {error}") from error
        return cls(checked(table, "the manifest"), root).noted(operation, **arguments)

    def column(self, name: str) -> NDArray[Any]:
        """A column as an array, shape (N,); text as objects, with None where it is null."""
        return np.asarray(self.table.column(name).to_numpy(zero_copy_only=False))

    def with_columns(self, **columns: Any) -> Manifest:
        """The same rows with other values in some columns; N values each."""
        table = self.table
        for name, values in columns.items():
            place = SCHEMA.get_field_index(name)
            table = table.set_column(
                place, SCHEMA.field(place), pa.array(values, SCHEMA.types[place])
            )
        return replace(self, table=table)

    def take(self, keep: NDArray[Any]) -> Manifest:
        """Rows selected by a bool array of shape (N,), or by their numbers."""
        chosen = np.flatnonzero(keep) if keep.dtype == bool else keep
        return replace(self, table=self.table.take(pa.array(chosen)))

    def noted(
        self, operation: str, changed: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Manifest:
        """The same with a further line of provenance; ``changed`` says what the operation did."""
        line = {"operation": operation, "arguments": arguments, "rows": len(self)}
        if changed is not None:
            line["changed"] = dict(changed)
        return replace(self, provenance=(*self.provenance, line))

    def file(self, path: str) -> Path:
        """Where a ``path`` or ``mask`` of this manifest lies."""
        return self.root / path


def checked(table: pa.Table, name: str) -> pa.Table:
    """Refuse what cannot be a manifest.

    Parameters
    ----------
    table : pyarrow.Table
        Columns in any order; those that may be missing are filled with null.
    name : str
        Of the file, for messages.

    Returns
    -------
    pyarrow.Table
        With the columns of :data:`SCHEMA`.

    Raises
    ------
    ManifestError
        If a required column or value is missing, a column is unknown or comes twice, a value is of
        another kind than its column, a path leaves the root or is not plain, a split is none of
        train, val and test, or one file stands in two rows with different labels. The message
        names the row, from 1.
    """
    for column in REQUIRED:
        if column not in table.column_names:
            raise ManifestError(f"{name} has no column {column!r}; import the archive again")
    for column in table.column_names:
        if column not in SCHEMA.names:
            known = ", ".join(SCHEMA.names)
            raise ManifestError(f"{name} has a column {column!r} that is none of {known}")
        if table.column_names.count(column) > 1:
            raise ManifestError(f"{name} has the column {column!r} twice; keep one")
    columns = []
    for field in SCHEMA:
        if field.name not in table.column_names:
            empty = False if field.name == "synthetic" else None
            columns.append(pa.array([empty] * table.num_rows, field.type))
            continue
        columns.append(_cast(name, table.column(field.name), field))
    table = pa.table(columns, schema=SCHEMA)
    for column in REQUIRED:
        _refuse(name, table, pc.is_null(table.column(column)), f"has no {column}")
    for column in ("path", "mask"):
        _refuse_wrong_paths(name, table, column)
    split = table.column("split")
    known = pc.is_in(split, pa.array([*_SPLITS, None]))
    _refuse(name, table, pc.invert(known), f"has a split that is none of {', '.join(_SPLITS)}")
    _refuse_contradictions(name, table)
    return table


def _cast(name: str, given: Any, field: pa.Field) -> Any:
    try:
        return given.cast(field.type)
    except pa.ArrowNotImplementedError as error:  # no value of this kind could fit
        raise ManifestError(f"{name}: column {field.name!r}: {error}") from error
    except pa.ArrowInvalid as error:
        row = _first_misfit(lambda n: given.slice(n, 1).cast(field.type), len(given))
        raise ManifestError(f"{name}: column {field.name!r}, row {row}: {error}") from error


def _first_misfit(convert: Callable[[int], Any], n: int) -> int:
    """Number, from 1, of the first of ``n`` rows that cannot be converted."""
    for row in range(n):
        try:
            convert(row)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return row + 1
    return n


def _refuse(name: str, table: pa.Table, wrong: Any, why: str) -> None:
    """Name the first row of which ``wrong`` is true."""
    if pc.any(wrong).as_py():
        row = int(pc.index(wrong, True).as_py())
        raise ManifestError(f"{name}: row {row + 1} ({table.column('path')[row]}) {why}")


def _refuse_wrong_paths(name: str, table: pa.Table, column: str) -> None:
    """Paths that leave the root, or are spelled in a way that hides which file they name."""
    paths = table.column(column)
    if not pc.any(pc.match_substring_regex(paths, f"{_ESCAPES}|{_CROOKED}")).as_py():
        return
    leaves = pc.match_substring_regex(paths, _ESCAPES)
    _refuse(name, table, leaves, f"has a {column} that leads out of the data folder")
    crooked = pc.match_substring_regex(paths, _CROOKED)
    _refuse(
        name, table, crooked, f"has a {column} with '.', '//' or '/' at its end; write it plain"
    )


def _refuse_contradictions(name: str, table: pa.Table) -> None:
    """One file, two labels: nobody knows which is right."""
    paths = table.column("path")
    if pc.count_distinct(paths).as_py() == table.num_rows:
        return
    first: dict[str, int] = {}
    labels = table.column("label").to_pylist()
    for row, path in enumerate(paths.to_pylist()):
        before = first.setdefault(path, row)
        if before != row:
            what = (
                f"once as {labels[before]!r} and once as {labels[row]!r}"
                if labels[before] != labels[row]
                else "twice"
            )
            raise ManifestError(
                f"{name}: rows {before + 1} and {row + 1} both name {path}, {what}; keep one"
            )


def read_manifest(path: str | Path, root: str | Path | None = None) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path : str or Path
        ``.parquet`` or ``.csv``.
    root : str or Path, optional
        Folder of the pictures; what the manifest says when left out.

    Raises
    ------
    ManifestError
        If the file cannot be read, or :func:`checked` refuses it.
    """
    path = Path(path)
    if not path.is_file():
        raise ManifestError(f"{path} does not exist; make it with smearlab data import")
    try:
        if path.suffix == ".csv":
            table, metadata = read_csv(path)
        else:
            table = pq.read_table(path)
            metadata = table.schema.metadata or {}
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError, ValueError) as error:
        raise ManifestError(f"{path} is no manifest that can be read: {error}") from error
    stored, provenance = _notes(path, metadata)
    base = Path(root) if root is not None else Path(os.path.normpath(path.parent / stored))
    return Manifest(checked(table, str(path)), base, provenance)


def _notes(
    path: Path, metadata: Mapping[bytes, bytes]
) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """Where the pictures lie, seen from the manifest, and what made the table."""
    try:
        stored = metadata.get(_ROOT, b".").decode()
        lines = json.loads(metadata.get(_PROVENANCE, b"[]"))
    except ValueError as error:
        raise ManifestError(
            f"{path}: its notes of folder and provenance cannot be read: {error}"
        ) from error
    if not (
        isinstance(lines, list)
        and all(isinstance(line, dict) and "operation" in line for line in lines)
    ):
        raise ManifestError(f"{path}: its provenance is no list of operations")
    return stored, tuple(lines)


def write_manifest(path: str | Path, manifest: Manifest) -> Path:
    """Write a manifest, whole or not at all; the same manifest gives the same bytes.

    Parameters
    ----------
    path : str or Path
        ``.parquet``, or ``.csv`` with boxes as JSON and the provenance in comment lines.
    manifest : Manifest

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ManifestError
        If the suffix is neither.
    OSError
        If it cannot be written.
    """
    path = Path(path)
    root = os.path.relpath(manifest.root.resolve(), path.resolve().parent).replace(os.sep, "/")
    notes = {
        _ROOT: root.encode(),
        _PROVENANCE: json.dumps(list(manifest.provenance), ensure_ascii=False).encode(),
    }
    if path.suffix not in (".parquet", ".csv"):
        raise ManifestError(f"{path}: a manifest ends in .parquet or .csv, not {path.suffix!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomic(path) as stream:
        if path.suffix == ".parquet":
            pq.write_table(
                manifest.table.replace_schema_metadata(notes), stream, compression="zstd"
            )
        else:
            write_csv(stream, manifest.table, notes)
    return path
