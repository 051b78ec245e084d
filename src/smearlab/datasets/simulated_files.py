"""Simulated fields and single cells as files, and beside them everything that is true of them.

::

    DIR/                              fields
    ├── images/NAME.png               their resolution is written into the file
    ├── boxes/NAME.txt                YOLO: class, centre and size as shares of the field
    ├── masks/NAME.png                16 bit: 0 background, every other value one cell
    ├── classes.txt                   the classes of the boxes, a line each
    ├── truth.json                    settings, counts, and every cell's type and box
    └── manifest.parquet              a row a picture

    DIR/                              single cells
    ├── images/TYPE/NAME.png          the cell lies in the middle
    ├── masks/TYPE/NAME.png           0 elsewhere, 128 the cell, 255 its nucleus
    ├── truth.json
    └── manifest.parquet
"""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.simulator import SimulatedField, SmearConfig
from smearlab.errors import OutputExistsError, UsageError
from smearlab.io.annotations import Annotation, AnnotationSet, yolo
from smearlab.io.atomic import write_bytes, write_text
from smearlab.types import CELL_TYPES, ELEMENTS, UNIDENTIFIED, Field

#: The classes of the boxes, in the order of their numbers.
BOX_CLASSES = ("WBC", "RBC", "PLT")
#: Name of simulated pictures in the ``dataset`` column of a manifest.
DATASET = "simulated"
MANIFEST = "manifest.parquet"
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

    Notes
    -----
    The manifest needs pyarrow, the ``data`` extra; without it, it is left out.
    """
    out = _new_folder(out)
    for name in ("images", "boxes", "masks"):
        (out / name).mkdir(parents=True)
    yolo.write_classes(out, BOX_CLASSES)
    entries, rows = [], []
    for simulated in fields:
        entries.append(_write_field(out, simulated))
        rows.append(_field_row(simulated, config))
    return _finish(out, {"settings": asdict(config), "fields": entries}, rows)


def write_cells(out: str | Path, cells: Iterable[SimulatedField]) -> dict[str, Any]:
    """Write pictures of simulated single cells and their truth into a new folder.

    Parameters
    ----------
    out : str or Path
        The folder; made if it is missing, and refused if anything is in it.
    cells : iterable of SimulatedField
        As :func:`~smearlab.datasets.simulator.simulate_cell` makes them: the first cell of each
        is the one in the middle. Taken one at a time. Names must be unique.

    Returns
    -------
    dict
        What was written to ``truth.json``.

    Raises
    ------
    OutputExistsError
        If ``out`` is a file, or a folder with something in it.
    OSError
        If the disk is full or not writable.

    Notes
    -----
    The manifest needs pyarrow, the ``data`` extra; without it, it is left out.
    """
    out = _new_folder(out)
    entries, rows = [], []
    for simulated in cells:
        field, cell = simulated.field, simulated.cells[0]
        place = f"{cell.type}/{field.name}.png"
        for name, pixels in (("images", field.pixels), ("masks", cell_mask(simulated))):
            (out / name / cell.type).mkdir(parents=True, exist_ok=True)
            write_bytes(out / name / place, _png(pixels, field))
        entries.append(
            {
                "name": field.name,
                "type": cell.type,
                "box": list(cell.bbox),
                "area_px": cell.area_px,
                "um_per_px": field.um_per_px,
            }
        )
        row = {"path": f"images/{place}", "mask": f"masks/{place}", **_row(field)}
        rows.append({**row, "label": cell.type, "type": cell.type})
    return _finish(out, {"cells": entries}, rows)


def cell_mask(simulated: SimulatedField) -> NDArray[np.uint8]:
    """The first cell of a picture: 0 elsewhere, 128 the cell, 255 its nucleus, shape (H, W)."""
    cell = simulated.labels.array == simulated.cells[0].label
    mask = np.where(cell, np.uint8(128), np.uint8(0))
    mask[cell & simulated.nuclei] = 255
    return mask


def element_boxes(simulated: SimulatedField) -> AnnotationSet:
    """The boxes of whole shapes, labelled RBC, WBC or PLT."""
    field = simulated.field
    boxes = tuple(Annotation(cell.element, cell.bbox) for cell in simulated.cells)
    return AnnotationSet(field.name, field.width_px, field.height_px, boxes)


def _new_folder(out: str | Path) -> Path:
    out = Path(out)
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise OutputExistsError(f"{out} exists and is not empty; name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _finish(
    out: Path, facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Write what is true of all pictures: the manifest, and truth.json as the last file."""
    truth = {"simulated": True, **facts}
    if importlib.util.find_spec("pyarrow") is not None:
        from smearlab.datasets.manifest.table import Manifest, write_manifest

        write_manifest(out / MANIFEST, Manifest.from_rows(rows, out, "simulate"))
    write_text(out / "truth.json", json.dumps(truth, indent=1) + "\n")
    return truth


def _row(field: Field) -> dict[str, Any]:
    """What a manifest says of every simulated picture."""
    return {
        "dataset": DATASET,
        "source": "smear simulator",
        "source_image": field.name,
        "group": f"{DATASET}/{field.name}",
        "width_px": field.width_px,
        "height_px": field.height_px,
        "um_per_px": field.um_per_px,
        "synthetic": True,
    }


def _field_row(simulated: SimulatedField, config: SmearConfig) -> dict[str, Any]:
    name = simulated.field.name
    boxes = [
        {"label": cell.element, **dict(zip(("x0", "y0", "x1", "y1"), cell.bbox, strict=True))}
        for cell in simulated.cells
    ]
    return {
        "path": f"images/{name}.png",
        "mask": f"masks/{name}.png",
        "boxes": boxes,
        "stain": config.look if isinstance(config.look, str) else None,
        **_row(simulated.field),
    }


def _write_field(out: Path, simulated: SimulatedField) -> dict[str, Any]:
    field, name = simulated.field, simulated.field.name
    if len(simulated.cells) > np.iinfo(np.uint16).max:
        raise UsageError(
            f"{name} has {len(simulated.cells)} cells; a 16-bit mask holds 65535: ask for fewer"
        )
    write_bytes(out / "images" / f"{name}.png", _png(field.pixels, field))
    mask = simulated.labels.array.astype(np.uint16)
    write_bytes(out / "masks" / f"{name}.png", _png(mask, field))
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


def _png(pixels: NDArray[Any], field: Field) -> bytes:
    """A PNG file with the field's resolution."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if field.um_per_px is None:
        image.save(buffer, "PNG")
    else:
        dpi = _UM_PER_INCH / field.um_per_px
        image.save(buffer, "PNG", dpi=(dpi, dpi))
    return buffer.getvalue()
