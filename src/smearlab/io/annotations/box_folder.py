"""A folder of box files beside a folder of pictures: which file belongs to which picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smearlab.errors import AnnotationError, UsageError
from smearlab.io.annotations import voc, yolo
from smearlab.io.annotations.annotation_set import AnnotationSet
from smearlab.io.image_formats import IMAGE_SUFFIXES

#: Format → suffix of its files.
FORMATS = {"yolo": ".txt", "voc": ".xml"}


@dataclass(frozen=True)
class Boxes:
    """The boxes of several pictures.

    Parameters
    ----------
    sets : mapping of str to AnnotationSet
        Picture, as it was asked for → its boxes.
    missing : tuple of str
        Pictures that have no box file.
    unused : tuple of Path
        Box files that belong to none of the pictures.
    class_names : tuple of str
        All names of the classes file (YOLO), or all that occur (VOC), sorted.
    """

    sets: Mapping[str, AnnotationSet]
    missing: tuple[str, ...]
    unused: tuple[Path, ...]
    class_names: tuple[str, ...]


class BoxFolder:
    """Box files by the names of their pictures; sub-folders are looked into.

    Parameters
    ----------
    folder : str or Path
        Holds the box files.
    format : {"yolo", "voc"}
        Of the files.
    classes_file : str or Path, optional
        Names of the YOLO classes; by default ``classes.txt`` in the folder or one of the two
        above it.
    pixels : {"one_based", "zero_based", "edges"}
        How VOC corners are meant, see :data:`smearlab.io.annotations.voc.PIXELS`.

    Raises
    ------
    UsageError
        If the folder or the classes file is missing, or the format unknown.
    AnnotationError
        If the classes file cannot be read.
    """

    def __init__(
        self,
        folder: str | Path,
        format: str,
        classes_file: str | Path | None = None,
        *,
        pixels: str = "one_based",
    ) -> None:
        if format not in FORMATS:
            raise UsageError(f"format must be one of {', '.join(FORMATS)}; received {format!r}")
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder of boxes; check the name")
        self.format = format
        self._pixels = pixels
        #: Names of the YOLO classes; empty for VOC, whose files name their classes.
        self.class_names: tuple[str, ...] = ()
        if format == "yolo":
            self.class_names = yolo.read_classes(self._classes_file(classes_file))
        self._files: dict[str, list[Path]] = {}
        for file in sorted(self.folder.rglob(f"*{FORMATS[format]}")):
            if not file.name.startswith(".") and file.name != yolo.CLASSES_FILE:
                self._files.setdefault(file.stem, []).append(file)

    def find(self, image: str | Path) -> Path | None:
        """The box file of a picture, by its name without suffix; None where there is none.

        Raises
        ------
        AnnotationError
            If several files go by that name.
        """
        files = self._files.get(_stem(image), [])
        if len(files) > 1:
            raise AnnotationError(
                f"{files[0]} and {files[1]} both belong to {_stem(image)!r}; "
                "name one of their folders"
            )
        return files[0] if files else None

    def read(self, image: str | Path, width_px: int, height_px: int) -> AnnotationSet:
        """Read the boxes of one picture.

        Parameters
        ----------
        image : str or Path
            The picture, or its name with or without suffix.
        width_px, height_px : int
            Its size.

        Returns
        -------
        AnnotationSet
            Its boxes.

        Raises
        ------
        AnnotationError
            If there is no file for it, or the file cannot be read.
        """
        file = self.find(image)
        if file is None:
            raise AnnotationError(
                f"{image}: there is no {_stem(image)}{FORMATS[self.format]} in {self.folder}; "
                "add it (an empty one for a picture without cells), or leave the picture out"
            )
        size_px = (width_px, height_px)
        if self.format == "voc":
            return voc.read(file, size_px=size_px, pixels=self._pixels)
        return yolo.read(file, self.class_names, size_px=size_px)

    def unused(self, images: Iterable[str | Path]) -> tuple[Path, ...]:
        """Box files that belong to none of these pictures."""
        stems = {_stem(image) for image in images}
        return tuple(
            file for stem, files in self._files.items() if stem not in stems for file in files
        )

    def _classes_file(self, given: str | Path | None) -> Path:
        if given is not None:
            if not Path(given).is_file():
                raise UsageError(f"{given}: there is no such classes file; check the name")
            return Path(given)
        here = self.folder.resolve()
        for folder in (here, *list(here.parents)[:2]):
            if (folder / yolo.CLASSES_FILE).is_file():
                return folder / yolo.CLASSES_FILE
        raise UsageError(
            f"{self.folder}: no {yolo.CLASSES_FILE} in it or above it; "
            "name the file that lists the classes, a name a line"
        )


def read_boxes(
    folder: str | Path,
    format: str,
    images: Mapping[str, tuple[int, int]],
    classes_file: str | Path | None = None,
) -> Boxes:
    """Read the box files of several pictures.

    Parameters
    ----------
    folder : str or Path
        Holds the box files; see :class:`BoxFolder`.
    format : {"yolo", "voc"}
        Of the files.
    images : mapping of str to (int, int)
        Picture (name with or without suffix, or path) → width and height, px.
    classes_file : str or Path, optional
        Names of the YOLO classes.

    Returns
    -------
    Boxes
        The boxes, and which pictures and files have no counterpart.

    Raises
    ------
    UsageError
        If the folder or the classes file is missing, or the format unknown.
    AnnotationError
        If one of the files cannot be read.
    """
    boxes = BoxFolder(folder, format, classes_file)
    with_file = [image for image in images if boxes.find(image) is not None]
    sets = {image: boxes.read(image, *images[image]) for image in with_file}
    occurring = {item.label for one in sets.values() for item in one.items}
    return Boxes(
        sets=sets,
        missing=tuple(image for image in images if image not in sets),
        unused=boxes.unused(images),
        class_names=boxes.class_names or tuple(sorted(occurring)),
    )


def _stem(image: str | Path) -> str:
    """Name without folder and without the suffix of a picture; other dots belong to the name."""
    path = Path(image)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
