from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from annotated_pictures import annotation_sets, same_kinds
from smearlab.errors import AnnotationError
from smearlab.io.annotations import Annotation, AnnotationSet, geojson
from smearlab.types import CELL_TYPES

TRIANGLE = ((1.5, 2.0), (9.0, 2.0), (5.0, 8.25))
ONE = AnnotationSet(
    "field 1",
    100,
    80,
    (
        Annotation(
            "lymphocyte", (1, 2, 10, 12), TRIANGLE, 0.5, {"area_px": 3.0, "element": "WBC", "n": 2}
        ),
        Annotation("RBC", (0, 0, 4, 4)),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=annotation_sets())
def test_export_and_import_are_the_identity(annotations: AnnotationSet, tmp_path: Path) -> None:
    read = geojson.read(geojson.write(tmp_path / "a.geojson", annotations))
    assert same_kinds(read, annotations)
    assert read.notes == ()


def test_file_is_what_qupath_documents(tmp_path: Path) -> None:
    content = json.loads(geojson.write(tmp_path / "a.geojson", ONE).read_text())
    assert content["type"] == "FeatureCollection"
    first, second = content["features"]
    assert first["type"] == "Feature"
    assert first["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[1.5, 2.0], [9.0, 2.0], [5.0, 8.25], [1.5, 2.0]]],
    }
    assert first["properties"] == {
        "objectType": "detection",
        "classification": {
            "name": "lymphocyte",
            "color": list(geojson.TYPE_COLOURS["lymphocyte"]),
        },
        "measurements": {"area_px": 3.0, "n": 2, "score": 0.5},
        "metadata": {"element": "WBC"},
    }
    assert second["geometry"]["coordinates"] == [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]
    assert len({first["id"], second["id"]}) == 2


def test_measurements_are_numbers_alone(tmp_path: Path) -> None:
    # QuPath casts each measurement to a number and gives up on the file otherwise.
    item = Annotation("a", (0, 0, 1, 1), properties={"b": True, "t": "x", "i": 1, "f": 0.5})
    geojson.write(tmp_path / "a.geojson", AnnotationSet("f", 9, 9, (item,)))
    properties = json.loads((tmp_path / "a.geojson").read_text())["features"][0]["properties"]
    assert properties["measurements"] == {"i": 1, "f": 0.5}
    assert properties["metadata"] == {"b": True, "t": "x"}


def test_same_annotations_give_the_same_bytes(tmp_path: Path) -> None:
    one = geojson.write(tmp_path / "a", ONE).read_bytes()
    assert geojson.write(tmp_path / "b", ONE).read_bytes() == one


def test_object_type(tmp_path: Path) -> None:
    geojson.write(tmp_path / "a", ONE, object_type="annotation")
    assert '"objectType": "annotation"' in (tmp_path / "a").read_text()
    with pytest.raises(AnnotationError, match="received 'tile'"):
        geojson.write(tmp_path / "a", ONE, object_type="tile")  # type: ignore[arg-type]


def test_every_cell_type_has_a_colour_of_its_own() -> None:
    assert set(geojson.TYPE_COLOURS) == set(CELL_TYPES)
    assert len(set(geojson.TYPE_COLOURS.values())) == len(CELL_TYPES)


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def polygon(coordinates: str) -> str:
    return '[{"geometry": {"type": "Polygon", "coordinates": ' + coordinates + "}}]"


POLYGON = {"type": "Polygon", "coordinates": [[[1, 2], [5, 2], [5, 6], [1, 2]]]}


@pytest.mark.parametrize(
    "content",
    [
        [feature(POLYGON, classification={"name": "Tumor"})],
        feature(POLYGON, classification={"name": "Tumor"}),
        {"features": [feature(POLYGON, classification="Tumor")]},
        [feature(POLYGON, classification={"name": "Tumor", "colorRGB": -3670016})],
    ],
)
def test_files_of_qupath(content: Any, tmp_path: Path) -> None:
    (tmp_path / "slide.geojson").write_text(json.dumps(content))
    read = geojson.read(tmp_path / "slide.geojson", size_px=(50, 40))
    assert read == AnnotationSet(
        "slide",
        50,
        40,
        (Annotation("Tumor", (1, 2, 5, 6), ((1.0, 2.0), (5.0, 2.0), (5.0, 6.0))),),
    )


def test_values_in_the_ways_of_qupaths_versions(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps(
            [
                feature(POLYGON, measurements=[{"name": "Area", "value": 3.5}]),
                feature(POLYGON, measurements={"Area": float("nan"), "Length": 2}),
                feature(POLYGON, classification={"names": ["Immune cells", "Positive"]}),
            ]
        )
    )
    one, two, three = geojson.read(tmp_path / "a.json", size_px=(50, 40)).items
    assert (one.label, one.properties) == ("unclassified", {"Area": 3.5})
    assert two.properties == {"Length": 2}
    assert three.label == "Immune cells: Positive"


def test_other_geometries_are_simplified_or_dropped_and_it_is_said(tmp_path: Path) -> None:
    small = [[0, 0], [1, 0], [1, 1], [0, 0]]
    large = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]
    hole = [[12, 12], [13, 12], [13, 13], [12, 12]]
    (tmp_path / "a.json").write_text(
        json.dumps(
            [
                feature({"type": "Point", "coordinates": [1, 2]}),
                feature({"type": "MultiPolygon", "coordinates": [[small], [large, hole]]}),
                feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}),
                feature({"type": "Polygon", "coordinates": [[[90, 90], [95, 90], [95, 95]]]}),
            ]
        )
    )
    read = geojson.read(tmp_path / "a.json", size_px=(50, 40))
    assert [item.bbox for item in read.items] == [(10, 10, 20, 20)]
    assert read.notes == (
        "feature 1: Point without an area dropped",
        "feature 2: 1 holes filled",
        "feature 2: largest of 2 polygons taken",
        "feature 3: polygon of 2 points dropped",
        "feature 4: box outside the picture dropped",
    )


def test_size_must_be_known(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(AnnotationError, match=r"a\.json: does not tell the size.*size_px"):
        geojson.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1, column 1"),
        ('{"features": [', "line 1"),
        ("{}", "no GeoJSON FeatureCollection"),
        ("3", "no GeoJSON FeatureCollection"),
        ("[3]", "feature 1: has no geometry"),
        (polygon("[[1, 2]]"), "no lists of"),
        (polygon('[[[1, "x"], [2, 2], [3, 3]]]'), "'x'"),
        (polygon("[[[1, 1e999], [2, 2], [3, 3]]]"), "inf"),
        ("[" * 100_000, "a.json"),
    ],
)
def test_broken_files(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AnnotationError, match=reason) as caught:
        geojson.read(tmp_path / "a.json", size_px=(50, 40))
    assert str(caught.value).startswith(str(tmp_path / "a.json"))


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read"):
        geojson.read(tmp_path / "nowhere.json")
    (tmp_path / "a.json").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with pytest.raises(AnnotationError, match="no text"):
        geojson.read(tmp_path / "a.json")
