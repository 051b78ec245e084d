"""Figures of a detector that errs in known ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smearlab.errors import AnnotationError, UnknownNameError, UsageError
from smearlab.evaluation.box_figures import TrueBox, judged_classes
from smearlab.evaluation.fields import evaluate_fields
from smearlab.types import Field

RED = ((10, 10, 30, 30), (40, 40, 60, 60), (70, 10, 90, 30))
WHITE = ((10, 60, 40, 90),)


def reader(boxes: dict[str, list[TrueBox]]):  # type: ignore[no-untyped-def]
    """Gives the boxes that were put down for a picture."""

    def read(image: Path, field: Field) -> list[TrueBox]:
        assert field.width_px == 100
        if image.stem not in boxes:
            raise AnnotationError(f"{image} has no boxes")
        return boxes[image.stem]

    return read


def true(name: str, *boxes: tuple[float, float, float, float]) -> list[TrueBox]:
    return [TrueBox(name, box) for box in boxes]


@pytest.fixture
def images(tmp_path, picture) -> list[Path]:  # type: ignore[no-untyped-def]
    """Two pictures."""
    return [picture(tmp_path / f"{name}.png") for name in "ab"]


TRUTH = {
    "a": [*true("RBC", *RED), *true("WBC", *WHITE)],
    "b": true("RBC", *RED),
}


def test_a_perfect_answer(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    red = tuple(cell(box) for box in RED)
    found = {"a": (*red, cell(WHITE[0], "monocyte")), "b": red}
    result = evaluate_fields(analyser(found), images, reader(TRUTH))
    assert result["map50"] == result["map"] == 1.0
    assert result["n_fields"] == 2
    assert result["RBC"] == {
        **dict.fromkeys(("ap50", "ap", "precision", "recall"), 1.0),
        **dict.fromkeys(("count_mae", "count_bias", "count_mape"), 0.0),
        "n": 6,
        "n_found": 6,
        "count_mape_fields": 2,
    }
    assert result["WBC"]["n"] == 1
    assert result["WBC"]["count_mape_fields"] == 1
    assert result["PLT"]["ap50"] is None  # no boxes: undefined, and not in the mean
    assert result["PLT"]["count_mape"] is None
    assert result["PLT"]["count_mae"] == 0.0
    assert result["intervals"]["RBC"]["recall"] == [1.0, 1.0]
    assert result["intervals"]["PLT"]["recall"] == [None, None]
    json.dumps(result, allow_nan=False)


def test_known_errors(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    """Field a misses a cell; field b has two false ones, one of them below the threshold."""
    found = {
        "a": tuple(cell(box) for box in RED[:2]),
        "b": (
            *(cell(box) for box in RED),
            cell((5, 70, 25, 90), score=0.8),
            cell((40, 70, 60, 90), score=0.45),
        ),
    }
    truth = {name: true("RBC", *RED) for name in "ab"}
    red = evaluate_fields(analyser(found), images, reader(truth), jobs=2)["RBC"]
    assert red["precision"] == pytest.approx(5 / 6)
    assert red["recall"] == pytest.approx(5 / 6)
    assert red["count_mae"] == 1.0
    assert red["count_bias"] == 0.0
    assert red["count_mape"] == pytest.approx(100 / 3)
    # five hits first, then the false ones: precision 1 up to recall 5/6, i.e. 84 of 101 points
    assert red["ap50"] == pytest.approx(84 / 101)
    assert red["n_found"] == 6


def test_each_element_has_its_own_threshold(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    found = {
        name: (cell(RED[0], score=0.45), cell(WHITE[0], "basophil", score=0.45)) for name in "ab"
    }
    truth = {name: [*true("RBC", RED[0]), *true("WBC", *WHITE)] for name in "ab"}
    result = evaluate_fields(analyser(found), images, reader(truth))
    assert result["RBC"]["recall"] == 0.0
    assert result["WBC"]["recall"] == 1.0
    assert result["RBC"]["ap50"] == 1.0  # candidates below the threshold count for AP


def test_nucleated_types_count_as_white_cells(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    found = {name: (cell(WHITE[0], "erythroblast"),) for name in "ab"}
    truth = {name: true("leukocyte", *WHITE) for name in "ab"}
    result = evaluate_fields(analyser(found), images, reader(truth))
    assert result["WBC"]["recall"] == 1.0
    assert "erythroblast" not in result


def test_types_that_the_boxes_name_are_judged_by_name(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    other = (60, 60, 90, 90)
    found = {name: (cell(WHITE[0], "neutrophil"), cell(other, "erythroblast")) for name in "ab"}
    truth = {name: [*true("Neutrophil", *WHITE), *true("NRBC", other)] for name in "ab"}
    result = evaluate_fields(analyser(found), images, reader(truth))
    assert result["neutrophil"]["ap50"] == result["erythroblast"]["ap50"] == 1.0
    assert result["WBC"]["n"] == 2  # the neutrophils; erythroblasts stand apart
    assert result["WBC"]["precision"] == result["WBC"]["recall"] == 1.0
    assert result["map50"] == 1.0
    assert set(result["intervals"]) >= {"neutrophil", "erythroblast", "WBC", "map50"}


def test_a_wrong_type_costs_the_named_class_but_not_white_cells(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    found = {name: (cell(WHITE[0], "monocyte"),) for name in "ab"}
    truth = {name: true("Neutrophil", *WHITE) for name in "ab"}
    result = evaluate_fields(analyser(found), images, reader(truth))
    assert result["neutrophil"]["recall"] == 0.0
    assert result["WBC"]["recall"] == 1.0


def test_names_of_the_list_count_although_no_box_has_them() -> None:
    by_name = {judged.name: judged for judged in judged_classes(["WBC", "RBC", "NRBC"])}
    assert not by_name["WBC"].holds("WBC", "erythroblast")
    assert by_name["WBC"].holds("WBC", "unidentified")
    assert by_name["erythroblast"].holds("WBC", "erythroblast")
    with pytest.raises(UnknownNameError, match="tumour"):
        judged_classes(["WBC", "tumour"])


def test_groups_are_measured_apart(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    found = {"a": tuple(cell(box) for box in RED), "b": ()}
    truth = {name: true("RBC", *RED) for name in "ab"}
    result = evaluate_fields(
        analyser(found), images, reader(truth), groups={"a.png": "clinic", "b": "lab"}
    )
    assert result["groups"]["clinic"]["RBC"]["recall"] == 1.0
    assert result["groups"]["lab"]["RBC"]["recall"] == 0.0
    assert result["groups"]["lab"]["n_fields"] == 1
    assert result["RBC"]["recall"] == 0.5


def test_bad_files_cost_themselves(images, tmp_path, analyser, cell, picture) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    files = [*images, tmp_path / "broken.png", picture(tmp_path / "unboxed.png")]
    found = {name: tuple(cell(box) for box in RED) for name in ("a", "b", "unboxed")}
    result = evaluate_fields(analyser(found), files, reader(TRUTH))
    assert [Path(one["file"]).name for one in result["errors"]] == ["broken.png", "unboxed.png"]
    assert result["n_fields"] == 2


def test_no_field_at_all_is_an_error(tmp_path, analyser) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UsageError, match=r"none of the 1 fields.*a\.png"):
        evaluate_fields(analyser(), [tmp_path / "a.png"], reader({}))


def test_the_number_of_threads_changes_nothing(images, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    found = {name: tuple(cell(box, score=0.6) for box in RED[:2]) for name in "ab"}
    one, four = (
        evaluate_fields(analyser(found), images, reader(TRUTH), jobs=jobs) for jobs in (1, 4)
    )
    assert one == four
