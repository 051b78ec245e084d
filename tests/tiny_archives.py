"""Public archives in small: their exact folders, file names and annotation files, tiny pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (40, 32)
_VOC = """<annotation><filename>{name}.jpg</filename>
<size><width>40</width><height>32</height><depth>3</depth></size>
<object><name>RBC</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax><ymax>12</ymax></bndbox>
</object><object><name>Platelets</name>
<bndbox><xmin>21</xmin><ymin>5</ymin><xmax>24</xmax><ymax>8</ymax></bndbox></object></annotation>
"""


def picture(file: Path, size: tuple[int, int] = SIZE, kind: str | None = None) -> Path:
    """Write a picture whose bytes are no other's; the suffix gives the format."""
    file.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(str(file.name).encode()[-7:]) % 2**32
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file


def text(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def _pbc(root: Path) -> None:
    base = root / "PBC_dataset_normal_DIB"
    for name in ("neutrophil/SNE_12", "neutrophil/BNE_7", "neutrophil/NEUTROPHIL_3", "ig/MMY_9"):
        picture(base / f"{name}.jpg", (36, 36))
    picture(base / "platelet/PLATELET_5.jpg", (36, 36))
    picture(base / "neutrophil/.DS_169665.jpg", kind="JPEG")


def _aml_lmu(root: Path) -> None:
    base = root / "AML-Cytomorphology_LMU"
    for name in ("BAS/BAS_0001", "MYO/MYO_0001", "MYO/MYO_0002"):
        picture(base / f"{name}.tiff")
    text(base / "annotations.dat", "BAS/BAS_0001.tiff BAS nan nan\n")
    text(base / "abbreviations.txt", "BAS Basophil\n")


def _txl_pbc(root: Path) -> None:
    base = root / "TXL_PBC"
    for name, size in (("train/a", (360, 363)), ("val/b", (575, 575)), ("test/c", (640, 480))):
        picture(base / f"images/{name}.jpg", size)
        text(base / f"labels/{name}.txt", "0 0.5 0.5 0.5 0.5\n1 0.1 0.1 0.1 0.1\n2 0.9 0.9 0.1 0.1")
    text(base / "data.yaml", "nc: 3\n")
    text(root / "README.md", "TXL")


def _bccd(root: Path) -> None:
    for name in ("BloodImage_00000", "BloodImage_00001", "BloodImage_00002"):
        picture(root / f"JPEGImages/{name}.jpg")
        text(root / f"Annotations/{name}.xml", _VOC.format(name=name))
    picture(root / "wbc_masks/BloodImage_Mask_00001.png")
    for part, name in (("train", "00000"), ("val", "00001"), ("test", "00002")):
        text(root / f"ImageSets/Main/{part}.txt", f"BloodImage_{name}\n")
    picture(root / "example.jpg")
    text(root / "split.py", "pass\n")


def _bccd4(root: Path) -> None:
    base = root / "dataset2-master/dataset2-master/images"
    for name in ("TRAIN/EOSINOPHIL/_0_11", "TRAIN/EOSINOPHIL/_0_12", "TEST/EOSINOPHIL/_0_11"):
        picture(base / f"{name}.jpeg")
    picture(base / "TEST_SIMPLE/MONOCYTE/_1_99.jpeg")


def _lisc(root: Path) -> None:
    base = root / "LISC Database"
    for name in ("Baso/1", "eosi/1", "mixt/3"):
        folder, number = name.split("/")
        picture(base / f"Main Dataset/{name}.bmp")
        truth = base / f"Ground Truth Segmentation/{folder}"
        picture(truth / f"areaforexpert1/{number}_expert.bmp")
    picture(base / "Ground Truth Segmentation/Baso/areaforexpert2/1_expert.bmp")
    picture(base / "More Dataset without Ground Truth/alll/1.bmp")


def _all_idb1(root: Path) -> None:
    base = root / "ALL_IDB1"
    picture(base / "im/Im001_1.jpg")
    text(base / "xyc/Im001_1.xyc", "12\t30\r\n20\t9\r\n")
    picture(base / "im/Im060_0.jpg")
    text(base / "xyc/Im060_0.xyc", "")
    for element in ("RBC", "WBC", "PLT"):
        picture(base / element / "Im001_1.png")


def _all_idb2(root: Path) -> None:
    for name in ("Im001_1", "Im131_0"):
        picture(root / f"ALL_IDB2/img/{name}.tif")
    picture(root / "ALL_IDB2/WBC/Im131_0.tif")


def _raabin(root: Path) -> None:
    for name in ("Train/Basophil/95-5-1-1_12_1", "Train/Basophil/95-5-1-1_12_2",
                 "Test-A/Neutrophil/95-5-1-1_13_1", "TestB/Lymphocyte/94-1-2-3_5_1"):  # fmt: skip
        picture(root / f"{name}.jpg")


def _zheng(root: Path) -> None:
    for folder, header in (("Dataset 1", "class label"), ("Dataset 2", "class")):
        for number in ("001", "002"):
            picture(root / f"{folder}/{number}.bmp")
            picture(root / f"{folder}/{number}.png")
        text(root / f"Class Labels of {folder}.csv", f"image ID,{header}\n1,3\n2,4\n")
        picture(root / f"{folder}.png")


def _bbbc041seg(root: Path) -> None:
    for part, name in (("train", "00c8364b-8c85"), ("test", "1c406ce1-023b")):
        picture(root / f"{part}/original/{name}.png")
        picture(root / f"{part}/mask/{name}.png")


def _chula_rbc12(root: Path) -> None:
    for number, label in (("1", "10 20 0\n30 5 12\n"), ("2", "")):
        picture(root / f"Dataset/{number}.jpg")
        text(root / f"Label/{number}.txt", label)
    picture(root / "RBC Diseases/Anemia/7.jpg")
    text(root / "LICENSE", "MIT")


def _folder(root: Path) -> None:
    picture(root / "train/blast/1.png")
    picture(root / "val/normal cell/2.png")
    picture(root / "blast/3.png")


#: Name of an adapter → what writes a small archive of its layout into a folder.
ARCHIVES: Mapping[str, Callable[[Path], None]] = {
    "pbc": _pbc,
    "aml_lmu": _aml_lmu,
    "txl_pbc": _txl_pbc,
    "bccd": _bccd,
    "bccd4": _bccd4,
    "lisc": _lisc,
    "all_idb1": _all_idb1,
    "all_idb2": _all_idb2,
    "raabin": _raabin,
    "zheng": _zheng,
    "bbbc041seg": _bbbc041seg,
    "chula_rbc12": _chula_rbc12,
    "folder": _folder,
}


def write_archive(name: str, root: Path) -> Path:
    """Write the small archive of an adapter; returns the folder."""
    root.mkdir(parents=True, exist_ok=True)
    ARCHIVES[name](root)
    return root
