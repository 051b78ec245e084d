"""How fast stain normalisers are: megapixels per second, side by side in one run; prints JSON.

    python benchmarks/stain.py                          the reference-based methods
    python benchmarks/stain.py --model BUNDLE…          and networks, or fitted models
    python benchmarks/stain.py --data DIR               on the pictures of a folder

Without ``--data`` they are simulated fields. All take turns in every round, the order turned round
from round to round; the median of the rounds is given. Reading and writing of files is not counted.

``megapixels_per_s``
    Of each, with ``--threads`` threads (2): networks share them within a call; reference-based
    methods, and networks that look at one pixel alone, run one picture a thread.
``at_first``
    The same of the first round, which is not counted else: networks that look at one pixel alone
    do not know the answers to the pictures' colours yet.
``over_macenko``
    Ratios of these within the run.
``largest_step``
    Of 255, of a network: how far pixels change where tiles are half as wide; a check that they
    leave no seam.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_looks import LOOKS
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.images import find_images, read_field
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import METHODS
from smearlab.stain.models import load_normaliser
from smearlab.stain.networks import NetworkNormaliser
from smearlab.stain.normaliser import Normaliser, ReferenceNormaliser

Pixels = NDArray[np.uint8]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", default=[], help="fitted models or bundles")
    parser.add_argument("--data", help="folder of pictures")
    parser.add_argument("--n", type=int, default=4, help="pictures")
    parser.add_argument("--size", type=int, default=1024, help="sides of simulated fields, px")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = photographed(options) if options.data else simulated("pink", options)
    contestants = fitted(pictures) | {
        one.name: one for one in (load_normaliser(m, options.threads) for m in options.model)
    }
    rates, at_first = megapixels_per_s(contestants, pictures, options)
    found = {
        "n": len(pictures),
        "megapixels": round(sum(p.shape[0] * p.shape[1] for p in pictures) / 1e6, 3),
        "pictures": options.data or f"simulated, {options.size} px",
        "threads": options.threads,
        "rounds": options.rounds,
        "machine": platform.machine(),
        "megapixels_per_s": {name: round(rate, 3) for name, rate in rates.items()},
        "at_first": {name: round(rate, 3) for name, rate in at_first.items()},
        "over_macenko": {name: round(rate / rates["macenko"], 4) for name, rate in rates.items()},
        "largest_step": {
            name: largest_step(one, pictures[0])
            for name, one in contestants.items()
            if isinstance(one, NetworkNormaliser)
        },
    }
    print(json.dumps(found, indent=1))


def simulated(look: str, options: argparse.Namespace) -> list[Pixels]:
    """Simulated fields with white cells."""
    config = SmearConfig(height_px=options.size, width_px=options.size, n_wbc=3, look=LOOKS[look])
    return [simulate_field(seed, config).field.pixels for seed in range(options.n)]


def photographed(options: argparse.Namespace) -> list[Pixels]:
    """The first pictures of a folder."""
    return [read_field(path).pixels for path in find_images([options.data])[: options.n]]


def fitted(pictures: list[Pixels]) -> dict[str, Normaliser]:
    """Every method with the first picture for its target; what it is does not alter the time."""
    return {
        name: ReferenceNormaliser(name, name, measure_look(pictures[:1], name)) for name in METHODS
    }


def megapixels_per_s(
    contestants: dict[str, Normaliser], pictures: list[Pixels], options: argparse.Namespace
) -> tuple[dict[str, float], dict[str, float]]:
    """Median over the rounds, after one round that is not counted; and of that round."""
    megapixels = sum(p.shape[0] * p.shape[1] for p in pictures) / 1e6
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(options.rounds + 1):
        for name in names if number % 2 else names[::-1]:
            spent = timed(contestants[name], pictures, options.threads)
            seconds[name].append(spent)
    rates = {name: megapixels / float(np.median(spent[1:])) for name, spent in seconds.items()}
    return rates, {name: megapixels / spent[0] for name, spent in seconds.items()}


def timed(normaliser: Normaliser, pictures: list[Pixels], threads: int) -> float:
    """Seconds for all pictures."""
    shares = isinstance(normaliser, NetworkNormaliser) and not normaliser.is_pointwise
    side_by_side = 1 if shares else threads
    begun = time.perf_counter()
    with ThreadPoolExecutor(side_by_side) as pool:
        list(pool.map(normaliser.apply, pictures))
    return time.perf_counter() - begun


def largest_step(normaliser: NetworkNormaliser, pixels: Pixels) -> int:
    """How much a picture's pixels change where it is cut into tiles of half the size."""
    half = max(int(normaliser.card["multiple_px"]), int(normaliser.card["tile_px"]) // 2)
    other = NetworkNormaliser(normaliser.bundle, half).apply(pixels)
    return int(np.abs(other.astype(int) - normaliser.apply(pixels)).max())


if __name__ == "__main__":
    main()
