"""Fields with boxes, from the public sets, split by source over the union of the sets."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.box_masks import element_map
from smearlab.datasets.field_relatives import FIRST_FIELD_RELATIVE
from smearlab.errors import UsageError
from smearlab.io.annotations import AnnotationSet, voc, yolo
from smearlab.io.images import read_field
from smearlab.registry import look_up
from smearlab.types import Element

Part = Literal["train", "tune", "val"]
PARTS: tuple[Part, ...] = get_args(Part)
#: Share of the training groups that choose thresholds and never train.
TUNE_SHARE = 0.06
_MIN_SIDE_PX = 4.0  # BCCD holds a 1-pixel box
_YOLO_NAMES = ("WBC", "RBC", "PLT")
_ELEMENT_OF_NAME: Mapping[str, Element] = {
    "RBC": "RBC",
    "WBC": "WBC",
    "PLT": "PLT",
    "Platelets": "PLT",
}


@dataclass(frozen=True, eq=False)
class BoxedField:
    """A field, its boxes, and the pixel map made from them.

    Parameters
    ----------
    name, origin, group : str
        File name; the archive it came from; the source that all its crops and copies share.
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` px.
    elements : tuple of str
        N elements.
    element_map : ndarray of uint8, shape (H, W)
        See :func:`smearlab.datasets.box_masks.element_map`.
    incomplete : frozenset of str
        Elements of which some cells have no box: their absence proves nothing.
    """

    name: str
    origin: str
    group: str
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    elements: tuple[Element, ...]
    element_map: NDArray[np.uint8]
    incomplete: frozenset[Element] = frozenset()

    @property
    def cell_diameter_px(self) -> float:
        """Median diameter of the red cells that lie whole inside the field; NaN without any."""
        height, width = self.pixels.shape[:2]
        return red_cell_diameter(self.boxes, self.elements, width, height)


@dataclass(frozen=True)
class FieldFile:
    """Where one boxed field lies, and which part it belongs to.

    Parameters
    ----------
    image, boxes : Path
        The picture; its boxes as YOLO (``.txt``) or VOC (``.xml``).
    masks : Path or None
        Mask of the white cells, where the set has one.
    dataset, origin, group : str
        Set; archive; the source that all crops and copies share.
    part : {"train", "tune", "val"}
        What the field may be used for.
    """

    image: Path
    boxes: Path
    masks: Path | None
    dataset: str
    origin: str
    group: str
    part: Part


def _learning_part(group: str) -> Part:
    digest = hashlib.sha256(group.encode()).digest()
    return "tune" if int.from_bytes(digest[:4], "big") / 2**32 < TUNE_SHARE else "train"


def read_manifest(data: Path) -> list[dict[str, str]]:
    """The rows of ``manifest.csv``: path, sha256, dataset, split, label, source, original.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    manifest = data / "manifest.csv"
    if not manifest.is_file():
        raise UsageError(f"{manifest} does not exist: give the data folder with --data")
    with manifest.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def list_fields(data: Path) -> list[FieldFile]:
    """Every boxed field under ``data`` with its part.

    A source that any set calls validation is validation in all of them: its other copies are
    left out, so no picture of the ``train`` or ``tune`` part shares a source with ``val``. Nor
    does any show a place that ``val`` shows under another name
    (:mod:`smearlab.datasets.field_relatives`), and ``train`` and ``tune`` share no place.

    Parameters
    ----------
    data : Path
        Folder with ``manifest.csv``.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    files = fields_by_source(data)
    held = {_place(file.group) for file in files if file.part == "val"}
    return [
        file if file.part == "val" else replace(file, part=_learning_part(_place(file.group)))
        for file in files
        if file.part == "val" or _place(file.group) not in held
    ]


def related_fields(data: Path) -> list[FieldFile]:
    """Held-out fields whose place the published training parts show under another name.

    Whoever splits by source alone, as the shipped segmenter was, has learnt from their relatives.

    Parameters
    ----------
    data : Path
        Folder with ``manifest.csv``.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    files = fields_by_source(data)
    learnt = {_place(file.group) for file in files if file.part != "val"}
    return [file for file in files if file.part == "val" and _place(file.group) in learnt]


def _place(group: str) -> str:
    """The name that all sources of one place of a smear share."""
    return FIRST_FIELD_RELATIVE.get(group, group)


def fields_by_source(data: Path) -> list[FieldFile]:
    """Every boxed field once, parted by source; relatives may lie on both sides.

    For those who choose fields before they part them by place; all others take
    :func:`list_fields`.

    Parameters
    ----------
    data : Path
        Folder with ``manifest.csv``.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    keyed = [
        (row, source_group(row["source"], row["original"]))
        for row in read_manifest(data)
        if row["dataset"] in ("txl_pbc", "bccd") and "/images/" in row["path"]
    ]
    validation = {group for row, group in keyed if row["split"] == "val"}
    txl = {group for row, group in keyed if row["dataset"] == "txl_pbc"}
    files = []
    for row, group in keyed:
        if row["split"] != "val" and group in validation:
            continue
        if row["dataset"] == "bccd" and row["split"] != "val" and group in txl:
            continue  # TXL-PBC has the same picture with better boxes
        part: Part = "val" if row["split"] == "val" else _learning_part(group)
        files.append(_field_file(data, row, group, part))
    return files


def _field_file(data: Path, row: Mapping[str, str], group: str, part: Part) -> FieldFile:
    """Where the sets keep a picture's boxes and mask."""
    image = data / row["path"]
    root = data / "fields" / row["dataset"]
    if row["dataset"] == "txl_pbc":
        boxes = root / "labels" / row["split"] / f"{image.stem}.txt"
    else:
        boxes = root / "annotations" / f"{image.stem}.xml"
    masks = data / "fields/bccd/wbc_masks" / f"{Path(row['original']).stem}.png"
    known = row["source"] == "BCCD" and masks.is_file()
    return FieldFile(
        image, boxes, masks if known else None, row["dataset"], row["source"], group, part
    )


def red_cell_diameter(
    boxes: NDArray[np.float32], elements: Sequence[Element], width_px: int, height_px: int
) -> float:
    """Median diameter of the red cells that lie whole inside a field; NaN without any.

    Parameters
    ----------
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` px; the diameter is the square root of a box's area.
    elements : sequence of str
        N elements.
    width_px, height_px : int
        Size of the field.
    """
    inside = [
        float(np.sqrt((x1 - x0) * (y1 - y0)))
        for (x0, y0, x1, y1), element in zip(boxes, elements, strict=True)
        if element == "RBC" and x0 > 2 and y0 > 2 and x1 < width_px - 2 and y1 < height_px - 2
    ]
    return float(np.median(inside)) if inside else float("nan")


def _annotation(file: FieldFile, width_px: int, height_px: int) -> AnnotationSet:
    if file.boxes.suffix == ".txt":
        return yolo.read(file.boxes, _YOLO_NAMES, size_px=(width_px, height_px))
    return voc.read(file.boxes)


def read_boxes(
    file: FieldFile, width_px: int, height_px: int
) -> tuple[NDArray[np.float32], tuple[Element, ...]]:
    """The boxes of a field and what is in them; those less than 4 px wide or high are left out.

    Parameters
    ----------
    file : FieldFile
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` px.
    elements : tuple of str
        N elements.

    Raises
    ------
    AnnotationError
        If the boxes cannot be read.
    UnknownNameError
        If a box has a class that is no element.
    """
    kept = [
        item
        for item in _annotation(file, width_px, height_px).items
        if min(item.bbox[2] - item.bbox[0], item.bbox[3] - item.bbox[1]) >= _MIN_SIDE_PX
    ]
    boxes = np.asarray([item.bbox for item in kept], dtype=np.float32).reshape(-1, 4)
    return boxes, tuple(look_up("box class", _ELEMENT_OF_NAME, item.label) for item in kept)


def load_field(file: FieldFile) -> BoxedField:
    """Read one field, its boxes and its pixel map.

    Boxes less than 4 px wide or high are left out, and so is a mask of another size.

    Raises
    ------
    ImageError, AnnotationError
        If the picture or its boxes cannot be read.
    UnknownNameError
        If a box has a class that is no element.
    """
    pixels = read_field(file.image).pixels
    height, width = pixels.shape[:2]
    boxes, elements = read_boxes(file, width, height)
    white = None
    if file.masks is not None:
        mask = cv2.imread(str(file.masks), cv2.IMREAD_GRAYSCALE)
        if mask is not None and mask.shape == (height, width):
            white = mask > 0
    return BoxedField(
        file.image.name,
        file.origin,
        file.group,
        pixels,
        boxes,
        elements,
        element_map(pixels, boxes, elements, white),
        frozenset({"RBC"}) if file.dataset == "bccd" else frozenset(),
    )
