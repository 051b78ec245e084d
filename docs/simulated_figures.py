"""Draw the figures of the simulator's pages into docs/images.

python docs/simulated_figures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.simulated_cells import RELATIVE_DIAMETER
from smearlab.datasets.simulated_looks import LOOKS
from smearlab.datasets.simulator import SmearConfig, simulate_cell, simulate_field

IMAGES = Path(__file__).parent / "images"
#: Parameter → its values in a row of the figure.
RANGES = {
    "coverage": (0.15, 0.35, 0.6),
    "overlap": (0.0, 0.4, 0.8),
    "rbc_diameter_px": (30, 52, 90),
    "dye": (0.5, 1.0, 1.5),
    "uneven_focus_px": (0.0, 2.0, 5.0),
    "noise": (0.0, 6.0, 18.0),
}


def main() -> None:
    """Draw all of them."""
    write("simulated.jpg", [[stained(name, seed) for name in LOOKS] for seed in (3, 8)])
    write(
        "simulated-cells.jpg", [[cell(name, seed) for name in RELATIVE_DIAMETER] for seed in (1, 2)]
    )
    pairs = list(RANGES.items())
    write("simulated-parameters.jpg", [[*row(*pairs[i]), *row(*pairs[i + 1])] for i in (0, 2, 4)])


def stained(look: str, seed: int) -> NDArray[np.uint8]:
    """A field in a named stain."""
    config = SmearConfig(
        height_px=280, width_px=280, rbc_diameter_px=56, look=look, coverage=0.4, crenated=0.04
    )
    return simulate_field(seed * 10 + list(LOOKS).index(look), config).field.pixels


def cell(cell_type: str, seed: int) -> NDArray[np.uint8]:
    """The middle of a single-cell picture."""
    return simulate_cell(seed * 10, cell_type).field.pixels[86:276, 85:275]


def row(name: str, values: tuple[float, ...]) -> list[NDArray[np.uint8]]:
    """One field at several values of a parameter."""
    base = {"height_px": 220, "width_px": 220, "rbc_diameter_px": 52, "coverage": 0.35}
    base |= {"overlap": 0.3, "touching": 0.8 if name == "overlap" else 0.3}
    return [simulate_field(14, SmearConfig(**{**base, name: v})).field.pixels for v in values]


def write(name: str, rows: list[list[NDArray[np.uint8]]], gap_px: int = 6) -> None:
    """Put pictures of one size beside and below each other."""
    high, wide = rows[0][0].shape[:2]
    columns = len(rows[0])
    size = (len(rows) * (high + gap_px) - gap_px, columns * (wide + gap_px) - gap_px, 3)
    sheet = np.full(size, 255, np.uint8)
    for i, pictures in enumerate(rows):
        for j, picture in enumerate(pictures):
            y, x = i * (high + gap_px), j * (wide + gap_px)
            sheet[y : y + high, x : x + wide] = picture
    Image.fromarray(sheet).save(IMAGES / name, quality=88)


if __name__ == "__main__":
    main()
