"""TXL-PBC: fields of four older sets with new boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from smearlab.datasets.adapters.base import Adapter, Download, Found
from smearlab.datasets.adapters.boxes import yolo_boxes
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

#: Classes 0, 1 and 2 of the boxes.
CLASSES = ("WBC", "RBC", "Platelets")
_PARTS = ("train", "val", "test")
#: The names of the pictures say nothing; their size tells where they are from.
_ORIGIN_OF_SIZE = {
    (360, 363): "PBC",
    (366, 369): "PBC",
    (360, 360): "PBC",
    (575, 575): "Raabin-WBC",
    (640, 480): "BCCD",
    (256, 256): "BCDD",
}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures in ``images/PART`` with a file of boxes in ``labels/PART``."""
    for path in tree.pictures:
        part, base = path.parent.name, path.parent.parent
        boxes = base.parent / "labels" / part / f"{path.stem}.txt"
        if part not in _PARTS or base.name != "images" or str(boxes) not in tree:
            continue
        origin, original = tree.said(str(path), "source"), tree.said(str(path), "original")
        yield Found(
            str(path),
            label=tree.said(str(path), "label"),
            source_image=original,
            group=source_group(origin, original) if origin and original else None,
            published_split=part,
            used=(str(boxes),),
            complete=_Complete(tree, boxes, origin),
        )


class _Complete:
    """Boxes, and the origin where no listing tells it."""

    def __init__(self, tree: Tree, boxes: PurePosixPath, origin: str | None) -> None:
        self._boxes = yolo_boxes(tree.root / boxes, CLASSES)
        self._origin = origin

    def __call__(self, width: int, height: int) -> Mapping[str, Any]:
        origin = self._origin or _ORIGIN_OF_SIZE.get((width, height))
        return {**self._boxes(width, height), "source": origin}


ADAPTER = Adapter(
    name="txl_pbc",
    title="Fields of BCCD, BCDD, PBC and Raabin-WBC with new boxes (TXL-PBC)",
    layout=(
        "images/train, images/val and images/test with the pictures, labels/train, labels/val "
        "and labels/test with a YOLO file for each (0 WBC, 1 RBC, 2 platelets)"
    ),
    annotation="boxes of white cells, red cells and platelets",
    classes=("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte"),
    published={
        "pictures": {"all": 1260},
        "parts": {"train": 882, "val": 252, "test": 126},
        "boxes": {"all": 18143},
    },
    counts_from="Gan and Li 2024 (second version); parts are 70, 20 and 10 % of it",
    licence="MIT",
    allowed="anything",
    citation=(
        "Gan L, Li X (2024). TXL-PBC: a freely accessible labeled peripheral blood cell dataset. "
        "arXiv:2407.13214. doi:10.48550/arXiv.2407.13214",
    ),
    page="https://github.com/lugan113/TXL-PBC_Dataset",
    find=find,
    downloads=(
        Download(
            "https://github.com/lugan113/TXL-PBC_Dataset/archive/HEAD.zip", "TXL-PBC_Dataset.zip"
        ),
    ),
    box_classes=CLASSES,
    traps=(
        "It is made of BCCD, BCDD, PBC and Raabin-WBC: split by source over all of them.",
        "Pictures are renamed; the archive does not say which is which, only the size does.",
        "Crops of one Raabin field overlap and lie on both sides of the published split.",
        "Some red cells have two boxes, and a platelet here and there is called WBC.",
        "Its first version had 1,440 pictures (1,008, 288 and 144) with other boxes.",
        "Neutrophils from PBC are band forms, all of them.",
    ),
    beside=("*.png",),
)
