"""At which scale a field is analysed: the one that gives its cells the size that was trained.

The pixel pitch tells it, where it is known, else a first look at the field made small; either is
believed when it shows sure cells. Where it does not, the field is glanced at over a wide range of
scales, and the one at which most of the picture is explained by sure cells wins. The work is
bounded: at most eight glances at about the cost of the first look, and one look at the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.instances.decoders import Found, decode
from smearlab.segment.maps import FieldMaps, Segmenter
from smearlab.types import ELEMENTS, Field

#: A red cell measures about this much across.
RED_CELL_UM = 7.5
#: A white cell is about this much wider than a red one.
_WHITE_OVER_RED = 1.75
_WHITE_ALONE = 1.4  # white cells vary more: so much wider is the range that fits without red ones
_SURE = 0.3  # score of the cells that are measured
_CONVINCING = 0.55  # their mean score, where the scale is about right
_PALE = (0.4, 5)  # less will do where so many cells have the trained size
_READABLE = (0.27, 2.1)  # of the trained size: so far off, sizes are still measured rightly
_ENLARGED = 0.8  # of the trained size does as well where the field must be enlarged to reach it
_MARGIN = 0.02  # of the picture's sides, that a cell must leave free to be measured
_FACTOR = 3.0  # between scales that are glanced at
_LARGEST, _SMALLEST = 4.0, 0.02
_WHOLE = 4  # a glance is at the whole field up to so many times the first look's pixels
_SAME = 0.1  # scales so near to each other need no second look
_CELLS_ACROSS = 6.3  # red cells that the longer side of a common field holds


@dataclass(frozen=True, eq=False)
class Look:
    """What a field, or a part of it, shows at one scale.

    Parameters
    ----------
    scale : float
        Network px per field px.
    maps : FieldMaps or None
        Of the whole field; None when only a part was seen.
    diameter_px : float or None
        Of a red cell, field px; None when no sure cell lies whole in the part seen.
    evidence : float
        Share of the picture under sure cells, weighted by their squared score.
    convinces : bool
        Whether the cells are sure, and of a size at which they are measured rightly.
    fits : bool
        Whether they have, besides, about the size the network was trained for.
    """

    scale: float
    maps: FieldMaps | None
    diameter_px: float | None
    evidence: float
    convinces: bool
    fits: bool


def look_at_field(
    segmenter: Segmenter, field: Field, scout: Segmenter | None = None
) -> tuple[FieldMaps, list[str]]:
    """The network's answer at the scale that suits the field's cells.

    Parameters
    ----------
    segmenter : Segmenter
        Its card gives ``size_px`` (a fixed input), or ``cell_diameter_px``, and with the decoder
        ``centres`` ``cell_diameter_range_px`` and ``first_look_px``.
    field : Field
    scout : Segmenter, optional
        With the decoder ``centres``; measures the red cells for a segmenter that cannot.

    Returns
    -------
    maps : FieldMaps
    notes : list of str
        What had to be decided, for the user.
    """
    card = segmenter.bundle.card
    if card["decoder"] != "centres" or "size_px" in card:
        unknown = field.um_per_px is None and needs_scout(card)
        diameter = red_cell_diameter(scout, field) if unknown and scout else None
        scale, notes = scale_by_size(card, field, diameter)
        return segmenter.maps(field.pixels, scale), notes
    start, first, look = _search(segmenter, field)
    scale = look.scale
    settled = look.fits and (look is first or look.maps is not None)
    if look.convinces and look.diameter_px is not None and not settled:
        scale = _bounded(card, field, _wanted(card, look.diameter_px))
    notes = _notes(card, field, look, scale) if abs(scale / start - 1) >= _SAME else []
    for seen in (look, first):
        if seen.maps is not None and abs(scale / seen.scale - 1) < _SAME:
            return seen.maps, notes
    return segmenter.maps(field.pixels, scale), notes


def _search(segmenter: Segmenter, field: Field) -> tuple[float, Look, Look]:
    """Scale of the first look, that look, and the one that explains most of the field."""
    card = segmenter.bundle.card
    start = min(1.0, card["first_look_px"] / _longer(field))
    if field.um_per_px is not None:
        start = _bounded(card, field, card["cell_diameter_px"] * field.um_per_px / RED_CELL_UM)
    look = first = _glance(segmenter, field, start)
    if not first.convinces:
        others = [_glance(segmenter, field, scale) for scale in _ladder(card, field, first)]
        sure = [one for one in (first, *others) if one.convinces]
        look = max(sure, key=lambda one: one.evidence, default=first)
        wide = min(field.width_px, field.height_px) * start >= card["cell_diameter_px"]
        if wide and first.diameter_px is None and first.evidence >= look.evidence:
            look = first  # every cell is cut by the edge: a picture of one large cell
    return start, first, look


def red_cell_diameter(scout: Segmenter, field: Field) -> float | None:
    """Diameter of the field's red cells, as a segmenter that measures cells sees it.

    Parameters
    ----------
    scout : Segmenter
        With the decoder ``centres``.
    field : Field

    Returns
    -------
    float or None
        Field px; worked out from white cells where there is no red one; None where the scout sees
        no sure cell of a size at which it measures rightly.
    """
    look = _search(scout, field)[2]
    return look.diameter_px if look.convinces else None


def needs_scout(card: Mapping[str, Any]) -> bool:
    """Whether a segmenter, where the pixel pitch is unknown, needs red cells measured by another.

    Parameters
    ----------
    card : mapping
        Of the segmenter.
    """
    return card["decoder"] != "centres" and not {"size_px", "first_look_px"} & set(card)


def scale_by_size(
    card: Mapping[str, Any], field: Field, diameter_px: float | None
) -> tuple[float, list[str]]:
    """The scale for a segmenter that does not measure cells itself.

    Parameters
    ----------
    card : mapping
        Of the segmenter.
    field : Field
    diameter_px : float or None
        Of a red cell, field px, where it was measured.

    Returns
    -------
    scale : float
        Network px per field px. With ``size_px`` on the card the longer side gets that length;
        else red cells get ``cell_diameter_px``, by the pixel pitch (7.5 µm a red cell), else by
        the measured diameter. Where neither is known, the field is taken to be as many red cells
        across as most are.
    notes : list of str
        What had to be decided, for the user.
    """
    if "size_px" in card:  # a network of fixed input size, as published
        return card["size_px"] / _longer(field), []
    wanted = float(card["cell_diameter_px"])
    if field.um_per_px is not None:
        return _bounded(card, field, wanted * field.um_per_px / RED_CELL_UM), []
    if diameter_px is not None:
        scale = _bounded(card, field, wanted / diameter_px)
        return scale, [f"red cells measure about {diameter_px:.0f} px; segmented at {scale:.2f}×"]
    if "first_look_px" in card:
        return min(1.0, card["first_look_px"] / _longer(field)), []
    note = "no red cell could be measured: its size is a guess; give --um-per-px"
    return _bounded(card, field, wanted * _CELLS_ACROSS / _longer(field)), [note]


def _longer(field: Field) -> int:
    return max(field.width_px, field.height_px)


def _wanted(card: Mapping[str, Any], diameter_px: float) -> float:
    """Scale that gives red cells of this size the trained one, or nearly, to save time."""
    scale = float(card["cell_diameter_px"]) / diameter_px
    return scale if scale <= 1 else max(1.0, _ENLARGED * scale)


def _bounded(card: Mapping[str, Any], field: Field, scale: float) -> float:
    """Never enlarge more than 4 times, nor beyond what the field's size makes sensible."""
    largest = card.get("largest_side_px", 8192) / _longer(field)
    return float(np.clip(scale, min(_SMALLEST, largest), min(_LARGEST, largest)))


def _ladder(card: Mapping[str, Any], field: Field, first: Look) -> list[float]:
    """Other scales to glance at: what the first look suggests, and from small to large."""
    rungs = []
    if first.diameter_px is not None:
        rungs.append(_bounded(card, field, _wanted(card, first.diameter_px)))
    scale = _bounded(card, field, min(1.0, card["first_look_px"] / _longer(field)) / _FACTOR)
    largest = _bounded(card, field, _LARGEST)
    while scale < 0.8 * largest:
        rungs.append(scale)
        scale *= _FACTOR
    return [rung for rung in (*rungs, largest) if abs(rung / first.scale - 1) >= _SAME]


def _glance(segmenter: Segmenter, field: Field, scale: float) -> Look:
    """Look at the whole field, or, where that is much work, at its busiest part."""
    side = segmenter.bundle.card["first_look_px"]
    pixels = field.pixels
    if field.width_px * field.height_px * scale**2 > _WHOLE * side**2:
        pixels = busiest_part(pixels, round(side / scale))
    maps = segmenter.maps(pixels, scale)
    return _judge(segmenter.bundle.card, maps, scale, pixels is field.pixels)


def busiest_part(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """The square of a field that holds most edges: there are cells, if anywhere.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    side_px : int
        Cut to the field where it is longer.

    Returns
    -------
    ndarray of uint8, shape (min(H, side_px), min(W, side_px), 3)
        A view.
    """
    height, width = pixels.shape[:2]
    h, w = min(height, max(1, side_px)), min(width, max(1, side_px))
    coarse = max(1, min(h, w) // 8)  # px: eight steps to a side place it well enough
    green = pixels[..., 1].astype(np.int16)
    edges = np.zeros((height, width), np.uint8)
    edges[:, 1:] = np.abs(green[:, 1:] - green[:, :-1]).clip(0, 255)
    small = cv2.resize(
        edges, (-(-width // coarse), -(-height // coarse)), interpolation=cv2.INTER_AREA
    )
    window = (min(small.shape[1], -(-w // coarse)), min(small.shape[0], -(-h // coarse)))
    sums = cv2.boxFilter(small, cv2.CV_32F, window, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    y, x = np.unravel_index(int(sums.argmax()), sums.shape)
    top, left = min(int(y) * coarse, height - h), min(int(x) * coarse, width - w)
    return pixels[top : top + h, left : left + w]


def _judge(card: Mapping[str, Any], maps: FieldMaps, scale: float, is_whole: bool) -> Look:
    """How sure the cells are, and how large."""
    heat_alone = {**card, "presence": {}}  # whether people would count a cell is not asked here
    found = [
        cell
        for cell in decode(maps, heat_alone, dict.fromkeys(ELEMENTS, _SURE))
        if cell.element in ("RBC", "WBC")
    ]
    evidence = sum(cell.score**2 * _area(cell) for cell in found)
    evidence /= maps.width_px * maps.height_px
    whole = [cell for cell in found if _lies_within(cell, maps)]
    if not whole:
        return Look(scale, maps if is_whole else None, None, evidence, False, False)
    red = [cell for cell in whole if cell.element == "RBC"]
    sizes = [_area(cell) ** 0.5 for cell in red]
    sizes = sizes or [_area(cell) ** 0.5 / _WHITE_OVER_RED for cell in whole]
    areas = np.array([_area(cell) for cell in whole])
    certainty = float(np.average([cell.score for cell in whole], weights=areas))
    diameter = float(np.median(sizes))
    low, high = card["cell_diameter_range_px"]
    if not red:
        low, high = low / _WHITE_ALONE, high * _WHITE_ALONE
    least, most = (share * card["cell_diameter_px"] for share in _READABLE)
    trained = low <= diameter * scale <= high
    convinces = certainty >= _CONVINCING and least <= diameter * scale <= most
    convinces |= trained and certainty >= _PALE[0] and len(whole) >= _PALE[1]
    return Look(
        scale, maps if is_whole else None, diameter, evidence, convinces, convinces and trained
    )


def _area(cell: Found) -> float:
    x0, y0, x1, y1 = cell.box
    return (x1 - x0) * (y1 - y0)


def _lies_within(cell: Found, maps: FieldMaps) -> bool:
    x0, y0, x1, y1 = cell.box
    x, y = 1 + _MARGIN * maps.width_px, 1 + _MARGIN * maps.height_px
    return x0 > x and y0 > y and x1 < maps.width_px - x and y1 < maps.height_px - y


def _notes(card: Mapping[str, Any], field: Field, look: Look, scale: float) -> list[str]:
    """What to tell about a scale that is not the one that was tried first."""
    if look.diameter_px is None:
        return []
    size = f"red cells measure about {look.diameter_px:.0f} px"
    if field.um_per_px is not None:
        size += f", {look.diameter_px * field.um_per_px:.1f} µm by the given pixel pitch"
    note = f"{size}; analysed at {scale:.2f}× size"
    if look.diameter_px * scale < card["cell_diameter_range_px"][0]:
        note += ", too small to be counted surely"
    return [note]
