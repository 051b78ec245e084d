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
from smearlab.segment.maps import FieldMaps

_REACH = 1.25  # of the half axes: no cell bulges farther beyond its box's ellipse

_SMOOTH = 0.07  # of the cell: thinner spurs are noise of the map


@dataclass(frozen=True, eq=False)
class Outline:
    """Where one cell is seen.

    Parameters
    ----------
    contour : ndarray of float32, shape (N, 2)
        (x, y) field px; pixel (i, j) has its centre at (j + ½, i + ½).
    area_px : float
        Number of pixels.
    bounds : tuple of int
        Half-open box of the pixels.
    """

    contour: NDArray[np.float32]
    area_px: float
    bounds: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class _Window:
    x0: int
    y0: int
    x1: int
    y1: int
    reach: NDArray[np.float32]
    own: NDArray[np.float32]
    cell: NDArray[np.float32]


def _window(box: NDArray[np.float32], element: int, maps: FieldMaps, map_step: int) -> _Window:
    """A cell's window of the field: elliptic distance, its element's and any cell's probability."""
    whole = complete_box(box.tolist(), maps.width_px, maps.height_px)
    pad = 0.5 * (_REACH - 1) * max(whole[2] - whole[0], whole[3] - whole[1])
    x0, y0 = max(0, int(whole[0] - pad)), max(0, int(whole[1] - pad))
    x1 = min(maps.width_px, int(np.ceil(whole[2] + pad)))
    y1 = min(maps.height_px, int(np.ceil(whole[3] + pad)))
    reach = ellipse_distance((y1 - y0, x1 - x0), whole, (x0, y0))
    step = map_step / maps.scale  # field px per step of the map
    height, width = maps.classes.shape[:2]
    left, top = max(0, int(x0 / step) - 1), max(0, int(y0 / step) - 1)
    right, bottom = min(width, int(x1 / step) + 2), min(height, int(y1 / step) + 2)
    part = maps.classes[top:bottom, left:right]
    pair = np.ascontiguousarray(np.stack([part[..., 1 + element], 1 - part[..., 0]], axis=-1))
    shift = np.array(
        [
            [1 / step, 0, (x0 + 0.5) / step - 0.5 - left],
            [0, 1 / step, (y0 + 0.5) / step - 0.5 - top],
        ]
    )
    fine = cv2.warpAffine(
        pair,
        shift,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _Window(x0, y0, x1, y1, reach, fine[..., 0], fine[..., 1])


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
    windows = [
        _window(box, int(element), maps, map_step)
        for box, element in zip(boxes, elements, strict=True)
    ]
    if not windows:
        return []
    rim = np.array([(w.x0, w.y0, w.x1, w.y1) for w in windows])
    outlines = []
    for n, window in enumerate(windows):
        mask = (window.cell > 0.5) & (window.reach < _REACH)
        meets = (rim[:, 0] < window.x1) & (rim[:, 2] > window.x0)
        meets &= (rim[:, 1] < window.y1) & (rim[:, 3] > window.y0)
        meets[n] = False
        for m in np.flatnonzero(meets).tolist():
            _give_way(mask, window, windows[m], elements[n] == elements[m], n < m)
        outlines.append(_trace(mask, window))
    return outlines


def _give_way(
    mask: NDArray[np.bool_], mine: _Window, theirs: _Window, same: bool, first: bool
) -> None:
    """Take out of ``mask`` what belongs rather to the other cell, in place."""
    x0, y0 = max(mine.x0, theirs.x0), max(mine.y0, theirs.y0)
    x1, y1 = min(mine.x1, theirs.x1), min(mine.y1, theirs.y1)
    a = (slice(y0 - mine.y0, y1 - mine.y0), slice(x0 - mine.x0, x1 - mine.x0))
    b = (slice(y0 - theirs.y0, y1 - theirs.y0), slice(x0 - theirs.x0, x1 - theirs.x0))
    my_reach, their_reach = mine.reach[a], theirs.reach[b]
    nearer = my_reach <= their_reach if first else my_reach < their_reach
    if not same:  # of different elements: what the pixel looks like decides, inside both
        both = (my_reach < _REACH) & (their_reach < _REACH)
        looks, other = mine.own[a], theirs.own[b]
        likelier = looks >= other if first else looks > other
        nearer = np.where(both, likelier, nearer)
    mask[a] &= nearer


def _trace(mask: NDArray[np.bool_], window: _Window) -> Outline:
    """Outline of the largest piece, holes filled; the ellipse if there is none."""
    size = max(3, round(_SMOOTH * min(mask.shape)) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    # Beyond the field nothing is known: repeat the rim, so that cut cells are not eroded there.
    wide = cv2.copyMakeBorder(mask.astype(np.uint8), *(size,) * 4, cv2.BORDER_REPLICATE)
    smooth = cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc)[size:-size, size:-size]
    contours, _ = cv2.findContours(
        np.ascontiguousarray(smooth), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None or len(largest) < 3:
        ellipse = (window.reach <= 1).astype(np.uint8)
        contours, _ = cv2.findContours(ellipse, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        largest = max(contours, key=len, default=None)
    if largest is None or len(largest) < 3:
        largest = np.array([[[0, 0]], [[1, 0]], [[1, 1]], [[0, 1]]], np.int32)
    points = largest[:, 0, :]
    low, high = points.min(axis=0), points.max(axis=0) + 1
    canvas = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(canvas, [points - low], 1)
    corners = cv2.approxPolyDP(largest, 0.4, True)[:, 0, :]
    if len(corners) < 3:
        corners = points
    offset = np.array([window.x0, window.y0])
    bounds = (*(low + offset).tolist(), *(high + offset).tolist())
    return Outline((corners + offset + 0.5).astype(np.float32), float(canvas.sum()), bounds)
