"""From a network's maps to the cells it shows, by the decoder that the bundle's card names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from smearlab.errors import BundleError
from smearlab.instances.detections import Detections, find_peaks, suppress
from smearlab.instances.labels import paint_polygons
from smearlab.instances.outlines import Outline, draw_outlines
from smearlab.instances.polygons import rim_polygon
from smearlab.instances.presence import LIKELY_HEAT, Presence, visible_shares
from smearlab.instances.watershed import load_scikit_image, split_touching
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


def make_ready(card: Mapping[str, Any]) -> None:
    """Import what the decoder of a card needs, before several threads ask for it at once."""
    if card.get("decoder") == "watershed":
        load_scikit_image()


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
    peaks = _counted(maps, card, min_scores)
    kept = suppress(peaks, card["suppress"]["same"], card["suppress"]["other"])
    return [
        Found(
            (x0, y0, x1, y1),
            _whole_pixels((x0, y0, x1, y1), maps.width_px, maps.height_px),
            score,
            ELEMENTS[element],
            dict(zip(ELEMENTS, share, strict=True)),
        )
        for (x0, y0, x1, y1), score, element, share in zip(
            kept.boxes.tolist(),
            kept.scores.tolist(),
            kept.elements.tolist(),
            kept.shares.tolist(),
            strict=True,
        )
    ]


def _counted(
    maps: FieldMaps, card: Mapping[str, Any], min_scores: Mapping[Element, float]
) -> Detections:
    """Peaks whose score is high enough: their heat, or what the card's ``presence`` makes of it."""
    curves = {
        element: Presence.of_card(entry) for element, entry in card.get("presence", {}).items()
    }
    # What is typical of a field must not depend on the lowest score that is asked for.
    least = [
        min(LIKELY_HEAT, curves[element].least_heat(min_scores[element]))
        if element in curves
        else min_scores[element]
        for element in ELEMENTS
    ]
    peaks = find_peaks(maps, card["grid_step"], least)
    scores = peaks.scores.copy()
    for number, element in enumerate(ELEMENTS):
        own = peaks.elements == number
        if element in curves:
            boxes, heat = peaks.boxes[own], peaks.scores[own]
            seen = visible_shares(boxes, heat, maps.width_px, maps.height_px)
            scores[own] = curves[element](heat, seen)
    enough = scores >= np.array([min_scores[element] for element in ELEMENTS])[peaks.elements]
    return replace(peaks, scores=scores).take(enough).best_first()


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


def _whole_pixels(box: tuple[float, float, float, float], width_px: int, height_px: int) -> Box:
    """Nearest pixel borders, at least one pixel, inside the field."""
    x0, y0, x1, y1 = (round(value) for value in box)
    x0, y0 = min(x0, width_px - 1), min(y0, height_px - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _watershed(maps: FieldMaps, card: Mapping[str, Any]) -> list[Found]:
    cell = 1 - maps.classes[..., 0]
    labels = split_touching(cell > 0.5, **card.get("watershed", {})).array
    per_step = card["map_step"] / np.array([maps.scale_x, maps.scale_y])  # field px
    size = (maps.width_px, maps.height_px)
    polygons, scores, kinds = [], [], []
    for label, place in enumerate(find_objects(labels), start=1):
        mask = (labels[place] == label).astype(np.uint8)
        corners = rim_polygon(mask)
        if corners is None:
            continue
        corner = (place[1].start, place[0].start)
        polygons.append(((corners + corner) * per_step).clip(0, size).astype(np.float32))
        scores.append(float(cell[place][mask > 0].mean()))
        kinds.append(_kind(maps.classes[place][mask > 0].mean(axis=0), card["classes"]))
    _, areas = paint_polygons(polygons, range(1, len(polygons) + 1), *size)
    found = []
    for corners, area, score, kind in zip(polygons, areas, scores, kinds, strict=True):
        low, high = corners.min(axis=0), corners.max(axis=0)
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        bbox = _whole_pixels(box, *size)
        outline = Outline(corners, float(max(1, area)))
        found.append(Found(box, bbox, score, *kind, outline))
    return found


def _kind(
    means: NDArray[np.float32], classes: Sequence[str]
) -> tuple[Element | None, dict[Element, float]]:
    """Element of a cell and shares of the elements, from its mean probability of every class."""
    best = classes[1 + int(means[1:].argmax())]
    if best not in ELEMENTS:
        return None, {}
    own = {e: float(means[classes.index(e)]) if e in classes else 0.0 for e in ELEMENTS}
    total = sum(own.values())
    return best, {element: share / total for element, share in own.items()}
