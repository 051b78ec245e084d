"""Drawing simulated nucleated cells: one function a type.

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

from smearlab.datasets.simulated_bodies import (
    Chromatin,
    Drawing,
    cytoplasm,
    in_radii,
    lay_nucleus,
    mean_radius,
    tint,
)
from smearlab.datasets.simulated_looks import Look
from smearlab.datasets.simulated_shapes import (
    Floats,
    Tile,
    cut,
    dots,
    ellipse_distance,
    join,
    strand_distance,
)

Draw = Callable[[np.random.Generator, Tile, Look], Drawing]


def draw_neutrophil(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """Two to five lobes joined by strands, or a band; pale pink, finely granular cytoplasm."""
    u, v = in_radii(rng, tile)
    nucleus = _band(rng, u, v) if rng.random() < 0.3 else _segments(rng, u, v)
    od = cytoplasm(rng, tile, look, {"neutral": 0.85, "basophilic": 0.02}, 0.14)
    od += tint(0.34 * _granules(rng, tile, 480, 0.02), look.density("azure"))
    return lay_nucleus(rng, tile, look, od, nucleus, Chromatin(light=0.29))


def _band(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    """Signed distance of a horseshoe of nearly even width."""
    turn, bow = rng.uniform(0, 2 * math.pi), rng.uniform(0.4, 0.5)
    sweep = rng.uniform(2.6, 4.4)
    at = turn + np.linspace(-sweep / 2, sweep / 2, 6)
    points = [(bow * math.cos(a), bow * math.sin(a)) for a in at]
    widths = rng.uniform(0.15, 0.23, 5)
    return join(
        [
            strand_distance(u, v, a, b, float(width))
            for (a, b), width in zip(itertools.pairwise(points), widths, strict=True)
        ],
        0.03,
    )


def _segments(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    """Signed distance of two to five lobes along an arc, with the strands between them."""
    n = int(rng.choice([2, 3, 4, 5], p=[0.15, 0.4, 0.3, 0.15]))
    turn, bow = rng.uniform(0, 2 * math.pi), rng.uniform(0.42, 0.54)
    sweep = min(rng.uniform(1.2, 1.5) * (n - 1), 5.2)
    centres = [
        (bow * math.cos(turn + at) + rng.normal(0, 0.06), bow * math.sin(turn + at))
        for at in np.linspace(-sweep / 2, sweep / 2, n)
    ]
    long = {2: 0.42, 3: 0.35, 4: 0.3, 5: 0.27}[n]
    lobes = [
        ellipse_distance(
            u,
            v,
            (x, y),
            (long * rng.uniform(0.85, 1.2), long * rng.uniform(0.62, 0.8)),
            math.atan2(y, x) + math.pi / 2 + rng.normal(0, 0.45),
        )
        for x, y in centres
    ]
    strands = [
        strand_distance(u, v, a, b, float(rng.uniform(0.03, 0.09)))
        for a, b in itertools.pairwise(centres)
    ]
    return join([*lobes, *strands], 0.03)


def draw_eosinophil(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """Two lobes, now and then three; cytoplasm packed with orange granules."""
    u, v = in_radii(rng, tile)
    n = 2 if rng.random() < 0.8 else 3
    turn, bow = rng.uniform(0, 2 * math.pi), rng.uniform(0.36, 0.5)
    step = rng.uniform(1.6, 2.8) if n == 2 else rng.uniform(1.3, 1.6)
    centres = [(bow * math.cos(turn + i * step), bow * math.sin(turn + i * step)) for i in range(n)]
    long = 0.42 if n == 2 else 0.33
    lobes = [
        ellipse_distance(
            u,
            v,
            centre,
            (long * rng.uniform(0.9, 1.1), long * rng.uniform(0.68, 0.85)),
            math.atan2(centre[1], centre[0]) + math.pi / 2 + rng.normal(0, 0.3),
        )
        for centre in centres
    ]
    strands = [strand_distance(u, v, a, b, 0.05) for a, b in itertools.pairwise(centres)]
    od = cytoplasm(rng, tile, look, {"eosin": 0.42, "neutral": 0.3}, 0.16)
    od += tint(0.45 * _granules(rng, tile, 900, 0.03, 0.2), look.density("eosin"))
    gaps = _granules(rng, tile, int(rng.integers(4, 22)), 0.035)
    od *= (1 - 0.6 * gaps)[..., None]
    nucleus = join([*lobes, *strands], 0.04)
    return lay_nucleus(rng, tile, look, od, nucleus, Chromatin(0.96, 0.28))


def draw_basophil(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A folded nucleus, hard to make out under coarse, almost black granules."""
    u, v = in_radii(rng, tile)
    turn = rng.uniform(0, 2 * math.pi)
    lobes = [
        ellipse_distance(
            u,
            v,
            (0.34 * math.cos(turn + at), 0.34 * math.sin(turn + at)),
            (0.5, 0.38),
            turn + at + rng.normal(0, 0.5),
        )
        for at in (0.0, 2.1, 4.0)[: int(rng.integers(2, 4))]
    ]
    od = cytoplasm(rng, tile, look, {"azure": 0.2, "neutral": 0.5}, 0.2)
    drawn = lay_nucleus(
        rng, tile, look, od, join(lobes, 0.06), Chromatin(0.92, 0.42, 0.04, 0.7, 0.05)
    )
    many = int(rng.integers(350, 800))
    granules = _granules(rng, tile, many, float(rng.uniform(0.03, 0.044)), 0.3)
    # granules lie over nucleus and cytoplasm: whichever is denser shows
    dye = 0.75 * look.density("nucleus") + 0.45 * look.density("azure")
    return Drawing(np.maximum(drawn.density, tint(1.05 * granules, dye)), drawn.nucleus)


def draw_lymphocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A round dense nucleus that nearly fills the cell; a thin rim of clear blue."""
    u, v = in_radii(rng, tile, 0.035)
    size = rng.uniform(0.74, 0.9)
    shift = (1 - size) * rng.uniform(0.1, 0.8)
    turn = rng.uniform(0, 2 * math.pi)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    nucleus = ellipse_distance(u, v, centre, (size, size * rng.uniform(0.9, 1.0)), turn)
    if rng.random() < 0.35:  # a shallow notch
        notch = turn + rng.uniform(0, 6.3)
        hole = ellipse_distance(
            u, v, (1.05 * size * math.cos(notch), 1.05 * size * math.sin(notch)), (0.2, 0.26), notch
        )
        nucleus = cut(nucleus, hole)
    blue = rng.uniform(0.45, 1.1)
    od = cytoplasm(rng, tile, look, {"basophilic": blue, "neutral": 0.2}, 0.14, rim=0.35)
    return lay_nucleus(
        rng, tile, look, od, nucleus, Chromatin(0.96, rng.uniform(0.12, 0.32), 0.04, 0.5)
    )


def draw_monocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A large grey-blue cell, now and then with vacuoles; a folded, loosely woven nucleus."""
    u, v = in_radii(rng, tile, 0.06)
    turn = rng.uniform(0, 2 * math.pi)
    axes = (rng.uniform(0.64, 0.76), rng.uniform(0.48, 0.62))
    centre = (0.14 * math.sin(turn), -0.14 * math.cos(turn))
    nucleus = ellipse_distance(u, v, centre, (float(axes[0]), float(axes[1])), turn)
    depth = rng.uniform(0.36, 0.64)  # the notch faces the middle of the cytoplasm
    at = (centre[0] - depth * math.sin(turn), centre[1] + depth * math.cos(turn))
    notch = ellipse_distance(u, v, at, (rng.uniform(0.12, 0.28), rng.uniform(0.26, 0.38)), turn)
    nucleus = cut(nucleus, notch)
    od = cytoplasm(rng, tile, look, {"basophilic": 0.4, "neutral": 0.45}, 0.16)
    od += tint(0.3 * _granules(rng, tile, 480, 0.018), look.density("azure"))
    many = int(rng.integers(0, 5)) if rng.random() < 0.7 else int(rng.integers(5, 18))
    vacuoles = _granules(rng, tile, many, 0.05, 0.35) * (tile.rho < 0.92)
    od *= (1 - 0.85 * vacuoles)[..., None]
    return lay_nucleus(rng, tile, look, od, nucleus, Chromatin(0.9, 0.44, 0.042, 0.72))


def draw_immature_granulocyte(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A large cell with a big oval or barely dented nucleus and fine purple granules."""
    u, v = in_radii(rng, tile)
    turn = rng.uniform(0, 2 * math.pi)
    shift = rng.uniform(0.08, 0.24)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    axes = (float(rng.uniform(0.56, 0.68)), float(rng.uniform(0.66, 0.78)))
    nucleus = ellipse_distance(u, v, centre, axes, turn)
    if rng.random() < 0.5:  # metamyelocyte: a dent on the side of the cytoplasm
        at = (centre[0] - 0.72 * math.cos(turn), centre[1] - 0.72 * math.sin(turn))
        nucleus = cut(nucleus, ellipse_distance(u, v, at, (0.26, 0.36), turn))
    blue = rng.uniform(0.15, 0.5)
    od = cytoplasm(rng, tile, look, {"basophilic": blue, "neutral": 0.8 - blue}, 0.14)
    purple = float(rng.uniform(0.2, 0.6))
    granules = _granules(rng, tile, int(rng.integers(350, 650)), 0.021)
    od += tint(purple * granules, look.density("azure"))
    drawn = lay_nucleus(rng, tile, look, od, nucleus, Chromatin(0.92, 0.42, 0.042, 0.7))
    over = drawn.density + tint(0.3 * purple * granules, look.density("azure"))
    return Drawing(over, drawn.nucleus)


def draw_erythroblast(rng: np.random.Generator, tile: Tile, look: Look) -> Drawing:
    """A round nucleus, dense as ink with a few clefts, in a smooth greyish body."""
    u, v = in_radii(rng, tile, 0.03)
    size = rng.uniform(0.54, 0.76)
    turn, shift = rng.uniform(0, 2 * math.pi), rng.uniform(0.02, 0.2)
    centre = (shift * math.cos(turn), shift * math.sin(turn))
    nucleus = ellipse_distance(u, v, centre, (size, size * rng.uniform(0.88, 1)), turn)
    blue = rng.uniform(0.25, 0.85)  # polychromatic, from blue-grey to nearly red
    od = cytoplasm(
        rng, tile, look, {"erythrocyte": 0.95 - 0.65 * blue, "basophilic": 0.75 * blue}, 0.06
    )
    return lay_nucleus(rng, tile, look, od, nucleus, Chromatin(1.1, 0.16, 0.06, 0.7))


#: Every nucleated type → the function that draws it.
DRAW_NUCLEATED: Mapping[str, Draw] = {
    "neutrophil": draw_neutrophil,
    "eosinophil": draw_eosinophil,
    "basophil": draw_basophil,
    "lymphocyte": draw_lymphocyte,
    "monocyte": draw_monocyte,
    "immature granulocyte": draw_immature_granulocyte,
    "erythroblast": draw_erythroblast,
}


def _granules(
    rng: np.random.Generator, tile: Tile, n: int, size: float, spread: float = 0.3
) -> Floats:
    """``n`` granules of ``size`` radii within the cell, 0–1, shape (S, S)."""
    shown = dots(rng, tile.r.shape, n, size * mean_radius(tile), spread)
    return np.asarray(shown * tile.cover(2), np.float32)
