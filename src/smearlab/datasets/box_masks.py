"""Masks from boxes: classical segmentation inside each box, for sets that have no masks.

The boxes of public sets say where a cell is; its outline is found by colour distance from the
slide's background, cleaned inside the box, and replaced by the inscribed ellipse where the
colours do not give a plausible cell. Pixels that look like a cell but lie in no box (unlabelled
cells at the edge of the field) are marked to be ignored, never called background.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.instances.ellipse import complete_box, ellipse_distance
from smearlab.types import ELEMENTS, Element

#: Value of pixels about which nothing is claimed.
IGNORE = 255
#: Map value of each element; 0 is background.
CODE_OF_ELEMENT = {element: code for code, element in enumerate(ELEMENTS, start=1)}

_ELLIPSE_REACH = 1.1  # of the half axes: a cell bulges a little beyond its inscribed ellipse
_PLAUSIBLE = (0.62, 1.25)  # area of a found outline over that of the inscribed ellipse


def background_distance(
    pixels: NDArray[np.uint8], covered: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Colour distance of every pixel from the slide's background, in CIE Lab units.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    covered : ndarray of bool, shape (H, W)
        True inside any box.

    Returns
    -------
    ndarray of float32, shape (H, W)
        0 is exactly the background's colour.
    """
    smooth = cv2.GaussianBlur(pixels, (0, 0), max(0.8, pixels.shape[0] / 400))
    light = smooth.astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(light, cv2.COLOR_RGB2LAB), np.float32)
    free = lab[~covered] if np.count_nonzero(~covered) > 0.02 * covered.size else lab.reshape(-1, 3)
    bright = free[free[:, 0] >= np.quantile(free[:, 0], 0.5)]
    return np.asarray(np.linalg.norm(lab - np.median(bright, axis=0), axis=2), dtype=np.float32)


def _otsu(values: NDArray[np.float32]) -> float:
    scaled = np.clip(values * 2, 0, 255).astype(np.uint8).reshape(-1, 1)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(threshold) / 2


def _outline(
    distance: NDArray[np.float32], reach: NDArray[np.float32], threshold: float
) -> NDArray[np.bool_]:
    """The cell inside one window, or its inscribed ellipse if the colours tell nothing."""
    ellipse = reach <= 1
    raw = ((distance > threshold) & (reach <= _ELLIPSE_REACH)).astype(np.uint8)
    size = max(3, round(min(raw.shape) * 0.08) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(raw, cv2.MORPH_CLOSE, disc)
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return ellipse
    filled = np.zeros_like(raw)
    cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    found = np.asarray(cv2.morphologyEx(filled, cv2.MORPH_OPEN, disc)) > 0
    share = int(np.count_nonzero(found)) / max(1, int(np.count_nonzero(ellipse)))
    return found if _PLAUSIBLE[0] <= share <= _PLAUSIBLE[1] else ellipse


def element_map(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    elements: Sequence[Element],
    white_cells: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Which element each pixel belongs to, made from boxes.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB field.
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` px.
    elements : sequence of str
        N elements.
    white_cells : ndarray of bool, shape (H, W), optional
        A true mask of the white cells, where the set has one; it then replaces what the boxes
        of white cells would give.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 background, :data:`CODE_OF_ELEMENT` values, :data:`IGNORE` where unknown.
    """
    height, width = pixels.shape[:2]
    windows = [_window(box, width, height) for box in boxes]
    covered = np.zeros((height, width), dtype=bool)
    for window in windows:
        covered[window] = True
    distance = background_distance(pixels, covered)
    overall = _otsu(distance)
    out = np.where(distance < 0.7 * overall, 0, IGNORE).astype(np.uint8)
    out[covered] = 0
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    # White cells last: where one overlaps a red cell, it is the white one that is seen.
    for index in sorted(range(len(boxes)), key=lambda i: elements[i] == "WBC"):
        window, element = windows[index], elements[index]
        rows, columns = window
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        if min(shape) < 2:
            continue
        whole = complete_box(boxes[index].tolist(), width, height)
        reach = ellipse_distance(shape, whole, (columns.start, rows.start))
        if element == "WBC" and white_cells is not None:
            inside = white_cells[window] & (reach <= 1.3)
        else:
            inside = _cell(distance[window], reach, element, overall)
        take = inside & ((reach < nearest[window]) | ((element == "WBC") & (reach <= 1)))
        out[window][take] = CODE_OF_ELEMENT[element]
        nearest[window][take] = reach[take]
    return out


def _window(box: NDArray[np.float32], width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of a box and a little more."""
    pad = 0.08 * max(box[2] - box[0], box[3] - box[1])
    return (
        slice(max(0, int(box[1] - pad)), min(height, int(np.ceil(box[3] + pad)))),
        slice(max(0, int(box[0] - pad)), min(width, int(np.ceil(box[2] + pad)))),
    )


def _cell(
    distance: NDArray[np.float32], reach: NDArray[np.float32], element: Element, overall: float
) -> NDArray[np.bool_]:
    """The cell inside its window, by a threshold of its own near that of the whole field."""
    threshold = float(np.clip(_otsu(distance), 0.45 * overall, 1.1 * overall))
    if element == "WBC":  # pale cytoplasm beside a dark nucleus: Otsu would keep the nucleus only
        threshold = min(threshold, 0.5 * overall)
    return _outline(distance, reach, threshold)
