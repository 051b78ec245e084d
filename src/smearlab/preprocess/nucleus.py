"""The nucleus of a white cell by edges, contours, box and mask (paper D).

Ferdousi et al. (2024), section 5.3, name the steps, not the settings: resize, edge detection,
contour extraction, a bounding box that is grown round the contours, and the region of the box cut
out under the mask. Here edges are sought at one tone only, the one that parts the darkest of three
tones (ground, bodies, nuclei), so that the outlines of cells and granules are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_multiotsu

from smearlab.errors import ImageError, UsageError

#: Side at which edges are sought, and of the cut-out; the paper's.
NUCLEUS_PX = 128
#: Grey levels round the nuclear tone over which an outline may run.
_RAMP = 8
#: Contours of a smaller share of the picture are granules and platelets.
_SMALLEST = 0.004
#: Pale chromatin leaves holes of this width, px.
_PINHOLE_PX = 5
#: Lobes of one nucleus lie at most this share of the picture's side apart.
_GAP = 0.12


@dataclass(frozen=True, eq=False)
class Nucleus:
    """A nucleus in its picture.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        True where it is.
    box : tuple of int
        ``(x0, y0, x1, y1)`` px of the picture, half-open, round all lobes.
    cut : ndarray of uint8, shape (size_px, size_px, 3)
        The box, widened to a square and resized; black outside the mask.
    """

    mask: NDArray[np.bool_]
    box: tuple[int, int, int, int]
    cut: NDArray[np.uint8]


def extract_nucleus(pixels: NDArray[np.uint8], size_px: int = NUCLEUS_PX) -> Nucleus:
    """Find and cut out the nucleus of the largest white cell of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB; a picture of one white cell.
    size_px : int
        Side of the cut-out, at least 1.

    Returns
    -------
    Nucleus

    Raises
    ------
    ImageError
        If nothing in the picture is as dark and as large as a nucleus.
    UsageError
        If ``size_px`` is below 1.
    """
    if size_px < 1:
        raise UsageError(f"size_px must be at least 1; received {size_px}")
    small = cv2.resize(pixels, (NUCLEUS_PX, NUCLEUS_PX), interpolation=cv2.INTER_AREA)
    tone = nuclear_tone(np.asarray(small, np.uint8))
    try:
        level = float(threshold_multiotsu(tone, classes=3)[1])  # type: ignore[no-untyped-call]
    except ValueError as error:  # fewer than three tones
        raise ImageError(_NONE_FOUND) from error
    lobes = _join_lobes(_outlines(tone, level))
    if not lobes:
        raise ImageError(_NONE_FOUND)
    filled = np.zeros(tone.shape, np.uint8)
    cv2.drawContours(filled, lobes, -1, 1, cv2.FILLED)
    inside = ((filled > 0) & (tone > level)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_PINHOLE_PX, _PINHOLE_PX))
    whole = np.asarray(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, disc), np.uint8)
    mask = _at_size_of(pixels, whole)
    if not mask.any():
        raise ImageError(_NONE_FOUND)
    box = _extent(mask)
    return Nucleus(mask, box, _cut(pixels, mask, box, size_px))


_NONE_FOUND = "the picture shows nothing as dark and as large as a nucleus; leave it out"


def nuclear_tone(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How dark and how purple a picture is: chromatin takes up red and green light, not blue.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Blurred a little; high in nuclei, low on the ground.
    """
    density = -np.log((pixels.astype(np.float32) + 1) / 256)
    purple = density[..., 1] + 0.5 * (density[..., 0] - density[..., 2])
    spread = np.ptp(purple)
    purple = (purple - purple.min()) * (255 / spread if spread > 0 else 0)
    tone = ((255 - pixels[..., 1].astype(np.float32)) + purple) / 2
    return np.asarray(cv2.GaussianBlur(tone.astype(np.uint8), (5, 5), 0), np.uint8)


def _outlines(tone: NDArray[np.uint8], level: float) -> list[NDArray[np.int32]]:
    """Closed outlines at a tone, of what is no smaller than a lobe."""
    ramp = ((tone.astype(np.float32) - level) / (2 * _RAMP) + 0.5).clip(0, 1)
    # A frame of ground: a nucleus that the picture cuts has an edge there, too.
    framed = np.pad((ramp * 255).astype(np.uint8), 1)
    edges = cv2.Canny(framed, 50, 150)
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    found, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(-1, -1))
    least = _SMALLEST * tone.size
    return [np.asarray(c, np.int32) for c in found if cv2.contourArea(c) >= least]


def _join_lobes(outlines: Sequence[NDArray[np.int32]]) -> list[NDArray[np.int32]]:
    """The largest outline and, step by step, all that lie near what has been joined."""
    rest = sorted(outlines, key=cv2.contourArea, reverse=True)
    joined, rest = rest[:1], rest[1:]
    while rest:
        box = _box_round(joined)
        near = [c for c in rest if _gap(box, _box_round([c])) <= _GAP * NUCLEUS_PX]
        if not near:
            break
        joined += near
        rest = [c for c in rest if not any(c is other for other in near)]
    return joined


def _box_round(outlines: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """``(x0, y0, x1, y1)`` of outlines, inclusive."""
    points = np.concatenate(outlines)[:, 0]
    return np.concatenate([points.min(0), points.max(0)])


def _gap(a: NDArray[np.int32], b: NDArray[np.int32]) -> float:
    """Free distance of two boxes, px; 0 where they touch."""
    apart = np.maximum(np.maximum(a[:2] - b[2:], b[:2] - a[2:]), 0)
    return float(np.hypot(*apart))


def _at_size_of(pixels: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.bool_]:
    share = inside.astype(np.float32)
    size = pixels.shape[1::-1]
    return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR) >= 0.5)


def _extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _cut(
    pixels: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    size_px: int,
) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    side = max(width, height)
    square: NDArray[Any] = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    region = np.where(mask[y0:y1, x0:x1, None], pixels[y0:y1, x0:x1], 0)
    square[top : top + height, left : left + width] = region
    how = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=how), np.uint8)
