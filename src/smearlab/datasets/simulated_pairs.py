"""Simulated pictures with the exact mask of one element."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.pair_files import ElementPair, PairFile, element_named
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import UsageError

#: Size of the pictures and range of the red cells' diameters, px.
SIDE_PX = 320
DIAMETERS_PX = (48.0, 88.0)


def simulated_pairs(n: int, element: str, seed: int = 0) -> list[PairFile]:
    """Pairs of simulated fields, each unlike the last: any stain, size, density and shape.

    They are only trained on: synthetic pictures are never tested.

    Parameters
    ----------
    n : int
        How many, at least 1. Fewer are always the first of more.
    element : str
        RBC, WBC or PLT, in capitals or not; every field holds at least one.
    seed : int
        At least 0; the same seed gives the same bytes.

    Raises
    ------
    UnknownNameError
        If there is no such element.
    UsageError
        If ``n`` is below 1 or ``seed`` negative.
    """
    wanted = element_named(element)
    if n < 1 or seed < 0:
        raise UsageError(f"n must be at least 1 and seed at least 0; received {n} and {seed}")
    first = seed * 1_000_003
    return [
        PairFile(
            name=f"simulated/{number:04d}",
            element=wanted,
            source="simulated",
            origin="simulated",
            group=f"simulated/{number:04d}",
            part="train",
            seed=number,
        )
        for number in range(first, first + n)
    ]


def simulate_pair(file: PairFile) -> ElementPair:
    """Draw the field of a simulated pair.

    Parameters
    ----------
    file : PairFile
        Of :func:`simulated_pairs`.
    """
    assert file.seed is not None
    truth = simulate_field(file.seed, config := varied_smear(file.seed))
    labels = truth.labels.array
    own = [cell for cell in truth.cells if cell.element == file.element]
    objects: NDArray[np.int32] = np.where(
        np.isin(labels, [cell.label for cell in own]), labels, np.int32(0)
    )
    return ElementPair(
        name=file.name,
        element=file.element,
        group=file.group,
        part=file.part,
        truth=file.truth,
        pixels=truth.field.pixels,
        target=objects > 0,
        diameter_px=config.rbc_diameter_px,
        objects=objects,
        boxes=np.array([cell.bbox for cell in own], np.float32).reshape(-1, 4),
    )


def varied_smear(seed: int) -> SmearConfig:
    """Settings drawn by the seed. Every field holds white cells and platelets.

    Parameters
    ----------
    seed : int
        At least 0.
    """
    rng = np.random.default_rng([seed, 53])
    shares = rng.dirichlet([0.6, 0.6, 0.8, 2.0])[:3] * 0.95
    return SmearConfig(
        height_px=SIDE_PX,
        width_px=SIDE_PX,
        rbc_diameter_px=float(rng.uniform(*DIAMETERS_PX)),
        n_wbc=1,
        n_plt=int(rng.integers(1, 5)),
        coverage=float(rng.uniform(0.1, 0.45)),
        touching=float(rng.uniform(0, 0.7)),
        overlap=float(rng.uniform(0, 0.4)),
        dense=float(shares[0]),
        oval=float(shares[1]),
        crenated=float(shares[2]),
        look="random",
        blur_px=float(rng.uniform(0.4, 1.6)),
    )
