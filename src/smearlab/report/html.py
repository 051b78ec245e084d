"""``report.html``: one file with everything in it, readable without network and without scripts.

The records are read once. What is kept of them is one line a field, and of the pictures the
:data:`MAX_PICTURES` least confident of each type; the page is written as it is rendered, and the
field pictures are read back from the overlay PNGs one at a time.

Everything in the page that a stranger may have chosen, such as a file name, is escaped, and the
page's own content security policy lets the browser load nothing and run nothing but the one
script that sorts the table.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import jinja2
import numpy as np
from markupsafe import Markup

from smearlab.io.atomic import open_atomic
from smearlab.report import chart, numbers, palette
from smearlab.report.cautions import cautions, pixel_size
from smearlab.report.digest import Digest, FieldLine, digest
from smearlab.report.records import FieldRecord, FileError, ReportMeta
from smearlab.types import (
    CELL_TYPES,
    ELEMENTS,
    LEUKOCYTE_TYPES,
    UNIDENTIFIED,
    Counts,
)

#: Most cell pictures for each type.
MAX_PICTURES = 200
#: Of these, how many are seen before "show more" is opened.
SHOWN_PICTURES = 40
#: Most field pictures in the page; the others are linked.
MAX_FIELDS = 60
#: Most rows of the table of fields, and of the table of files that failed.
MAX_ROWS = 5000
#: Field pictures are reduced to this width, px.
FIELD_WIDTH_PX = 640


@dataclass(frozen=True, eq=False)
class FieldPicture:
    """A field in the page: its line, and its picture as a data URI, None if it cannot be read."""

    line: FieldLine
    uri: str | None

    @property
    def size(self) -> str:
        """How much room the page gives it; small fields are not blown up."""
        width = self.line.width_px
        return "small" if width <= 300 else "medium" if width <= 420 else "large"


def write_report(
    path: str | Path,
    records: Iterable[FieldRecord],
    errors: Iterable[FileError] = (),
    meta: ReportMeta | None = None,
) -> Counts:
    """Write the report of an analysis.

    Parameters
    ----------
    path : str or Path
        Usually ``report.html``. The overlays that records name are looked for beside it.
    records : iterable of FieldRecord
        Read once, in order; memory does not grow with their cells or pictures.
    errors : iterable of FileError
        Files that could not be analysed.
    meta : ReportMeta, optional
        Title, date, inputs, bundles; whether the pictures are simulated.

    Returns
    -------
    Counts
        Pooled over all fields, as the report shows them.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.html"
    >>> write_report(path, []).n_fields
    0
    >>> "Research use only" in path.read_text(encoding="utf-8")
    True
    """
    path = Path(path)
    meta = meta or ReportMeta()
    found = digest(records, MAX_PICTURES, meta.looked_for)
    page = page_environment().get_template("report.html.j2")
    stream = page.stream(_context(path.parent, found, tuple(errors), meta))
    stream.enable_buffering(64)
    with open_atomic(path, "wb") as file:
        for chunk in stream:
            # A file name may hold bytes that are no UTF-8 (lone surrogates in Python).
            file.write(chunk.encode("utf-8", errors="backslashreplace"))
    return found.counts


def _context(
    folder: Path, found: Digest, errors: tuple[FileError, ...], meta: ReportMeta
) -> dict[str, Any]:
    environment = page_environment()
    style = environment.get_template("report.css.j2").render()
    script = environment.get_template("report.js").render()
    pictured = _pictured(found)
    return {
        "meta": meta,
        "found": found,
        "counts": found.counts,
        "errors": errors,
        "cautions": cautions(found, len(errors)),
        "pixel_size": pixel_size(found.pitches, len(found.lines)),
        "chart": chart.lay_out(found.counts.differential),
        "rows": found.lines[:MAX_ROWS],
        "max_rows": MAX_ROWS,
        "pictured": frozenset(line.index for line in pictured),
        "field_pictures": _field_pictures(folder, pictured),
        "n_overlays": sum(line.overlay is not None for line in found.lines),
        "shown_pictures": SHOWN_PICTURES,
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": content_hash(style),
        "script_hash": content_hash(script),
    }


def _pictured(found: Digest) -> list[FieldLine]:
    """Of the fields that have an overlay the most doubtful ones, in their order."""
    lines = [line for line in found.lines if line.overlay is not None]
    doubtful = sorted(lines, key=lambda line: line.least_confidence)[:MAX_FIELDS]
    return sorted(doubtful, key=lambda line: line.index)


def _field_pictures(folder: Path, lines: Iterable[FieldLine]) -> Iterator[FieldPicture]:
    for line in lines:
        uri = None if line.overlay is None else reduced_picture(folder / line.overlay)
        yield FieldPicture(line, uri)


def reduced_picture(overlay: Path) -> str | None:
    """Data URI of an overlay as a JPEG of modest width; None if it is not there or no picture."""
    pixels = None
    with contextlib.suppress(OSError, cv2.error):
        data = np.frombuffer(overlay.read_bytes(), dtype=np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    if width > FIELD_WIDTH_PX:
        size = (FIELD_WIDTH_PX, max(1, round(height * FIELD_WIDTH_PX / width)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return jpeg_uri(jpeg.tobytes()) if done else None


def jpeg_uri(jpeg: bytes) -> str:
    """A JPEG file as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def relative_link(path: str) -> str:
    """A path relative to the report as a link that can be nothing but that."""
    return "./" + quote(path.encode("utf-8", errors="surrogateescape"), safe="/")


def plain_facts(value: Any) -> str:
    """What stands on a card, as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain_facts(entry)}" for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_facts(entry) for entry in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def content_hash(text: str) -> str:
    """Source expression of an inline style or script in a content security policy."""
    digested = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digested).decode('ascii')}"


def page_environment() -> jinja2.Environment:
    """Templates of the house's pages, with its filters; everything is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smearlab.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        integer=numbers.integer,
        percent=numbers.percent,
        interval=numbers.interval,
        ratio=numbers.ratio,
        decimal=numbers.decimal,
        uri=jpeg_uri,
        link=relative_link,
        facts=plain_facts,
        slug=lambda name: name.replace(" ", "-"),
    )
    environment.globals.update(
        CELL_TYPES=CELL_TYPES,
        ELEMENTS=ELEMENTS,
        LEUKOCYTE_TYPES=LEUKOCYTE_TYPES,
        UNIDENTIFIED=UNIDENTIFIED,
        CODES=palette.CODE_OF_TYPE,
        COLOURS=palette.HEX_OF_TYPE,
        axis=chart,
    )
    return environment
