"""What all simulated cells with a body are made of: cytoplasm, nucleus, chromatin, halo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_looks import Look
from smearlab.datasets.simulated_shapes import Floats, Tile, grain


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawn cell.

    Parameters
    ----------
    density : ndarray of float32, shape (S, S, 3)
        Optical density over the empty ground.
    nucleus : ndarray of bool, shape (S, S), or None
        Pixels of the nucleus; None where the cell has none.
    """

    density: Floats
    nucleus: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Chromatin:
    """How a nucleus looks.

    Parameters
    ----------
    strength : float
        Density over the look's chromatin.
    light : float
        Share of the nucleus that lighter gaps take, about.
    lace : float
        Size of the gaps in radii of the cell.
    contrast : float
        How light the gaps are, 0–1.
    soft : float
        Width of the nuclear edge in radii.
    """

    strength: float = 1.0
    light: float = 0.25
    lace: float = 0.045
    contrast: float = 0.62
    soft: float = 0.02


def mean_radius(tile: Tile) -> float:
    """Radius of the cell, px."""
    return float(tile.reach.mean())


def in_radii(rng: np.random.Generator, tile: Tile, bend: float = 0.035) -> tuple[Floats, Floats]:
    """Pixel positions in units of the radius, slightly bent so that no lobe is an ellipse."""
    radius = mean_radius(tile)
    # following the outline keeps the nucleus inside an oval cell
    scale = 1 / (0.5 * tile.reach + 0.5 * radius)
    wave = [
        bend * grain(rng, tile.r.shape, 0.42 * radius)
        + 0.16 * bend * grain(rng, tile.r.shape, max(0.12 * radius, 2))
        for _ in range(2)
    ]
    return tile.dx * scale + wave[0], tile.dy * scale + wave[1]


def tint(weight: Floats, density: Floats) -> Floats:
    """An amount of dye as density, shape (S, S, 3)."""
    # channel by channel: three values at a time are slow to multiply
    return np.asarray(cv2.merge([weight * np.float32(channel) for channel in density]), np.float32)


def halo(tile: Tile, strength: float) -> Floats:
    """The bright line that refraction leaves just outside an outline, shape (S, S, 3)."""
    outside = (tile.r - tile.reach - np.float32(1.5)) / np.float32(1.2)
    line = np.float32(strength) * cv2.exp(-(outside**2))
    return np.asarray(cv2.merge([line, line, line]), np.float32)


def cytoplasm(
    rng: np.random.Generator,
    tile: Tile,
    look: Look,
    dyes: Mapping[str, float],
    mottle: float,
    rim: float = 0.12,
) -> Floats:
    """Density of the cell body, shape (S, S, 3): mottled, and a little denser at the edge.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    tile : Tile
        The pixels.
    look : Look
        The colours.
    dyes : mapping of str to float
        Name of a colour → amount.
    mottle : float
        Contrast of the unevenness.
    rim : float
        How much denser the edge is.
    """
    radius = mean_radius(tile)
    cloud = 0.6 * grain(rng, tile.r.shape, 0.3 * radius)
    cloud += grain(rng, tile.r.shape, max(0.032 * radius, 1.2))
    weight = (1 + mottle * cloud) * (1 + rim * np.clip(tile.rho, 0, 1) ** 6)
    weight *= tile.cover(max(1.5, 0.05 * radius))
    density = sum((share * look.density(name) for name, share in dyes.items()), np.zeros(3))
    return tint(np.maximum(weight, 0), np.asarray(density, np.float32)) - halo(tile, 0.03)


def lay_nucleus(
    rng: np.random.Generator,
    tile: Tile,
    look: Look,
    body: Floats,
    distance: Floats,
    chromatin: Chromatin,
) -> Drawing:
    """Lay a nucleus over a cell body: dark, laced with lighter gaps, dense along its edge.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    tile : Tile
        The pixels.
    look : Look
        The colours.
    body : ndarray of float32, shape (S, S, 3)
        Density of the cell without its nucleus.
    distance : ndarray of float32, shape (S, S)
        Signed distance from the nucleus's edge in radii, negative inside.
    chromatin : Chromatin
        How it looks.
    """
    radius = mean_radius(tile)
    lace = max(chromatin.lace * radius, 1.4)
    weave = grain(rng, tile.r.shape, lace) + 0.5 * grain(rng, tile.r.shape, 3 * lace)
    threshold = 1.0 - 2.8 * chromatin.light
    gaps = np.clip((weave - threshold) / 1.2, 0, 1) * np.clip(-distance / 0.06 - 0.4, 0, 1)
    gaps *= chromatin.contrast
    strength = chromatin.strength * rng.uniform(0.94, 1.06)
    dark = strength * (1 - gaps) * (1 + 0.05 * weave)
    nucleus = tint(dark, look.density("nucleus"))
    nucleus += tint(0.22 * strength * gaps, look.density("azure"))
    edge = max(chromatin.soft, 1.2 / radius)
    cover = np.clip(0.5 - distance / edge, 0, 1) * tile.cover(1.5)
    density = body + (nucleus - body) * cv2.merge([cover, cover, cover])
    return Drawing(np.asarray(density, np.float32), np.less(distance, 0) & tile.mask)
