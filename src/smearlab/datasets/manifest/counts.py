"""How many pictures of what a manifest holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smearlab.datasets.manifest.splits import classes_of
from smearlab.datasets.manifest.table import Manifest


def counted(
    manifest: Manifest, rows: Sequence[str] = ("dataset", "type"), across: str = "split"
) -> tuple[list[str], list[tuple[tuple[str, ...], list[int]]]]:
    """A table of numbers of rows.

    Parameters
    ----------
    manifest : Manifest
    rows : sequence of str
        Columns whose values make the lines.
    across : str
        Column whose values make the columns.

    Returns
    -------
    columns : list of str
        Values of ``across``; ``?`` stands for null.
    lines : list of (names, counts)
        Values of ``rows``, and one count a column.

    Raises
    ------
    UsageError
        If there is no such column.
    """
    if not len(manifest):
        return [], []
    parts, columns = classes_of(manifest, [across])
    lines: dict[tuple[str, ...], list[int]] = {}
    each = [classes_of(manifest, [column]) for column in rows]
    codes = np.zeros(len(manifest), np.int64)
    for numbers, names in each:
        codes = codes * len(names) + numbers
    present, line = np.unique(codes, return_inverse=True)
    table = np.bincount(line * len(columns) + parts, minlength=present.size * len(columns))
    for code, counts in zip(present, table.reshape(present.size, -1), strict=True):
        words: list[str] = []
        for _, names in reversed(each):
            code, place = divmod(int(code), len(names))
            words.insert(0, names[place])
        lines[tuple(words)] = counts.tolist()
    order = sorted(range(len(columns)), key=lambda n: _order(columns[n]))
    return [columns[n] for n in order], [
        (words, [counts[n] for n in order]) for words, counts in sorted(lines.items())
    ]


def _order(part: str) -> tuple[int, int, str]:
    """train, val, test; numbers by value; unknown last."""
    known = ("train", "val", "test")
    if part in known:
        return 0, known.index(part), ""
    return (2, 0, "") if part == "?" else (1, int(part) if part.isdecimal() else 0, part)
