from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from annotated_pictures import annotation_sets, same_kinds
from smearlab.errors import AnnotationError
from smearlab.io.annotations import Annotation, AnnotationSet, coco

SQUARE = ((10.0, 20.0), (30.0, 20.0), (30.0, 50.0), (10.0, 50.0))
SETS = [
    AnnotationSet(
        "a",
        100,
        80,
        (
            Annotation("WBC", (10, 20, 31, 51), SQUARE, 0.5, {"area_px": 3.0}),
            Annotation("RBC", (0, 0, 4, 5)),
        ),
    ),
    AnnotationSet("b", 60, 70, ()),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=st.lists(annotation_sets(), max_size=4, unique_by=lambda one: one.name))
def test_export_and_import_are_the_identity(sets: list[AnnotationSet], tmp_path: Path) -> None:
    read = coco.read(coco.write(tmp_path / "a.json", sets))
    assert len(read) == len(sets)
    assert all(same_kinds(*pair) for pair in zip(read, sets, strict=True))
    assert all(one.notes == () for one in read)


# Of pycocotools itself, under NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_pycocotools_understands_it(tmp_path: Path) -> None:
    coco.write(tmp_path / "a.json", SETS, categories=["RBC", "WBC"])
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(tmp_path / "a.json"))
    assert reference.getCatIds(["WBC"]) == [2]
    (image,) = reference.loadImgs(reference.getImgIds()[:1])
    assert (image["file_name"], image["width"], image["height"]) == ("a", 100, 80)
    (white,) = reference.loadAnns(reference.getAnnIds(catIds=[2]))
    assert white["bbox"] == [10, 20, 21, 31]
    assert (white["area"], white["iscrowd"], white["score"]) == (600.0, 0, 0.5)
    mask = reference.annToMask(white)
    assert mask.shape == (80, 100)
    rows, columns = np.nonzero(mask)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (10, 29, 20, 49)
    (red,) = reference.loadAnns(reference.getAnnIds(catIds=[1]))
    assert (red["area"], red["segmentation"]) == (20.0, [])


def test_file_names_of_the_pictures(tmp_path: Path) -> None:
    coco.write(tmp_path / "a.json", SETS, file_names={"a": "slides/a.jpg"})
    images = json.loads((tmp_path / "a.json").read_text())["images"]
    assert [image["file_name"] for image in images] == ["slides/a.jpg", "b"]
    assert coco.read(tmp_path / "a.json") == SETS


def test_label_outside_the_categories(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"'RBC' is not among the categories \['WBC'\]"):
        coco.write(tmp_path / "a.json", SETS, categories=["WBC"])


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="two pictures are called 'b'"):
        coco.write(tmp_path / "a.json", [SETS[1], SETS[1]])


def foreign(**changes: Any) -> dict[str, Any]:
    entry = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1.6, 2, 3, 4]} | changes
    return {
        "images": [{"id": 7, "file_name": "x.jpg", "width": 20, "height": 10}],
        "categories": [{"id": 3, "name": "RBC"}],
        "annotations": [{k: v for k, v in entry.items() if v is not None}],
    }


@pytest.mark.parametrize(
    ("changes", "item", "notes"),
    [
        ({}, Annotation("RBC", (2, 2, 5, 6)), 0),
        ({"bbox": None, "segmentation": [[1, 1, 4, 1, 4, 3.5]]}, (1, 1, 4, 4), 0),
        ({"segmentation": {"counts": "abc", "size": [10, 20]}}, (2, 2, 5, 6), 1),
        ({"segmentation": [[0, 0, 1, 0, 1, 1], [5, 5, 9, 5, 9, 9]]}, (2, 2, 5, 6), 1),
        ({"bbox": [15, 5, 10, 10]}, (15, 5, 20, 10), 1),
        ({"bbox": [5, 5, 0, 3]}, None, 1),
        ({"iscrowd": 1}, None, 1),
        ({"attributes": {"occluded": False, "list": [1], "score": 2}}, (2, 2, 5, 6), 0),
    ],
)
def test_files_of_others(changes: dict[str, Any], item: Any, notes: int, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(foreign(**changes)))
    (read,) = coco.read(tmp_path / "a.json")
    assert read.name == "x.jpg"
    assert len(read.notes) == notes
    if isinstance(item, Annotation):
        assert read.items == (item,)
    else:
        assert [one.bbox for one in read.items] == ([] if item is None else [item])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "no list 'images'"),
        ({"images": 3}, "no list 'images'"),
        ({"images": [{"width": 3, "height": 3}]}, r"images\[0\]: id None"),
        ({"images": [{"id": 1, "width": 0, "height": 3}]}, "at least 1×1"),
        ({"images": [{"id": 1, "width": "wide", "height": 3}]}, "'wide'"),
        ({"images": [], "annotations": {}}, "'annotations' is no list"),
        (foreign(image_id=8), r"annotations\[0\]: image_id 8"),
        (foreign(category_id=[1]), r"annotations\[0\]: category_id \[1\]"),
        (foreign(bbox=[1, 2, 3]), "neither a bbox"),
        (foreign(bbox=[1, 2, 3, "x"]), "'x'"),
        (foreign(bbox=[1, 2, 3, True]), "True"),
        (foreign(segmentation=[[1, 2, 3]]), "segmentation"),
        (foreign(score="high"), "score: 'high'"),
    ],
)
def test_broken_files(content: Any, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=reason) as caught:
        coco.read(tmp_path / "a.json")
    assert str(caught.value).startswith(str(tmp_path / "a.json"))
