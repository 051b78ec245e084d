"""Draw the figure of docs/stain.md from simulated fields.

    python docs/stain_figures.py [DIR]

Writes into ``docs/images/stain`` unless another folder is named. Nothing in the figure is a real
picture; the same code gives the same figure.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.simulated_looks import LOOKS
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.atomic import write_bytes
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import METHODS
from smearlab.stain.normaliser import ReferenceNormaliser

FOLDER = Path(__file__).parent / "images" / "stain"
NAME, SIDE_PX, TILE_PX = "methods.png", 300, 200
TYPES = ("neutrophil", "eosinophil", "lymphocyte", "monocyte")


def field(look: str, seed: int) -> NDArray[np.uint8]:
    """A simulated field with two white cells."""
    config = SmearConfig(
        height_px=SIDE_PX, width_px=SIDE_PX, n_wbc=2, wbc_types=TYPES, look=LOOKS[look]
    )
    return simulate_field(seed, config).field.pixels


def sheet() -> NDArray[np.uint8]:
    """A row a field: before, by each method, and a field of the target."""
    targets = [field("cream", seed) for seed in range(10, 13)]
    sources = [field("pink", seed) for seed in (1, 2)]
    made = [
        ReferenceNormaliser(name, name, measure_look(targets, name), measure_look(sources, name))
        for name in METHODS
    ]
    notes = ["before", *METHODS, "a target"]
    rows = [
        SheetRow("", [before, *(one.apply(before) for one in made), target], notes)
        for before, target in zip(sources, targets, strict=False)
    ]
    return draw_contact_sheet(rows, TILE_PX)


def write(folder: Path) -> list[Path]:
    """Draw the figure; a small file, as a palette of 128 colours hardly shows.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    image = Image.fromarray(sheet()).quantize(128, dither=Image.Dither.NONE)
    image.save(buffer, "PNG", optimize=True)
    write_bytes(folder / NAME, buffer.getvalue())
    return [folder / NAME]


if __name__ == "__main__":
    for path in write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(path, path.stat().st_size)
