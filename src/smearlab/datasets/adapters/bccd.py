"""BCCD: fields with boxes, and masks of their white cells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from smearlab.datasets.adapters.base import Adapter, Download, Found
from smearlab.datasets.adapters.boxes import voc_boxes
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

CLASSES = ("RBC", "WBC", "Platelets")
_PARTS = ("train", "val", "test")
_FOLDERS = {"JPEGImages": "Annotations", "images": "annotations"}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures with a VOC file in the folder of annotations beside theirs."""
    parts: dict[PurePosixPath, dict[str, str]] = {}
    for path in tree.pictures:
        if path.parent.name not in _FOLDERS:
            continue
        base = path.parent.parent
        if base not in parts:
            parts[base] = _parts(tree, base)
        boxes = base / _FOLDERS[path.parent.name] / f"{path.stem}.xml"
        if str(boxes) not in tree:
            continue
        number = path.stem.rsplit("_", 1)[-1]
        mask = tree.first(
            base / "wbc_masks" / f"{path.stem}.png",
            base / "wbc_masks" / f"BloodImage_Mask_{number}.png",
        )
        original = tree.said(str(path), "original") or path.name
        yield Found(
            str(path),
            source="BCCD",
            source_image=original,
            group=source_group("BCCD", original),
            published_split=parts[base].get(path.stem) or tree.said(str(path), "split"),
            mask=mask,
            used=(str(boxes), *((mask,) if mask else ())),
            complete=voc_boxes(tree.root / boxes),
        )


def _parts(tree: Tree, base: PurePosixPath) -> dict[str, str]:
    """Name of a picture → its part, from the lists of the archive."""
    lists = {part: str(base / "ImageSets" / "Main" / f"{part}.txt") for part in _PARTS}
    return {
        name.strip(): part
        for part, file in lists.items()
        if file in tree
        for name in tree.text(file).split()
    }


ADAPTER = Adapter(
    name="bccd",
    title="Blood cell count and detection: fields with boxes (BCCD)",
    layout=(
        "JPEGImages with the pictures, Annotations with a VOC file for each, ImageSets/Main with "
        "train.txt, val.txt and test.txt; or images and annotations with the same; masks of "
        "white cells in wbc_masks (BloodImage_00000.png or BloodImage_Mask_00000.png)"
    ),
    annotation=(
        "boxes of red cells, white cells and platelets; masks of white cells: 128 cytoplasm, "
        "255 nucleus (Banik et al. 2020)"
    ),
    classes=(),
    published={
        "pictures": {"all": 364},
        "parts": {"train": 205, "val": 87, "test": 72},
        "boxes": {"RBC": 4155, "WBC": 372, "Platelets": 361},
    },
    counts_from="the archive's README (364 pictures), its lists (ImageSets) and VOC files",
    licence="MIT",
    allowed="anything",
    citation=(
        "Shenggan (2017). BCCD dataset: a small-scale dataset for blood cells detection. "
        "https://github.com/Shenggan/BCCD_Dataset, after data of cosmicad and akshaylamba",
        "Banik PP, Saha R, Kim K-D (2020). An automatic nucleus segmentation and CNN model based "
        "classification method of white blood cell. Expert Systems with Applications 149, 113211. "
        "doi:10.1016/j.eswa.2020.113211 (masks)",
    ),
    page="https://github.com/Shenggan/BCCD_Dataset",
    find=find,
    downloads=(
        Download("https://github.com/Shenggan/BCCD_Dataset/archive/HEAD.zip", "BCCD_Dataset.zip"),
    ),
    box_classes=CLASSES,
    traps=(
        "Red cells in clumps lack boxes: counts are too low.",
        "One box is a single pixel wide.",
        "The same fields are in TXL-PBC, and bccd4 is made of them.",
        "A set sold as 'BCCD with masks' is not this one but BBBC041Seg.",
    ),
    beside=("imagesets/*", "*.py", "*.csv", "example.jpg", "wbc_masks/*"),
)
