"""Raabin-WBC: white cells cut out of fields, labelled by two experts, Tehran."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

_TRAIN = {
    "Basophil": 212,
    "Eosinophil": 744,
    "Lymphocyte": 2427,
    "Monocyte": 561,
    "Neutrophil": 6231,
}
_TEST_A = {
    "Basophil": 89,
    "Eosinophil": 322,
    "Lymphocyte": 1034,
    "Monocyte": 234,
    "Neutrophil": 2660,
}
_TEST_B = {"Basophil": 0, "Eosinophil": 0, "Lymphocyte": 148, "Monocyte": 0, "Neutrophil": 1971}
_LABEL_OF_FOLDER = {name.lower(): name for name in _TRAIN}
#: Smear, field, cell.
_NAME = re.compile(r"\d[\d-]*_\d+_\d+")
_PARTS = {"train": "Train", "testa": "TestA", "testb": "TestB"}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures in ``PART/TYPE``."""
    for path in tree.pictures:
        label = _LABEL_OF_FOLDER.get(path.parent.name.lower())
        written = path.parent.parent.name.lower()
        part = _PARTS.get("".join(letter for letter in written if letter.isalnum()))
        if label is not None and part is not None and _NAME.fullmatch(path.stem):
            yield Found(
                str(path),
                label=label,
                source="Raabin-WBC",
                source_image=path.name,
                group=source_group("Raabin-WBC", path.name),
                published_split=part,
            )


ADAPTER = Adapter(
    name="raabin",
    title="White cells labelled by two experts, Tehran (Raabin-WBC, cropped cells)",
    layout=(
        "Train, TestA and TestB (also written Test-A, Test B), in each a folder a type: Basophil, "
        "Eosinophil, Lymphocyte, Monocyte, Neutrophil, with pictures named "
        "SMEAR_FIELD_CELL.jpg, e.g. 95-8-17-3_283_1.jpg"
    ),
    annotation="type of 5",
    classes=tuple(_TRAIN),
    published={
        "pictures": {"all": 10175 + 4339 + 2119},
        "types": {name: _TRAIN[name] + _TEST_A[name] + _TEST_B[name] for name in _TRAIN},
        "parts": {"Train": 10175, "TestA": 4339, "TestB": 2119},
    },
    counts_from=(
        "Mousavi Kouzehkanan et al. 2022, double-labelled cropped cells; Train by type and the sum "
        "of Train and TestA (14,514) are confirmed, TestA by type and TestB are not"
    ),
    licence="free access (the page); no licence text is known",
    allowed="research, with citation",
    citation=(
        "Mousavi Kouzehkanan Z, Saghari S, Tavakoli S, et al. (2022). A large dataset of white "
        "blood cells containing cell locations and types, along with segmented nuclei and "
        "cytoplasm. Scientific Reports 12, 1123. doi:10.1038/s41598-021-04426-x",
    ),
    page="https://raabindata.com/free-data/",
    find=find,
    obtain=(
        "Train.rar, TestA.rar and TestB.zip (double-labelled cropped cells) lie behind the page; "
        "download and unpack them"
    ),
    stain="Giemsa",
    traps=(
        "Cells of one field share the first two parts of their name; crops of them overlap.",
        "The first part of a name is the smear: a split by smear is the honest one.",
        "TestB is of another microscope and camera, and has two types only.",
        "456 fields with these names are in TXL-PBC (train and val).",
    ),
)
