"""Views of a field and of one element in it: scaled by the red cells, cropped, turned, mirrored."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.pair_files import ElementPair
from smearlab.errors import DataError, UsageError
from smearlab.learn.transforms.affine_ranges import Affine, AffineRanges, EightVersionRanges
from smearlab.learn.transforms.colour import camera_jitter, stain_jitter

_PLACES, _HALF = 512, 128


@dataclass(frozen=True)
class PairViewConfig:
    """How views are drawn.

    Parameters
    ----------
    size : int
        Side of a view, px.
    cell_px : float
        Diameter of a red cell in an unchanged view; above 0.
    on_element : float
        Share of views that show a place of the element, where the field has one.
    ranges : EightVersionRanges or AffineRanges
        What is drawn about the middle of the crop.
    beyond : float
        How far a crop may reach beyond the field, as share of its side; tiles do, when a field is
        segmented.
    scale_jitter : float
        Standard deviation of the scale's logarithm; at least 0.
    colour : float
        Strength of stain and camera changes; 0 switches them off.

    Raises
    ------
    UsageError
        If a value lies outside its range.
    """

    size: int = 256
    cell_px: float = 64.0
    on_element: float = 0.75
    ranges: EightVersionRanges | AffineRanges = field(default=EightVersionRanges())
    beyond: float = 0.0
    scale_jitter: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 8 or not self.cell_px > 0:
            raise UsageError(
                f"size must be at least 8 and cell_px above 0; received {self.size}, {self.cell_px}"
            )
        for name in ("on_element", "beyond"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must lie within [0, 1]; received {getattr(self, name)}")
        for name in ("scale_jitter", "colour"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class ScaledPair:
    """A field and the element in it at the scale that a network sees.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    shown : ndarray of uint8, shape (H, W)
        255 where the element is, 0 elsewhere; between them on its edge.
    unknown : ndarray of uint8, shape (H, W)
        255 where nothing is claimed.
    places : ndarray of int32, shape (N, 2)
        x and y of some pixels of the element, spread over it; none if there is no element.
    """

    pixels: NDArray[np.uint8]
    shown: NDArray[np.uint8]
    unknown: NDArray[np.uint8]
    places: NDArray[np.int32]


def scale_pair(pair: ElementPair, cell_px: float, diameter_px: float | None = None) -> ScaledPair:
    """Resize a pair until its red cells measure ``cell_px``.

    Parameters
    ----------
    pair : ElementPair
    cell_px : float
        Above 0.
    diameter_px : float, optional
        Of the red cells, where the pair does not tell.

    Raises
    ------
    DataError
        If neither tells.
    """
    own = pair.diameter_px if math.isfinite(pair.diameter_px) else (diameter_px or math.nan)
    if not own > 0:
        raise DataError(
            f"nothing tells how large the red cells of {pair.name} are ({own} px), so it cannot be "
            "brought to scale: give boxes or masks of its red cells, or leave it out"
        )
    scale = cell_px / own
    height, width = pair.target.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    flag = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR

    def resized(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(array, size, interpolation=flag), np.uint8)

    shown = resized(pair.target.astype(np.uint8) * 255)
    y, x = np.nonzero(shown >= _HALF)
    chosen = np.linspace(0, len(x) - 1, min(len(x), _PLACES)).astype(np.intp)
    places = np.stack([x[chosen], y[chosen]], axis=1).astype(np.int32)
    unknown = resized(pair.unknown.astype(np.uint8) * 255)
    return ScaledPair(resized(pair.pixels), shown, unknown, places)


def draw_pair_view(
    pair: ScaledPair, config: PairViewConfig, rng: np.random.Generator
) -> dict[str, NDArray[np.uint8]]:
    """One random view; beyond the edge of the field it is mirrored.

    Parameters
    ----------
    pair : ScaledPair
    config : PairViewConfig
    rng : Generator
        All chance comes from it.

    Returns
    -------
    dict
        As :func:`pair_view` gives it.
    """
    zoom = math.exp(config.scale_jitter * rng.standard_normal())
    x0, y0 = _start(pair, config, config.size / zoom, rng)
    view = pair_view(pair, (x0, y0), config.size, config.ranges.draw(rng), zoom)
    if config.colour > 0:
        pixels = stain_jitter(view["pixels"], rng, config.colour)
        pixels = camera_jitter(pixels, rng, config.colour)
        view |= {"pixels": pixels, "target": pixels * view["mask"][..., None]}
    return view


def pair_view(
    pair: ScaledPair,
    start: tuple[int, int],
    size: int,
    affine: Affine | None = None,
    zoom: float = 1.0,
) -> dict[str, NDArray[np.uint8]]:
    """A square of a pair; picture and element go the same way.

    Parameters
    ----------
    pair : ScaledPair
    start : tuple of int
        x and y of its upper left corner, px of the pair.
    size : int
        Side of the view, px.
    affine : Affine, optional
        Carried out about its middle.
    zoom : float
        Pixels of the view for one of the pair.

    Returns
    -------
    dict
        ``pixels`` (S, S, 3), ``target`` (S, S, 3): the pixels where the element is, black
        elsewhere, and of 0 and 1 ``mask`` (S, S): where it is, and ``known`` (S, S): where that
        is claimed; all uint8.
    """
    x0, y0 = start
    window = (x0, y0, x0 + size / zoom, y0 + size / zoom)
    matrix = (affine or Affine()).matrix(window, (size, size))
    pixels = _warped(pair.pixels, matrix, size)
    mask = (_warped(pair.shown, matrix, size) >= _HALF).astype(np.uint8)
    known = (_warped(pair.unknown, matrix, size) < _HALF) | (mask > 0)
    return {
        "pixels": pixels,
        "target": pixels * mask[..., None],
        "mask": mask,
        "known": known.astype(np.uint8),
    }


def _start(
    pair: ScaledPair, config: PairViewConfig, side: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Upper left corner of a window: in the field, but for what may reach beyond it."""
    chance = rng.random(3).tolist()
    place = None
    if len(pair.places) and chance[0] < config.on_element:
        place = pair.places[rng.integers(len(pair.places))].tolist()
    height, width = pair.shown.shape
    start = []
    for axis, length in enumerate((width, height)):
        slack, beyond = length - side, config.beyond * side
        low, high = min(slack / 2, -beyond), max(slack / 2, slack + beyond)
        if slack >= 0 and place is not None:  # those windows that hold the place
            low, high = max(low, place[axis] + 1 - side), min(high, float(place[axis]))
        start.append(round(low + (high - low) * chance[1 + axis]))
    return start[0], start[1]


def _warped(array: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(
        array, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)
