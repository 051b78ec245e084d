from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from smearlab.errors import AnnotationError
from smearlab.io.annotations import Annotation, AnnotationSet, from_cells
from smearlab.io.annotations.annotation_set import SetBuilder, enclosing, polygon_area
from smearlab.types import Cell, Field

SQUARE = ((10.0, 20.0), (30.0, 20.0), (30.0, 50.0), (10.0, 50.0))


def cell(**changes: Any) -> Cell:
    values: dict[str, Any] = {
        "field": "f",
        "label": 4,
        "contour": np.array(SQUARE, np.float32) + np.float32(0.1),
        "bbox": (10, 20, 31, 51),
        "area_px": 600.0,
        "touches_border": False,
        "element": "WBC",
        "detection_score": 0.75,
        "type": "neutrophil",
        "probabilities": {"neutrophil": 0.9, "monocyte": 0.1},
        "confidence": 0.9,
    }
    return Cell(**values | changes)


def field() -> Field:
    return Field(np.zeros((60, 40, 3), np.uint8), "f")


def test_from_cells() -> None:
    found = from_cells(field(), [cell()])
    assert (found.name, found.width_px, found.height_px, found.notes) == ("f", 40, 60, ())
    assert found.items == (
        Annotation(
            label="neutrophil",
            bbox=(10, 20, 31, 51),
            contour=((10.1, 20.1), (30.1, 20.1), (30.1, 50.1), (10.1, 50.1)),
            score=0.75,
            properties={
                "cell_id": 4,
                "element": "WBC",
                "area_px": 600.0,
                "touches_border": False,
                "confidence": 0.9,
                "probability neutrophil": 0.9,
                "probability monocyte": 0.1,
            },
        ),
    )


def test_from_cells_without_a_type_or_with_a_box_beyond_the_border() -> None:
    found = from_cells(
        field(),
        [cell(type="unidentified", probabilities={}, confidence=math.nan, bbox=(-3, 20, 41, 51))],
    )
    assert "confidence" not in found.items[0].properties
    assert found.items[0].bbox == (0, 20, 40, 51)
    assert found.notes == ("cell 4: box clipped to the picture",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"label": ""}, "label"),
        ({"label": " a"}, "label"),
        ({"label": "a\nb"}, "printable"),
        ({"label": 3}, "label"),
        ({"bbox": (5, 0, 5, 9)}, "wider"),
        ({"bbox": (5, 9, 7, 3)}, "wider"),
        ({"contour": ((0, 0), (1, 1))}, "3 finite points"),
        ({"contour": ((0, 0), (1, 1), (2, math.nan))}, "3 finite points"),
        ({"score": math.inf}, "score"),
        ({"properties": {"score": 1}}, "score"),
        ({"properties": {"": 1}}, "name"),
        ({"properties": {"x": math.nan}}, "finite"),
        ({"properties": {"x": None}}, "finite"),
        ({"properties": {"x": "\ud800"}}, "Unicode"),
    ],
)
def test_impossible_annotations_are_refused(changes: dict[str, Any], reason: str) -> None:
    values: dict[str, Any] = {"label": "a", "bbox": (0, 0, 2, 2)} | changes
    with pytest.raises(AnnotationError, match=reason):
        Annotation(**values)


def test_boxes_must_be_whole_numbers() -> None:
    assert Annotation("a", (np.int64(0), 0, 2, 2)).bbox == (0, 0, 2, 2)
    with pytest.raises(TypeError):
        Annotation("a", (0.5, 0, 2, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 11, 5), (0, 0, 5, 21)])
def test_boxes_lie_within_the_picture(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(AnnotationError, match="outside"):
        AnnotationSet("f", 10, 20, (Annotation("a", box),))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, -1)])
def test_pictures_have_a_size(size: tuple[int, int]) -> None:
    with pytest.raises(AnnotationError, match="at least 1×1 px"):
        AnnotationSet("f", *size, ())


@pytest.mark.parametrize(
    ("edges", "box", "note"),
    [
        ((1.4, 2.6, 5.5, 9.49), (1, 3, 6, 9), None),
        ((0, 0, 10, 20), (0, 0, 10, 20), None),
        ((3.6, 3.6, 3.9, 3.9), (3, 3, 4, 4), None),
        ((-4.0, 5, 3, 30), (0, 5, 3, 20), "clipped"),
        ((-0.4, 0, 10.4, 20), (0, 0, 10, 20), None),
        ((5, 5, 5, 9), None, "empty"),
        ((5, 5, 4, 9), None, "empty"),
        ((10, 0, 15, 5), None, "outside"),
        ((-5, 0, 0, 5), None, "outside"),
    ],
)
def test_boxes_are_rounded_clipped_or_dropped_and_it_is_said(
    edges: tuple[float, float, float, float],
    box: tuple[int, int, int, int] | None,
    note: str | None,
) -> None:
    builder = SetBuilder("file", "f", 10, 20)
    builder.add("line 7", "a", edges)
    built = builder.build()
    assert [item.bbox for item in built.items] == ([] if box is None else [box])
    assert len(built.notes) == (0 if note is None else 1)
    if note is not None:
        assert built.notes[0].startswith("line 7: ")
        assert note in built.notes[0]


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_unusable_numbers_name_file_and_place(value: float) -> None:
    with pytest.raises(AnnotationError, match=r"^file: line 7: "):
        SetBuilder("file", "f", 10, 20).add("line 7", "a", (0, 0, value, 1))
    with pytest.raises(AnnotationError, match=r"^file: line 8: "):
        SetBuilder("file", "f", 10, 20).add("line 8", "", (0, 0, 1, 1))


def test_polygons() -> None:
    assert polygon_area(SQUARE) == 600
    assert polygon_area(SQUARE[::-1]) == 600
    assert polygon_area(((0, 0), (4, 0), (0, 3))) == 6
    assert enclosing(((0.2, 1.0), (3.0, 1.5), (2.5, 2.1))) == (0, 1, 3, 3)
