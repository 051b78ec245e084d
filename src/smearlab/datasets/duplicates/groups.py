"""Pairs into groups: what is a copy of a copy belongs together, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class DisjointSets:
    """Sets of numbers that only ever grow together.

    Parameters
    ----------
    n : int
        The numbers 0 to n − 1, each alone at first.

    Examples
    --------
    >>> sets = DisjointSets(4)
    >>> sets.join(0, 2), sets.join(2, 3), sets.join(3, 0)
    (True, True, False)
    >>> sets.members()
    [[0, 2, 3]]
    """

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, number: int) -> int:
        """The least number of the set that a number is in."""
        root = number
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[number] != root:
            self._parent[number], number = root, self._parent[number]
        return root

    def join(self, one: int, other: int) -> bool:
        """Make one set of two; False if they were one already."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low
        return low != high

    def members(self) -> list[list[int]]:
        """The sets of more than one number, in the order of their least."""
        sets: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            sets.setdefault(self.find(number), []).append(number)
        return [one for one in sets.values() if len(one) > 1]


def merged_groups(
    groups: Sequence[str | None] | NDArray[np.object_],
    pairs: Iterable[tuple[int, int]],
    names: Sequence[str] | NDArray[np.object_],
) -> list[str | None]:
    """Groups of a manifest, with those joined that a pair connects.

    Parameters
    ----------
    groups : sequence of str or None
        Group of each of N rows; None is a row on its own.
    pairs : iterable of (int, int)
        Rows that belong together.
    names : sequence of str
        A name for each row, from which groups without one are called.

    Returns
    -------
    list of str or None
        Rows that shared a group still do. A joined group has the first name, in the order of the
        alphabet, of those it is made of; where none had one, ``same as `` and its first row's
        name. A row that belongs to no other keeps what it had.

    Examples
    --------
    >>> merged_groups(["b", None, "a", None, None], [(0, 1), (1, 2), (3, 4)], list("vwxyz"))
    ['a', 'a', 'a', 'same as y', 'same as y']
    """
    sets = DisjointSets(len(groups))
    first: dict[str, int] = {}
    for row, group in enumerate(groups):
        if group is not None:
            sets.join(first.setdefault(group, row), row)
    for one, other in pairs:
        sets.join(one, other)
    merged = list(groups)
    for rows in sets.members():
        named = sorted({group for group in (groups[row] for row in rows) if group is not None})
        name = named[0] if named else _new_name(f"same as {names[rows[0]]}", first)
        for row in rows:
            merged[row] = name
    return merged


def _new_name(wanted: str, taken: dict[str, int]) -> str:
    while wanted in taken:
        wanted += " (2)"
    return wanted
