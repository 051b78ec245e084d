"""Outlines, lobes, grain and dots: the geometry that simulated cells are drawn from.

Everything is drawn on a square tile whose middle is the cell's centre. Outlines are tables of
radii by angle; nuclei are signed distances (negative inside) in units of the cell's radius.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
_ANGLES = 720
_THETA = np.arange(_ANGLES, dtype=np.float32) * (2 * math.pi / _ANGLES)


@dataclass(frozen=True, eq=False)
class Tile:
    """The pixels around one cell.

    Parameters
    ----------
    x0, y0 : int
        Upper left pixel in the field; may lie outside it.
    dx, dy : ndarray of float32, shape (S, S)
        Distance from the cell's centre, px.
    reach : ndarray of float32, shape (S, S)
        Distance of the outline from the centre in the direction of the pixel, px.
    r : ndarray of float32, shape (S, S)
        Distance of the pixel from the centre, px.
    """

    x0: int
    y0: int
    dx: Floats
    dy: Floats
    reach: Floats
    r: Floats

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels whose centre lies within the outline, shape (S, S)."""
        return np.less(self.r, self.reach)

    @property
    def rho(self) -> Floats:
        """0 in the centre, 1 on the outline."""
        return self.r / self.reach

    def cover(self, soft_px: float = 1.0) -> Floats:
        """How much of each pixel lies within the outline, 0–1, over an edge of ``soft_px``."""
        cover: Floats = np.clip((self.reach - self.r) / soft_px + 0.5, 0, 1)
        return cover


def disc_outline(
    rng: np.random.Generator, radius_px: float, elongation: float, wobble: float
) -> Floats:
    """Radii of a smooth, slightly irregular ellipse by angle, shape (720,) px.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    radius_px : float
        Radius of the disc of about equal area.
    elongation : float
        Long over short axis, ≥ 1.
    wobble : float
        Relative size of the irregularity, 0 for a perfect ellipse.
    """
    turned = _THETA - rng.uniform(0, math.pi)
    long, short = math.sqrt(elongation), 1 / math.sqrt(elongation)
    radii: Floats = 1 / np.sqrt((np.cos(turned) / long) ** 2 + (np.sin(turned) / short) ** 2)
    for order in range(2, 7):
        size, phase = rng.normal(0, wobble / order), rng.uniform(0, 2 * math.pi)
        radii = radii * (1 + size * np.cos(order * _THETA + phase))
    return (radius_px * radii).astype(np.float32)


def crenate(rng: np.random.Generator, radii: Floats, depth: float) -> Floats:
    """Give an outline 10–16 blunt spikes, as echinocytes have; ``depth`` relative to the radius."""
    n = int(rng.integers(10, 17))
    phase = rng.uniform(0, 2 * math.pi)
    uneven = 0.25 * np.sin(_THETA + rng.uniform(0, 6)) + 0.15 * np.sin(3 * _THETA)
    wave = 0.5 + 0.5 * np.cos(n * _THETA + phase + uneven * 2)
    height = depth * (0.75 + 0.25 * np.sin(2 * _THETA + rng.uniform(0, 6)))
    spikes: Floats = 1 - depth + 1.6 * height * wave
    return np.asarray(radii * spikes, np.float32)


def fray(rng: np.random.Generator, radii: Floats, depth: float) -> Floats:
    """Make an outline ragged by ``depth`` relative to the radius."""
    rough = rng.standard_normal(_ANGLES // 12).astype(np.float32)
    rough = np.concatenate([rough, rough[:1]])
    at = np.arange(_ANGLES) / 12
    return (radii * (1 + depth * np.interp(at, np.arange(rough.size), rough))).astype(np.float32)


def flatten(rng: np.random.Generator, radii: Floats, sides: int) -> Floats:
    """Give an outline so many straighter sides, as cells have that dried beside others."""
    middle = float(radii.mean())
    for _ in range(sides):
        facing = np.cos(_THETA - rng.uniform(0, 2 * math.pi))
        chord = middle * rng.uniform(0.88, 0.98) / np.maximum(facing, 0.05)
        radii = _least(radii, chord, 0.12 * middle)
    return np.asarray(radii, np.float32)


def _least(a: Floats, b: Floats, blend: float) -> Floats:
    """Smooth minimum; ``blend`` is how far from the corner the curve begins."""
    near = np.maximum(blend - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - near**2 / (4 * blend), np.float32)


def reach_towards(radii: Floats, angle: float | NDArray[np.floating]) -> Floats:
    """Radius of an outline in direction ``angle`` (radians), px."""
    index = np.rint(np.asarray(angle) * (_ANGLES / (2 * math.pi))).astype(np.intp)
    reach: Floats = radii[index % _ANGLES]
    return reach


def make_tile(radii: Floats, cx: float, cy: float, margin_px: int = 5) -> Tile:
    """The tile of an outline whose centre lies at (cx, cy) of the field.

    Pixel (x, y) of the field has its centre at (x + 0.5, y + 0.5).
    """
    half = math.ceil(float(radii.max())) + margin_px
    x0, y0 = math.floor(cx) - half, math.floor(cy) - half
    steps = np.arange(2 * half + 1, dtype=np.float32) + 0.5
    dx, dy = np.meshgrid(steps + np.float32(x0 - cx), steps + np.float32(y0 - cy))
    r, angle = (np.asarray(part, np.float32) for part in cv2.cartToPolar(dx, dy))
    return Tile(x0, y0, dx, dy, reach_towards(radii, angle), r)


def grain(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Floats:
    """Smooth noise of about unit variance with grains of ``scale_px``, shape (H, W)."""
    height, width = shape
    rows = max(2, round(height / scale_px) + 1)
    columns = max(2, round(width / scale_px) + 1)
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32) * np.float32(1.3)


def dots(
    rng: np.random.Generator,
    shape: tuple[int, int],
    n: int,
    radius_px: float,
    spread: float = 0.3,
) -> Floats:
    """``n`` small soft discs anywhere on the tile, 0–1, small, middling and large ones."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    place, strength = rng.integers(0, height * width, n), rng.uniform(0.6, 1.0, n)
    for third, size in enumerate((1 - spread, 1.0, 1 + spread)):
        sigma = max(0.6 * radius_px * size, 0.4)
        peaks = np.zeros(height * width, np.float32)
        # a Gaussian of height 1.5, clipped to 1, has the flat top of a disc
        height_of_one = 1.5 * max(2 * math.pi * sigma**2, 1)
        peaks[place[third::3]] = (strength * height_of_one)[third::3]
        total += cv2.GaussianBlur(peaks.reshape(shape), (0, 0), sigma)
    return np.minimum(total, 1)


def ellipse_distance(
    u: Floats, v: Floats, centre: tuple[float, float], axes: tuple[float, float], angle: float
) -> Floats:
    """Signed distance (approximate, exact on the outline) of an ellipse; units of u and v."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = u - centre[0], v - centre[1]
    along = np.asarray((cos * x + sin * y) / axes[0], np.float32)
    across = np.asarray((cos * y - sin * x) / axes[1], np.float32)
    return np.asarray((cv2.magnitude(along, across) - 1) * np.float32(min(axes)), np.float32)


def strand_distance(
    u: Floats, v: Floats, start: tuple[float, float], end: tuple[float, float], half_width: float
) -> Floats:
    """Signed distance of a thick line from ``start`` to ``end``; units of u and v."""
    ex, ey = end[0] - start[0], end[1] - start[1]
    x, y = u - start[0], v - start[1]
    at = np.clip((x * ex + y * ey) / max(ex * ex + ey * ey, 1e-9), 0, 1)
    return np.asarray(np.hypot(x - at * ex, y - at * ey) - half_width, np.float32)


def join(distances: Sequence[Floats], blend: float) -> Floats:
    """Smooth union of signed distances; ``blend`` is the width of the fillet."""
    total = np.exp(distances[0] / -blend)
    for distance in distances[1:]:
        total += np.exp(distance / -blend)
    return np.asarray(-blend * np.log(np.maximum(total, 1e-30)), np.float32)


def cut(distance: Floats, hole: Floats) -> Floats:
    """Signed distance of a shape with another taken out of it, its corners rounded."""
    return -_least(-distance, hole, 0.1)
