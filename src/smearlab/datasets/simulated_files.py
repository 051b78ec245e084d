"""Simulated fields as files: pictures, and beside them everything that is true of them.

::

    DIR/
    ├── images/NAME.png     the fields; their resolution is written into the file
    ├── boxes/NAME.txt      YOLO: class, centre and size as shares of the field
    ├── masks/NAME.png      16 bit: 0 background, every other value one cell
    ├── classes.txt         the classes of the boxes, a line each
    └── truth.json          settings, counts, and every cell's type and box
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smearlab.datasets.simulator import SimulatedField, SmearConfig
from smearlab.errors import OutputExistsError, UsageError
from smearlab.io.annotations import Annotation, AnnotationSet, yolo
from smearlab.io.atomic import write_bytes, write_text
from smearlab.types import CELL_TYPES, ELEMENTS, UNIDENTIFIED

#: The classes of the boxes, in the order of their numbers.
BOX_CLASSES = ("WBC", "RBC", "PLT")
_UM_PER_INCH = 25_400


def write_fields(
    out: str | Path, fields: Iterable[SimulatedField], config: SmearConfig
) -> dict[str, Any]:
    """Write simulated fields and their truth into a new folder.

    Parameters
    ----------
    out : str or Path
        The folder; made if it is missing, and refused if anything is in it.
    fields : iterable of SimulatedField
        Taken one at a time, so that any number fits into memory. Names must be unique.
    config : SmearConfig
        What they were made with; recorded in ``truth.json``.

    Returns
    -------
    dict
        What was written to ``truth.json``.

    Raises
    ------
    OutputExistsError
        If ``out`` is a file, or a folder with something in it.
    UsageError
        If a field has more cells than 16 bits can number.
    OSError
        If the disk is full or not writable.
    """
    out = Path(out)
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise OutputExistsError(f"{out} exists and is not empty; name a new folder")
    for name in ("images", "boxes", "masks"):
        (out / name).mkdir(parents=True, exist_ok=True)
    yolo.write_classes(out, BOX_CLASSES)
    entries = [_write_field(out, simulated) for simulated in fields]
    truth = {"simulated": True, "settings": asdict(config), "fields": entries}
    write_text(out / "truth.json", json.dumps(truth, indent=1) + "\n")
    return truth


def element_boxes(simulated: SimulatedField) -> AnnotationSet:
    """The boxes of whole shapes, labelled RBC, WBC or PLT."""
    field = simulated.field
    boxes = tuple(Annotation(cell.element, cell.bbox) for cell in simulated.cells)
    return AnnotationSet(field.name, field.width_px, field.height_px, boxes)


def _write_field(out: Path, simulated: SimulatedField) -> dict[str, Any]:
    field, name = simulated.field, simulated.field.name
    if len(simulated.cells) > np.iinfo(np.uint16).max:
        raise UsageError(
            f"{name} has {len(simulated.cells)} cells; a 16-bit mask holds 65535: ask for fewer"
        )
    dpi = None if field.um_per_px is None else _UM_PER_INCH / field.um_per_px
    write_bytes(out / "images" / f"{name}.png", _png(Image.fromarray(field.pixels), dpi))
    mask = Image.fromarray(simulated.labels.array.astype(np.uint16))
    write_bytes(out / "masks" / f"{name}.png", _png(mask, dpi))
    yolo.write(out / "boxes", element_boxes(simulated), BOX_CLASSES)
    return {
        "name": name,
        "source": field.source,
        "um_per_px": field.um_per_px,
        **{element: simulated.count(element) for element in ELEMENTS},
        "types": {kind: simulated.count(kind) for kind in CELL_TYPES if kind != UNIDENTIFIED},
        "cells": [
            {
                "label": cell.label,
                "type": cell.type,
                "box": list(cell.bbox),
                "visible_area_px": cell.area_px,
                "touches_border": cell.touches_border,
            }
            for cell in simulated.cells
        ],
    }


def _png(image: Image.Image, dpi: float | None) -> bytes:
    buffer = io.BytesIO()
    if dpi is None:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "PNG", dpi=(dpi, dpi))
    return buffer.getvalue()
