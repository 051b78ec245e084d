"""The page of reproduced tables: made of records only."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smearlab.report.run_page import write_page


@dataclass(frozen=True, eq=False)
class ReproductionOnPage:
    """One record as the page shows it.

    Parameters
    ----------
    anchor : str
        Name of its place in the page.
    title : str
    grids : sequence of table
        Each with ``title``, ``columns``, ``rows`` of words and a ``note``.
    facts : mapping of str to str
        Label → text.
    findings : sequence of str
    pages : sequence of str
        Addresses of what lies beside it, relative to the page.
    pictures : mapping of str to bytes
        What a picture shows → a PNG or WebP file, which the page itself holds.
    """

    anchor: str
    title: str
    grids: Sequence[Any]
    facts: Any
    findings: Sequence[str]
    pages: Sequence[str] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def picture_uris(self) -> dict[str, str]:
        """The pictures as data URIs: the page may load nothing else."""
        return {
            name: f"data:image/{'webp' if data[:4] == b'RIFF' else 'png'};base64,"
            + base64.b64encode(data).decode("ascii")
            for name, data in self.pictures.items()
        }


def write_reproduction_page(
    path: str | Path, reproductions: Sequence[ReproductionOnPage], cautions: Sequence[str]
) -> None:
    """Write the page, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
    reproductions : sequence of ReproductionOnPage
        In the order in which they are shown.
    cautions : sequence of str
        What must be known before the figures are used.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    write_page(
        path,
        "reproduction_page.html.j2",
        "Reproduced tables",
        reproductions=reproductions,
        cautions=cautions,
    )
