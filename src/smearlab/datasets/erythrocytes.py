"""The ninth class: red cells cut out of pictures that were taken of other cells.

The Barcelona set has no erythrocytes of its own, but every picture shows some around the cell it
was taken of. They are found and split by the pipeline; what is whole, alone and of the size and
roundness of its neighbours becomes a single-cell picture with a mask.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.picture_journal import Journal
from smearlab.datasets.whole_red_cells import CutRules, fit_to_cut, square_around
from smearlab.errors import ImageError, ManifestError, UsageError
from smearlab.io.atomic import remove_leftovers, write_bytes
from smearlab.io.images import read_field
from smearlab.pipeline import Analysis, Analyzer
from smearlab.types import Cell, Field

LABEL = "erythrocyte"
#: What a cut cell has from the picture it was cut from.
_KEPT = (
    *("dataset", "source", "source_image", "group", "patient", "um_per_px", "stain"),
    *("published_split", "split", "fold", "synthetic"),
)


@dataclass(frozen=True)
class CutReport:
    """What came of it.

    Parameters
    ----------
    manifest : Manifest
        A row a cut cell.
    n_pictures : int
        Pictures that were looked at, in this run and before.
    n_candidates : int
        Red cells in them that were fit to be cut out.
    problems : mapping of str to str
        Path of a picture that could not be read → why.
    """

    manifest: Manifest
    n_pictures: int
    n_candidates: int
    problems: Mapping[str, str]


def cut_erythrocytes(
    manifest: Manifest,
    out: str | Path,
    n: int,
    seed: int,
    analyzer: Analyzer,
    *,
    dataset: str = "pbc",
    synthetic: bool = False,
    rules: CutRules | None = None,
    advance: Callable[[int], None] | None = None,
) -> CutReport:
    """Cut red cells out of the pictures of a manifest.

    Pictures are taken in an order that follows from the seed, one a group, until ``n`` cells are
    there. What is written to ``out``: ``images/``, ``masks/`` (128 the cell, 0 elsewhere),
    ``cut.jsonl`` (a line a picture) and at last ``manifest.parquet``. The same call goes on where
    an earlier one was interrupted, and gives the same files as one that was not; a greater ``n``
    adds to them.

    Parameters
    ----------
    manifest : Manifest
        Rows of another dataset and erythrocytes are passed over.
    out : str or Path
        Folder to write to.
    n : int
        How many, at least 1.
    seed : int
        Of the order of pictures, and of the choice within one; at least 0.
    analyzer : Analyzer
        Only its segmenter is asked.
    dataset : str
        Value of the ``dataset`` column.
    synthetic : bool
        Whether synthetic pictures are cut, too; their cells are synthetic as well.
    rules : CutRules, optional
        Which cells are fit.
    advance : callable, optional
        Called with the number of cells after every picture.

    Returns
    -------
    CutReport
        Its manifest has fewer rows than ``n`` where the pictures have no more.

    Raises
    ------
    UsageError
        If n or seed is out of range, or no row is of the dataset.
    ManifestError
        If a picture has no group: nothing would keep its cells on its side of a split.
    OutputExistsError
        If ``out`` holds something else, or cells cut with other settings.
    OSError
        If the disk is full or not writable.
    """
    rules, out = rules or CutRules(), Path(out)
    if n < 1 or seed < 0:
        raise UsageError(f"n must be at least 1 and seed at least 0; received {n} and {seed}")
    rows = _in_order(manifest, dataset, seed, synthetic)
    settings = {"dataset": dataset, "seed": seed, "rules": asdict(rules)}
    settings["segmenter"] = analyzer.describe()["segmenter"]["sha256"]
    settings["pictures"] = _digest("\n".join(str(row["path"]) for row in rows))
    for name in ("images", "masks"):
        remove_leftovers(out / name)
    cut: list[dict[str, Any]] = []
    problems: dict[str, str] = {}
    n_pictures = n_candidates = 0
    with Journal.open(out / "cut.jsonl", settings, ("cells", "cut")) as journal:
        for row in rows:
            if len(cut) >= n:
                break
            path = str(row["path"])
            entry = journal.get(path)
            if entry is None:
                entry = _cut_picture(manifest.file(path), row, out, seed, analyzer, rules)
                journal.add(path, entry)
            n_pictures, n_candidates = n_pictures + 1, n_candidates + entry["candidates"]
            if "problem" in entry:
                problems[path] = entry["problem"]
            cut += [{**cell, **{name: row[name] for name in _KEPT}} for cell in entry["cells"]]
            if advance is not None:
                advance(min(len(cut), n))
    result = Manifest.from_rows(
        cut[:n],
        out,
        "erythrocytes",
        n=n,
        seed=seed,
        dataset=dataset,
        rules=asdict(rules),
        segmenter=settings["segmenter"],
        pictures=n_pictures,
        lost=sorted(problems),
        inputs=[{"rows": len(manifest), "provenance": list(manifest.provenance)}],
    )
    write_manifest(out / "manifest.parquet", result)
    return CutReport(result, n_pictures, n_candidates, problems)


def _in_order(manifest: Manifest, dataset: str, seed: int, synthetic: bool) -> list[dict[str, Any]]:
    """The rows to look at: one a group, the largest picture, in an order of the seed."""
    best: dict[str, dict[str, Any]] = {}
    for row in manifest.table.to_pylist():
        if row["dataset"] != dataset or row["label"] == LABEL:
            continue
        if row["synthetic"] and not synthetic:
            continue
        if row["group"] is None:
            raise ManifestError(
                f"{row['path']} has no group, so its cells could part from it; import the archive "
                "again, or run smearlab data duplicates"
            )
        other = best.get(row["group"])
        if other is None or _rank(row) < _rank(other):
            best[row["group"]] = row
    if not best:
        known = ", ".join(sorted(set(manifest.column("dataset")))) or "none"
        real = "" if synthetic else "real "
        raise UsageError(
            f"no {real}picture of the dataset {dataset!r} in the manifest; its datasets: {known}"
        )
    return sorted(best.values(), key=lambda row: _digest(f"{seed}:{row['path']}"))


def _rank(row: Mapping[str, Any]) -> tuple[int, str]:
    """Large pictures first, then by name."""
    return -(row["width_px"] or 0) * (row["height_px"] or 0), row["path"]


def _cut_picture(
    path: Path, row: Mapping[str, Any], out: Path, seed: int, analyzer: Analyzer, rules: CutRules
) -> dict[str, Any]:
    """Cut one picture; what the journal says of it."""
    try:
        field = read_field(path)
    except ImageError as error:
        return {"candidates": 0, "cells": [], "problem": str(error)}
    analysis = analyzer.analyze(field)
    fit = fit_to_cut(analysis, rules)
    rng = np.random.default_rng([seed, int(_digest(str(row["path"]))[:8], 16)])
    take = sorted(rng.permutation(len(fit))[: rules.per_picture])
    cells = [_write_cell(field, analysis, fit[i], row, out, rules.context) for i in take]
    return {"candidates": len(fit), "cells": cells}


def _write_cell(
    field: Field,
    analysis: Analysis,
    cell: Cell,
    row: Mapping[str, Any],
    out: Path,
    context: float,
) -> dict[str, Any]:
    """Write picture and mask of one cell; its own columns of the manifest."""
    x0, y0, x1, y1 = square_around(cell.bbox, context)
    # two archives may use one file name; the path tells them apart
    name = f"{Path(row['path']).stem}-{_digest(str(row['path']))[:6]}-x{x0}-y{y0}.png"
    mask = analysis.labels.array[y0:y1, x0:x1] == cell.label
    parts: Sequence[tuple[str, NDArray[np.uint8]]] = (
        ("masks", np.where(mask, np.uint8(128), np.uint8(0))),
        ("images", field.pixels[y0:y1, x0:x1]),
    )
    data = b""
    for folder, pixels in parts:
        data = _png(pixels)
        (out / folder).mkdir(parents=True, exist_ok=True)
        write_bytes(out / folder / name, data)
    return {
        "path": f"images/{name}",
        "mask": f"masks/{name}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "label": LABEL,
        "width_px": x1 - x0,
        "height_px": y1 - y0,
    }


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
