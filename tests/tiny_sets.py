"""The public sets in small: a manifest, boxed fields and single-cell pictures of coloured discs.

Laid out as the real ones are, with their traps: copies of a picture in several sets, crops of one
field on both sides of a split, a set that lacks boxes of red cells.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from smearlab.io.annotations import AnnotationSet, voc, yolo
from smearlab.io.annotations.annotation_set import Annotation
from tiny_bundles import DISC_PX, draw_discs

SIZE = (192, 160)
Discs = tuple[tuple[float, float, str], ...]
#: Two red cells, a white one, a platelet; all whole.
DISCS: Discs = ((40, 40, "RBC"), (100, 44, "RBC"), (60, 110, "WBC"), (140, 116, "PLT"))
COLUMNS = ("path", "sha256", "dataset", "split", "label", "source", "original")

#: File, split, type of the white cell, archive, original name.
TXL = (
    ("a1", "train", "neutrophil", "PBC", "BNE_2.jpg"),
    ("a2", "val", "neutrophil", "PBC", "BNE_5.jpg"),
    ("b1", "train", "lymphocyte", "Raabin-WBC", "95-1-1-1_10_1.jpg"),
    ("b2", "val", "lymphocyte", "Raabin-WBC", "95-1-1-1_10_2.jpg"),  # the same field as b1
    ("b3", "train", "monocyte", "Raabin-WBC", "95-1-1-1_7_1.jpg"),  # drawn to the tuning part
    ("b4", "train", "monocyte", "Raabin-WBC", "95-1-1-1_8_1.jpg"),
    ("c1", "train", "", "BCCD", "BloodImage_00001.jpg"),
    ("c2", "train", "", "BCCD", "BloodImage_00002.jpg"),  # validation in the other set
    ("d1", "train", "", "BCDD", "17.png"),
)
#: File and original, split.
BCCD = (
    ("BloodImage_00001", "train"),  # TXL has it with better boxes
    ("BloodImage_00002", "val"),
    ("BloodImage_00003", "train"),
    ("BloodImage_00014", "train"),  # drawn to the tuning part
)
#: Folder, type, original name.
PBC = (
    ("pbc", "neutrophil", "BNE_1.jpg"),  # drawn to the fifth that is held out
    ("pbc", "neutrophil", "BNE_2.jpg"),  # a copy is in TXL's training part
    ("pbc", "neutrophil", "BNE_3.jpg"),  # drawn to the tuning part
    ("pbc_center", "neutrophil", "BNE_5.jpg"),  # a copy is in TXL's validation part
    ("pbc_center", "ig", "MY_1.jpg"),
    ("pbc_center", "erythroblast", "ERB_3.jpg"),
    ("pbc", "platelet", "PLATELET_2.jpg"),
)
#: Split, type, original name: source 0 of the eosinophils is drawn to the tuning part.
BCCD4 = (
    ("train", "eosinophil", "EOSINOPHIL/_0_11.jpeg"),
    ("train", "eosinophil", "EOSINOPHIL/_0_12.jpeg"),
    ("train", "eosinophil", "EOSINOPHIL/_1_11.jpeg"),
    ("test", "eosinophil", "EOSINOPHIL/_1_11.jpeg"),  # the same name, another picture
    ("train", "lymphocyte", "LYMPHOCYTE/_1_11.jpeg"),
)


def write_sets(folder: Path) -> Path:
    """Write all of it; returns the folder."""
    rows: list[tuple[str, ...]] = []

    def add(path: str, pixels: np.ndarray, *rest: str) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target, "PNG")
        rows.append((path, "", *rest))

    field = draw_discs(DISCS, SIZE)
    boxes = boxes_of(DISCS)
    for name, split, kind, origin, original in TXL:
        add(
            f"fields/txl_pbc/images/{split}/{name}.png",
            field,
            "txl_pbc",
            split,
            kind,
            origin,
            original,
        )
        labels = folder / "fields/txl_pbc/labels" / split
        labels.mkdir(parents=True, exist_ok=True)
        yolo.write(labels, replace(boxes, name=name), ("WBC", "RBC", "PLT"))
        rows.append(
            (
                f"fields/txl_pbc/labels/{split}/{name}.txt",
                "",
                "txl_pbc",
                split,
                "",
                origin,
                original,
            )
        )
    for name, split in BCCD:
        add(f"fields/bccd/images/{name}.png", field, "bccd", split, "", "BCCD", f"{name}.jpg")
        annotations = folder / "fields/bccd/annotations"
        annotations.mkdir(exist_ok=True)
        items = tuple(
            replace(item, label="Platelets") if item.label == "PLT" else item
            for item in boxes.items
        )
        voc.write(annotations, replace(boxes, name=name, items=items))
    white = np.where(field[..., 0] < 128, np.uint8(255), np.uint8(0)) * (field[..., 2] > 128)
    masks = folder / "fields/bccd/wbc_masks"
    masks.mkdir()
    Image.fromarray(white.astype(np.uint8)).save(masks / "BloodImage_00003.png")
    for place, kind, original in PBC:
        element = "PLT" if kind == "platelet" else "WBC"
        cell = draw_discs([(48, 40, element), (10, 12, "RBC"), (84, 70, "RBC")], (96, 80))
        path = f"cells/{place}/{kind}/{Path(original).stem}.png"
        add(path, cell, "pbc", "dev", kind, "PBC", original)
    for split, kind, original in BCCD4:
        cell = draw_discs([(20, 50, "WBC"), (60, 20, "RBC")], (80, 80))
        path = f"cells/bccd4/{split}/{kind}/{Path(original).stem}.png"
        add(path, cell, "bccd4", split, kind, "BCCD", original)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return folder


def boxes_of(discs: Discs) -> AnnotationSet:
    """The true boxes of discs."""
    half = DISC_PX / 2
    items = tuple(
        Annotation(element, (round(x - half), round(y - half), round(x + half), round(y + half)))
        for x, y, element in discs
    )
    return AnnotationSet("field", *SIZE, items)
