"""Views of single-cell pictures: the middle, resized and augmented in one step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UnknownNameError, UsageError
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.transforms.affine_ranges import (
    PAPER_D,
    Affine,
    AffineRanges,
    EightVersionRanges,
)
from smearlab.learn.transforms.colour import camera_jitter, stain_jitter
from smearlab.preprocess.central_square import W_NET_CROP_PX, square_window
from smearlab.preprocess.contrast import equalise
from smearlab.preprocess.nucleus_window import nucleus_window

Centre = Literal["middle", "nucleus"]


@dataclass(frozen=True)
class PictureViewConfig:
    """How views are drawn.

    Parameters
    ----------
    size_px : int
        Side of a view.
    crop_px : int or None
        Side of the middle square of the picture that a view shows; the same for every picture,
        as sizes tell the class in some archives. None squeezes the whole picture.
    ranges : AffineRanges or EightVersionRanges
        What is drawn; ``AffineRanges()`` leaves pictures as they are.
    clip_limit : float
        Of CLAHE; 0 leaves the contrast.
    colour : float
        Strength of stain and camera changes; 0 switches them off.
    centre : str
        ``nucleus``: the square lies about the nucleus, where that is not in the middle of the
        picture (:func:`~smearlab.preprocess.nucleus_window.nucleus_window`).

    Raises
    ------
    UnknownNameError
        If there is no such ``centre``.
    UsageError
        If a size is below 1, a strength is negative, or the square about the nucleus has no side.
    """

    size_px: int = 128
    crop_px: int | None = W_NET_CROP_PX
    ranges: AffineRanges | EightVersionRanges = field(default=PAPER_D)
    clip_limit: float = 0.0
    colour: float = 0.0
    centre: Centre = "middle"

    def __post_init__(self) -> None:
        for name in ("size_px", "crop_px"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1; received {value}")
        for name in ("clip_limit", "colour"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")
        if self.centre not in get_args(Centre):
            raise UnknownNameError("centre of views", self.centre, get_args(Centre))
        if self.centre == "nucleus" and self.crop_px is None:
            raise UsageError("a view about the nucleus needs crop_px, the side of its square")

    def of_crop(self, side_px: int) -> PictureViewConfig:
        """The same with another square; 0 for the whole picture."""
        if side_px:
            return replace(self, crop_px=side_px)
        return replace(self, crop_px=None, centre="middle")


@dataclass(frozen=True, eq=False)
class Prepared:
    """As much of a picture as views can show, at the resolution that they need.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3 or 4)
        sRGB; a fourth channel says nothing.
    window : tuple of float
        ``(x0, y0, x1, y1)`` px of ``pixels``, half-open: the square that an unchanged view shows.
        It need not begin on a whole pixel.
    """

    pixels: NDArray[np.uint8]
    window: tuple[float, float, float, float]

    def within(self, reach: float) -> Prepared:
        """Without what lies further from the middle than ``reach`` sides of the window."""
        x0, y0, x1, y1 = self.window
        height, width = self.pixels.shape[:2]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        # Two pixels more: interpolation looks at the neighbours.
        across, down = reach * (x1 - x0) + 2, reach * (y1 - y0) + 2
        left, top = max(0, math.floor(x - across)), max(0, math.floor(y - down))
        right, bottom = min(width, math.ceil(x + across)), min(height, math.ceil(y + down))
        window = (x0 - left, y0 - top, x1 - left, y1 - top)
        return Prepared(self.pixels[top:bottom, left:right], window)


def draw_picture_view(
    picture: Reduced, config: PictureViewConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One random view; beyond the edge of the picture its last pixels are repeated.

    Parameters
    ----------
    picture : Reduced
        Its reduction should leave the square at least ``size_px`` wide.
    config : PictureViewConfig
    rng : Generator
        All chance comes from it.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        sRGB.

    Raises
    ------
    UsageError
        If the picture is smaller than ``crop_px``.
    """
    return draw_prepared(prepare_picture(picture, config), config, rng)


def prepare_picture(picture: Reduced, config: PictureViewConfig) -> Prepared:
    """What is the same for all views of a picture: where to look, and how finely.

    Parameters
    ----------
    picture : Reduced
    config : PictureViewConfig

    Raises
    ------
    UsageError
        If the picture is smaller than ``crop_px``.
    """
    window = (0, 0, picture.width_px, picture.height_px)
    if config.crop_px is not None:
        window = square_window(picture.width_px, picture.height_px, config.crop_px)
        if config.centre == "nucleus":
            window = _about_nucleus(picture, config.crop_px)
    return _shrunk(picture, window, config.size_px).within(config.ranges.reach)


def draw_prepared(
    prepared: Prepared, config: PictureViewConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One random view of a prepared picture; see :func:`draw_picture_view`."""
    view = _warped(prepared, config.size_px, config.ranges.draw(rng))
    if config.clip_limit > 0:
        view = equalise(view, clip_limit=config.clip_limit)
    if config.colour > 0:
        view = camera_jitter(stain_jitter(view, rng, config.colour), rng, config.colour)
    return view


def cut_view(
    picture: Reduced, window: tuple[int, int, int, int], size_px: int, affine: Affine
) -> NDArray[np.uint8]:
    """A window of a picture, resized and changed in one interpolation.

    Parameters
    ----------
    picture : Reduced
    window : tuple of int
        ``(x0, y0, x1, y1)`` px of the whole picture, half-open.
    size_px : int
        Side of the result.
    affine : Affine
        Carried out about the middle of the window; what lies around the window comes into view
        as far as the picture has it.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
    """
    return _warped(_shrunk(picture, window, size_px), size_px, affine)


def _about_nucleus(picture: Reduced, side_px: int) -> tuple[int, int, int, int]:
    """As if the picture were not reduced."""
    pixels = np.ascontiguousarray(picture.pixels[..., :3])
    n = picture.reduction
    x0, y0, _, _ = nucleus_window(pixels, max(1, side_px // n))
    return x0 * n, y0 * n, x0 * n + side_px, y0 * n + side_px


def _shrunk(picture: Reduced, window: tuple[int, int, int, int], size_px: int) -> Prepared:
    """Averaged down while it is twice as fine as needed, so that granules do not alias."""
    pixels, (x0, y0, x1, y1) = picture.pixels, (edge / picture.reduction for edge in window)
    shrink = min(x1 - x0, y1 - y0) / size_px
    if shrink >= 2:
        share = 1 / int(shrink)
        small = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, np.uint8)
        fx = pixels.shape[1] / picture.pixels.shape[1]
        fy = pixels.shape[0] / picture.pixels.shape[0]
        x0, y0, x1, y1 = x0 * fx, y0 * fy, x1 * fx, y1 * fy
    return Prepared(pixels, (x0, y0, x1, y1))


def _warped(prepared: Prepared, size_px: int, affine: Affine) -> NDArray[np.uint8]:
    # Four channels are warped to the same bytes as three, in two thirds of the time.
    pixels = prepared.pixels
    view = cv2.warpAffine(
        pixels if pixels.shape[2] == 4 else cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA),
        affine.matrix(prepared.window, (size_px, size_px)),
        (size_px, size_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGBA2RGB), np.uint8)
