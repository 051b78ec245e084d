"""Cells and records that tests of counting and reporting make up."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from smearlab.report.records import FieldRecord
from smearlab.types import CELL_TYPES, ELEMENT_OF_TYPE, UNIDENTIFIED, Box, Cell, Element


def make_cell(
    type_name: str = "erythrocyte",
    *,
    label: int = 1,
    box: Box = (40, 40, 60, 60),
    confidence: float = 0.9,
    element: Element | None = None,
    border: bool = False,
    field: str = "smear 1",
    guess: str = "neutrophil",
) -> Cell:
    """An ellipse that fills its box; an unidentified one is most probably ``guess``."""
    x0, y0, x1, y1 = box
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    contour = np.stack(
        [
            (x0 + x1) / 2 + (x1 - x0) / 2 * np.cos(angle),
            (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(angle),
        ],
        axis=-1,
    )
    likely = guess if type_name == UNIDENTIFIED else type_name
    known = [name for name in CELL_TYPES if name != UNIDENTIFIED]
    rest = (1 - confidence) / (len(known) - 1)
    return Cell(
        field=field,
        label=label,
        contour=contour.astype(np.float32),
        bbox=box,
        area_px=math.pi / 4 * (x1 - x0) * (y1 - y0),
        touches_border=border,
        element=element or ELEMENT_OF_TYPE[likely],
        detection_score=0.95,
        type=type_name,
        probabilities={name: confidence if name == likely else rest for name in known},
        confidence=confidence,
    )


def make_cells(types: Iterable[str], **given: object) -> tuple[Cell, ...]:
    """One cell for each type, labelled from 1."""
    return tuple(
        make_cell(name, label=label, **given)  # type: ignore[arg-type]
        for label, name in enumerate(types, start=1)
    )


def make_record(name: str, cells: Iterable[Cell], **given: object) -> FieldRecord:
    """A record of a 160 × 120 field of unknown pixel size."""
    kept = {"source": f"smears/{name}.png", "width_px": 160, "height_px": 120}
    rest = {"um_per_px": None, "notes": ()}
    return FieldRecord(name=name, cells=tuple(cells), **(kept | rest | given))  # type: ignore[arg-type]
