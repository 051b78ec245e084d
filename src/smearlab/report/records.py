"""What a report is made of: one record a field, one a failed file, and where it all comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smearlab import __version__
from smearlab.types import ELEMENTS, Cell, Element


@dataclass(frozen=True, eq=False)
class FieldRecord:
    """Everything that is kept of one analysed field; its pixels are not.

    Parameters
    ----------
    name : str
        Unique name of the field.
    source : str
        The file, as the user wrote it.
    width_px, height_px : int
        Size of the upright field.
    um_per_px : float or None
        Pixel pitch, None when unknown.
    notes : tuple of str
        What the reader or the pipeline had to decide.
    cells : tuple of Cell
        In label order.
    thumbnails : mapping of int to bytes
        Cell label → JPEG picture for the gallery; not every cell has one.
    overlay : str or None
        Path of the overlay PNG relative to the output folder.
    """

    name: str
    source: str
    width_px: int
    height_px: int
    um_per_px: float | None
    notes: tuple[str, ...]
    cells: tuple[Cell, ...]
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)
    overlay: str | None = None


@dataclass(frozen=True)
class FileError:
    """One input file that could not be analysed."""

    path: str
    reason: str


@dataclass(frozen=True)
class BundleNote:
    """Which model gave an answer.

    Parameters
    ----------
    name, kind, sha256 : str
        As its card says; the checksum is that of the network.
    facts : mapping of str to Any
        What else the card says, for the reader of the report: training data, licences, metrics.
    """

    name: str
    kind: str
    sha256: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> BundleNote:
        """Take the note from a bundle's ``card.json``, all of it."""
        named = {key: str(card[key]) for key in ("name", "kind", "sha256")}
        return cls(**named, facts={key: card[key] for key in card if key not in named})


@dataclass(frozen=True)
class ReportMeta:
    """What an analysis was, beyond its cells.

    Parameters
    ----------
    title : str
        Heading of the report.
    inputs : tuple of str
        Files, folders and patterns as the user wrote them.
    bundles : tuple of BundleNote
        The models that were used.
    analysed_at : datetime or None
        When; None leaves it out, so that equal analyses give equal bytes.
    simulated : bool
        Whether the pictures were made by the smear simulator and show no blood.
    notes : tuple of str
        What the reader of the results has to know besides.
    looked_for : tuple of str
        Elements that the segmenter could find; of the others there is no count.
    version : str
        Of smearlab.
    """

    title: str = "Blood smear report"
    inputs: tuple[str, ...] = ()
    bundles: tuple[BundleNote, ...] = ()
    analysed_at: datetime | None = None
    simulated: bool = False
    notes: tuple[str, ...] = ()
    looked_for: tuple[Element, ...] = ELEMENTS
    version: str = __version__
