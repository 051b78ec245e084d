"""From a network's maps to the cells it shows, by the decoder that the bundle's card names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError
from smearlab.instances.detections import find_peaks, suppress
from smearlab.instances.outlines import Outline, draw_outlines
from smearlab.instances.watershed import split_touching
from smearlab.segment.maps import FieldMaps
from smearlab.types import ELEMENTS, Box, Element


@dataclass(frozen=True, eq=False)
class Found:
    """A cell that has no type yet.

    Parameters
    ----------
    box : tuple of float
        As the network gives it, field px.
    bbox : tuple of int
        Half-open, field px.
    score : float
        In [0, 1].
    element : str or None
        None when the segmenter does not tell elements apart.
    shares : mapping of str to float
        Element → how much speaks for it; sums to 1; empty when ``element`` is None.
    outline : Outline or None
        Where the decoder finds cells by their outline; else :func:`outline_cells` draws it.
    """

    box: tuple[float, float, float, float]
    bbox: Box
    score: float
    element: Element | None
    shares: Mapping[Element, float]
    outline: Outline | None = None


def decode(
    maps: FieldMaps, card: Mapping[str, Any], min_scores: Mapping[Element, float]
) -> list[Found]:
    """Cells of one field, top to bottom by their centres (then left to right).

    Parameters
    ----------
    maps : FieldMaps
    card : mapping
        Card of the segmenter; ``decoder`` is ``"centres"`` or ``"watershed"``.
    min_scores : mapping of str to float
        Lowest score kept, for each element.

    Raises
    ------
    BundleError
        If the card names another decoder.
    """
    if card["decoder"] == "centres":
        found = _centres(maps, card, min_scores)
    elif card["decoder"] == "watershed":
        found = _watershed(maps, card)
    else:
        raise BundleError(
            f"decoder {card['decoder']!r} of bundle {card['name']!r} is unknown; known: centres, "
            "watershed"
        )
    return sorted(found, key=lambda cell: (cell.bbox[1] + cell.bbox[3], cell.bbox))


def _centres(
    maps: FieldMaps, card: Mapping[str, Any], min_scores: Mapping[Element, float]
) -> list[Found]:
    peaks = find_peaks(maps, card["grid_step"], [min_scores[name] for name in ELEMENTS])
    kept = suppress(peaks, card["suppress"]["same"], card["suppress"]["other"])
    return [
        Found(
            tuple(box.astype(float).tolist()),
            _whole_pixels(box, maps.width_px, maps.height_px),
            float(score),
            ELEMENTS[element],
            dict(zip(ELEMENTS, share.astype(float).tolist(), strict=True)),
        )
        for box, score, element, share in zip(
            kept.boxes, kept.scores, kept.elements, kept.shares, strict=True
        )
    ]


def outline_cells(
    found: Sequence[Found], elements: Sequence[Element], maps: FieldMaps, card: Mapping[str, Any]
) -> list[Outline]:
    """Outline of every cell; touching cells share the foreground among them.

    Parameters
    ----------
    found : sequence of Found
        The cells that count: only they claim pixels.
    elements : sequence of str
        What each was taken to be in the end.
    maps : FieldMaps
    card : mapping
        Card of the segmenter.
    """
    ready = [cell.outline for cell in found if cell.outline is not None]
    if len(ready) == len(found):
        return ready
    boxes = np.array([cell.box for cell in found], np.float32)
    numbers = [ELEMENTS.index(element) for element in elements]
    return draw_outlines(boxes, numbers, maps, card["map_step"])


def _whole_pixels(box: NDArray[np.float32], width_px: int, height_px: int) -> Box:
    """Nearest pixel borders, at least one pixel, inside the field."""
    x0, y0, x1, y1 = (round(float(value)) for value in box)
    x0, y0 = min(x0, width_px - 1), min(y0, height_px - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _watershed(maps: FieldMaps, card: Mapping[str, Any]) -> list[Found]:
    cell = 1 - maps.classes[..., 0]
    labels = split_touching(cell > 0.5, **card.get("watershed", {})).array
    fx = maps.width_px / labels.shape[1]
    fy = maps.height_px / labels.shape[0]
    found = []
    for label in range(1, int(labels.max()) + 1):
        mask = (labels == label).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        size = (max(1, round(w * fx)), max(1, round(h * fy)))
        fine = cv2.resize(
            mask[y : y + h, x : x + w] * np.uint8(255), size, interpolation=cv2.INTER_LINEAR
        )
        contours, _ = cv2.findContours(
            (fine > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        largest = max(contours, key=cv2.contourArea, default=None)
        if largest is None or len(largest) < 3:
            continue
        offset = np.array([round(x * fx), round(y * fy)])
        low = largest[:, 0].min(axis=0) + offset
        high = np.minimum(largest[:, 0].max(axis=0) + offset + 1, (maps.width_px, maps.height_px))
        bounds = (*low.tolist(), *high.tolist())
        outline = Outline(
            (largest[:, 0] + offset + 0.5).astype(np.float32), float((fine > 127).sum()), bounds
        )
        box = tuple(float(value) for value in bounds)
        found.append(Found(box, bounds, float(cell[mask > 0].mean()), None, {}, outline))
    return found
