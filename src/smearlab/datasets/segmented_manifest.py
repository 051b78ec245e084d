"""A manifest whose pictures show one element only, each in its own pixels on black.

What a classifier of segmented pictures learns from (Khan et al. 2024, section IV.D). Labels,
groups, sources, patients and splits are those of the pictures that were segmented.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.batch.workers import WorkerPool
from smearlab.datasets.element_cutouts import cut_out
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.picture_journal import Journal
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.errors import DataError, ImageError, UsageError
from smearlab.io.atomic import remove_leftovers, write_bytes
from smearlab.io.images import read_field
from smearlab.types import Element, Field

#: The line of provenance that says so.
OPERATION = "segment"
#: Columns that are the new picture's own, beside its path.
_MEASURED = ("sha256", "width_px", "height_px")
_PATIENCE_S = 1.2


@dataclass(frozen=True)
class SegmentReport:
    """What came of it.

    Parameters
    ----------
    manifest : Manifest
        A row a segmented picture, in the order of the given rows.
    not_found : tuple of str
        Paths of pictures in which the element was not found, as the given manifest names them.
    problems : mapping of str to str
        Path of a picture that could not be read → why.
    """

    manifest: Manifest
    not_found: tuple[str, ...]
    problems: Mapping[str, str]


def segment_manifest(
    manifest: Manifest,
    out: str | Path,
    segmenter: ElementSegmenter,
    elements: Sequence[Element],
    *,
    central: bool = False,
    keep_whole: bool = False,
    threads: int = 1,
    advance: Callable[[], None] | None = None,
) -> SegmentReport:
    """Segment every picture of a manifest.

    What is written to ``out``: ``images/``, ``segmented.jsonl`` (a line a picture) and at last
    ``manifest.parquet``. The same call goes on where an earlier one was interrupted. Labels and
    splits may have changed in between; pictures, model and elements may not.

    Parameters
    ----------
    manifest : Manifest
        Of single-cell pictures or of fields.
    out : str or Path
        Folder to write to.
    segmenter : ElementSegmenter
    elements : sequence of str
        Which elements are shown.
    central : bool
        Show only the cell in the middle, of which a single-cell picture was taken.
    keep_whole : bool
        Keep pictures in which the element is not found, as they are. They are named in
        ``not_found`` either way.
    threads : int
        Pictures at a time.
    advance : callable, optional
        Called after every picture.

    Returns
    -------
    SegmentReport

    Raises
    ------
    UsageError
        If an element was not loaded, or ``central`` is asked for with several elements.
    OutputExistsError
        If ``out`` holds something else, or pictures segmented with other settings.
    DataError
        If no picture is left.
    OSError
        If the disk is full or not writable.
    """
    out = Path(out)
    settings = _settings(manifest, segmenter, elements, central, keep_whole)
    remove_leftovers(out / "images")
    rows = manifest.table.select(["path", "um_per_px"]).to_pylist()

    def one(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        picture = manifest.file(row["path"])
        return row["path"], _segmented(picture, row, out, segmenter, settings)

    with Journal.open(out / "segmented.jsonl", settings, ("pictures", "segmented")) as journal:
        entries = {row["path"]: journal.get(row["path"]) for row in rows}
        done = {path: e for path, e in entries.items() if e is not None and _still_there(e, out)}
        left = [row for row in rows if row["path"] not in done]
        for _ in done:
            _tell(advance)
        pool = WorkerPool(one, max(1, min(threads, len(left))))
        try:
            for answer in pool.run(left):
                if answer is None:
                    continue
                path, done[path] = answer[0], answer[1]
                journal.add(path, answer[1])
                _tell(advance)
        except BaseException:
            pool.stop(_PATIENCE_S)
            raise
    return _finished(manifest, out, done, settings)


def segmented_elements(provenance: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Which elements the pictures of a manifest show alone.

    Parameters
    ----------
    provenance : sequence of mapping
        Of the manifest.

    Returns
    -------
    tuple of str
        None where the pictures are whole, or were merged with others.
    """
    for line in reversed(provenance):
        if line["operation"] == OPERATION:
            return tuple(line["arguments"]["elements"])
        if line["operation"] == "merge":
            inputs = line["arguments"]["inputs"]
            found = {segmented_elements(one["provenance"]) for one in inputs}
            return found.pop() if len(found) == 1 else ()
    return ()


def _tell(advance: Callable[[], None] | None) -> None:
    if advance is not None:
        advance()


def _settings(
    manifest: Manifest,
    segmenter: ElementSegmenter,
    elements: Sequence[Element],
    central: bool,
    keep_whole: bool,
) -> dict[str, Any]:
    """What the pictures follow from, checked."""
    lacking = [element for element in elements if element not in segmenter.elements]
    if lacking or not elements:
        raise UsageError(
            f"elements must be some of {', '.join(segmenter.elements)}, which the model "
            f"{segmenter.model.name} can tell; received {', '.join(elements) or 'none'}"
        )
    if central and len(elements) > 1:
        raise UsageError(
            "the cell in the middle is one of one element; name it, or leave out central. "
            f"Received {', '.join(elements)}"
        )
    pictures = zip(manifest.column("path"), manifest.column("sha256"), strict=True)
    return {
        "elements": list(elements),
        "central": central,
        "keep_whole": keep_whole,
        "model": segmenter.model.name,
        "bundles": {
            role: {"name": card["name"], "sha256": card["sha256"]}
            for role, card in segmenter.describe().items()
        },
        "pictures": _digest("\n".join(f"{path} {checksum}" for path, checksum in pictures)),
    }


def _still_there(entry: Mapping[str, Any], out: Path) -> bool:
    """Whether the file of an entry lies where it says; entries without one were answers, too."""
    return "problem" not in entry and ("file" not in entry or (out / entry["file"]).is_file())


def _segmented(
    path: Path,
    row: Mapping[str, Any],
    out: Path,
    segmenter: ElementSegmenter,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Segment one picture; what the journal says of it."""
    try:
        field = read_field(path, um_per_px=row["um_per_px"])
    except ImageError as error:
        return {"problem": str(error)}
    found = segmenter.segment(field, settings["elements"])
    cut = cut_out(field, found, central=settings["central"])
    if cut is None and not settings["keep_whole"]:
        return {"cells": 0}
    pixels, n_cells = cut or (field.pixels, 0)
    return {"cells": n_cells, **_written(pixels, field, row["path"], out)}


def _written(pixels: NDArray[np.uint8], field: Field, path: str, out: Path) -> dict[str, Any]:
    """Write a picture; its own columns of the manifest."""
    # Two folders may use one file name; the path tells them apart.
    name = f"images/{Path(path).stem}-{_digest(path)[:8]}.png"
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    (out / "images").mkdir(parents=True, exist_ok=True)
    write_bytes(out / name, buffer.getvalue())
    return {
        "file": name,
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "width_px": field.width_px,
        "height_px": field.height_px,
    }


def _finished(
    manifest: Manifest,
    out: Path,
    done: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> SegmentReport:
    """The new manifest, written."""
    paths = [str(path) for path in manifest.column("path")]
    problems = {path: done[path]["problem"] for path in paths if "problem" in done[path]}
    not_found = tuple(path for path in paths if done[path].get("cells") == 0)
    kept = np.array(["file" in done[path] for path in paths], bool)
    if not kept.any():
        raise DataError(
            f"{' and '.join(settings['elements'])} was found in none of {len(paths)} pictures "
            f"({len(problems)} could not be read; {out / 'segmented.jsonl'} says why); look at "
            "one with smearlab segment, or choose another model"
        )
    entries = [done[path] for path in paths if "file" in done[path]]
    columns = {
        column: [entry[name] for entry in entries]
        for column, name in (("path", "file"), *((same, same) for same in _MEASURED))
    }
    # A mask of the old folder cannot be named from the new one.
    rows = manifest.take(kept).with_columns(**columns, mask=[None] * len(entries))
    result = replace(rows, root=out).noted(
        OPERATION,
        {"not_found": list(not_found), "lost": sorted(problems)},
        **{name: value for name, value in settings.items() if name != "pictures"},
    )
    write_manifest(out / "manifest.parquet", result)
    return SegmentReport(result, not_found, problems)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
