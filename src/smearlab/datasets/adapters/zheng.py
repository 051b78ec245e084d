"""Zheng's two sets of white cells with masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from smearlab.datasets.adapters.base import Adapter, Download, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree
from smearlab.errors import DataError

#: Class numbers of the archive's tables.
TYPES = {1: "neutrophil", 2: "lymphocyte", 3: "monocyte", 4: "eosinophil", 5: "basophil"}
_SETS = ("Dataset 1", "Dataset 2")


def find(tree: Tree) -> Iterator[Found]:
    """Pictures ``Dataset N/XXX.bmp``; or ``images/XXX`` and ``masks/XXX`` with a listing."""
    tables: dict[str, dict[int, str]] = {}
    for path in tree.pictures:
        if not path.stem.isdecimal():
            continue
        folder, mask = path.parent, None
        if folder.name in _SETS and path.suffix.lower() == ".bmp":
            mask = tree.first(path.with_suffix(".png"))
            table = str(folder.parent / f"Class Labels of {folder.name}.csv")
            if table not in tables:
                tables[table] = _read_table(tree, table) if table in tree else {}
            label = tables[table].get(int(path.stem))
            number = folder.name[-1]
        elif folder.name == "images":
            mask = tree.first(folder.parent / "masks" / f"{path.stem}.png")
            label = tree.said(str(path), "label")
            number = _number(tree, path)
        if mask is not None:
            source = f"Zheng2018-{number}"
            yield Found(
                str(path),
                label=label,
                source=source,
                source_image=f"{path.stem}.bmp",
                group=source_group(source, path.name),
                mask=mask,
                used=(mask,),
            )


def _number(tree: Tree, path: PurePosixPath) -> str:
    """1 or 2, from the name of the folder that holds the images."""
    base = (tree.root.resolve() / path).parent.parent.name
    return "2" if base.endswith("2") else "1"


def _read_table(tree: Tree, file: str) -> dict[int, str]:
    """Number of a picture → its type.

    Raises
    ------
    DataError
        If a line has another form or an unknown class number.
    """
    labels = {}
    for n, line in enumerate(tree.text(file).splitlines()[1:], start=2):
        if not line.strip():
            continue
        image, _, code = line.partition(",")
        if not (image.strip().isdecimal() and code.strip().isdecimal()):
            raise DataError(f"{tree.root / file}: line {n}: {line!r} is not 'image,class'")
        if int(code) not in TYPES:
            raise DataError(
                f"{tree.root / file}: line {n}: class {int(code)} is unknown; there are "
                + ", ".join(f"{number} {name}" for number, name in TYPES.items())
            )
        labels[int(image)] = TYPES[int(code)]
    return labels


ADAPTER = Adapter(
    name="zheng",
    title="White cells with masks of nucleus and cytoplasm, two sets (Zheng 2018)",
    layout=(
        "'Dataset 1' and 'Dataset 2' with pictures 001.bmp, … and masks 001.png, …, and beside "
        "them 'Class Labels of Dataset 1.csv' and '… 2.csv'; or images and masks with equal names "
        "and a manifest.csv that tells the types"
    ),
    annotation="masks: 128 cytoplasm, 255 nucleus; type of 5",
    classes=tuple(TYPES.values()),
    published={
        "pictures": {"all": 400},
        "types": {
            "neutrophil": 176 + 33,
            "lymphocyte": 53 + 37,
            "monocyte": 48 + 15,
            "eosinophil": 22 + 12,
            "basophil": 1 + 3,
        },
    },
    counts_from="the archive's README (300 and 100 pictures) and its tables of types",
    licence="GPL-3 (the repository)",
    allowed="development and evaluation",
    citation=(
        "Zheng X, Wang Y, Wang G, Liu J (2018). Fast and robust segmentation of white blood cell "
        "images by self-supervised learning. Micron 107, 55–71. doi:10.1016/j.micron.2018.01.010",
    ),
    page="https://github.com/zxaoyou/segmentation_WBC",
    find=find,
    downloads=(
        Download(
            "https://github.com/zxaoyou/segmentation_WBC/archive/HEAD.zip", "segmentation_WBC.zip"
        ),
    ),
    traps=(
        "The two sets (source Zheng2018-1 with 300 pictures, Zheng2018-2 with 100) differ in "
        "stain, size (120×120, 300×300) and microscope.",
        "Set 1 has one basophil.",
        "Set 1 is Jiangxi Tecom's, set 2 collected from CellaVision's blog: name them, too.",
    ),
    beside=("class labels of *.csv", "*.png", "*/segmentation results*/*"),
)
