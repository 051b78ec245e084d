"""One outline for every detection: the foreground, split among cells that touch.

Around each centre the ellipse of its box is flooded outwards, and the flood of the nearer centre
(in units of its own half axes) takes a pixel first: the marker-controlled watershed of the
elliptic distance, whose lines have this closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.instances.ellipse import complete_box, ellipse_distance
from smearlab.instances.labels import paint_polygons
from smearlab.instances.polygons import ellipse_polygon, rim_polygon
from smearlab.segment.maps import FieldMaps

_REACH = 1.25  # of the half axes: no cell bulges farther beyond its box's ellipse
_SMOOTH = 0.07  # of the cell: thinner spurs are noise of the map


@dataclass(frozen=True, eq=False)
class Outline:
    """Where one cell is seen.

    Parameters
    ----------
    contour : ndarray of float32, shape (N, 2)
        (x, y) field px along the borders of the cell's pixels; pixel (i, j) has its centre at
        (j + ½, i + ½).
    area_px : float
        Number of pixels that are the cell's own where all outlines of the field are painted, ≥ 1.
    """

    contour: NDArray[np.float32]
    area_px: float


@dataclass(frozen=True, eq=False)
class _Window:
    """The part of the field that a cell may claim."""

    box: tuple[float, float, float, float]
    x0: int
    y0: int
    x1: int
    y1: int
    reach: NDArray[np.float32]


def draw_outlines(
    boxes: NDArray[np.float32], elements: Sequence[int], maps: FieldMaps, map_step: int
) -> list[Outline]:
    """Outline of every cell, in their order.

    Parameters
    ----------
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` field px.
    elements : sequence of int
        N numbers of elements.
    maps : FieldMaps
    map_step : int
        Network px per step of the class map.

    Returns
    -------
    list of Outline
        A box without any foreground under it is given its ellipse.
    """
    windows = [_window(box, maps.width_px, maps.height_px) for box in boxes]
    if not windows:
        return []
    finer = _Finer(maps, map_step)
    left, top, right, bottom = np.array([(w.x0, w.y0, w.x1, w.y1) for w in windows]).T
    polygons = []
    for n, window in enumerate(windows):
        mask = np.asarray((finer.background(window) < 0.5) & (window.reach < _REACH))
        meets = (left < window.x1) & (right > window.x0) & (top < window.y1) & (bottom > window.y0)
        for m in np.flatnonzero(meets).tolist():
            if m != n:
                _give_way(mask, window, windows[m], (elements[n], elements[m]), n < m, finer)
        corners = _trace(mask, window, (maps.width_px, maps.height_px))
        polygons.append(corners.astype(np.float32))
    _, areas = paint_polygons(polygons, range(1, len(polygons) + 1), maps.width_px, maps.height_px)
    return [
        Outline(corners, float(max(1, area))) for corners, area in zip(polygons, areas, strict=True)
    ]


class _Finer:
    """The class map of a field, at the field's own pixels, window by window."""

    def __init__(self, maps: FieldMaps, map_step: int) -> None:
        self._classes = maps.classes
        # field px per step of the map
        self._step = (map_step / maps.scale_x, map_step / maps.scale_y)

    def background(self, window: _Window) -> NDArray[np.float32]:
        """Probability of background."""
        return self._channel(0, window.x0, window.y0, window.x1, window.y1)

    def element(self, number: int, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32]:
        """Probability of an element."""
        return self._channel(1 + number, x0, y0, x1, y1)

    def _channel(self, channel: int, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32]:
        height, width = self._classes.shape[:2]
        sx, sy = self._step
        left, top = max(0, int(x0 / sx) - 1), max(0, int(y0 / sy) - 1)
        right, bottom = min(width, int(x1 / sx) + 2), min(height, int(y1 / sy) + 2)
        shift = np.array(
            [[1 / sx, 0, (x0 + 0.5) / sx - 0.5 - left], [0, 1 / sy, (y0 + 0.5) / sy - 0.5 - top]]
        )
        fine = cv2.warpAffine(
            np.ascontiguousarray(self._classes[top:bottom, left:right, channel]),
            shift,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(fine, np.float32)


def _window(box: NDArray[np.float32], width_px: int, height_px: int) -> _Window:
    x0, y0, x1, y1 = (float(value) for value in box)
    whole = complete_box((x0, y0, x1, y1), width_px, height_px)
    pad = 0.5 * (_REACH - 1) * max(whole[2] - whole[0], whole[3] - whole[1])
    left, top = max(0, int(whole[0] - pad)), max(0, int(whole[1] - pad))
    right = min(width_px, int(np.ceil(whole[2] + pad)))
    bottom = min(height_px, int(np.ceil(whole[3] + pad)))
    reach = ellipse_distance((bottom - top, right - left), whole, (left, top))
    return _Window((x0, y0, x1, y1), left, top, right, bottom, reach)


def _give_way(
    mask: NDArray[np.bool_],
    mine: _Window,
    theirs: _Window,
    elements: tuple[int, int],
    first: bool,
    finer: _Finer,
) -> None:
    """Take out of ``mask`` what belongs rather to the other cell, in place."""
    x0, y0 = max(mine.x0, theirs.x0), max(mine.y0, theirs.y0)
    x1, y1 = min(mine.x1, theirs.x1), min(mine.y1, theirs.y1)
    a = (slice(y0 - mine.y0, y1 - mine.y0), slice(x0 - mine.x0, x1 - mine.x0))
    b = (slice(y0 - theirs.y0, y1 - theirs.y0), slice(x0 - theirs.x0, x1 - theirs.x0))
    my_reach, their_reach = mine.reach[a], theirs.reach[b]
    nearer = my_reach <= their_reach if first else my_reach < their_reach
    if elements[0] != elements[1]:  # what the pixel looks like decides, inside both
        both = (my_reach < _REACH) & (their_reach < _REACH)
        if both.any():
            looks = finer.element(elements[0], x0, y0, x1, y1)
            other = finer.element(elements[1], x0, y0, x1, y1)
            likelier = looks >= other if first else looks > other
            nearer = np.where(both, likelier, nearer)
    mask[a] &= nearer


def _trace(mask: NDArray[np.bool_], window: _Window, size: tuple[int, int]) -> NDArray[np.float64]:
    """Polygon around the largest piece, its spurs cut off; the box's ellipse if there is none."""
    width = max(3, round(_SMOOTH * min(mask.shape)) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    # Beyond the field nothing is known: repeat the rim, so that cut cells are not eroded there.
    wide = cv2.copyMakeBorder(mask.view(np.uint8), *(width,) * 4, cv2.BORDER_REPLICATE)
    smooth = cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc)[width:-width, width:-width]
    corners = rim_polygon(np.ascontiguousarray(smooth))
    if corners is None:
        corners = ellipse_polygon(window.box)
    else:
        corners += (window.x0, window.y0)
    return corners.clip(0, size)
