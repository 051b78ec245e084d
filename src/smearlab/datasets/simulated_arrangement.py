"""Which simulated cells come into a field, in which order and where."""

from __future__ import annotations

import math

import numpy as np

from smearlab.datasets.simulated_cells import RELATIVE_DIAMETER, outline_of
from smearlab.datasets.simulated_config import SmearConfig
from smearlab.datasets.simulated_placement import MIN_INSIDE, MIN_VISIBLE, Ground
from smearlab.errors import UsageError

#: How often a crowded field is arranged anew before it is given up.
_ARRANGEMENTS = 6


def place_cells(rng: np.random.Generator, config: SmearConfig) -> Ground:
    """Place all cells; an arrangement that leaves no room for the last ones is begun anew.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    config : SmearConfig
        Says how many of which cells, and how close.

    Raises
    ------
    UsageError
        If the cells asked for do not fit.
    """
    left_over: str | None = "erythrocyte"
    n_placed = 0
    for _ in range(0 if _hopeless(config) else _ARRANGEMENTS):
        ground = Ground(config.height_px, config.width_px, config.inside, config.gap_px)
        left_over = _arrange(rng, config, ground)
        n_placed = len(ground.placed)
        if left_over is None:
            return ground
    raise UsageError(
        f"found no place for another {left_over} after {n_placed} cells in "
        f"{config.width_px}×{config.height_px} px at {config.rbc_diameter_px} px a red cell; "
        "ask for fewer cells, smaller ones, or a larger field"
    )


def _hopeless(config: SmearConfig) -> bool:
    """Whether what must be seen of the red cells is more than the field."""
    smallest = math.pi / 4 * (RELATIVE_DIAMETER["erythrocyte"][0] * config.rbc_diameter_px) ** 2
    seen = MIN_VISIBLE * smallest * (1 if config.inside else MIN_INSIDE)
    return (config.n_rbc or 0) * 0.9 * seen > config.height_px * config.width_px


def _arrange(rng: np.random.Generator, config: SmearConfig, ground: Ground) -> str | None:
    """Fill the ground; returns the type of a cell that was asked for and found no place."""
    if config.centre is not None:
        kind, radii = _cell(rng, config, config.centre)
        if not ground.add_in_the_middle(kind, radii):
            return config.centre
    turn = list(config.wbc_types)
    for i in range(config.n_wbc):
        if i % len(turn) == 0:
            rng.shuffle(turn)
        if not _add(rng, config, ground, turn[i % len(turn)]):
            return turn[i % len(turn)]
    n_rbc = config.n_rbc
    if n_rbc is None:
        area = math.pi * config.rbc_diameter_px**2 / 4
        n_rbc = round(config.coverage * config.height_px * config.width_px / area)
    n_plt = round(n_rbc / 8) if config.n_plt is None else config.n_plt
    for cell_type, n, asked in (
        ("erythrocyte", n_rbc, config.n_rbc),
        ("platelet", n_plt, config.n_plt),
    ):
        for _ in range(n):
            if not _add(rng, config, ground, cell_type):
                if asked is not None:
                    return cell_type
                break
    return None


def _cell(
    rng: np.random.Generator, config: SmearConfig, cell_type: str
) -> tuple[tuple[str, str], np.ndarray]:
    """Type, form and outline of a new cell."""
    low, high = RELATIVE_DIAMETER[cell_type]
    radius = config.rbc_diameter_px / 2 * float(rng.uniform(low, high))
    form = _form(rng, config) if cell_type == "erythrocyte" else ""
    return (cell_type, form), outline_of(rng, cell_type, radius, form)


def _add(rng: np.random.Generator, config: SmearConfig, ground: Ground, cell_type: str) -> bool:
    kind, radii = _cell(rng, config, cell_type)
    touch = None
    if cell_type == "erythrocyte" and rng.random() < config.touching:
        touch = float(rng.uniform(0, config.overlap))
    over = cell_type == "platelet" and config.overlap > 0 and rng.random() < 0.15
    if over and ground.add_over(rng, kind, radii):
        return True
    if ground.add(rng, kind, radii, touch) or ground.add(rng, kind, radii, None, tries=200):
        return True
    if cell_type != "erythrocyte" or config.touching == 0:
        return False
    return ground.add(rng, kind, radii, config.overlap, tries=200)  # crowded: they do touch


def _form(rng: np.random.Generator, config: SmearConfig) -> str:
    draw = rng.random()
    for form, share in (
        ("dense", config.dense),
        ("ovalocyte", config.oval),
        ("echinocyte", config.crenated),
    ):
        if draw < share:
            return form
        draw -= share
    return "discocyte"
