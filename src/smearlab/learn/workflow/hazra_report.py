"""The pipeline's report: tables, sheets of pictures, and what must be known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.evaluation.pipeline_grids import ablation_grids, pipeline_grids
from smearlab.learn.verification.pictures import png_of
from smearlab.learn.workflow.hazra_data import TABLE, pixels_of
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.report.pipeline_page import write_pipeline_page
from smearlab.synthesis.sheets import sheet_of

PAGE = "hazra_pipeline.html"
#: Pictures of a type that are shown with what became of them; side of one on a sheet, px.
_SHOWN, _TILE_PX = 3, 128


def write_hazra_report(out: Path, whole: Mapping[str, Any]) -> Path:
    """Write ``hazra_pipeline.html`` from what the stages left.

    Parameters
    ----------
    out : Path
        Folder of the pipeline.
    whole : mapping
        Of :func:`smearlab.learn.workflow.hazra.run_hazra`.

    Returns
    -------
    Path
        The page.
    """
    name, run = next(iter(whole["runs"].items()))
    grids = pipeline_grids(whole, name)
    if len(whole["runs"]) > 1:
        grids["ablation"] = ablation_grids(whole)
    folders = {one["name"]: out / one["folder"] for one in run["stages"]}
    page = out / PAGE
    write_pipeline_page(page, whole, grids, _sheets(folders, run), cautions(whole))
    return page


#: The Munich set as its adapter names its pictures.
_MUNICH = "AML-LMU"


def cautions(whole: Mapping[str, Any]) -> list[str]:
    """What must be known before the figures are used.

    Parameters
    ----------
    whole : mapping
        See :func:`write_hazra_report`.
    """
    settings, said = whole["settings"], []
    if whole["simulated"]:
        said.append("The pictures are simulated: the figures say nothing about blood.")
    elif _MUNICH not in whole["sources"]:
        said.append(
            f"The thesis merges PBC with the Munich set ({_MUNICH}), which is not among these "
            f"pictures: {' and '.join(whole['sources'])} stand in for them, with fewer types."
        )
    if settings["rare"]:
        told = ", ".join(f"{kind} to {n}" for kind, n in settings["rare"].items())
        said.append(
            f"Types were made rare by leaving training pictures out: {told}. They stand in for the "
            "thesis's monoblasts, promyelocytes and smudge cells."
        )
    if settings["protocol"] == "paper":
        said.append(
            "The paper's protocol chooses by the label whose pictures are normalised, test "
            "pictures among them, and splits pictures one by one: both flatter the figures."
        )
    warned = [
        text
        for run in whole["runs"].values()
        for stage in run["stages"]
        for text in stage["facts"].get("warnings", [])
    ]
    return [*said, *(f"While a generator learned: {text}" for text in dict.fromkeys(warned))]


def _sheets(folders: Mapping[str, Path], run: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
    """Pictures before and after normalisation, and those that were made."""
    found: dict[str, dict[str, bytes]] = {}
    if "normalised" in folders:
        before, after = (read_manifest(folders[one] / TABLE) for one in ("views", "normalised"))
        sheet = _before_and_after(before, after)
        if sheet is not None:
            found["data"] = {"As they were, and normalised": png_of(sheet)}
    both = read_manifest(folders["synthesised"] / TABLE)
    made = both.take(both.column("synthetic").astype(bool))
    if len(made):
        found["plan"] = {"Synthetic pictures": png_of(sheet_of(made))}
    return found


def _before_and_after(before: Manifest, after: Manifest) -> Any:
    """Some test pictures of each type that were changed, beside what became of them."""
    changed = before.column("sha256") != after.column("sha256")
    types, tested = before.column("type"), before.column("split") == "test"
    rows = []
    for kind in sorted(set(types[changed])):
        chosen = np.flatnonzero(changed & tested & (types == kind))[:_SHOWN]
        pictures = [pixels_of(one, int(row)) for row in chosen for one in (before, after)]
        if not pictures:
            continue
        notes = ["as it was", "normalised"] * len(chosen)
        blank = np.full_like(pictures[0], 32)
        missing = 2 * _SHOWN - len(pictures)
        rows.append(SheetRow(kind, [*pictures, *[blank] * missing], [*notes, *[""] * missing]))
    return draw_contact_sheet(rows, _TILE_PX) if rows else None
