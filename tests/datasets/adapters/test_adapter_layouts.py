"""What each adapter makes of a small archive of its published layout."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from smearlab.datasets.adapters.base import element_masks
from smearlab.datasets.adapters.reading import Reading, read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.errors import DataError
from tiny_archives import SIZE, picture, text, write_archive


def read(name: str, folder: Path) -> Reading:
    return read_archive(ADAPTERS[name], write_archive(name, folder), jobs=2)


def by_name(reading: Reading, *columns: str) -> dict[str, tuple[Any, ...]]:
    """File name with its folder → some columns."""
    return {
        "/".join(row["path"].split("/")[-2:]): tuple(row[column] for column in columns)
        for row in reading.rows
    }


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_row_has_what_a_file_tells(name: str, tmp_path: Path) -> None:
    reading = read(name, tmp_path)
    assert reading.problems == ()
    assert [row["path"] for row in reading.rows] == sorted(row["path"] for row in reading.rows)
    for row in reading.rows:
        data = (tmp_path / row["path"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["dataset"] == name
        assert row["width_px"] > 0 and row["height_px"] > 0
        assert row["stain"] == ADAPTERS[name].stain
        assert row["um_per_px"] is None


@pytest.mark.parametrize("name", [n for n in ADAPTERS if n not in ("pbc",)])
def test_every_file_of_an_archive_is_understood(name: str, tmp_path: Path) -> None:
    assert read(name, tmp_path).survey.left == ()


def test_pbc(tmp_path: Path) -> None:
    reading = read("pbc", tmp_path)
    assert by_name(reading, "label", "subtype", "group") == {
        "ig/MMY_9.jpg": ("ig", "metamyelocyte", "PBC/MMY_9"),
        "neutrophil/BNE_7.jpg": ("neutrophil", "band neutrophil", "PBC/BNE_7"),
        "neutrophil/NEUTROPHIL_3.jpg": ("neutrophil", None, "PBC/NEUTROPHIL_3"),
        "neutrophil/SNE_12.jpg": ("neutrophil", "segmented neutrophil", "PBC/SNE_12"),
        "platelet/PLATELET_5.jpg": ("platelet", None, "PBC/PLATELET_5"),
    }
    assert reading.survey.left == ("PBC_dataset_normal_DIB/neutrophil/.DS_169665.jpg",)


def test_a_pbc_picture_in_the_folder_of_another_type_is_not_believed(tmp_path: Path) -> None:
    write_archive("pbc", tmp_path)
    picture(tmp_path / "PBC_dataset_normal_DIB/monocyte/EO_4.jpg")
    reading = read_archive(ADAPTERS["pbc"], tmp_path)
    assert len(reading.rows) == 5
    assert "PBC_dataset_normal_DIB/monocyte/EO_4.jpg" in reading.survey.left


def test_aml_lmu(tmp_path: Path) -> None:
    assert by_name(read("aml_lmu", tmp_path), "label", "patient") == {
        "BAS/BAS_0001.tiff": ("BAS", None),
        "MYO/MYO_0001.tiff": ("MYO", None),
        "MYO/MYO_0002.tiff": ("MYO", None),
    }


def test_txl_pbc_origins_are_told_by_size(tmp_path: Path) -> None:
    reading = read("txl_pbc", tmp_path)
    assert by_name(reading, "published_split", "source", "group", "label") == {
        "train/a.jpg": ("train", "PBC", None, None),
        "val/b.jpg": ("val", "Raabin-WBC", None, None),
        "test/c.jpg": ("test", "BCCD", None, None),
    }
    field = next(row for row in reading.rows if row["path"].endswith("c.jpg"))
    assert [box["label"] for box in field["boxes"]] == ["WBC", "RBC", "Platelets"]
    assert field["boxes"][0] == {"label": "WBC", "x0": 160, "y0": 120, "x1": 480, "y1": 360}


def test_bccd(tmp_path: Path) -> None:
    reading = read("bccd", tmp_path)
    masks = {"BloodImage_00001": "wbc_masks/BloodImage_Mask_00001.png"}
    for row, part in zip(reading.rows, ("train", "val", "test"), strict=True):
        stem = Path(row["path"]).stem
        assert row["published_split"] == part
        assert row["group"] == f"BCCD/{stem}"
        assert row["mask"] == masks.get(stem)
        assert row["boxes"] == [
            {"label": "RBC", "x0": 0, "y0": 0, "x1": 10, "y1": 12},
            {"label": "Platelets", "x0": 20, "y0": 4, "x1": 24, "y1": 8},
        ]


def test_bccd4_has_no_groups_for_its_names_do_not_tell_the_sources(tmp_path: Path) -> None:
    rows = read("bccd4", tmp_path).rows
    found = {tuple(row["path"].split("/")[-3:]): (row["label"], row["group"]) for row in rows}
    assert found == {
        ("TRAIN", "EOSINOPHIL", "_0_11.jpeg"): ("eosinophil", None),
        ("TRAIN", "EOSINOPHIL", "_0_12.jpeg"): ("eosinophil", None),
        ("TEST", "EOSINOPHIL", "_0_11.jpeg"): ("eosinophil", None),
        ("TEST_SIMPLE", "MONOCYTE", "_1_99.jpeg"): ("monocyte", None),
    }
    assert {row["published_split"] for row in rows} == {"train", "test", "test_simple"}


def test_lisc(tmp_path: Path) -> None:
    truth = "LISC Database/Ground Truth Segmentation"
    assert by_name(read("lisc", tmp_path), "label", "mask", "group") == {
        "Baso/1.bmp": ("Baso", f"{truth}/Baso/areaforexpert1/1_expert.bmp", "LISC/Baso 1"),
        "eosi/1.bmp": ("eosi", f"{truth}/eosi/areaforexpert1/1_expert.bmp", "LISC/eosi 1"),
        "mixt/3.bmp": ("mixt", f"{truth}/mixt/areaforexpert1/3_expert.bmp", "LISC/mixt 3"),
    }


def test_all_idb1_points_and_targets(tmp_path: Path) -> None:
    blast, healthy = read("all_idb1", tmp_path).rows
    assert (blast["label"], healthy["label"]) == ("blast", "healthy")
    assert blast["boxes"] == [
        {"label": "blast", "x0": 12, "y0": 30, "x1": 12, "y1": 30},
        {"label": "blast", "x0": 20, "y0": 9, "x1": 20, "y1": 9},
    ]
    assert healthy["boxes"] == []
    assert blast["mask"] == "ALL_IDB1/{element}/Im001_1.png"
    assert element_masks(tmp_path, blast["mask"]) == {
        element: tmp_path / f"ALL_IDB1/{element}/Im001_1.png" for element in ("RBC", "WBC", "PLT")
    }
    assert healthy["mask"] is None


def test_all_idb2(tmp_path: Path) -> None:
    reading = read("all_idb2", tmp_path)
    assert by_name(reading, "label", "mask") == {
        "img/Im001_1.tif": ("blast", None),
        "img/Im131_0.tif": ("healthy", "ALL_IDB2/{element}/Im131_0.tif"),
    }
    targets = element_masks(tmp_path, "ALL_IDB2/{element}/Im131_0.tif")
    assert list(targets) == ["WBC"]
    assert element_masks(tmp_path, "ALL_IDB2/img/Im131_0.tif") == {}


def test_raabin_cells_of_a_field_share_a_group(tmp_path: Path) -> None:
    assert by_name(read("raabin", tmp_path), "label", "group", "published_split") == {
        "Basophil/95-5-1-1_12_1.jpg": ("Basophil", "Raabin-WBC/95-5-1-1_12", "Train"),
        "Basophil/95-5-1-1_12_2.jpg": ("Basophil", "Raabin-WBC/95-5-1-1_12", "Train"),
        "Neutrophil/95-5-1-1_13_1.jpg": ("Neutrophil", "Raabin-WBC/95-5-1-1_13", "TestA"),
        "Lymphocyte/94-1-2-3_5_1.jpg": ("Lymphocyte", "Raabin-WBC/94-1-2-3_5", "TestB"),
    }


def test_zheng_sets_are_kept_apart(tmp_path: Path) -> None:
    assert by_name(read("zheng", tmp_path), "label", "group", "mask") == {
        f"Dataset {n}/{number}.bmp": (
            label,
            f"Zheng2018-{n}/{number}",
            f"Dataset {n}/{number}.png",
        )
        for n in (1, 2)
        for number, label in (("001", "monocyte"), ("002", "eosinophil"))
    }


def test_bbbc041seg(tmp_path: Path) -> None:
    assert by_name(read("bbbc041seg", tmp_path), "published_split", "mask") == {
        "original/00c8364b-8c85.png": ("train", "train/mask/00c8364b-8c85.png"),
        "original/1c406ce1-023b.png": ("test", "test/mask/1c406ce1-023b.png"),
    }


def test_chula_points(tmp_path: Path) -> None:
    first, second = read("chula_rbc12", tmp_path).rows
    assert first["boxes"] == [
        {"label": "normal cell", "x0": 10, "y0": 20, "x1": 10, "y1": 20},
        {"label": "elliptocyte", "x0": 30, "y0": 5, "x1": 30, "y1": 5},
    ]
    assert second["boxes"] == []
    assert (first["width_px"], first["height_px"]) == SIZE


def test_own_folders(tmp_path: Path) -> None:
    assert by_name(read("folder", tmp_path), "label", "published_split", "group") == {
        "blast/1.png": ("blast", "train", None),
        "normal cell/2.png": ("normal cell", "val", None),
        "blast/3.png": ("blast", None, None),
    }


def test_own_pictures_of_one_name_in_two_classes_are_two(tmp_path: Path) -> None:
    for folder in ("blast", "normal cell"):
        picture(tmp_path / folder / "1.png")
    rows = read_archive(ADAPTERS["folder"], tmp_path).rows
    assert [row["source_image"] for row in rows] == ["blast/1.png", "normal cell/1.png"]


@pytest.mark.parametrize(
    ("name", "file", "content", "complaint"),
    [
        ("chula_rbc12", "Label/1.txt", "10 20 13\n", "has the label '13', which chula_rbc12"),
        ("bccd", "Annotations/BloodImage_00000.xml", None, "has the label 'Parasite', which bccd"),
        ("zheng", "Class Labels of Dataset 1.csv", "image ID,class\n1,6\n", "line 2: class 6 is"),
        ("zheng", "Class Labels of Dataset 1.csv", "image ID,class\nx\n", "line 2: 'x' is not"),
    ],
)
def test_a_label_that_the_set_has_not_is_refused(
    name: str, file: str, content: str | None, complaint: str, tmp_path: Path
) -> None:
    write_archive(name, tmp_path)
    old = (tmp_path / file).read_text()
    text(tmp_path / file, old.replace("RBC", "Parasite") if content is None else content)
    with pytest.raises(DataError, match=complaint) as said:
        read_archive(ADAPTERS[name], tmp_path)
    assert str(tmp_path) in str(said.value)


def test_an_unknown_folder_code_is_refused(tmp_path: Path) -> None:
    write_archive("aml_lmu", tmp_path)
    picture(tmp_path / "AML-Cytomorphology_LMU/XYZ/XYZ_0001.tiff")
    with pytest.raises(DataError, match="'XYZ', which aml_lmu does not have; its labels are BAS"):
        read_archive(ADAPTERS["aml_lmu"], tmp_path)
