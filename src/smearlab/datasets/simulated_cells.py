"""Drawing simulated cells: how large each type is, its outline, and what is drawn inside.

Lengths inside a cell are in units of its radius. Nucleated cells are drawn in
:mod:`~smearlab.datasets.simulated_white_cells`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np

from smearlab.datasets.simulated_bodies import Drawing, halo, mean_radius, tint
from smearlab.datasets.simulated_looks import Look
from smearlab.datasets.simulated_shapes import (
    Floats,
    Tile,
    crenate,
    disc_outline,
    dots,
    flatten,
    fray,
    grain,
)
from smearlab.datasets.simulated_white_cells import DRAW_NUCLEATED

#: Diameter of each type over the red cell's: low and high end.
RELATIVE_DIAMETER: Mapping[str, tuple[float, float]] = {
    "erythrocyte": (0.9, 1.1),
    "platelet": (0.27, 0.5),
    "neutrophil": (1.6, 1.9),
    "eosinophil": (1.7, 2.0),
    "basophil": (1.5, 1.75),
    "lymphocyte": (1.1, 1.5),
    "monocyte": (1.9, 2.3),
    "immature granulocyte": (1.8, 2.2),
    "erythroblast": (1.15, 1.4),
}
#: Wobble of the outline and its raggedness, for each nucleated type.
_OUTLINE = {
    "neutrophil": (0.06, 0.006),
    "eosinophil": (0.06, 0.008),
    "basophil": (0.08, 0.02),
    "lymphocyte": (0.07, 0.016),
    "monocyte": (0.13, 0.014),
    "immature granulocyte": (0.06, 0.006),
    "erythroblast": (0.1, 0.014),
}


def outline_of(rng: np.random.Generator, cell_type: str, radius_px: float, form: str) -> Floats:
    """Radii by angle of a cell of a type; ``form`` names the red cell's shape.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    cell_type : str
        Key of :data:`RELATIVE_DIAMETER`.
    radius_px : float
        Half the diameter the cell is meant to have.
    form : str
        Of a red cell: ``"discocyte"``, ``"dense"``, ``"ovalocyte"`` or ``"echinocyte"``; other
        types ignore it.
    """
    if cell_type == "erythrocyte":
        if form == "ovalocyte":
            return disc_outline(rng, radius_px, float(rng.uniform(1.25, 1.6)), 0.04)
        wobble = float(rng.uniform(0.02, 0.08))
        radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.15)), wobble)
        if form == "echinocyte":
            return crenate(rng, radii, float(rng.uniform(0.05, 0.15)))
        return flatten(rng, radii, int(rng.choice([0, 1, 2, 3], p=[0.6, 0.25, 0.1, 0.05])))
    if cell_type == "platelet":
        radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.3)), 0.08)
        return fray(rng, radii, 0.05)
    wobble, ragged = _OUTLINE[cell_type]
    radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.15)), wobble)
    if cell_type in ("monocyte", "erythroblast", "lymphocyte"):
        radii = flatten(rng, radii, int(rng.integers(0, 3)))
    return fray(rng, radii, ragged)


def draw_cell(
    rng: np.random.Generator, cell_type: str, form: str, tile: Tile, look: Look
) -> Drawing:
    """Draw a cell of any type.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    cell_type : str
        Key of :data:`RELATIVE_DIAMETER`.
    form : str
        Of a red cell, as for :func:`outline_of`.
    tile : Tile
        The pixels around the cell.
    look : Look
        The colours.
    """
    if cell_type == "erythrocyte":
        return draw_erythrocyte(rng, tile, look, form)
    if cell_type == "platelet":
        return draw_platelet(rng, tile, look)
    return DRAW_NUCLEATED[cell_type](rng, tile, look)


def draw_erythrocyte(rng: np.random.Generator, tile: Tile, look: Look, form: str) -> Drawing:
    """A red cell: pallor, ring, soft edge and a bright halo outside."""
    radius = mean_radius(tile)
    index = (_from_pallor(rng, tile, radius) * 200).astype(np.intp)
    thickness = _profile(rng, form)[np.minimum(index, 399)]
    thickness *= 1 + 0.025 * grain(rng, tile.r.shape, max(0.12 * radius, 3))
    # red cells lie a little out of the plane in which white cells are sharp
    soft = max(1.5, float(rng.uniform(0.05, 0.13)) * radius)
    strength = rng.uniform(0.88, 1.1) * (1.15 if form in ("dense", "echinocyte") else 1.0)
    weight = strength * thickness * tile.cover(soft)
    density = look.density("erythrocyte") * (1 + 0.025 * rng.standard_normal(3))
    return Drawing(tint(weight, density) - halo(tile, float(rng.uniform(0.02, 0.05))))


def _from_pallor(rng: np.random.Generator, tile: Tile, radius: float) -> Floats:
    """Distance of each pixel from the middle of the pallor over the cell's reach, shape (S, S)."""
    ox, oy = (np.float32(value) for value in rng.normal(0, 0.06, 2) * radius)
    turn, stretch = (
        rng.uniform(0, math.pi),
        float(rng.choice([1.05, 1.25, 2.2], p=[0.6, 0.33, 0.07])),
    )
    cos, sin = math.cos(turn), math.sin(turn)
    along = np.float32(cos) * (tile.dx - ox) + np.float32(sin) * (tile.dy - oy)
    across = np.float32(cos) * (tile.dy - oy) - np.float32(sin) * (tile.dx - ox)
    far = cv2.magnitude(np.float32(1 / stretch**0.5) * along, np.float32(stretch**0.5) * across)
    bend = 0.025 * grain(rng, tile.r.shape, 0.5 * radius)
    return np.asarray(np.maximum(far / tile.reach + bend, 0), np.float32)


def _profile(rng: np.random.Generator, form: str) -> Floats:
    """Thickness of a red cell by 1/200 of the radius, from the middle outwards, shape (400,)."""
    rho = np.arange(400, dtype=np.float32) / 200
    if form == "dense":
        pallor = float(rng.uniform(0, 0.12))
    elif form == "echinocyte":
        pallor = float(rng.uniform(0, 0.25))
    else:
        pallor = float(
            rng.choice([rng.uniform(0.15, 0.45), rng.uniform(0.55, 0.9)], p=[0.35, 0.65])
        )
    size = rng.uniform(0.28, 0.42) + 0.12 * pallor
    profile = 1 - pallor / (1 + np.exp((rho - size) / rng.uniform(0.04, 0.1)))
    if form == "discocyte" and rng.random() < 0.06:  # a target cell's bull's eye
        profile += 0.7 * pallor * np.exp(-((rho / 0.16) ** 2))
    profile += rng.uniform(0.0, 0.14) * np.exp(-(((rho - 0.88) / 0.1) ** 2))
    return np.asarray(profile, np.float32)


def draw_platelet(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A platelet: purple granules, crowded in the middle, in a pale blue body."""
    radius = mean_radius(tile)
    body = tile.cover(max(1.5, 0.25 * radius))
    weight = (0.5 + 0.1 * grain(rng, tile.r.shape, 3)) * body
    middle = np.clip(1.25 - tile.rho, 0, 1)
    # tiles are larger than the platelet: so many granules a radius squared
    n = round(float(rng.uniform(50, 90)) * tile.r.size / radius**2 / 4)
    granules = dots(rng, tile.r.shape, n, max(0.07 * radius, 0.6)) * middle**0.5 * body
    purple = 0.3 * middle**2 * body + float(rng.uniform(0.5, 0.9)) * granules
    body_dye = 0.6 * look.density("basophilic") + 0.4 * look.density("azure")
    density = tint(weight, 1.2 * body_dye) + tint(purple, look.density("azure"))
    return Drawing(density - halo(tile, 0.03))
