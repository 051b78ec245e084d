"""Real pictures beside simulated ones, for whoever has the data; the picture is not published.

    python docs/real_beside_simulated.py --data DIR --out beside.png

DIR is a folder with ``manifest.csv`` (see SMEARLAB_DATA). Left real, right simulated: a pair of
columns an archive for fields, then a row a type for single cells.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.simulator import CELL_CONFIG, SmearConfig, simulate_cell, simulate_field
from smearlab.io.images import read_field

#: Archive in the manifest → look that is near it, red cell's diameter (px), side of the cut-out.
FIELDS = {
    "PBC": ("cream", 67, 350),
    "Raabin-WBC": ("pink", 125, 560),
    "BCCD": ("grey", 100, 470),
    "BCDD": ("mint", 51, 250),
}
LABELS = {"ig": "immature granulocyte"}
SIDE = 240
SHOWN = 4
GAP = 6


def main() -> None:
    """Draw the two halves and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (options.data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["path"].endswith((".txt", ".xml"))]
    chance = random.Random(options.seed)
    sheet = [fields(rows, options.data, chance, source) for source in FIELDS]
    sheet += cells(rows, options.data, chance)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(sheet)).save(options.out)


def fields(
    rows: list[dict[str, str]], data: Path, chance: random.Random, source: str
) -> NDArray[np.uint8]:
    """One archive: real fields on the left, simulated ones on the right."""
    look, diameter_px, side = FIELDS[source]
    mine = [row["path"] for row in rows if row["dataset"] == "txl_pbc" and row["source"] == source]
    real = [read_field(data / path).pixels for path in chance.sample(mine, SHOWN)]
    config = SmearConfig(
        height_px=side, width_px=side, rbc_diameter_px=diameter_px, look=look, coverage=0.45,
        touching=0.5, crenated=0.05,
    )  # fmt: skip
    drawn = [simulate_field(chance.randrange(10_000), config).field.pixels for _ in range(SHOWN)]
    return beside([middle(one, side) for one in real], drawn)


def cells(rows: list[dict[str, str]], data: Path, chance: random.Random) -> list[NDArray[np.uint8]]:
    """A row a type of the Barcelona set."""
    mine = [row for row in rows if row["dataset"] == "pbc" and "/pbc/" in row["path"]]
    strips = []
    for label in sorted({row["label"] for row in mine}):
        paths = chance.sample([row["path"] for row in mine if row["label"] == label], SHOWN)
        real = [middle(read_field(data / path).pixels, 200) for path in paths]
        cell_type = LABELS.get(label, label)
        drawn = [
            simulate_cell(chance.randrange(10_000), cell_type, CELL_CONFIG).field.pixels
            for _ in range(SHOWN)
        ]
        strips.append(beside(real, [middle(one, 200) for one in drawn]))
    return strips


def middle(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The square in the middle; the whole width or height where there is less."""
    high, wide = pixels.shape[:2]
    side = min(side, high, wide)
    y, x = (high - side) // 2, (wide - side) // 2
    return pixels[y : y + side, x : x + side]


def beside(real: list[NDArray[np.uint8]], drawn: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """A strip of pictures of one size; a wider gap parts the real from the drawn."""
    strip = np.full((SIDE + GAP, 2 * SHOWN * (SIDE + GAP) + 4 * GAP, 3), 255, np.uint8)
    for i, picture in enumerate([*real, *drawn]):
        x = i * (SIDE + GAP) + (4 * GAP if i >= SHOWN else 0)
        resized = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        strip[:SIDE, x : x + SIDE] = np.asarray(resized)
    return strip


if __name__ == "__main__":
    main()
