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
    lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
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
    raw = cv2.morphologyEx(raw, cv2.MORPH_CLOSE, cv2.getStructuringElement(2, (size, size)))
    contours, _ = cv2.findContours(raw, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return ellipse
    found = np.zeros_like(raw)
    cv2.drawContours(found, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, cv2.getStructuringElement(2, (size, size)))
    share = np.count_nonzero(found) / max(1, np.count_nonzero(ellipse))
    return found.astype(bool) if _PLAUSIBLE[0] <= share <= _PLAUSIBLE[1] else ellipse


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
    covered = np.zeros((height, width), dtype=bool)
    windows = []
    for box in boxes:
        pad = 0.08 * max(box[2] - box[0], box[3] - box[1])
        x0, y0 = max(0, int(box[0] - pad)), max(0, int(box[1] - pad))
        x1, y1 = min(width, int(np.ceil(box[2] + pad))), min(height, int(np.ceil(box[3] + pad)))
        windows.append((x0, y0, x1, y1))
        covered[y0:y1, x0:x1] = True
    distance = background_distance(pixels, covered)
    overall = _otsu(distance)
    out = np.where(distance < 0.7 * overall, 0, IGNORE).astype(np.uint8)
    out[covered] = 0
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    # White cells last: where one overlaps a red cell, it is the white one that is seen.
    for index in sorted(range(len(boxes)), key=lambda i: elements[i] == "WBC"):
        x0, y0, x1, y1 = windows[index]
        window = (slice(y0, y1), slice(x0, x1))
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        is_white = elements[index] == "WBC"
        whole = complete_box(boxes[index].tolist(), width, height)
        reach = ellipse_distance((y1 - y0, x1 - x0), whole, (x0, y0))
        threshold = float(np.clip(_otsu(distance[window]), 0.45 * overall, 1.1 * overall))
        if is_white:  # pale cytoplasm beside a dark nucleus: Otsu would keep the nucleus only
            threshold = min(threshold, 0.5 * overall)
        inside = _outline(distance[window], reach, threshold)
        if is_white and white_cells is not None:
            inside = white_cells[window] & (reach <= 1.3)
        take = inside & ((reach < nearest[window]) | (is_white & (reach <= 1)))
        out[window][take] = CODE_OF_ELEMENT[elements[index]]
        nearest[window][take] = reach[take]
    return out
