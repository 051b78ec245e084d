"""The report page: pairs side by side, in one file that loads nothing.

The least similar pairs come first, since those are the ones to doubt. Each picture is read as
its part of the page is written, so that the page may be larger than the memory.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import jinja2
from markupsafe import Markup

from smearlab import __version__
from smearlab.datasets.duplicates.finder import KINDS, Duplicates, Pair
from smearlab.errors import ImageError
from smearlab.io.atomic import open_atomic
from smearlab.io.images import read_field
from smearlab.report import numbers
from smearlab.report.html import jpeg_uri

if TYPE_CHECKING:
    from smearlab.datasets.manifest.table import Manifest

#: Most pairs of one kind between two datasets.
SHOWN_OF_EACH = 24
#: Most lines in the table of groups, and of files that failed.
MAX_LINES = 200
#: Pictures are reduced to this side, px.
SIDE_PX = 240


def write_page(path: str | Path, manifest: Manifest, duplicates: Duplicates) -> None:
    """Write the report of what was found.

    Parameters
    ----------
    path : str or Path
        Usually ``duplicates.html``.
    manifest : Manifest
        The one that was searched.
    duplicates : Duplicates
        What was found in it.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smearlab.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        integer=numbers.integer, percent=numbers.percent, decimal=numbers.decimal
    )
    style = environment.get_template("duplicates.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    stream = environment.get_template("duplicates.html.j2").stream(
        version=__version__,
        style=Markup(style),
        style_hash=f"sha256-{digest}",
        **_context(manifest, duplicates),
    )
    stream.enable_buffering(16)
    with open_atomic(path, "wb") as file:
        for chunk in stream:
            file.write(chunk.encode("utf-8", errors="backslashreplace"))


def _context(manifest: Manifest, duplicates: Duplicates) -> dict[str, Any]:
    paths, datasets = manifest.column("path"), manifest.column("dataset")
    sides = manifest.column("published_split")
    by_part: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in duplicates.pairs:
        both = " – ".join(sorted({datasets[pair.first], datasets[pair.second]}))
        by_part[pair.kind, both].append(pair)
    largest = sorted(duplicates.groups, key=lambda rows: (-len(rows), rows))[:MAX_LINES]
    return {
        "n_rows": len(manifest),
        "n_in_groups": sum(map(len, duplicates.groups)),
        "groups": duplicates.groups,
        "kinds": KINDS,
        "settings": duplicates.settings,
        "links": [
            {"datasets": both, "count": {k: len(by_part.get((k, both), ())) for k in KINDS}}
            for both in sorted({both for _, both in by_part})
        ],
        "n_across": sum(_parts_a_split(rows, datasets, sides) for rows in duplicates.groups),
        "n_plain": len(duplicates.plain),
        "shown_of_each": SHOWN_OF_EACH,
        "parts": (
            {"kind": kind, "datasets": both, "total": len(found), "pairs": _shown(found, manifest)}
            for kind in KINDS
            for (of_kind, both), found in sorted(by_part.items())
            if of_kind == kind
        ),
        "largest": [
            {"path": paths[rows[0]], "n": len(rows), "datasets": _listed(rows, datasets)}
            for rows in largest
        ],
        "unreadable": [(paths[row], reason) for row, reason in duplicates.unreadable[:MAX_LINES]],
    }


def _parts_a_split(rows: Sequence[int], datasets: Any, sides: Any) -> bool:
    """Whether one dataset has pictures of a group on two sides of its published split."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if sides[row] is not None:
            seen[datasets[row]].add(sides[row])
    return any(len(one) > 1 for one in seen.values())


def _listed(rows: Sequence[int], datasets: Any) -> str:
    counted = Counter(datasets[row] for row in rows)
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def _shown(pairs: Sequence[Pair], manifest: Manifest) -> Iterator[dict[str, Any]]:
    paths, labels = manifest.column("path"), manifest.column("label")
    for pair in sorted(pairs, key=lambda p: (p.similarity, p.first, p.second))[:SHOWN_OF_EACH]:
        yield {
            "pictures": [
                {"path": paths[row], "label": labels[row], "uri": _uri(manifest.file(paths[row]))}
                for row in (pair.first, pair.second)
            ],
            "similarity": pair.similarity,
            "overlap": pair.overlap,
        }


def _uri(file: Path) -> str | None:
    """The picture as a small JPEG in a data URI, None if it cannot be read any more."""
    try:
        pixels = read_field(file).pixels
    except ImageError:
        return None
    height, width = pixels.shape[:2]
    ratio = min(1.0, SIDE_PX / max(height, width))
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82]
    )
    return jpeg_uri(jpeg.tobytes()) if done else None
