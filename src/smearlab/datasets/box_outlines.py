"""Where one element lies in a field with boxes, outlined by its own contrast.

:func:`smearlab.datasets.box_masks.element_map` takes one threshold from the whole field. Where a
dark white cell lies in it, that is too high for pale red cells: their outlines are frayed, and
those without a box pass for background. Here every red cell has a threshold between the slide and
itself, and what looks like a red cell outside all boxes is marked as unknown.

White cells and platelets are taken from the map as they are. The nucleus of a white cell would hide
its cytoplasm. Boxes of platelets are drawn wide: outlined by their contrast, platelets agree with
their own boxes at IoU 0.5 in 4 of 10 cases only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE, background_distance
from smearlab.instances.ellipse import complete_box, ellipse_distance
from smearlab.types import Element

_REACH = 1.1  # of the half axes: a cell bulges a little beyond its inscribed ellipse
#: So far on the way from the slide to the cell lies the outline. Of 0.3 to 0.6 it is nearest to the
#: exact outlines of simulated fields (benchmarks/outlines.py); no photograph was asked.
CONTRAST = 0.5
_PLAUSIBLE = (0.45, 1.25)  # area of an outline over that of the inscribed ellipse
#: Area over that of the convex hull below which a pale centre has opened to the outside.
_SOLID = 0.8
_SPECK_SHARE = 0.12  # of a red cell's diameter: what is thinner is a rim, not a cell


def element_in_boxes(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    elements: Sequence[Element],
    element: Element,
    marks: NDArray[np.uint8],
    contrast: float = CONTRAST,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Outline the cells of one element, and mark what nothing is known of.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB field.
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` px, of all elements.
    elements : sequence of str
        N elements.
    element : {"RBC", "WBC", "PLT"}
        Which is wanted.
    marks : ndarray of uint8, shape (H, W)
        Of :func:`smearlab.datasets.box_masks.element_map`; it tells where the others lie.
    contrast : float
        Where the outline of a red cell lies between the slide, 0, and the cell, 1.

    Returns
    -------
    target : ndarray of bool, shape (H, W)
        True on the element.
    unknown : ndarray of bool, shape (H, W)
        True where nothing is claimed; never where the target is.
    """
    if element != "RBC":
        return marks == CODE_OF_ELEMENT[element], marks == IGNORE
    return _red_cells(pixels, boxes, elements, marks, contrast)


def _red_cells(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    elements: Sequence[Element],
    marks: NDArray[np.uint8],
    share: float,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """See :func:`element_in_boxes`."""
    covered = np.zeros(marks.shape, np.bool_)
    for x0, y0, x1, y1 in boxes.astype(int):
        covered[max(0, y0) : y1, max(0, x0) : x1] = True
    distance = background_distance(pixels, covered)
    slide = float(np.median(distance[marks == 0])) if (marks == 0).any() else 0.0
    own = boxes[np.array([one == "RBC" for one in elements], np.bool_)]
    white = marks == CODE_OF_ELEMENT["WBC"]
    target = np.zeros(marks.shape, np.bool_)
    contrasts = []
    for box in own:
        window, reach = _reach(box, marks.shape)
        inside = (reach <= 1) & ~white[window]
        if not inside.any():
            continue
        contrast = float(np.percentile(distance[window][inside], 75)) - slide
        contrasts.append(contrast)
        target[window] |= _outline(distance[window] > slide + share * contrast, reach)
    other = (marks != CODE_OF_ELEMENT["RBC"]) & (marks != 0) & (marks != IGNORE)
    target &= ~other
    unknown = marks == IGNORE
    if contrasts:
        like = distance > slide + share * float(np.median(contrasts))
        side_px = float(np.median(np.sqrt((own[:, 2:] - own[:, :2]).prod(axis=1))))
        unknown = unknown | _without_specks(like & ~target & ~other, _SPECK_SHARE * side_px)
    return target, unknown & ~target


def _reach(
    box: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """Rows and columns of a box and a little more; how far each pixel is from the middle."""
    height, width = shape
    pad = 0.08 * max(box[2] - box[0], box[3] - box[1])
    rows = slice(max(0, int(box[1] - pad)), min(height, int(np.ceil(box[3] + pad))))
    columns = slice(max(0, int(box[0] - pad)), min(width, int(np.ceil(box[2] + pad))))
    whole = complete_box(box.tolist(), width, height)
    size = (rows.stop - rows.start, columns.stop - columns.start)
    return (rows, columns), ellipse_distance(size, whole, (columns.start, rows.start))


def _outline(like: NDArray[np.bool_], reach: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The largest piece, filled, smoothed, bites closed; the inscribed ellipse if it is no cell."""
    ellipse = reach <= 1
    size = max(3, round(min(like.shape) * 0.08) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    raw = (like & (reach <= _REACH)).astype(np.uint8)
    closed = cv2.morphologyEx(raw, cv2.MORPH_CLOSE, disc)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return ellipse
    largest = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(largest)
    bitten = cv2.contourArea(largest) < _SOLID * cv2.contourArea(hull)
    filled = np.zeros_like(raw)
    if bitten:
        cv2.drawContours(filled, [hull], -1, 1, cv2.FILLED)
        filled *= ellipse.astype(np.uint8)
    cv2.drawContours(filled, [largest], -1, 1, cv2.FILLED)
    found = _largest(cv2.morphologyEx(filled, cv2.MORPH_OPEN, disc))
    share = int(np.count_nonzero(found)) / max(1, int(np.count_nonzero(ellipse)))
    return found if _PLAUSIBLE[0] <= share <= _PLAUSIBLE[1] else ellipse


def _largest(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """The largest 8-connected piece."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return (
        np.asarray((pieces == 1 + int(np.argmax(areas))) & (mask > 0)) if areas.size else mask > 0
    )


def _without_specks(mask: NDArray[np.bool_], size_px: float) -> NDArray[np.bool_]:
    """Leave out what a disc of that diameter does not fit into."""
    size = max(3, round(size_px) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0, np.bool_)
