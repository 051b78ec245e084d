"""Typed cells → counts: shares of every type, the differential, ratios, with their intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable

from smearlab.errors import UnknownNameError
from smearlab.metrics.intervals import clopper_pearson
from smearlab.types import (
    CELL_TYPES,
    ELEMENT_OF_TYPE,
    ELEMENTS,
    LEUKOCYTE_TYPES,
    UNIDENTIFIED,
    Cell,
    Counts,
    Element,
    Share,
)


def element_of(cell: Cell) -> Element:
    """The element that a cell is counted as.

    Its type decides. An unidentified cell has no type, so it stays what it was found as.

    Parameters
    ----------
    cell : Cell
        With one of :data:`~smearlab.types.CELL_TYPES`.

    Returns
    -------
    {"RBC", "WBC", "PLT"}

    Raises
    ------
    UnknownNameError
        If the cell's type is none of ours.
    """
    if cell.type == UNIDENTIFIED:
        return cell.element
    try:
        return ELEMENT_OF_TYPE[cell.type]
    except KeyError:
        raise UnknownNameError("cell type", cell.type, CELL_TYPES) from None


class Tally:
    """A count that goes on: fields are added one by one and their cells forgotten.

    Its size does not depend on how many fields or cells were added, and tallies of separate
    workers can be merged in any order.

    Parameters
    ----------
    looked_for : collection of str
        Elements that could be found; of the others there is no count.

    Attributes
    ----------
    n_fields : int
        Fields added so far.
    n_border : int
        Cells among the counted ones that are cut by the edge of their field. They are counted
        like all others: leaving them out would favour small cells over large ones.
    n_unidentified_wbc : int
        Nucleated cells that were left unidentified.

    Examples
    --------
    >>> tally = Tally()
    >>> tally.add_field([])
    >>> tally.counts().n_fields
    1
    """

    def __init__(self, looked_for: Collection[Element] = ELEMENTS) -> None:
        self.n_fields = 0
        self.n_border = 0
        self.n_unidentified_wbc = 0
        self._looked_for = frozenset(looked_for)
        self._types: Counter[str] = Counter()
        self._elements: Counter[Element] = Counter()

    @property
    def n_cells(self) -> int:
        """Cells added so far."""
        return self._types.total()

    def n_of_element(self, element: Element) -> float:
        """Red cells, nucleated cells or platelets so far; NaN if they were not looked for."""
        return self._elements[element] if element in self._looked_for else math.nan

    def add_field(self, cells: Iterable[Cell]) -> None:
        """Add the cells of one field, none if the field is empty.

        Raises
        ------
        UnknownNameError
            If a cell's type is none of ours; nothing is added then.
        """
        found = [(cell, element_of(cell)) for cell in cells]
        self.n_fields += 1
        for cell, element in found:
            self._types[cell.type] += 1
            self._elements[element] += 1
            self.n_border += cell.touches_border
            self.n_unidentified_wbc += element == "WBC" and cell.type == UNIDENTIFIED

    def merge(self, other: Tally) -> None:
        """Add what another tally has counted; the other one is left as it is."""
        self.n_fields += other.n_fields
        self.n_border += other.n_border
        self.n_unidentified_wbc += other.n_unidentified_wbc
        self._types.update(other._types)
        self._elements.update(other._elements)

    def counts(self) -> Counts:
        """Shares, differential and ratios of everything added so far.

        Returns
        -------
        Counts
            The differential is over the identified leukocytes
            (:data:`~smearlab.types.LEUKOCYTE_TYPES`): erythroblasts and unidentified cells are
            in ``WBC`` and not in it. Whatever has a total of 0 is NaN, and so are elements that
            were not looked for, the shares of their types, and the ratios with them.
        """
        n_leukocytes = sum(self._types[name] for name in LEUKOCYTE_TYPES)
        elements: dict[str, float] = {name: self.n_of_element(name) for name in ELEMENTS}
        n_wbc = elements["WBC"]
        unseen = {kind for kind, e in ELEMENT_OF_TYPE.items() if e not in self._looked_for}
        return Counts(
            n_fields=self.n_fields,
            types={
                name: _share(self._types[name], 0 if name in unseen else self.n_cells)
                for name in CELL_TYPES
            },
            differential={
                name: _share(self._types[name], n_leukocytes) for name in LEUKOCYTE_TYPES
            },
            elements=elements,
            rbc_per_wbc=_ratio(elements["RBC"], n_wbc),
            plt_per_wbc=_ratio(elements["PLT"], n_wbc),
        )


def summarise(cells: Iterable[Cell], n_fields: int = 1) -> Counts:
    """Count the cells of one field, or of several fields together.

    Parameters
    ----------
    cells : iterable of Cell
        All cells, those cut by the edge of a field included.
    n_fields : int
        How many fields they come from; 0 or more.

    Returns
    -------
    Counts
        See :meth:`Tally.counts`.

    Raises
    ------
    ValueError
        If ``n_fields`` is negative.
    UnknownNameError
        If a cell's type is none of ours.

    Examples
    --------
    >>> counts = summarise([])
    >>> counts.elements
    {'RBC': 0, 'WBC': 0, 'PLT': 0}
    >>> counts.rbc_per_wbc
    nan
    """
    if n_fields < 0:
        raise ValueError(f"n_fields must be 0 or more; received {n_fields}")
    tally = Tally()
    tally.add_field(cells)
    tally.n_fields = n_fields
    return tally.counts()


def _share(n: int, total: int) -> Share:
    low, high = clopper_pearson(n, total)
    return Share(n=n, fraction=_ratio(n, total), low=low, high=high)


def _ratio(n: float, total: float) -> float:
    return n / total if total else math.nan
