"""The page of a pipeline: what came in, what was made of it, and what the classifier knows."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.report.run_page import write_page

_HEADINGS = {
    "evaluation": "What the classifier knows",
    "ablation": "What each module is worth",
    "data": "Pictures",
    "plan": "Synthesis",
    "stages": "Stages",
}


def write_pipeline_page(
    path: str | Path,
    whole: Mapping[str, Any],
    grids: Mapping[str, Sequence[Any]],
    sheets: Mapping[str, Mapping[str, bytes]],
    cautions: Sequence[str],
) -> None:
    """Write the page, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
    whole : mapping
        Of :func:`smearlab.learn.workflow.hazra.run_hazra`.
    grids : mapping of str to sequence of table
        Section → tables.
    sheets : mapping of str to mapping of str to bytes
        Section → caption → PNG file.
    cautions : sequence of str
        What must be known before the figures are used.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    write_page(
        path,
        "pipeline_page.html.j2",
        "From two sources to a classifier",
        whole=whole,
        sections=[
            {
                "name": name,
                "heading": heading,
                "grids": grids[name],
                "sheets": {
                    caption: "data:image/png;base64," + base64.b64encode(data).decode("ascii")
                    for caption, data in sheets.get(name, {}).items()
                },
            }
            for name, heading in _HEADINGS.items()
            if name in grids
        ],
        cautions=list(cautions),
    )
