"""Single-cell pictures as boxed fields: the cell is known, its neighbours are found by a teacher.

Box sets hold only the mature white cells; PBC has erythroblasts, immature granulocytes and giant
platelets, but no boxes. A trained segmenter gives the boxes, the archive gives the middle cell's
element, and what the segmenter is unsure of is left out of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.box_masks import IGNORE, element_map
from smearlab.datasets.cell_images import CellImage
from smearlab.errors import ImageError
from smearlab.io.images import read_field
from smearlab.pipeline import Analyzer
from smearlab.types import ELEMENT_OF_TYPE, Cell, Field

#: Types that no box set holds.
TAUGHT_TYPES = ("erythroblast", "immature granulocyte", "platelet")
_SURE, _POSSIBLE = 0.45, 0.12


def teach_field(image: CellImage, teacher: Analyzer) -> BoxedField | None:
    """One picture with boxes.

    Parameters
    ----------
    image : CellImage
        The type gives the element of the cell in the middle.
    teacher : Analyzer
        Finds the boxes; its classifier is not asked to be there.

    Returns
    -------
    BoxedField or None
        None when the picture cannot be read or its middle cell is not found. What the teacher
        holds for possible only is ignored in the map; red cells may lack a box.
    """
    try:
        field = read_field(image.path)
    except ImageError:
        return None
    cells = teacher.detect(field, _POSSIBLE)
    middle = _middle_cell(field, cells)
    if middle is None:
        return None
    kept = [c for c in cells if c is middle or c.detection_score >= _SURE]
    elements = [ELEMENT_OF_TYPE[image.type] if c is middle else c.element for c in kept]
    boxes = np.array([c.bbox for c in kept], np.float32)
    marks = element_map(field.pixels, boxes, elements)
    for cell in cells:
        if cell not in kept:
            x0, y0, x1, y1 = cell.bbox
            window = marks[y0:y1, x0:x1]
            window[window == 0] = IGNORE
    return BoxedField(
        field.name,
        image.origin,
        image.group,
        field.pixels,
        boxes,
        tuple(elements),
        marks,
        frozenset({"RBC"}),
    )


def _middle_cell(field: Field, cells: Sequence[Cell]) -> Cell | None:
    """The surest cell, red cells aside, whose box covers the middle of the picture."""
    x, y = field.width_px / 2, field.height_px / 2
    over = [
        c
        for c in cells
        if c.element != "RBC" and c.bbox[0] < x < c.bbox[2] and c.bbox[1] < y < c.bbox[3]
    ]
    return max(over, key=lambda c: c.detection_score, default=None)


def teach_fields(
    images: Sequence[CellImage], teacher: Analyzer, n: int, seed: int = 0
) -> list[BoxedField]:
    """``n`` training pictures of :data:`TAUGHT_TYPES`, the same number of each type.

    Parameters
    ----------
    images : sequence of CellImage
        Only those of the training part are used.
    teacher : Analyzer
        See :func:`teach_field`.
    n : int
        How many in all; fewer come back if the pictures run out.
    seed : int
        Of the choice of pictures.
    """
    rng = np.random.default_rng(seed)
    fields: list[BoxedField] = []
    for kind in TAUGHT_TYPES:
        own = [i for i in images if i.type == kind and i.part == "train" and i.dataset == "pbc"]
        taught: list[BoxedField] = []
        for index in rng.permutation(len(own)):
            if len(taught) == n // len(TAUGHT_TYPES):
                break
            field = teach_field(own[index], teacher)
            if field is not None:
                taught.append(field)
        fields += taught
    return fields
