"""Files that ``smearlab segment`` writes: their names, and what is kept of a finished field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from smearlab.batch.records import Content
from smearlab.io.atomic import write_bytes
from smearlab.report.element_records import ElementLine, FieldElements
from smearlab.types import ELEMENTS

PICTURES = "pictures"
#: Written when all fields are done.
ELEMENT_TABLES = ("cells.csv", "summary.csv", "index.html", "errors.csv")
#: What may be written of one element: ending → what it is.
ENDINGS: Mapping[str, str] = {
    "png": "the field's own pixels where the element is, black elsewhere",
    "mask.png": "255 where the element is, else 0",
    "labels.png": "16 bits: the label of each cell, as in cells.csv, else 0",
    "generated.png": "what the network itself has drawn",
    "spread.png": "the spread over the draws of noise, in colours",
    "spread.tif": "the same as numbers: mean and standard deviation of the probability, float32",
}
#: All elements on one picture.
TOGETHER = "elements.png"
_SUFFIX = ".json"


def picture_files(name: str) -> list[str]:
    """Every picture that may be written of a field, relative to the output folder."""
    parts = [f"{element.lower()}.{ending}" for element in ELEMENTS for ending in ENDINGS]
    return [f"{PICTURES}/{name}.{part}" for part in (*parts, TOGETHER)]


@dataclass(frozen=True, eq=False)
class StoredElements:
    """A finished field with what ties it to its input and its pictures.

    Parameters
    ----------
    field : FieldElements
        The answer.
    content : Content
        The input file it was made from.
    files : mapping of str to int
        Picture, relative to the output folder → bytes.
    """

    field: FieldElements
    content: Content
    files: Mapping[str, int]


class ElementStore:
    """Finished fields, a JSON file each; it is written last of all files of its field.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Fields of which there is something, sound or not; sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def save(self, stored: StoredElements) -> None:
        """Write one field, whole or not at all."""
        text = json.dumps(asdict(stored))
        write_bytes(self.folder / f"{stored.field.name}{_SUFFIX}", text.encode("ascii"))

    def load(self, name: str) -> StoredElements | None:
        """What is kept of a field; None when there is nothing, or nothing sound."""
        try:
            body = json.loads((self.folder / f"{name}{_SUFFIX}").read_bytes())
            field = dict(body["field"])
            field["elements"] = tuple(ElementLine(**line) for line in field["elements"])
            field["rows"] = tuple(tuple(row) for row in field["rows"])
            field["notes"] = tuple(field["notes"])
            stored = StoredElements(
                FieldElements(**field), Content(**body["content"]), dict(body["files"])
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return stored if stored.field.name == name else None

    def is_done(self, name: str, root: Path) -> bool:
        """Whether a field is kept here and all its pictures are as they were written."""
        stored = self.load(name)
        if stored is None:
            return False
        try:
            return all((root / file).stat().st_size == size for file, size in stored.files.items())
        except OSError:
            return False
