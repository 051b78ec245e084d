"""Random views of boxed fields: scale, crop, flip, quarter turns, mosaics, colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE
from smearlab.errors import UsageError
from smearlab.instances.ellipse import complete_box
from smearlab.learn.transforms.colour import camera_jitter, dark_cells, stain_jitter
from smearlab.types import Element

#: Grey that the network sees as zero; fields are padded with it, in training and after.
PAD_VALUE = np.uint8(128)

D = TypeVar("D", bound=np.generic)


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


def crop_view(
    field: BoxedField,
    diameter_px: float,
    size: int,
    rng: np.random.Generator,
    visible: tuple[float, float] = (0.02, 0.3),
) -> View:
    """A random square window in which red cells measure ``diameter_px``.

    Parameters
    ----------
    field : BoxedField
    diameter_px : float
        Wanted red-cell diameter in the view.
    size : int
        Side of the view, px. Beyond the field lies :data:`PAD_VALUE`.
    rng : Generator
    visible : tuple of float
        A cell of which no more than the first share is left is background; up to the second
        share it is neither a target nor a mistake.
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

    source = field.pixels
    if scale < 0.7:  # keep fine detail from aliasing
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.35 / scale), np.uint8)
    # Array index i holds the light of [i, i + 1): centres lie at i + ½.
    matrix = np.column_stack([np.diag(scales), 0.5 * scales - 0.5 - start * scales])
    inside = np.zeros(source.shape[:2], np.uint8)
    boxes = field.boxes * np.tile(scales, 2) - np.tile(start * scales, 2)
    clipped = boxes.clip(0, size)
    height, width = field.pixels.shape[:2]
    whole = np.array([complete_box(box, width, height) for box in field.boxes.tolist()])
    left = _areas(clipped) / (_areas(whole.reshape(-1, 4)) * scales.prod()).clip(1e-6)
    keep = left > visible[0]
    return View(
        _warp(source, matrix, size, cv2.INTER_LINEAR, int(PAD_VALUE)),
        clipped[keep].astype(np.float32),
        tuple(e for e, k in zip(field.elements, keep, strict=True) if k),
        left[keep] < visible[1],
        _warp(field.element_map, matrix, size, cv2.INTER_NEAREST, IGNORE),
        np.full((size, size), "RBC" in field.incomplete),
        _warp(inside, matrix, size, cv2.INTER_NEAREST, 1) > 0,
    )


def _warp(
    array: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, flags: int, beyond: int
) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(array, matrix, (size, size), flags=flags, borderValue=(beyond,) * 3)
    return np.asarray(warped, np.uint8)


def _areas(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


def mosaic(views: Sequence[View]) -> View:
    """Four views of equal size as one of twice the side.

    Parameters
    ----------
    views : sequence of View
        Top left, top right, bottom left, bottom right.
    """
    size = views[0].pixels.shape[0]
    offsets = [(0, 0, 0, 0), (size, 0, size, 0), (0, size, 0, size), (size,) * 4]
    boxes = [v.boxes + np.array(offset) for v, offset in zip(views, offsets, strict=True)]
    return View(
        _four([v.pixels for v in views]),
        np.concatenate(boxes).astype(np.float32),
        tuple(e for v in views for e in v.elements),
        np.concatenate([v.cut for v in views]),
        _four([v.element_map for v in views]),
        _four([v.incomplete for v in views]),
        _four([v.outside for v in views]),
    )


def _four(arrays: Sequence[NDArray[D]]) -> NDArray[D]:
    """Two rows of two."""
    return np.concatenate([np.concatenate(arrays[i : i + 2], axis=1) for i in (0, 2)])


def turn(view: View, quarter_turns: int, flip: bool) -> View:
    """Rotate by multiples of 90° counter-clockwise, then mirror left to right.

    Parameters
    ----------
    view : View
    quarter_turns : int
        How many; negative ones turn clockwise.
    flip : bool
        Whether to mirror.
    """
    size = view.pixels.shape[0]
    boxes = view.boxes
    for _ in range(quarter_turns % 4):
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, size - x1, y1, size - x0], axis=1)
    if flip:
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([size - x1, y0, size - x0, y1], axis=1)
    return replace(
        view,
        pixels=_moved(view.pixels, quarter_turns, flip),
        boxes=boxes,
        element_map=_moved(view.element_map, quarter_turns, flip),
        incomplete=_moved(view.incomplete, quarter_turns, flip),
        outside=_moved(view.outside, quarter_turns, flip),
    )


def _moved(array: NDArray[D], quarter_turns: int, flip: bool) -> NDArray[D]:
    turned = np.rot90(array, quarter_turns)
    return np.ascontiguousarray(turned[:, ::-1] if flip else turned)


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
        Range for mosaics (drawn log-uniformly).
    colour : float
        Strength of stain and camera changes; 0 switches them off.
    visible : tuple of float
        See :func:`crop_view`.
    dark_reds : float
        Share of views whose red cells are made as dark as nuclei.

    Raises
    ------
    UsageError
        If ``size`` is no multiple of 32, a range is not above 0 and rising, ``visible``,
        ``mosaic_share`` or ``dark_reds`` are no shares, or ``colour`` is negative.
    """

    size: int = 256
    diameters_px: tuple[float, float] = (34.0, 84.0)
    mosaic_share: float = 0.25
    mosaic_diameters_px: tuple[float, float] = (14.0, 56.0)
    colour: float = 1.0
    visible: tuple[float, float] = (0.02, 0.3)
    dark_reds: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise UsageError(f"size must be a multiple of 32; received {self.size}")
        for name in ("diameters_px", "mosaic_diameters_px"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise UsageError(f"{name} must be above 0 and rising; received {low}, {high}")
        none, part = self.visible
        if not 0 <= none <= part <= 1:
            raise UsageError(f"visible must be two rising shares; received {none}, {part}")
        if not 0 <= self.mosaic_share <= 1 or self.colour < 0:
            raise UsageError(
                "mosaic_share must lie within [0, 1] and colour be at least 0; received "
                f"{self.mosaic_share}, {self.colour}"
            )
        if not 0 <= self.dark_reds <= 1:
            raise UsageError(f"dark_reds must lie within [0, 1]; received {self.dark_reds}")


def draw_view(
    fields: Sequence[BoxedField], index: int, config: ViewConfig, rng: np.random.Generator
) -> View:
    """One random view of ``fields[index]`` (and of three others, if it becomes a mosaic).

    Parameters
    ----------
    fields : sequence of BoxedField
    index : int
        The field to show.
    config : ViewConfig
    rng : Generator
        All chance comes from it.
    """

    def diameter(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    if rng.random() < config.mosaic_share:
        size = diameter(*config.mosaic_diameters_px)
        others = [index, *rng.integers(0, len(fields), 3).tolist()]
        parts = [
            crop_view(
                fields[i], size * rng.uniform(0.85, 1.18), config.size // 2, rng, config.visible
            )
            for i in others
        ]
        view = mosaic(parts)
    else:
        drawn = diameter(*config.diameters_px)
        view = crop_view(fields[index], drawn, config.size, rng, config.visible)
    view = turn(view, int(rng.integers(4)), bool(rng.integers(2)))
    if config.dark_reds and rng.random() < config.dark_reds:
        reds = view.element_map == CODE_OF_ELEMENT["RBC"]
        view = replace(view, pixels=dark_cells(view.pixels, reds, rng))
    if config.colour > 0:
        pixels = view.pixels
        if rng.random() < 0.5:
            pixels = stain_jitter(pixels, rng, config.colour)
        pixels = camera_jitter(pixels, rng, config.colour)
        view = replace(view, pixels=np.where(view.outside[..., None], PAD_VALUE, pixels))
    return view
