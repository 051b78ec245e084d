"""Boxes and points of a picture, as the column ``boxes`` holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.errors import AnnotationError
from smearlab.io.annotations import AnnotationSet, voc, yolo
from smearlab.io.annotations.annotation_files import number, read_lines

Complete = Callable[[int, int], Mapping[str, Any]]
Box = dict[str, Any]


def yolo_boxes(file: Path, classes: Sequence[str]) -> Complete:
    """Boxes of a YOLO file, once the size of the picture is known."""
    return lambda width, height: _columns(yolo.read(file, classes, size_px=(width, height)))


def voc_boxes(file: Path) -> Complete:
    """Boxes of a VOC file, once the size of the picture is known."""
    return lambda width, height: _columns(voc.read(file, size_px=(width, height)))


def points(file: Path, label_of: Callable[[str], str], columns: int) -> Complete:
    """Points of a text file: a line a cell, ``x y`` or ``x y class``, px from the upper left.

    A point is a box without area: ``x0 = x1``, ``y0 = y1``.

    Parameters
    ----------
    file : Path
        Numbers with blanks, tabs or commas between.
    label_of : callable
        Gives the label for the class of a line, ``""`` where lines have none.
    columns : int
        How many a line has: 2 or 3.
    """

    def complete(width: int, height: int) -> Mapping[str, Any]:
        found: list[Box] = []
        for n, line in enumerate(read_lines(file), start=1):
            fields = line.replace(",", " ").split()
            if not fields:
                continue
            where = f"{file}: line {n}"
            if len(fields) != columns:
                raise AnnotationError(f"{where}: has {len(fields)} values, not {columns}")
            x, y = number(fields[0], where), number(fields[1], where)
            if not (0 <= x <= width and 0 <= y <= height):
                raise AnnotationError(
                    f"{where}: ({x:g}, {y:g}) lies outside the picture of {width}×{height} px"
                )
            label = label_of(fields[2] if columns > 2 else "")
            found.append({"label": label, "x0": x, "y0": y, "x1": x, "y1": y})
        return {"boxes": found}

    return complete


def _columns(annotations: AnnotationSet) -> Mapping[str, Any]:
    sides = ("x0", "y0", "x1", "y1")
    return {
        "boxes": [
            {"label": item.label, **dict(zip(sides, map(float, item.bbox), strict=True))}
            for item in annotations.items
        ]
    }
