from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotated_pictures import annotation_sets
from smearlab.errors import AnnotationError
from smearlab.io.annotations import Annotation, AnnotationSet, voc

CORNER = AnnotationSet("a", 40, 30, (Annotation("RBC", (0, 0, 1, 1)),))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=annotation_sets(full=False), pixels=st.sampled_from(sorted(voc.PIXELS)))
def test_export_and_import_are_the_identity(
    annotations: AnnotationSet, pixels: str, tmp_path: Path
) -> None:
    read = voc.read(voc.write(tmp_path, annotations, pixels=pixels), pixels=pixels)
    assert read == annotations
    assert read.notes == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=annotation_sets())
def test_labels_and_boxes_survive_when_the_rest_is_lost(
    annotations: AnnotationSet, tmp_path: Path
) -> None:
    read = voc.read(voc.write(tmp_path, annotations))
    assert [(i.label, i.bbox) for i in read.items] == [(i.label, i.bbox) for i in annotations.items]


@pytest.mark.parametrize(
    ("pixels", "corners"),
    [("one_based", [1, 1, 1, 1]), ("zero_based", [0, 0, 0, 0]), ("edges", [0, 0, 1, 1])],
)
def test_the_first_pixel_in_each_convention(
    pixels: str, corners: list[int], tmp_path: Path
) -> None:
    root = ElementTree.parse(voc.write(tmp_path, CORNER, pixels=pixels)).getroot()
    assert [int(edge.text or "") for edge in root.findall("object/bndbox/*")] == corners
    assert voc.read(tmp_path / "a.xml", pixels=pixels) == CORNER


def test_the_elements_that_others_look_for(tmp_path: Path) -> None:
    root = ElementTree.parse(voc.write(tmp_path, CORNER, file_name="a.jpg")).getroot()
    assert root.tag == "annotation"
    texts = {path: root.findtext(path) for path in ("filename", "size/width", "size/height")}
    assert texts == {"filename": "a.jpg", "size/width": "40", "size/height": "30"}
    found = {child.tag: child.text for child in root.findall("object/*")}
    assert (found["name"], found["truncated"], found["difficult"]) == ("RBC", "1", "0")


def file_with(tmp_path: Path, body: str, size: str = "40x30") -> Path:
    width, height = size.split("x")
    path = tmp_path / "a.xml"
    path.write_text(
        f"<annotation><size><width>{width}</width><height>{height}</height></size>\n"
        f"{body}</annotation>",
        encoding="utf-8",
    )
    return path


def box(*corners: object, name: str = "<name>RBC</name>") -> str:
    tags = ("xmin", "ymin", "xmax", "ymax")
    inner = "".join(f"<{t}>{c}</{t}>" for t, c in zip(tags, corners, strict=True))
    return f"<object>{name}<bndbox>{inner}</bndbox></object>\n"


@pytest.mark.parametrize(
    ("corners", "expected", "notes"),
    [
        ((1, 1, 40, 30), (0, 0, 40, 30), 0),
        ((3, 4, 3, 4), (2, 3, 3, 4), 0),
        ((2.6, 3.2, 10.5, 12.4), (2, 2, 11, 12), 0),
        ((" 3 ", "4\n", 10, 12), (2, 3, 10, 12), 0),
        ((0, 0, 10, 12), (0, 0, 10, 12), 1),
        ((30, 20, 50, 40), (29, 19, 40, 30), 1),
        ((50, 20, 60, 25), None, 1),
        ((10, 10, 9, 20), None, 1),
        ((10, 10, 5, 20), None, 1),
    ],
)
def test_boxes_of_others(
    corners: tuple[object, ...],
    expected: tuple[int, int, int, int] | None,
    notes: int,
    tmp_path: Path,
) -> None:
    read = voc.read(file_with(tmp_path, box(*corners)))
    assert [item.bbox for item in read.items] == ([] if expected is None else [expected])
    assert len(read.notes) == notes
    assert all(note.startswith("line 2: ") for note in read.notes)


def test_size_of_the_picture(tmp_path: Path) -> None:
    assert voc.read(file_with(tmp_path, "", "0x0"), size_px=(8, 9)).height_px == 9
    assert voc.read(file_with(tmp_path, ""), size_px=(40, 30)).width_px == 40
    with pytest.raises(AnnotationError, match=r"40×30 px, the one at hand has 30×40"):
        voc.read(file_with(tmp_path, ""), size_px=(30, 40))
    with pytest.raises(AnnotationError, match="no usable size"):
        voc.read(file_with(tmp_path, "", "0x0"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (box(1, 2, "x", 4), "line 2: <xmax> of the 'RBC': 'x' is no finite number"),
        (box(1, 2, "nan", 4), "'nan'"),
        (box(1, 2, "1e999", 4), "'1e999'"),
        (box(1, 2, "", 4), "''"),
        ("\n" + box(1, 2, 3, 4, name=""), "line 3: the <object> has no <name>"),
        ("<object><name>RBC</name></object>", "<xmin>"),
        (box(1, 2, 3, 4, name="<name>a\nb</name>"), "printable"),
        ("<object>", "line 2: no well-formed XML"),
        ("&undefined;", "line 2: no well-formed XML"),
    ],
)
def test_broken_files(body: str, reason: str, tmp_path: Path) -> None:
    path = file_with(tmp_path, body)
    with pytest.raises(AnnotationError, match=reason) as caught:
        voc.read(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no well-formed XML"),
        (b"\xff\xd8\xff\xe0 a picture", "no well-formed XML"),
        (b"<html></html>", "root is <html>"),
        (b'<?xml version="1.0" encoding="no-such-code"?><annotation/>', "a.xml: "),
        (b'<?xml version="1.0"?><annotation>\xff</annotation>', "no well-formed XML"),
    ],
)
def test_no_voc_at_all(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    with pytest.raises(AnnotationError, match=reason):
        voc.read(tmp_path / "a.xml")


BOMB = (
    '<?xml version="1.0"{encoding}?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1 if i else str()};" * 10}">' for i in range(20))
    + "]><annotation><size><width>9</width><height>9</height></size>&a19;</annotation>"
)
EXTERNAL = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation>&x;</annotation>'


@pytest.mark.parametrize(
    "data",
    [
        BOMB.format(encoding="").encode(),
        BOMB.format(encoding=' encoding="utf-16"').encode("utf-16"),
        EXTERNAL.encode(),
        b"<!DOCTYPE annotation><annotation/>",
    ],
)
def test_document_types_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    with pytest.raises(AnnotationError, match=r"a\.xml: line 1: holds a document type"):
        voc.read(tmp_path / "a.xml")


def test_names_that_are_no_file_names(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="no file name"):
        voc.write(tmp_path, AnnotationSet("../a", 4, 4, ()))


def test_unknown_convention(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="received 'two_based'"):
        voc.write(tmp_path, CORNER, pixels="two_based")


def test_all_real_files_are_read(data_part: Callable[[str], Path]) -> None:
    files = sorted(data_part("fields/bccd/annotations").glob("*.xml"))
    sets = [voc.read(file, size_px=(640, 480)) for file in files]
    labels = [item.label for one in sets for item in one.items]
    # None is lost: the two boxes of one pixel stay one pixel wide.
    assert {name: labels.count(name) for name in set(labels)} == {
        name: sum(file.read_text().count(f"<name>{name}</name>") for file in files)
        for name in ("RBC", "WBC", "Platelets")
    }
    assert not [note for one in sets for note in one.notes]
