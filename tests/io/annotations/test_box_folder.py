from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from smearlab.errors import AnnotationError, UsageError
from smearlab.io.annotations import Annotation, AnnotationSet, BoxFolder, read_boxes, voc, yolo

SIZES = {"a.jpg": (40, 30), "b.v2.png": (20, 20), "c.tif": (50, 50)}


def boxes_of(name: str) -> AnnotationSet:
    return AnnotationSet(name, *SIZES[name], (Annotation("RBC", (1, 2, 9, 8)),))


def written(folder: Path, format: str) -> Path:
    """Box files for two of three pictures, and one that belongs to none."""
    folder.mkdir()
    for name, stem in (("a.jpg", "a"), ("b.v2.png", "b.v2")):
        one = AnnotationSet(stem, *SIZES[name], boxes_of(name).items)
        if format == "voc":
            voc.write(folder, one)
        else:
            yolo.write(folder, one, ["WBC", "RBC"])
    other = AnnotationSet("other", 9, 9, ())
    if format == "voc":
        voc.write(folder, other)
    else:
        yolo.write(folder, other, ["WBC", "RBC"])
    return folder


@pytest.mark.parametrize("format", ["yolo", "voc"])
def test_files_are_found_by_stem_and_what_is_missing_is_told(format: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "boxes", format)
    if format == "yolo":
        yolo.write_classes(tmp_path, ["WBC", "RBC"])
    found = read_boxes(folder, format, SIZES)
    assert {name: one.items for name, one in found.sets.items()} == {
        name: boxes_of(name).items for name in ("a.jpg", "b.v2.png")
    }
    assert found.missing == ("c.tif",)
    assert [file.stem for file in found.unused] == ["other"]
    assert found.class_names == (("WBC", "RBC") if format == "yolo" else ("RBC",))


def test_names_without_suffix_and_paths(tmp_path: Path) -> None:
    boxes = BoxFolder(written(tmp_path / "boxes", "voc"), "voc")
    expected = tmp_path / "boxes" / "b.v2.xml"
    assert boxes.find("b.v2") == boxes.find(Path("deep") / "b.v2.png") == expected
    assert boxes.find("b") is None


@pytest.mark.parametrize("where", ["boxes", ".", "boxes/deep"])
def test_classes_file_is_looked_for_above(where: str, tmp_path: Path) -> None:
    (tmp_path / "boxes" / "deep" / "deeper").mkdir(parents=True)
    yolo.write_classes(tmp_path / where, ["WBC"])
    folder = tmp_path / "boxes" / "deep"
    assert BoxFolder(folder, "yolo").class_names == ("WBC",)
    assert BoxFolder(folder / "deeper", "yolo", tmp_path / where / "classes.txt").class_names


def test_usage(tmp_path: Path) -> None:
    (tmp_path / "x" / "y" / "z").mkdir(parents=True)
    yolo.write_classes(tmp_path, ["WBC"])
    with pytest.raises(UsageError, match=r"no classes\.txt in it or above it"):
        BoxFolder(tmp_path / "x" / "y" / "z", "yolo")
    with pytest.raises(UsageError, match="no such classes file"):
        BoxFolder(tmp_path, "yolo", tmp_path / "nowhere.txt")
    with pytest.raises(UsageError, match="no such folder of boxes"):
        BoxFolder(tmp_path / "nowhere", "voc")
    with pytest.raises(UsageError, match="one of yolo, voc; received 'coco'"):
        BoxFolder(tmp_path, "coco")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    boxes = BoxFolder(written(tmp_path / "boxes", "voc"), "voc")
    with pytest.raises(AnnotationError, match=r"c\.tif: there is no c\.xml in .*boxes"):
        boxes.read("c.tif", 50, 50)


def test_sub_folders_and_what_is_there_twice(tmp_path: Path) -> None:
    written(tmp_path / "train", "voc")
    (tmp_path / "val").mkdir()
    voc.write(tmp_path / "val", AnnotationSet("d", 9, 9, ()))
    voc.write(tmp_path / "val", AnnotationSet("a", 9, 9, ()))
    boxes = BoxFolder(tmp_path, "voc")
    assert boxes.read("d.png", 9, 9).items == ()
    with pytest.raises(AnnotationError, match="both belong to 'a'"):
        boxes.read("a.png", 9, 9)


def test_pixel_convention_is_passed_on(tmp_path: Path) -> None:
    folder = written(tmp_path / "boxes", "voc")
    (item,) = BoxFolder(folder, "voc", pixels="edges").read("a.jpg", 40, 30).items
    assert item.bbox == (2, 3, 9, 8)


@pytest.mark.parametrize("part", ["train", "val"])
def test_real_folder(part: str, data_part: Callable[[str], Path]) -> None:
    folder = data_part("fields/txl_pbc")
    sizes = {}
    for file in (folder / "images" / part).iterdir():
        with Image.open(file) as image:
            sizes[file.name] = image.size
    found = read_boxes(folder / "labels" / part, "yolo", sizes)
    assert (len(found.sets), found.missing, found.unused) == (len(sizes), (), ())
    assert found.class_names == ("WBC", "RBC", "PLT")
