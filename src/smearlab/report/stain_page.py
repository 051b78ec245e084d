"""The page of stain normalisers side by side."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.report.run_page import write_page

#: So few pictures leave intervals that say little.
_FEW = 10


def write_stain_page(path: str | Path, figures: Mapping[str, Any], grid: Any, sheet: bytes) -> None:
    """Write the comparison, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
    figures : mapping
        As ``figures.json`` of ``smearlab stain compare`` has them.
    grid : table
        With ``title``, ``columns``, ``rows`` of words and a ``note``.
    sheet : bytes
        A PNG of pictures as they are and as each model makes them.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    uri = "data:image/png;base64," + base64.b64encode(sheet).decode("ascii")
    write_page(
        path,
        "stain_page.html.j2",
        "Stain normalisers side by side",
        figures=figures,
        grid=grid,
        sheet=uri,
        cautions=cautions(figures),
    )


def cautions(figures: Mapping[str, Any]) -> list[str]:
    """What must be known before the table is used.

    Parameters
    ----------
    figures : mapping
        See :func:`write_stain_page`.
    """
    said = [
        "A colour near the target's is no proof that cells are typed better: measure the accuracy "
        "of a classifier, too.",
        "Source and target show different cells, so part of every difference in colour is theirs.",
    ]
    n = min(figures["source"]["n"], figures["target"]["n"])
    if n < _FEW:
        said.append(f"There are only {n} pictures of one side: the intervals are wide.")
    left = {name: one["unchanged"] for name, one in figures["models"].items() if one["unchanged"]}
    if left:
        listed = ", ".join(f"{name} {count}" for name, count in left.items())
        said.append(f"Pictures that came back unchanged are counted in: {listed}.")
    return said
