"""Small ALL-IDB folders in which cells are coloured discs that the tiny networks know."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from smearlab.datasets.adapters.importing import to_manifest
from smearlab.datasets.adapters.reading import read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.table import Manifest
from tiny_bundles import DISC_UM_PER_PX, PALE, draw_discs

SIDE_PX = 96
#: Deep blue; blasts are pale blue here.
HEALTHY = (0, 0, 255)


def write_all_idb2(folder: Path, n_blast: int, n_healthy: int) -> Path:
    """``img/ImXXX_Y.tif``: a white cell in the middle, another at a corner, two red ones."""
    (folder / "img").mkdir(parents=True)
    for n in range(n_blast + n_healthy):
        blast = n < n_blast
        cell = PALE if blast else HEALTHY
        white = [(44 + n / 2, 50, cell), (14, 82, HEALTHY)]  # no two pictures are alike
        red = [(20, 18, "RBC"), (82, 70, "RBC")]
        pixels = draw_discs([*white, *red], (SIDE_PX, SIDE_PX))
        Image.fromarray(pixels).save(folder / f"img/Im{n + 1:03}_{int(blast)}.tif")
    return folder


def write_all_idb1(folder: Path, n_blast: int, n_healthy: int) -> Path:
    """``im/ImXXX_Y.jpg``: fields with two white cells, which are pale in those of patients."""
    (folder / "im").mkdir(parents=True)
    for n in range(n_blast + n_healthy):
        blast = n < n_blast
        cell = PALE if blast else HEALTHY
        pixels = draw_discs([(40 + n, 40, cell), (120, 100, cell), (70, 120, "RBC")])
        Image.fromarray(pixels).save(folder / f"im/Im{n + 1:03}_{int(blast)}.jpg", quality=95)
    return folder


def import_discs(name: str, folder: Path) -> Manifest:
    """The manifest of a set, with the pitch at which the discs are red cells."""
    manifest = to_manifest(read_archive(ADAPTERS[name], folder))
    return manifest.with_columns(um_per_px=[DISC_UM_PER_PX] * len(manifest))
