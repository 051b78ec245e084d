"""Box sets as people hand them over."""

from __future__ import annotations

from pathlib import Path

import pytest

from smearlab.errors import AnnotationError, UsageError
from smearlab.evaluation.box_figures import TrueBox
from smearlab.evaluation.box_sets import open_box_set, read_groups
from smearlab.evaluation.fields import evaluate_fields
from smearlab.io.images import read_field

VOC = """<annotation><size><width>100</width><height>100</height></size>
<object><name>Platelets</name>
<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def yolo(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    """Two pictures, one with a red cell and one without any."""
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("1 0.2 0.3 0.2 0.2\n")
    (tmp_path / "labels" / "b.txt").write_text("")
    (tmp_path / "classes.txt").write_text("WBC\nRBC\nPLT\n")
    return tmp_path


def test_yolo(yolo: Path) -> None:
    box_set = open_box_set(yolo / "images", yolo / "labels", "yolo")
    assert [image.name for image in box_set.images] == ["a.png", "b.png"]
    assert box_set.class_names == ("WBC", "RBC", "PLT")
    read = [box_set.read(image, read_field(image)) for image in box_set.images]
    assert read == [(TrueBox("RBC", (10, 20, 30, 40)),), ()]
    assert box_set.notes == ()


def test_voc(yolo: Path) -> None:
    (yolo / "xml").mkdir()
    (yolo / "xml" / "a.xml").write_text(VOC)
    box_set = open_box_set(yolo / "images", yolo / "xml", "voc")
    image = yolo / "images" / "a.png"
    assert box_set.read(image, read_field(image)) == (TrueBox("Platelets", (10, 20, 30, 40)),)
    with pytest.raises(AnnotationError, match=r"no b\.xml"):
        box_set.read(yolo / "images" / "b.png", read_field(image))
    with pytest.raises(UsageError, match="leave it out"):
        open_box_set(yolo / "images", yolo / "xml", "voc", yolo / "classes.txt")


def test_from_files_to_figures(yolo: Path, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    (yolo / "labels" / "spare.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (yolo / "labels" / "b.txt").write_text("2 0.05 0.5 0.2 0.2\n2 0 0 0.01 0\n")
    box_set = open_box_set(yolo / "images", yolo / "labels", "yolo")
    found = {
        "a": (cell((10, 20, 30, 40)),),
        "b": (cell((0, 40, 15, 60), "platelet"),),
    }
    result = evaluate_fields(
        analyser(found), box_set.images, box_set.read, class_names=box_set.class_names
    )
    assert result["RBC"]["ap"] == result["PLT"]["ap"] == result["map50"] == 1.0
    assert result["settings"]["box_classes"] == ["PLT", "RBC", "WBC"]
    clipped, dropped, spare = box_set.notes
    assert "clipped" in clipped
    assert "dropped" in dropped
    assert "spare.txt" in spare


def test_a_class_number_that_is_not_listed_costs_the_file(yolo: Path, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    (yolo / "labels" / "b.txt").write_text("7 0.5 0.5 0.1 0.1\n")
    box_set = open_box_set(yolo / "images", yolo / "labels", "yolo")
    found = {"a": (cell((10, 20, 30, 40)),)}
    result = evaluate_fields(analyser(found), box_set.images, box_set.read)
    assert "7" in result["errors"][0]["reason"]
    assert result["n_fields"] == 1


def test_folders_that_do_not_fit_are_refused(yolo: Path) -> None:
    (yolo / "empty").mkdir()
    with pytest.raises(UsageError, match="none of the 2 pictures"):
        open_box_set(yolo / "images", yolo / "empty", "yolo")
    with pytest.raises(UsageError, match="nowhere"):
        open_box_set(yolo / "nowhere", yolo / "labels", "yolo")
    with pytest.raises(UsageError, match="nowhere"):
        open_box_set(yolo / "images", yolo / "nowhere", "yolo")
    (yolo / "classes.txt").unlink()
    with pytest.raises(UsageError, match=r"classes\.txt"):
        open_box_set(yolo / "images", yolo / "labels", "yolo")


def test_groups(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("picture,group\na.png,clinic\nb, lab \n\n")
    assert read_groups(path) == {"a.png": "clinic", "b": "lab"}
    path.write_text("a.png,clinic\nb\n")
    with pytest.raises(UsageError, match="row 2"):
        read_groups(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_groups(tmp_path / "none.csv")
