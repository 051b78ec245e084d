"""Fields whose every box is a painted rectangle, so that boxes can be found in the pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.box_masks import CODE_OF_ELEMENT
from smearlab.types import ELEMENTS, Element

#: Pure colours that stay apart through interpolation.
PAINT: tuple[tuple[int, int, int], ...] = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
Boxes = tuple[tuple[int, int, int, int], ...]


def painted_field(
    boxes: Boxes = ((20, 30, 60, 70), (90, 24, 138, 84), (40, 100, 56, 112)),
    elements: tuple[Element, ...] = ELEMENTS,
    size: tuple[int, int] = (144, 176),
    incomplete: frozenset[Element] = frozenset(),
) -> BoxedField:
    """A white field of (height, width); box n is filled with ``PAINT[n]``."""
    pixels = np.full((*size, 3), 255, np.uint8)
    marks = np.zeros(size, np.uint8)
    for (x0, y0, x1, y1), element, colour in zip(boxes, elements, PAINT, strict=False):
        pixels[y0:y1, x0:x1] = colour
        marks[y0:y1, x0:x1] = CODE_OF_ELEMENT[element]
    return BoxedField(
        "painted.png",
        "drawn",
        "drawn/painted",
        pixels,
        np.array(boxes, np.float32).reshape(-1, 4),
        elements,
        marks,
        incomplete,
    )


def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Half-open box (x0, y0, x1, y1) of what is true."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def where_painted(pixels: NDArray[np.uint8], n: int) -> NDArray[np.bool_]:
    """Pixels that are nearer to ``PAINT[n]`` than to any other paint, white or grey."""
    palette = np.array([*PAINT, (255, 255, 255), (128, 128, 128)], np.int32)
    distance = ((pixels[:, :, None].astype(np.int32) - palette) ** 2).sum(-1)
    return np.asarray(distance.argmin(-1) == n)
