"""Drawing simulated cells: one function a cell type, optical density out.

What is drawn follows the descriptions of a haematology atlas: lobes and granules of the
granulocytes, the rim of blue cytoplasm of the lymphocyte, the folded nucleus and vacuoles of
the monocyte, the round dense nucleus of the erythroblast. Lengths inside a cell are in units of
its radius.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import numpy as np

from smearlab.datasets.simulated_looks import Look
from smearlab.datasets.simulated_shapes import (
    Floats,
    Tile,
    crenate,
    cut,
    disc_outline,
    dots,
    ellipse_distance,
    fray,
    grain,
    join,
    strand_distance,
)

Draw = Callable[[np.random.Generator, Tile, Look], Floats]

#: Diameter of each type over the red cell's: low and high end.
RELATIVE_DIAMETER: Mapping[str, tuple[float, float]] = {
    "erythrocyte": (0.9, 1.1),
    "platelet": (0.27, 0.42),
    "neutrophil": (1.6, 1.9),
    "eosinophil": (1.7, 2.0),
    "basophil": (1.5, 1.75),
    "lymphocyte": (1.1, 1.4),
    "monocyte": (1.9, 2.3),
    "immature granulocyte": (1.8, 2.2),
    "erythroblast": (1.15, 1.4),
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
            return disc_outline(rng, radius_px, float(rng.uniform(1.25, 1.6)), 0.03)
        radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.15)), 0.045)
        return crenate(rng, radii, float(rng.uniform(0.1, 0.2))) if form == "echinocyte" else radii
    if cell_type == "platelet":
        radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.45)), 0.12)
        return fray(rng, radii, 0.045)
    if cell_type == "monocyte":
        return fray(rng, disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.2)), 0.12), 0.012)
    wobble = 0.07 if cell_type == "lymphocyte" else 0.05
    radii = disc_outline(rng, radius_px, float(rng.uniform(1.0, 1.12)), wobble)
    return fray(rng, radii, 0.008)


def draw_erythrocyte(rng: np.random.Generator, tile: Tile, look: Look, form: str) -> Floats:
    """Optical density of a red cell, shape (S, S, 3): pallor, rim, and a bright halo outside."""
    radius = float(np.sqrt(tile.mask.sum() / math.pi))
    ox, oy = rng.normal(0, 0.07, 2) * radius
    off_centre = np.hypot(tile.dx - np.float32(ox), tile.dy - np.float32(oy)) / tile.reach
    pallor = {"dense": rng.uniform(0, 0.12), "echinocyte": rng.uniform(0, 0.25)}.get(
        form, rng.uniform(0.3, 0.75)
    )
    size, edge = rng.uniform(0.3, 0.5), rng.uniform(0.05, 0.11)
    strength = rng.uniform(0.9, 1.12) * (1.2 if form in ("dense", "echinocyte") else 1.0)
    thickness = 1 - pallor / (1 + np.exp((off_centre - size) / edge))
    thickness += rng.uniform(0.05, 0.2) * np.exp(-(((tile.rho - 0.9) / 0.08) ** 2))
    thickness *= 1 + 0.03 * grain(rng, tile.r.shape, 4)
    weight = strength * thickness * tile.cover(1.5)
    density = look.density("erythrocyte") * (1 + 0.05 * rng.standard_normal(3))
    return _tint(weight, density) - _halo(tile, 0.05)


def draw_platelet(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """Optical density of a platelet, shape (S, S, 3): purple granules in a pale blue body."""
    radius = float(tile.reach.mean())
    body = tile.cover(max(1.5, 0.12 * radius))
    weight = (0.38 + 0.08 * grain(rng, tile.r.shape, 3)) * body
    middle = np.clip(1.25 - tile.rho, 0, 1)
    n = int(rng.integers(60, 120))
    granules = dots(rng, tile.r.shape, n, max(0.09 * radius, 0.6)) * middle * body
    purple = 0.4 * middle**2 * body + float(rng.uniform(0.45, 0.8)) * granules
    body_dye = 0.6 * look.density("basophilic") + 0.4 * look.density("azure")
    return _tint(weight, 1.3 * body_dye) + _tint(purple, look.density("azure")) - _halo(tile, 0.03)


def draw_neutrophil(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """Three to five lobes joined by strands; pale pink, finely granular cytoplasm."""
    u, v = _units(rng, tile)
    n = int(rng.choice([3, 4, 5], p=[0.4, 0.4, 0.2]))
    turn, bow = rng.uniform(0, 2 * math.pi), rng.uniform(0.46, 0.54)
    sweep = min(rng.uniform(1.2, 1.45) * (n - 1), 5.2)
    centres = [
        (bow * math.cos(turn + at) + rng.normal(0, 0.035), bow * math.sin(turn + at))
        for at in np.linspace(-sweep / 2, sweep / 2, n)
    ]
    long = {3: 0.34, 4: 0.29, 5: 0.25}[n]
    lobes = [
        ellipse_distance(
            u,
            v,
            (x, y),
            (long * rng.uniform(0.9, 1.15), long * rng.uniform(0.7, 0.85)),
            math.atan2(y, x) + math.pi / 2 + rng.normal(0, 0.3),
        )
        for x, y in centres
    ]
    strands = [
        strand_distance(u, v, a, b, float(rng.uniform(0.035, 0.07)))
        for a, b in itertools.pairwise(centres)
    ]
    nucleus = join([*lobes, *strands], 0.03)
    fine = dots(rng, tile.r.shape, 380, 0.022 * _radius(tile)) * tile.cover(2)
    od = _cytoplasm(rng, tile, look, {"neutral": 0.9, "basophilic": 0.02}, 0.12)
    od += _tint(0.2 * fine, look.density("azure"))
    return _with_nucleus(rng, tile, look, od, nucleus, clumps=0.2)


def draw_eosinophil(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """Two lobes, now and then three; cytoplasm packed with coarse orange granules."""
    u, v = _units(rng, tile)
    n = 2 if rng.random() < 0.8 else 3
    turn, bow = rng.uniform(0, 2 * math.pi), 0.42
    step = rng.uniform(1.9, 2.6) if n == 2 else rng.uniform(1.3, 1.6)
    centres = [(bow * math.cos(turn + i * step), bow * math.sin(turn + i * step)) for i in range(n)]
    long = 0.37 if n == 2 else 0.3
    lobes = [
        ellipse_distance(
            u,
            v,
            centre,
            (long * rng.uniform(0.92, 1.08), 0.75 * long),
            math.atan2(centre[1], centre[0]) + math.pi / 2 + rng.normal(0, 0.25),
        )
        for centre in centres
    ]
    strands = [strand_distance(u, v, a, b, 0.05) for a, b in itertools.pairwise(centres)]
    radius = _radius(tile)
    inside = tile.cover(2)
    granules = dots(rng, tile.r.shape, 620, 0.052 * radius, 0.2) * inside
    od = _cytoplasm(rng, tile, look, {"eosin": 0.36, "neutral": 0.25}, 0.08)
    od += _tint(0.55 * granules, look.density("eosin"))
    return _with_nucleus(rng, tile, look, od, join([*lobes, *strands], 0.04), clumps=0.16)


def draw_basophil(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """A blurred folded nucleus under coarse, almost black granules."""
    u, v = _units(rng, tile)
    turn = rng.uniform(0, 2 * math.pi)
    lobes = [
        ellipse_distance(
            u,
            v,
            (0.3 * math.cos(turn + at), 0.3 * math.sin(turn + at)),
            (0.45, 0.34),
            turn + at + rng.normal(0, 0.4),
        )
        for at in (0.0, 2.1, 4.0)[: int(rng.integers(2, 4))]
    ]
    radius = _radius(tile)
    od = _cytoplasm(rng, tile, look, {"azure": 0.28, "neutral": 0.4}, 0.15)
    od = _with_nucleus(rng, tile, look, od, join(lobes, 0.08), 0.1, strength=0.72, soft=0.06)
    granules = dots(rng, tile.r.shape, int(rng.integers(230, 330)), 0.05 * radius, 0.3)
    granules *= tile.cover(2)
    # granules lie over nucleus and cytoplasm: whichever is denser shows
    return np.maximum(od, _tint(1.12 * granules, look.density("nucleus")))


def draw_lymphocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """A round dense nucleus that nearly fills the cell; a thin rim of clear blue."""
    u, v = _units(rng, tile)
    size = rng.uniform(0.76, 0.88)
    shift = (1 - size) * rng.uniform(0.1, 0.7)
    turn = rng.uniform(0, 2 * math.pi)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    nucleus = ellipse_distance(u, v, centre, (size, size * rng.uniform(0.92, 1.0)), turn)
    if rng.random() < 0.35:  # a shallow notch
        notch = turn + rng.uniform(0, 6.3)
        hole = ellipse_distance(
            u, v, (1.05 * size * math.cos(notch), 1.05 * size * math.sin(notch)), (0.2, 0.26), notch
        )
        nucleus = cut(nucleus, hole)
    od = _cytoplasm(rng, tile, look, {"basophilic": rng.uniform(0.85, 1.2)}, 0.12, rim=0.35)
    return _with_nucleus(rng, tile, look, od, nucleus, clumps=0.14)


def draw_monocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """A large grey-blue cell with vacuoles; a kidney-shaped, loosely woven nucleus."""
    u, v = _units(rng, tile)
    turn = rng.uniform(0, 2 * math.pi)
    axes = (rng.uniform(0.62, 0.7), rng.uniform(0.46, 0.54))
    centre = (0.12 * math.sin(turn), -0.12 * math.cos(turn))
    body = ellipse_distance(u, v, centre, (float(axes[0]), float(axes[1])), turn)
    depth = rng.uniform(0.42, 0.6)  # the notch faces the middle of the cytoplasm
    at = (centre[0] - depth * math.sin(turn), centre[1] + depth * math.cos(turn))
    notch = ellipse_distance(u, v, at, (rng.uniform(0.2, 0.3), rng.uniform(0.26, 0.38)), turn)
    nucleus = cut(body, notch)
    od = _cytoplasm(rng, tile, look, {"basophilic": 0.52, "neutral": 0.22}, 0.16)
    radius = _radius(tile)
    od += _tint(
        0.12 * dots(rng, tile.r.shape, 260, 0.02 * radius) * tile.cover(2), look.density("azure")
    )
    vacuoles = dots(rng, tile.r.shape, int(rng.integers(8, 22)), 0.055 * radius, 0.35)
    vacuoles = np.minimum(vacuoles * 1.6, 1) * (tile.rho < 0.92)
    od *= (1 - 0.85 * vacuoles)[..., None]
    return _with_nucleus(rng, tile, look, od, nucleus, clumps=0.24, strength=0.82, lace=0.045)


def draw_immature_granulocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """A large cell with a big oval or barely dented nucleus and azurophil granules over it."""
    u, v = _units(rng, tile)
    turn = rng.uniform(0, 2 * math.pi)
    shift = rng.uniform(0.12, 0.24)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    axes = (float(rng.uniform(0.54, 0.62)), float(rng.uniform(0.64, 0.72)))
    nucleus = ellipse_distance(u, v, centre, axes, turn)
    if rng.random() < 0.5:  # metamyelocyte: a dent on the side of the cytoplasm
        at = (centre[0] - 0.72 * math.cos(turn), centre[1] - 0.72 * math.sin(turn))
        nucleus = cut(nucleus, ellipse_distance(u, v, at, (0.26, 0.36), turn))
    radius = _radius(tile)
    od = _cytoplasm(rng, tile, look, {"basophilic": 0.42, "neutral": 0.5}, 0.16)
    granules = dots(rng, tile.r.shape, int(rng.integers(350, 520)), 0.027 * radius)
    granules *= tile.cover(2)
    od += _tint(0.5 * granules, look.density("azure"))
    od = _with_nucleus(rng, tile, look, od, nucleus, clumps=0.2, strength=0.84, lace=0.05)
    return od + _tint(0.14 * granules, look.density("azure"))


def draw_erythroblast(rng: np.random.Generator, tile: Tile, look: Look) -> Floats:
    """A small round nucleus, dense as ink, in a smooth greyish red-cell-like body."""
    u, v = _units(rng, tile, bend=0.012)
    size = rng.uniform(0.46, 0.6)
    turn, shift = rng.uniform(0, 2 * math.pi), rng.uniform(0.02, 0.28)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    nucleus = ellipse_distance(u, v, centre, (size, size * rng.uniform(0.9, 1)), turn)
    blue = rng.uniform(0.25, 0.75)  # polychromatic, from blue-grey to nearly red
    od = _cytoplasm(
        rng, tile, look, {"erythrocyte": 1.15 - 0.5 * blue, "basophilic": 0.75 * blue}, 0.05
    )
    return _with_nucleus(rng, tile, look, od, nucleus, clumps=0.22, strength=1.15)


#: Every nucleated type and the platelet → the function that draws it.
DRAW: Mapping[str, Draw] = {
    "platelet": draw_platelet,
    "neutrophil": draw_neutrophil,
    "eosinophil": draw_eosinophil,
    "basophil": draw_basophil,
    "lymphocyte": draw_lymphocyte,
    "monocyte": draw_monocyte,
    "immature granulocyte": draw_immature_granulocyte,
    "erythroblast": draw_erythroblast,
}


def _radius(tile: Tile) -> float:
    return float(tile.reach.mean())


def _units(rng: np.random.Generator, tile: Tile, bend: float = 0.03) -> tuple[Floats, Floats]:
    """Pixel positions in units of the radius, slightly bent so that no lobe is an ellipse."""
    radius = _radius(tile)
    # following the outline keeps the nucleus inside an oval cell
    scale = 1 / (0.5 * tile.reach + 0.5 * radius)
    u = tile.dx * scale + bend * grain(rng, tile.r.shape, 0.35 * radius)
    v = tile.dy * scale + bend * grain(rng, tile.r.shape, 0.35 * radius)
    return u, v


def _tint(weight: Floats, density: Floats) -> Floats:
    return np.asarray(weight[..., None] * density.astype(np.float32), np.float32)


def _halo(tile: Tile, strength: float) -> Floats:
    """The bright line that refraction leaves just outside an outline, shape (S, S, 1)."""
    outside = (tile.r - tile.reach - 1.5) / 1.2
    return np.asarray(strength * np.exp(-(outside**2)), np.float32)[..., None]


def _cytoplasm(
    rng: np.random.Generator,
    tile: Tile,
    look: Look,
    dyes: Mapping[str, float],
    mottle: float,
    rim: float = 0.12,
) -> Floats:
    """Density of the cell body: dyes by weight, mottled, a little denser at the edge."""
    radius = _radius(tile)
    cloud = grain(rng, tile.r.shape, 0.22 * radius) + 0.7 * grain(rng, tile.r.shape, 2.5)
    weight = (1 + mottle * cloud) * (1 + rim * np.clip(tile.rho, 0, 1) ** 6) * tile.cover(1.5)
    density = sum((share * look.density(name) for name, share in dyes.items()), np.zeros(3))
    return _tint(np.maximum(weight, 0), np.asarray(density, np.float32)) - _halo(tile, 0.03)


def _with_nucleus(
    rng: np.random.Generator,
    tile: Tile,
    look: Look,
    body: Floats,
    distance: Floats,
    clumps: float,
    strength: float = 1.0,
    soft: float = 0.02,
    lace: float = 0.07,
) -> Floats:
    """Lay a nucleus over a cell body.

    ``distance`` is signed, in radii; ``clumps`` is the contrast and ``lace`` the size (in radii)
    of the chromatin's weave; ``soft`` the width of the nuclear edge in radii.
    """
    radius = _radius(tile)
    weave = 0.6 * grain(rng, tile.r.shape, max(lace * radius, 1.5))
    weave += 0.6 * grain(rng, tile.r.shape, max(2.2 * lace * radius, 2))
    membrane = 0.12 * np.exp(-(((distance + 0.03) / 0.03) ** 2))
    tone = strength * rng.uniform(0.94, 1.06) * (0.95 + membrane - clumps * np.abs(weave))
    edge = max(soft, 1.2 / radius)
    cover = np.clip(0.5 - distance / edge, 0, 1) * tile.cover(1.5)
    nucleus = _tint(np.maximum(tone, 0.3), look.density("nucleus"))
    return np.asarray(body + (nucleus - body) * cover[..., None], np.float32)
