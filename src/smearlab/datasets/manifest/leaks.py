"""Whether a split is clean: nothing on one side that is known from the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from smearlab.datasets.manifest.fingerprints import learned_rows
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import TIES, encoded, tie_codes
from smearlab.errors import ManifestError

#: The part of rows without a fold: they train whichever fold is tested.
ALWAYS_TRAIN = "always train"
#: Sets made of altered copies of fewer pictures; which are of which, no name tells.
COPIES_INSIDE = ("bccd4",)
_SOUGHT = "duplicates"


@dataclass(frozen=True)
class Leak:
    """Something that stands on several sides of a split.

    Parameters
    ----------
    column : {"split", "fold"}
        Which split.
    tie : str
        One of :data:`smearlab.datasets.manifest.ties.TIES`, ``"synthetic"``, ``"ungrouped"``,
        ``"generator"`` or ``"near-duplicate"``.
    key : str
        What is shared: a group, a checksum, a picture, a patient, a pair.
    parts : tuple of str
        The sides, sorted.
    rows : tuple of int
        Numbers of the rows, from 1.
    paths : tuple of str
        Of a few of these rows, at least one from each side.
    """

    column: str
    tie: str
    key: str
    parts: tuple[str, ...]
    rows: tuple[int, ...]
    paths: tuple[str, ...]


def find_leaks(manifest: Manifest) -> tuple[Leak, ...]:
    """Everything that ties rows of different parts.

    Both ``split`` and ``fold`` are looked at where they are set. Rows without a split are in no
    part; rows without a fold, in a table that has folds, train always. Rows of
    :data:`COPIES_INSIDE` without a group leak as long as nobody has looked for duplicates. So do
    held-out rows that a generator learned from, if pictures that it made are in the table.

    Parameters
    ----------
    manifest : Manifest

    Returns
    -------
    tuple of Leak
        Empty if the split is clean.

    Raises
    ------
    ManifestError
        If the manifest has neither splits nor folds.
    """
    leaks: list[Leak] = []
    for column, parts, names in sides(manifest):
        for tie in TIES:
            leaks += _tied(manifest, column, parts, names, tie)
        leaks += _synthetic(manifest, column, parts, names)
        leaks += _ungrouped(manifest, column, parts, names)
        leaks += _learned(manifest, column, parts, names)
    return tuple(leaks)


def duplicates_sought(manifest: Manifest) -> bool:
    """Whether near-duplicates have been looked for among all these rows.

    Parameters
    ----------
    manifest : Manifest
        Asked for its provenance. A search before tables were merged does not count: copies in
        two of them were not found.
    """
    return any(line.get("operation") == _SOUGHT for line in manifest.provenance)


def sides(manifest: Manifest) -> Iterator[tuple[str, NDArray[np.int64], list[str]]]:
    """The splits of a manifest: column, part of every row (-1 for none), names of the parts.

    Raises
    ------
    ManifestError
        If there are none.
    """
    found = False
    for column in ("split", "fold"):
        parts, values = encoded(manifest.table.column(column))
        if not len(values):
            continue
        found = True
        names = [str(value) for value in values.to_pylist()]
        if column == "fold":
            parts = np.where(parts < 0, len(names), parts)
            names.append(ALWAYS_TRAIN)
        yield column, parts, names
    if not found:
        raise ManifestError(
            "the manifest has neither splits nor folds; make them with smearlab data split"
        )


def across(manifest: Manifest, groups: Sequence[Sequence[int]]) -> tuple[Leak, ...]:
    """The groups of near-duplicates that stand on several sides.

    Parameters
    ----------
    manifest : Manifest
    groups : sequence of sequence of int
        Numbers of rows, from 0, that show the same cells.

    Returns
    -------
    tuple of Leak

    Raises
    ------
    ManifestError
        If the manifest has neither splits nor folds.
    """
    leaks = []
    paths = manifest.table.column("path")
    for column, parts, names in sides(manifest):
        for group in groups:
            rows = np.array([row for row in group if parts[row] >= 0], np.int64)
            if np.unique(parts[rows]).size > 1:
                key = f"{rows.size} pictures like {paths[int(rows[0])]}"
                leaks.append(_leak(manifest, column, "near-duplicate", key, rows, parts, names))
    return tuple(leaks)


def _tied(
    manifest: Manifest, column: str, parts: NDArray[np.int64], names: list[str], tie: str
) -> Iterator[Leak]:
    codes = tie_codes(manifest, tie)
    rows = np.flatnonzero((codes >= 0) & (parts >= 0))
    if not rows.size:
        return
    n = int(codes.max()) + 1
    low, high = np.full(n, len(names)), np.full(n, -1)
    np.minimum.at(low, codes[rows], parts[rows])
    np.maximum.at(high, codes[rows], parts[rows])
    bad = rows[(low < high)[codes[rows]]]
    bad = bad[np.argsort(codes[bad], kind="stable")]
    ends = np.flatnonzero(np.diff(codes[bad])) + 1
    for members in np.split(bad, ends) if bad.size else []:
        key = _key(manifest, tie, int(members[0]))
        yield _leak(manifest, column, tie, key, members, parts, names)


def _synthetic(
    manifest: Manifest, column: str, parts: NDArray[np.int64], names: list[str]
) -> Iterator[Leak]:
    trains = [number for number, name in enumerate(names) if name in ("train", ALWAYS_TRAIN)]
    wrong = manifest.column("synthetic").astype(bool) & (parts >= 0) & ~np.isin(parts, trains)
    for part in np.unique(parts[wrong]):
        rows = np.flatnonzero(wrong & (parts == part))
        key = f"{rows.size} synthetic rows"
        yield _leak(manifest, column, "synthetic", key, rows, parts, names)


def _learned(
    manifest: Manifest, column: str, parts: NDArray[np.int64], names: list[str]
) -> Iterator[Leak]:
    """Held-out pictures that shine through what a generator made."""
    if not manifest.column("synthetic").astype(bool).any():
        return
    learned, models = learned_rows(manifest, manifest.provenance)
    trains = [number for number, name in enumerate(names) if name in ("train", ALWAYS_TRAIN)]
    wrong = learned & (parts >= 0) & ~np.isin(parts, trains)
    for part in np.unique(parts[wrong]):
        rows = np.flatnonzero(wrong & (parts == part))
        key = f"{rows.size} pictures that {' or '.join(models)} learned from"
        yield _leak(manifest, column, "generator", key, rows, parts, names)


def _ungrouped(
    manifest: Manifest, column: str, parts: NDArray[np.int64], names: list[str]
) -> Iterator[Leak]:
    if _ever_sought(manifest.provenance):
        return
    group, dataset = (manifest.table.column(column) for column in ("group", "dataset"))
    for name in COPIES_INSIDE:
        ungrouped = pc.and_(pc.equal(dataset, name), pc.is_null(group))
        rows = np.flatnonzero(np.asarray(ungrouped) & (parts >= 0))
        if np.unique(parts[rows]).size > 1:
            key = f"{rows.size} pictures of {name}, altered copies of fewer"
            yield _leak(manifest, column, "ungrouped", key, rows, parts, names)


def _ever_sought(provenance: Sequence[Mapping[str, Any]]) -> bool:
    """Whether duplicates were sought in the table, or in one that it was merged from."""
    return any(
        line.get("operation") == _SOUGHT
        or any(
            _ever_sought(one.get("provenance", ()))
            for one in line.get("arguments", {}).get("inputs", ())
        )
        for line in provenance
    )


def _key(manifest: Manifest, tie: str, row: int) -> str:
    value = manifest.table.column(tie)[row].as_py()
    if tie in ("group", "sha256"):
        return str(value)
    source: Any = manifest.table.column("source")[row].as_py()
    return f"{source or manifest.table.column('dataset')[row]}: {value}"


def _leak(
    manifest: Manifest,
    column: str,
    tie: str,
    key: str,
    rows: NDArray[np.int64],
    parts: NDArray[np.int64],
    names: list[str],
) -> Leak:
    paths = manifest.table.column("path")
    first = [int(rows[np.flatnonzero(parts[rows] == part)[0]]) for part in np.unique(parts[rows])]
    return Leak(
        column,
        tie,
        key,
        tuple(sorted(names[part] for part in np.unique(parts[rows]))),
        tuple(int(row) + 1 for row in rows),
        tuple(str(paths[row]) for row in first),
    )
