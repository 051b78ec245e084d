"""A box set as people hand it over: pictures, boxes beside them, perhaps groups."""

from __future__ import annotations

import csv
from pathlib import Path

from smearlab.errors import UsageError
from smearlab.evaluation.box_figures import TrueBox
from smearlab.io.annotations import BoxFolder
from smearlab.io.images import find_images
from smearlab.types import Field


class BoxSet:
    """Pictures and the folder of their boxes. Thread-safe.

    Parameters
    ----------
    images : list of Path
        Pictures.
    folder : BoxFolder
        Their box files.
    """

    def __init__(self, images: list[Path], folder: BoxFolder) -> None:
        self.images = images
        self._folder = folder
        self._notes: list[str] = []

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the YOLO classes file; empty for VOC, whose files name their classes."""
        return self._folder.class_names

    @property
    def notes(self) -> tuple[str, ...]:
        """What was clipped or dropped so far, and box files without a picture."""
        unused = self._folder.unused(self.images)
        spare = f"{len(unused)} box files belong to no picture, e.g. {unused[0]}" if unused else ""
        return (*sorted(self._notes), *filter(None, [spare]))

    def read(self, image: Path, field: Field) -> tuple[TrueBox, ...]:
        """The boxes of a picture.

        Parameters
        ----------
        image : Path
            The picture's file, whose name the box file bears.
        field : Field
            The picture, for its size.

        Returns
        -------
        tuple of TrueBox

        Raises
        ------
        AnnotationError
            If there is no box file, or it cannot be read.
        """
        read = self._folder.read(image, field.width_px, field.height_px)
        self._notes += [f"{image}: {note}" for note in read.notes]
        return tuple(TrueBox(one.label, one.bbox) for one in read.items)


def open_box_set(images: Path, boxes: Path, format: str, classes: Path | None = None) -> BoxSet:
    """Find the pictures of a box set and the files of their boxes.

    Parameters
    ----------
    images, boxes : Path
        Folders. A box file is named like its picture.
    format : {"yolo", "voc"}
        How the boxes are written.
    classes : Path, optional
        Names of the YOLO classes, one a line; without it ``classes.txt`` is looked for beside
        the boxes and up to two folders above.

    Returns
    -------
    BoxSet

    Raises
    ------
    UsageError
        If a folder or the classes file is missing, or no picture has boxes.
    """
    if not images.is_dir():
        raise UsageError(f"{images} is no folder; name the folder that holds the pictures")
    if format == "voc" and classes is not None:
        raise UsageError(f"--classes {classes}: VOC files name their classes; leave it out")
    folder = BoxFolder(boxes, format, classes)
    found = find_images([images])
    spare = folder.unused(found)
    if len(spare) == len(folder.unused([])):
        raise UsageError(
            f"none of the {len(found)} pictures in {images} has boxes in {boxes}; a box file is "
            f"named like its picture, e.g. smear_01.jpg and smear_01{_SUFFIX[format]}"
        )
    return BoxSet(found, folder)


_SUFFIX = {"yolo": ".txt", "voc": ".xml"}


def read_groups(path: Path) -> dict[str, str]:
    """Which group each picture belongs to.

    Parameters
    ----------
    path : Path
        CSV of two columns, the picture's name (with or without suffix) and its group; a first
        row ``picture,group`` is passed over.

    Returns
    -------
    dict of str to str
        Name → group.

    Raises
    ------
    UsageError
        If the file cannot be read, or a row has not two entries.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UsageError(f"groups {path} cannot be read: {problem}") from problem
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(entry.strip() for entry in row):
            raise UsageError(
                f"groups {path}, row {number}: expected a picture and its group; received {row}"
            )
    named = {name.strip(): group.strip() for name, group in rows}
    if rows and [entry.strip().casefold() for entry in rows[0]] == ["picture", "group"]:
        del named[rows[0][0].strip()]
    return named
