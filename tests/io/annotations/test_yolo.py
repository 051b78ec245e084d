from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from annotated_pictures import LINES, annotation_sets
from smearlab.errors import AnnotationError
from smearlab.io.annotations import Annotation, AnnotationSet, yolo
from smearlab.io.annotations.annotation_set import enclosing

CLASSES = ("WBC", "RBC", "immature granulocyte")
ANY = annotation_sets(labels=st.sampled_from(CLASSES))


def size(annotations: AnnotationSet) -> tuple[int, int]:
    return annotations.width_px, annotations.height_px


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=ANY, scores=st.booleans())
def test_boxes_survive_exactly(annotations: AnnotationSet, scores: bool, tmp_path: Path) -> None:
    path = yolo.write(tmp_path, annotations, CLASSES, scores=scores)
    read = yolo.read(path, CLASSES, size_px=size(annotations))
    kept = [
        Annotation(
            item.label,
            item.bbox,
            score=(1.0 if item.score is None else item.score) if scores else None,
        )
        for item in annotations.items
    ]
    assert read == replace(annotations, items=tuple(kept))
    assert read.notes == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=ANY, scores=st.booleans())
def test_polygons_survive_with_their_enclosing_boxes(
    annotations: AnnotationSet, scores: bool, tmp_path: Path
) -> None:
    # As the format can hold them: with a contour, boxed by it, and not flat.
    items = []
    for item in annotations.items:
        x0, y0, x1, y1 = enclosing(item.contour) if item.contour else (0, 0, 0, 0)
        if x0 < x1 and y0 < y1:
            score = item.score or 0.0
            box = (int(x0), int(y0), int(x1), int(y1))
            items.append(Annotation(item.label, box, item.contour, score if scores else None))
    annotations = replace(annotations, items=tuple(items))
    path = yolo.write(tmp_path, annotations, CLASSES, polygons=True, scores=scores)
    assert yolo.read(path, CLASSES, size_px=size(annotations)) == annotations


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(classes=st.lists(LINES, min_size=1, max_size=6, unique=True))
def test_classes_survive(classes: list[str], tmp_path: Path) -> None:
    assert yolo.read_classes(yolo.write_classes(tmp_path, classes)) == tuple(classes)


def test_the_lines_themselves(tmp_path: Path) -> None:
    items = (
        Annotation("RBC", (10, 20, 30, 60), score=0.25),
        Annotation("WBC", (0, 0, 50, 80), ((0.0, 0.0), (50.0, 0.0), (25.0, 80.0))),
    )
    annotations = AnnotationSet("a", 100, 80, items)
    path = yolo.write(tmp_path, annotations, CLASSES)
    assert path.read_text() == "1 0.2 0.5 0.2 0.5\n0 0.25 0.5 0.5 1\n"
    yolo.write(tmp_path, annotations, CLASSES, scores=True)
    assert path.read_text() == "1 0.2 0.5 0.2 0.5 0.25\n0 0.25 0.5 0.5 1 1.0\n"
    yolo.write(tmp_path, annotations, CLASSES, polygons=True)
    assert path.read_text() == "1 0.1 0.25 0.3 0.25 0.3 0.75 0.1 0.75\n0 0 0 0.5 0 0.25 1\n"


def test_a_picture_without_cells_is_an_empty_file(tmp_path: Path) -> None:
    path = yolo.write(tmp_path, AnnotationSet("a", 10, 10, ()), CLASSES)
    assert path.read_bytes() == b""
    assert yolo.read(path, CLASSES, size_px=(10, 10)).items == ()


@pytest.mark.parametrize(
    ("line", "expected", "notes"),
    [
        ("1 0.5 0.5 0.2 0.5", (40, 20, 60, 60), 0),
        ("  1\t0.5  0.5 0.2 0.5  ", (40, 20, 60, 60), 0),
        ("1.0 0.5 0.5 0.2 0.5", (40, 20, 60, 60), 0),
        ("1 0.500004 0.499996 0.2 0.5", (40, 20, 60, 60), 0),
        ("1 0.05 0.5 0.2 0.5", (0, 20, 15, 60), 1),
        ("1 0.5 0.5 0 0.5", None, 1),
        ("1 0.5 0.5 -0.2 0.5", None, 1),
        ("1 1.5 0.5 0.2 0.5", None, 1),
    ],
)
def test_boxes_of_others(
    line: str, expected: tuple[int, int, int, int] | None, notes: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"\n{line}\r\n\n")
    read = yolo.read(path, CLASSES, size_px=(100, 80))
    assert [item.bbox for item in read.items] == ([] if expected is None else [expected])
    assert len(read.notes) == notes
    assert all(note.startswith("line 2: ") for note in read.notes)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("3 0.5 0.5 0.2 0.5", r"class 3 is unknown, there are 0 to 2 \(WBC, RBC, "),
        ("-1 0.5 0.5 0.2 0.5", "class -1 is unknown"),
        ("0.5 0.5 0.5 0.2 0.5", "class 0.5 is unknown"),
        ("1 0.5 0.5 0.2", "has 4 numbers"),
        ("1 0.5 0.5 0.2 x", "'x' is no finite number"),
        ("1 0.5 0.5 0.2 nan", "'nan'"),
        ("1 0.5 0.5 0.2 1_0", "'1_0'"),
        ("WBC 0.5 0.5 0.2 0.5", "'WBC'"),
        ("1 320 240 20 30", "320 is no share.*pixels"),
    ],
)
def test_broken_lines(line: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"1 0.5 0.5 0.2 0.5\n{line}\n")
    with pytest.raises(AnnotationError, match=reason) as caught:
        yolo.read(path, CLASSES, size_px=(640, 480))
    assert str(caught.value).startswith(f"{path}: line 2: ")


def test_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"1 0.5 \xff")
    with pytest.raises(AnnotationError, match=r"no UTF-8 text \(byte 6\)"):
        yolo.read(path, CLASSES, size_px=(9, 9))
    path.write_bytes(bytes(100))
    with pytest.raises(AnnotationError, match="NUL"):
        yolo.read(path, CLASSES, size_px=(9, 9))
    with pytest.raises(AnnotationError, match="cannot be read"):
        yolo.read(tmp_path / "nowhere.txt", CLASSES, size_px=(9, 9))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "names no class"), ("\n\n", "names no class"), ("a\n\nb", "line 2"), ("a\na", "line 2")],
)
def test_broken_classes(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(AnnotationError, match=reason):
        yolo.read_classes(tmp_path / "classes.txt")


def test_classes_with_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\xef\xbb\xbfWBC\r\nRBC\r\n\r\n")
    assert yolo.read_classes(tmp_path / "classes.txt") == ("WBC", "RBC")


@pytest.mark.parametrize("classes", [["a", "a"], [""], ["a\nb"]])
def test_classes_that_cannot_be_written(classes: list[str], tmp_path: Path) -> None:
    with pytest.raises(AnnotationError):
        yolo.write_classes(tmp_path, classes)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    one = AnnotationSet("a", 9, 9, (Annotation("spot", (0, 0, 1, 1)),))
    with pytest.raises(AnnotationError, match="'spot' is not among the classes"):
        yolo.write(tmp_path, one, CLASSES)
    for name in ("classes", "a/b"):
        with pytest.raises(AnnotationError, match="cannot be the name"):
            yolo.write(tmp_path, AnnotationSet(name, 9, 9, ()), CLASSES)
    assert list(tmp_path.iterdir()) == []


def test_all_real_files_are_read(data_part: Callable[[str], Path]) -> None:
    folder = data_part("fields/txl_pbc")
    classes = yolo.read_classes(folder / "classes.txt")
    assert classes == ("WBC", "RBC", "PLT")
    n_lines = n_items = 0
    for file in sorted(folder.glob("labels/*/*.txt")):
        image = next((folder / "images" / file.parent.name).glob(f"{file.stem}.*"))
        with Image.open(image) as opened:
            read = yolo.read(file, classes, size_px=opened.size)
        n_lines += len(file.read_text().splitlines())
        n_items += len(read.items)
        assert read.notes == (), file
    assert n_items == n_lines > 10_000
