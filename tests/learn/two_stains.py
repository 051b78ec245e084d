"""Simulated cells in two stains, as a manifest: the same kinds of cells on other slides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.simulated_files import DATASET
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.preprocess.crops import crop_cell

STAINS = ("cream", "pink")
TYPES = ("lymphocyte", "neutrophil")
_SIDE_PX, _FIELDS = 48, 5


def write_two_stains(
    folder: Path, *, types: Mapping[str, tuple[str, ...]] | None = None, copied: bool = False
) -> Path:
    """A manifest of both stains, twenty cells each.

    Parameters
    ----------
    folder : Path
        Made if missing.
    types : mapping of str to tuple of str, optional
        Stain → the types that are kept of it.
    copied : bool
        Give the first cell of the first stain to the second as well.
    """
    rows: list[dict[str, Any]] = []
    for place, stain in enumerate(STAINS):
        config = SmearConfig(
            height_px=160, width_px=160, rbc_diameter_px=24, n_wbc=4, n_rbc=2, n_plt=1, look=stain,
            wbc_types=TYPES,
        )  # fmt: skip
        for seed in range(_FIELDS):
            truth = simulate_field(10 * place + seed, config)
            for number, cell in enumerate(truth.cells):
                if cell.type not in (types or {}).get(stain, TYPES):
                    continue
                name = f"{stain}/{seed}-{number}.png"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                pixels = crop_cell(truth.field.pixels, cell.bbox, _SIDE_PX, 1.6)
                Image.fromarray(pixels).save(folder / name)
                rows.append(
                    {
                        "path": name,
                        "dataset": DATASET,
                        "source": stain,
                        "group": f"{stain} {seed} {number}",
                        "label": cell.type,
                        "width_px": _SIDE_PX,
                        "height_px": _SIDE_PX,
                    }
                )
    if copied:
        other = next(row for row in rows if row["source"] == STAINS[1])
        other["group"] = rows[0]["group"]
    manifest = Manifest.from_rows(rows, folder, "simulate", fields=2 * _FIELDS)
    return write_manifest(folder / "cells.parquet", manifest)
