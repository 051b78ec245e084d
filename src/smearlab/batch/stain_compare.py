"""Normalisers side by side on the same pictures: table, page, figures and a sheet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab import __version__
from smearlab.batch.folder import writing
from smearlab.batch.stain_pictures import (
    files_of,
    read_pictures,
    refuse_same_files,
    refuse_same_pictures,
    spread,
)
from smearlab.errors import UsageError
from smearlab.evaluation.grids import Grid, number
from smearlab.evaluation.normaliser_figures import FIGURES, judge, target_colours
from smearlab.io.atomic import write_bytes, write_text
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.report.overlay import encode_png
from smearlab.report.records import FileError
from smearlab.report.stain_page import write_stain_page
from smearlab.stain.normaliser import Normaliser

#: What is written.
FIGURES_FILE, TABLE, PAGE, SHEET = "figures.json", "table.md", "report.html", "sheet.png"
_PARTS = ("val", "test")
#: Columns of the table: figure → head, and digits after the point.
_COLUMNS: Mapping[str, tuple[str, int]] = {
    "ground_de00": ("ground ΔE00", 1),
    "nucleus_de00": ("nucleus ΔE00", 1),
    "ssim_lightness": ("SSIM L*", 3),
    "ssim_azure": ("SSIM azure", 3),
    "nucleus_dice": ("nucleus Dice", 3),
    "ground_moved": ("ground moved", 3),
}
_SHOWN = 6
_NOTE = (
    "Means over the pictures with 95 % intervals (bootstrap over pictures). ΔE00: CIEDE2000 to the "
    "median colour of the target's pictures. SSIM and Dice: against the picture before. Ground "
    "moved: share of ground pixels that stand out from the ground otherwise than before, by more "
    "than 2."
)


@dataclass(frozen=True, eq=False)
class StainComparison:
    """What a comparison came to.

    Parameters
    ----------
    folder : Path
    grid : Grid
        The table.
    figures : mapping
        As in ``figures.json``.
    unread : tuple of FileError
    """

    folder: Path
    grid: Grid
    figures: Mapping[str, Any]
    unread: tuple[FileError, ...]


def compare_normalisers(
    normalisers: Sequence[Normaliser],
    source: str,
    target: str,
    out: str | Path,
    most: int = 20,
    root: Path | None = None,
) -> StainComparison:
    """Judge normalisers on the same pictures of a source, and write what came of it.

    Parameters
    ----------
    normalisers : sequence of Normaliser
        At least one; of different names.
    source, target : str
        Folders, files, patterns or manifests; of a manifest that is split the validation and test
        parts.
    out : str or Path
        Folder; made when missing. Files of an earlier comparison are replaced.
    most : int
        Pictures of each stain at most, evenly spread.
    root : Path, optional
        Folder of manifests' pictures, if not where they say.

    Returns
    -------
    StainComparison

    Raises
    ------
    UsageError
        If no normaliser is given or two have one name, or a place has no picture.
    DataError
        If source and target share pictures.
    ImageError
        If nothing can be read, or the target shows no nucleus.
    OutputError
        If the results cannot be written.
    """
    names = [one.name for one in normalisers]
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"name one or more models, each of its own name; received {', '.join(names) or 'none'}"
        )
    every = [files_of(place, _PARTS, root) for place in (source, target)]
    refuse_same_files(*every)
    files = [spread(some, most) for some in every]
    refuse_same_pictures(*files)
    there, wanted = (
        read_pictures(place, some) for place, some in zip((source, target), files, strict=True)
    )
    colours = target_colours(wanted.pixels)
    judged = {one.name: judge(one, there.pixels, colours) for one in normalisers}
    figures = {
        "source": {"place": source, "n": len(there.files)},
        "target": {
            "place": target,
            "n": colours.n,
            "n_nuclei": colours.n_nuclei,
            "ground_lab": colours.ground.tolist(),
            "nucleus_lab": colours.nucleus.tolist(),
        },
        "what": dict(FIGURES),
        "models": {one.name: {"card": dict(one.card), **judged[one.name]} for one in normalisers},
        "smearlab": __version__,
    }
    grid = comparison_grid(figures)
    sheet = encode_png(_sheet(normalisers, there.pixels))
    folder = Path(out)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(folder / FIGURES_FILE, text + "\n")
        write_text(folder / TABLE, grid.markdown())
        write_bytes(folder / SHEET, sheet)
        write_stain_page(folder / PAGE, figures, grid, sheet)
    return StainComparison(folder, grid, figures, (*there.unread, *wanted.unread))


def comparison_grid(figures: Mapping[str, Any]) -> Grid:
    """The table of a comparison: the pictures as they are, then a row a model.

    Parameters
    ----------
    figures : mapping
        As ``figures.json`` has them.
    """
    heads = [head for head, _ in _COLUMNS.values()]
    models = figures["models"]
    first = next(iter(models.values()))
    rows = [("as they are", *_cells(first["before"]), "–", "–")]
    for name, found in models.items():
        speed = number(found["megapixels_per_s"], digits=2)
        rows.append((name, *_cells(found["after"]), str(found["unchanged"]), speed))
    return Grid(
        f"Stain normalisation, n {figures['source']['n']}, target n {figures['target']['n']}",
        ("model", *heads, "unchanged", "megapixels/s"),
        tuple(rows),
        _NOTE,
    )


def _cells(found: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    return [
        number(found[name]["value"], (found[name]["low"], found[name]["high"]), digits)
        if name in found
        else "–"
        for name, (_, digits) in _COLUMNS.items()
    ]


def _sheet(normalisers: Sequence[Normaliser], pictures: Sequence[Any]) -> Any:
    """Real, then each model's; a row a picture."""
    rows = []
    heads = [one.name.encode("ascii", errors="replace").decode() for one in normalisers]
    places = np.linspace(0, len(pictures) - 1, _SHOWN).round().astype(int)
    for place in dict.fromkeys(places.tolist()):
        made = [one.apply(pictures[place]) for one in normalisers]
        rows.append(SheetRow("", (pictures[place], *made), ("real", *heads)))
    return draw_contact_sheet(rows)
