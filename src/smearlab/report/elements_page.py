"""``index.html`` of ``smearlab segment``: fields with their pictures, cells and areas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from smearlab.io.atomic import open_atomic
from smearlab.report.element_records import FieldElements
from smearlab.report.html import (
    MAX_FIELDS,
    MAX_ROWS,
    content_hash,
    page_environment,
    reduced_picture,
)
from smearlab.report.records import FileError, ReportMeta
from smearlab.types import ELEMENT_NAMES, ELEMENTS, Element


def write_elements_page(
    path: Path,
    fields: Sequence[FieldElements],
    looked_for: Sequence[Element],
    errors: Sequence[FileError] = (),
    meta: ReportMeta | None = None,
) -> None:
    """Write the page; everything that a stranger may have chosen is escaped, no script is in it.

    Parameters
    ----------
    path : Path
        Usually ``index.html``; the pictures that the fields name are looked for beside it.
    fields : sequence of FieldElements
    looked_for : sequence of str
        Elements that were asked for.
    errors : sequence of FileError
        Files that could not be segmented.
    meta : ReportMeta, optional
        Title, date, inputs, bundles.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    environment = page_environment()
    style = environment.get_template("report.css.j2").render()
    pictured = fields[:MAX_FIELDS]
    stream = environment.get_template("elements_page.html.j2").stream(
        meta=meta or ReportMeta(title="Segmented elements"),
        fields=fields,
        looked_for=looked_for,
        totals={
            element: sum(
                line.n for field in fields for line in field.elements if line.element == element
            )
            for element in looked_for
        },
        pictures=((one, reduced_picture(path.parent / one.together)) for one in pictured),
        errors=errors,
        max_rows=MAX_ROWS,
        max_pictures=MAX_FIELDS,
        NAMES=ELEMENT_NAMES,
        ELEMENTS=ELEMENTS,
        style=Markup(style),
        style_hash=content_hash(style),
    )
    stream.enable_buffering(64)
    with open_atomic(path, "wb") as file:
        for chunk in stream:
            # A file name may hold bytes that are no UTF-8 (lone surrogates in Python).
            file.write(chunk.encode("utf-8", errors="backslashreplace"))
