"""What a report keeps of an analysis: read once, and bounded where pictures are concerned."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from smearlab.count.summary import Tally, element_of
from smearlab.report.records import FieldRecord
from smearlab.types import CELL_TYPES, ELEMENTS, Cell, Counts, Element

_COMMON = ("erythrocyte", "platelet")


@dataclass(frozen=True, eq=False, slots=True)
class FieldLine:
    """One field, without its cells and pictures.

    Parameters
    ----------
    index : int
        Its place in the analysis, from 0.
    name, source : str
        As in its record.
    width_px, height_px : int
        Size of the upright field.
    notes : tuple of str
        As in its record.
    overlay : str or None
        Path of the overlay PNG relative to the output folder.
    n_of_type : tuple of int
        Cells of every type, in the order of :data:`smearlab.types.CELL_TYPES`.
    n_of_element : tuple of float
        Cells of every element, in the order of :data:`smearlab.types.ELEMENTS`; NaN for those
        that were not looked for.
    n_border : int
        Cells cut by the edge of the field.
    least_confidence : float
        Of its nucleated cells; infinite without any.
    """

    index: int
    name: str
    source: str
    width_px: int
    height_px: int
    notes: tuple[str, ...]
    overlay: str | None
    n_of_type: tuple[int, ...]
    n_of_element: tuple[float, ...]
    n_border: int
    least_confidence: float = math.inf

    @property
    def beyond_red_and_platelets(self) -> tuple[tuple[str, int], ...]:
        """Types other than erythrocyte and platelet that occur, with their number."""
        pairs = zip(CELL_TYPES, self.n_of_type, strict=True)
        return tuple((name, n) for name, n in pairs if n and name not in _COMMON)


@dataclass(frozen=True, eq=False, slots=True)
class CellPicture:
    """One cell in a gallery.

    Parameters
    ----------
    field_index : int
        Of its :class:`FieldLine`.
    field : str
        Name of its field.
    label : int
        Its number in the field.
    nucleated : bool
        Whether it was found as a white cell.
    confidence : float
        In [0, 1], or NaN.
    most_probable : str
        Its most probable type; for an unidentified cell what it might have been, "" if not known.
    jpeg : bytes
        The picture.
    """

    field_index: int
    field: str
    label: int
    nucleated: bool
    confidence: float
    most_probable: str
    jpeg: bytes


class Gallery:
    """Keeps the pictures of the least confident cells of one type.

    Among unidentified cells nucleated ones take precedence, however confident: red cells are many
    and would push them out.

    Parameters
    ----------
    limit : int
        Most pictures that are kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # A heap whose root is the picture that goes next: the most confident, latest one.
        self._heap: list[tuple[bool, float, int, CellPicture]] = []
        self._n_offered = 0

    def offer(self, picture: CellPicture) -> None:
        """Keep a picture if it is among the least confident so far; the earlier one wins a tie."""
        certainty = -1.0 if math.isnan(picture.confidence) else picture.confidence
        entry = (picture.nucleated, -certainty, -self._n_offered, picture)
        self._n_offered += 1
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[CellPicture]:
        """The pictures, least confident first."""
        return (entry[3] for entry in sorted(self._heap, key=lambda e: e[:3], reverse=True))


@dataclass(frozen=True)
class Pitches:
    """Pixel sizes of the fields read so far.

    Parameters
    ----------
    n_unknown : int
        Fields whose pixel size is unknown.
    low, high : float
        Smallest and largest known µm/px; NaN when none is known.
    """

    n_unknown: int = 0
    low: float = math.nan
    high: float = math.nan

    def with_field(self, um_per_px: float | None) -> Pitches:
        """The same with one more field."""
        if um_per_px is None:
            return Pitches(self.n_unknown + 1, self.low, self.high)
        # Written so that the NaN of the beginning, which compares false, gives way.
        low = um_per_px if not self.low <= um_per_px else self.low
        high = um_per_px if not self.high >= um_per_px else self.high
        return Pitches(self.n_unknown, low, high)


@dataclass(frozen=True, eq=False)
class Digest:
    """Everything that a report shows.

    Parameters
    ----------
    counts : Counts
        Pooled over all fields.
    n_cells, n_border, n_unidentified_wbc : int
        As in :class:`smearlab.count.summary.Tally`.
    lines : tuple of FieldLine
        The fields, in order.
    galleries : dict of str to Gallery
        Every name of :data:`smearlab.types.CELL_TYPES` → its pictures.
    pitches : Pitches
        Pixel sizes met.
    """

    counts: Counts
    n_cells: int
    n_border: int
    n_unidentified_wbc: int
    lines: tuple[FieldLine, ...]
    galleries: dict[str, Gallery]
    pitches: Pitches


def digest(
    records: Iterable[FieldRecord],
    gallery_limit: int,
    looked_for: Collection[Element] = ELEMENTS,
) -> Digest:
    """Read all records once and keep what the report shows.

    Parameters
    ----------
    records : iterable of FieldRecord
        Each is forgotten before the next one is read, but for one line and the pictures kept.
    gallery_limit : int
        Most pictures for each type.
    looked_for : collection of str
        Elements that could be found.

    Returns
    -------
    Digest
    """
    pooled = Tally(looked_for)
    lines: list[FieldLine] = []
    galleries = {name: Gallery(gallery_limit) for name in CELL_TYPES}
    pitches = Pitches()
    for index, record in enumerate(records):
        tally = Tally(looked_for)
        tally.add_field(record.cells)
        pooled.merge(tally)
        lines.append(_line(index, record, tally))
        pitches = pitches.with_field(record.um_per_px)
        for cell in record.cells:
            jpeg = record.thumbnails.get(cell.label)
            if jpeg is not None:
                galleries[cell.type].offer(_picture(index, cell, jpeg))
    return Digest(
        counts=pooled.counts(),
        n_cells=pooled.n_cells,
        n_border=pooled.n_border,
        n_unidentified_wbc=pooled.n_unidentified_wbc,
        lines=tuple(lines),
        galleries=galleries,
        pitches=pitches,
    )


def _line(index: int, record: FieldRecord, tally: Tally) -> FieldLine:
    n_of_type = Counter(cell.type for cell in record.cells)
    return FieldLine(
        index=index,
        name=record.name,
        source=record.source,
        width_px=record.width_px,
        height_px=record.height_px,
        notes=record.notes,
        overlay=record.overlay,
        n_of_type=tuple(n_of_type[name] for name in CELL_TYPES),
        n_of_element=tuple(tally.n_of_element(name) for name in ELEMENTS),
        n_border=tally.n_border,
        least_confidence=min(
            (cell.confidence for cell in record.cells if element_of(cell) == "WBC"),
            default=math.inf,
        ),
    )


def _picture(index: int, cell: Cell, jpeg: bytes) -> CellPicture:
    likely = max(cell.probabilities, key=cell.probabilities.__getitem__, default="")
    return CellPicture(
        index, cell.field, cell.label, element_of(cell) == "WBC", cell.confidence, likely, jpeg
    )
