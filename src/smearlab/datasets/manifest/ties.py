"""What ties rows together: copies, parts of one picture and pictures of one patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from smearlab.datasets.manifest.table import Manifest

#: Tie → what its rows have in common.
TIES: Mapping[str, str] = {
    "group": "the same group",
    "sha256": "the same bytes",
    "source_image": "the same picture of the same source",
    "patient": "the same patient of the same source",
}


def tie_codes(manifest: Manifest, tie: str) -> NDArray[np.int64]:
    """A number for each value that ties rows.

    Parameters
    ----------
    manifest : Manifest
    tie : str
        One of :data:`TIES`. Where a row has no ``source``, its dataset stands for it.

    Returns
    -------
    ndarray of int64, shape (N,)
        From 0; equal where rows are tied; -1 where the column is null.
    """
    codes = encoded(manifest.table.column(tie))[0]
    if tie in ("source_image", "patient"):
        table = manifest.table
        source, names = encoded(pc.coalesce(table.column("source"), table.column("dataset")))
        both = np.where(codes < 0, -1, codes * max(1, len(names)) + source)
        values, codes = np.unique(both, return_inverse=True)
        codes -= bool(values.size and values[0] < 0)
    return codes


def encoded(column: Any) -> tuple[NDArray[np.int64], Any]:
    """A column as numbers from 0 (-1 for null), and the Arrow array that they count through."""
    whole = column.combine_chunks().dictionary_encode()
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, whole.dictionary


def units(manifest: Manifest) -> NDArray[np.int64]:
    """Which rows must stay together, by all ties at once.

    Two rows belong to one unit if a chain of :data:`TIES` leads from one to the other.

    Parameters
    ----------
    manifest : Manifest

    Returns
    -------
    ndarray of int64, shape (N,)
        A number from 0 for each unit; a row without ties is a unit of its own.
    """
    n = len(manifest)
    left, right = [], []
    for tie in TIES:
        codes = tie_codes(manifest, tie)
        rows = np.flatnonzero(codes >= 0)
        first = np.empty(n + 1, np.int64)
        first[codes[rows][::-1]] = rows[::-1]
        tied = rows[first[codes[rows]] != rows]
        left.append(tied)
        right.append(first[codes[tied]])
    start, end = np.concatenate(left), np.concatenate(right)
    if not start.size:
        return np.arange(n)
    links = coo_matrix((np.ones(start.size, bool), (start, end)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def unit_names(manifest: Manifest) -> NDArray[np.str_]:
    """A name for the unit of each row, by which it is known outside of the manifest.

    Parameters
    ----------
    manifest : Manifest

    Returns
    -------
    ndarray of str, shape (N,)
        Equal where :func:`units` are: the first group in the unit, in the order of the rows, or
        else the path of its first row.
    """
    numbers, groups, paths = units(manifest), manifest.column("group"), manifest.column("path")
    names: dict[int, str] = {}
    grouped = [row for row, group in enumerate(groups) if group is not None]
    for row in (*grouped, *range(len(manifest))):
        names.setdefault(int(numbers[row]), str(paths[row] if groups[row] is None else groups[row]))
    return np.array([names[int(number)] for number in numbers], dtype=str)
