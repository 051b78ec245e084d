"""Random views of boxed fields: scale, crop, flip, quarter turns, mosaics, colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.box_masks import IGNORE
from smearlab.learn.transforms.colour import camera_jitter, stain_jitter
from smearlab.types import Element

#: Grey that the network sees as zero; fields are padded with it, in training and after.
PAD_VALUE = np.uint8(128)
#: A cell of which less than this share is left by a crop is neither a target nor a mistake.
VISIBLE_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class View:
    """What one training sample shows.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
    boxes : ndarray of float32, shape (N, 4)
        Clipped to the view.
    elements : tuple of str
        N elements.
    cut : ndarray of bool, shape (N,)
        True for cells of which too little is left.
    element_map : ndarray of uint8, shape (S, S)
    incomplete : ndarray of bool, shape (S, S)
        True where red cells without boxes may lie.
    outside : ndarray of bool, shape (S, S)
        True beyond the edge of the field.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    elements: tuple[Element, ...]
    cut: NDArray[np.bool_]
    element_map: NDArray[np.uint8]
    incomplete: NDArray[np.bool_]
    outside: NDArray[np.bool_]


def crop_view(field: BoxedField, diameter_px: float, size: int, rng: np.random.Generator) -> View:
    """A random square window in which red cells measure ``diameter_px``.

    Parameters
    ----------
    field : BoxedField
    diameter_px : float
        Wanted red-cell diameter in the view.
    size : int
        Side of the view, px. Beyond the field lies :data:`PAD_VALUE`.
    rng : Generator
    """
    own = field.cell_diameter_px
    scale = diameter_px / (own if np.isfinite(own) else 0.22 * min(field.pixels.shape[:2]))
    stretch = np.exp(rng.normal(0, 0.06))
    scales = np.array([scale * stretch, scale / stretch])
    shape = np.array(field.pixels.shape[1::-1])
    window = size / scales  # px of the field
    slack = shape - window
    # A window larger than the field still moves, so that fields' edges lie anywhere.
    low, high = np.minimum(0, slack), np.maximum(0, slack)
    start = rng.uniform(low - 0.05 * window * (slack > 0), high + 0.05 * window * (slack > 0))
    matrix = np.array(
        [[scales[0], 0, -start[0] * scales[0]], [0, scales[1], -start[1] * scales[1]]]
    )
    source = field.pixels
    if scale < 0.7:  # keep fine detail from aliasing
        source = cv2.GaussianBlur(source, (0, 0), 0.35 / scale)
    shift = matrix.copy()  # array index i holds the light of [i, i + 1): centres lie at i + ½
    shift[:, 2] += 0.5 * scales - 0.5
    grey = (int(PAD_VALUE),) * 3
    pixels = cv2.warpAffine(source, shift, (size, size), flags=1, borderValue=grey)
    flags = cv2.INTER_NEAREST
    mapped = cv2.warpAffine(field.element_map, shift, (size, size), flags=flags, borderValue=IGNORE)
    inside = np.zeros(source.shape[:2], np.uint8)
    outside = cv2.warpAffine(inside, shift, (size, size), flags=flags, borderValue=1)
    boxes = field.boxes * np.tile(scales, 2) - np.tile(start * scales, 2)
    clipped = boxes.clip(0, size)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1) / area.clip(1e-6)
    keep = left > 0.02
    return View(
        pixels,
        clipped[keep].astype(np.float32),
        tuple(e for e, k in zip(field.elements, keep, strict=True) if k),
        left[keep] < VISIBLE_SHARE,
        mapped,
        np.full((size, size), "RBC" in field.incomplete),
        outside > 0,
    )


def mosaic(views: Sequence[View]) -> View:
    """Four views of equal size as one of twice the side."""
    size = views[0].pixels.shape[0]

    def tile(pick: Callable[[View], NDArray[np.generic]]) -> NDArray[np.generic]:
        rows = [np.concatenate([pick(v) for v in views[i : i + 2]], axis=1) for i in (0, 2)]
        return np.concatenate(rows)

    offsets = [(0, 0), (size, 0), (0, size), (size, size)]
    return View(
        tile(lambda v: v.pixels),  # type: ignore[arg-type]
        np.concatenate(
            [v.boxes + (x, y, x, y) for v, (x, y) in zip(views, offsets, strict=True)]
        ).astype(np.float32),
        tuple(e for v in views for e in v.elements),
        np.concatenate([v.cut for v in views]),
        tile(lambda v: v.element_map),  # type: ignore[arg-type]
        tile(lambda v: v.incomplete),  # type: ignore[arg-type]
        tile(lambda v: v.outside),  # type: ignore[arg-type]
    )


def turn(view: View, quarter_turns: int, flip: bool) -> View:
    """Rotate by multiples of 90° counter-clockwise, then mirror left to right."""
    size = view.pixels.shape[0]
    boxes = view.boxes
    for _ in range(quarter_turns % 4):
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, size - x1, y1, size - x0], axis=1)
    if flip:
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([size - x1, y0, size - x0, y1], axis=1)

    def move(array: NDArray[np.generic]) -> NDArray[np.generic]:
        turned = np.rot90(array, quarter_turns)
        return np.ascontiguousarray(turned[:, ::-1] if flip else turned)

    return replace(
        view,
        pixels=move(view.pixels),
        boxes=boxes,
        element_map=move(view.element_map),
        incomplete=move(view.incomplete),
        outside=move(view.outside),
    )


@dataclass(frozen=True)
class ViewConfig:
    """How views are drawn.

    Parameters
    ----------
    size : int
        Side of a view, px; a multiple of 32.
    diameters_px : tuple of float
        Range of red-cell diameters (drawn log-uniformly).
    mosaic_share : float
        Share of views made of four, in which cells are drawn from ``mosaic_diameters_px``.
    mosaic_diameters_px : tuple of float
    colour : float
        Strength of stain and camera changes; 0 switches them off.
    """

    size: int = 256
    diameters_px: tuple[float, float] = (34.0, 84.0)
    mosaic_share: float = 0.25
    mosaic_diameters_px: tuple[float, float] = (14.0, 56.0)
    colour: float = 1.0


def draw_view(
    fields: Sequence[BoxedField], index: int, config: ViewConfig, rng: np.random.Generator
) -> View:
    """One random view of ``fields[index]`` (and of three others, if it becomes a mosaic)."""

    def diameter(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    if rng.random() < config.mosaic_share:
        size = diameter(*config.mosaic_diameters_px)
        others = [index, *rng.integers(0, len(fields), 3).tolist()]
        parts = [
            crop_view(fields[i], size * rng.uniform(0.85, 1.18), config.size // 2, rng)
            for i in others
        ]
        view = mosaic(parts)
    else:
        view = crop_view(fields[index], diameter(*config.diameters_px), config.size, rng)
    view = turn(view, int(rng.integers(4)), bool(rng.integers(2)))
    if config.colour > 0:
        pixels = view.pixels
        if rng.random() < 0.5:
            pixels = stain_jitter(pixels, rng, config.colour)
        pixels = camera_jitter(pixels, rng, config.colour)
        view = replace(view, pixels=np.where(view.outside[..., None], PAD_VALUE, pixels))
    return view
