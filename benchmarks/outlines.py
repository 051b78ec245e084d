"""Red cells outlined inside their boxes, beside exact outlines, by where the outline lies.

    python benchmarks/outlines.py                  40 simulated fields, loosely boxed: this chooses
    python benchmarks/outlines.py --data DIR       bbbc041seg besides, at the chosen place only

Prints JSON: the mean Dice for each place of the outline between slide (0) and cell (1). Only
simulated fields may choose the place; the photographs of ``bbbc041seg`` are tested on, boxed by
their own masks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from smearlab.datasets.box_masks import element_map
from smearlab.datasets.box_outlines import CONTRAST, element_in_boxes
from smearlab.datasets.element_pairs import held_out_pairs, load_pair
from smearlab.datasets.pair_files import PairFile
from smearlab.datasets.simulated_pairs import varied_smear
from smearlab.datasets.simulator import simulate_field
from smearlab.types import Element

PLACES = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
FIRST_SEED = 1000
#: People box a little wide, and never twice alike: share of a cell's sides.
WIDER, UNSTEADY = 0.03, 0.03


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=40, help="simulated fields")
    parser.add_argument("--data", type=Path, help="folder with bbbc041seg")
    options = parser.parse_args()
    found: dict[str, object] = {"chosen": CONTRAST, "n_simulated": options.n}
    rows = [simulated(FIRST_SEED + number) for number in range(options.n)]
    means = np.mean(rows, axis=0).round(4).tolist()
    found["simulated"] = dict(zip(map(str, PLACES), means, strict=True))
    if options.data:
        scores = [photographed(file) for file in held_out_pairs(options.data)]
        found |= {"bbbc041seg": round(float(np.mean(scores)), 4), "n_bbbc041seg": len(scores)}
    print(json.dumps(found, indent=1))


def simulated(seed: int) -> list[float]:
    """Dice of each place in one simulated field."""
    truth = simulate_field(seed, varied_smear(seed))
    rng = np.random.default_rng(seed)
    boxes = np.array([cell.bbox for cell in truth.cells], np.float64)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    wider = np.array([-WIDER, -WIDER, WIDER, WIDER])
    loose = boxes + (wider + rng.normal(0, UNSTEADY, boxes.shape)) * sides
    elements = [cell.element for cell in truth.cells]
    red = [cell.label for cell in truth.cells if cell.element == "RBC"]
    exact = np.isin(truth.labels.array, red)
    found = loose.astype(np.float32)
    return [dice(truth.field.pixels, found, elements, exact, place) for place in PLACES]


def photographed(file: PairFile) -> float:
    """Dice in one photograph, at the chosen place."""
    pair = load_pair(file)
    assert pair.objects is not None  # its masks tell cells apart
    places = [place for place in find_objects(pair.objects) if place is not None]
    corners = [(x.start, y.start, x.stop, y.stop) for y, x in places]
    elements: list[Element] = ["RBC"] * len(corners)
    return dice(pair.pixels, np.array(corners, np.float32), elements, pair.target, CONTRAST)


def dice(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    elements: Sequence[Element],
    exact: NDArray[np.bool_],
    place: float,
) -> float:
    """Of the outlined red cells and the exact ones."""
    marks = element_map(pixels, boxes, elements)
    target, _ = element_in_boxes(pixels, boxes, elements, "RBC", marks, place)
    return float(2 * (target & exact).sum() / (target.sum() + exact.sum()))


if __name__ == "__main__":
    main()
