"""Several manifests into one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smearlab.datasets.manifest.schema import SCHEMA
from smearlab.datasets.manifest.table import Manifest, checked
from smearlab.datasets.manifest.ties import encoded
from smearlab.errors import ManifestError, UsageError


def merged(manifests: Sequence[Manifest], names: Sequence[str] = ()) -> Manifest:
    """All rows in one table, under the folder that the roots have in common.

    A row that stands in several manifests, the same in every column, is kept once.

    Parameters
    ----------
    manifests : sequence of Manifest
        At least one.
    names : sequence of str
        What to call them in messages and in the provenance.

    Returns
    -------
    Manifest
        The provenance holds that of each input.

    Raises
    ------
    UsageError
        If there is no manifest, or their roots have no folder in common.
    ManifestError
        If one file stands in two rows that differ; names both.
    """
    if not manifests:
        raise UsageError("merge needs at least one manifest; received none")
    called = [*names] or [f"manifest {n + 1}" for n in range(len(manifests))]
    roots = [manifest.root.resolve() for manifest in manifests]
    try:
        common = Path(os.path.commonpath(roots))
    except ValueError as error:
        raise UsageError(f"the data folders have no folder in common: {error}") from error
    tables = [
        _moved(manifest.table, root.relative_to(common).as_posix())
        for manifest, root in zip(manifests, roots, strict=True)
    ]
    table = pa.concat_tables(tables).combine_chunks()
    keep = _once(table, [len(manifest) for manifest in manifests], called)
    kept = table.take(pa.array(np.flatnonzero(keep)))
    inputs = [
        {"manifest": name, "rows": len(manifest), "provenance": list(manifest.provenance)}
        for name, manifest in zip(called, manifests, strict=True)
    ]
    return Manifest(checked(kept, "the merged manifest"), common).noted(
        "merge", {"same_rows_dropped": int((~keep).sum())}, inputs=inputs
    )


def _moved(table: pa.Table, folder: str) -> pa.Table:
    """The paths as seen from a folder further up."""
    if folder == ".":
        return table
    for name in ("path", "mask"):
        place = SCHEMA.get_field_index(name)
        further = pc.binary_join_element_wise(folder, table.column(name), "/")
        table = table.set_column(place, SCHEMA.field(place), further)
    return table


def _once(table: pa.Table, sizes: Sequence[int], names: Sequence[str]) -> Any:
    """Which rows to keep, shape (N,): the first of those that are the same."""
    codes = encoded(table.column("path"))[0]
    first = np.full(len(codes), -1)
    rows = np.arange(len(codes))
    first[codes[::-1]] = rows[::-1]
    again = np.flatnonzero(first[codes] != rows)
    ends = np.cumsum(sizes)

    def place(row: int) -> str:
        which = int(np.searchsorted(ends, row, side="right"))
        return f"{names[which]} row {row - (ends[which] - sizes[which]) + 1}"

    for row in again:
        before = int(first[codes[row]])
        one, other = (table.slice(n, 1).to_pylist()[0] for n in (before, int(row)))
        for column in ("label", *SCHEMA.names):
            if one[column] != other[column]:
                raise ManifestError(
                    f"{place(before)} and {place(int(row))} both name {one['path']}, with "
                    f"{column} {one[column]!r} and {other[column]!r}; keep one"
                )
    keep = np.ones(len(codes), bool)
    keep[again] = False
    return keep
