"""Figures of a classifier whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sklearn import metrics

from smearlab.errors import UnknownNameError, UsageError
from smearlab.evaluation.cells import evaluate_cells, find_typed_pictures
from smearlab.types import UNIDENTIFIED


def answer(name: str, confidence: float = 0.9) -> tuple[str, float, dict[str, float]]:
    """An answer, and probabilities that bear it out."""
    return name, confidence, {name: confidence, "platelet": 1 - confidence}


@pytest.fixture
def folder(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    """Two lymphocytes, two immature granulocytes from two folders, one neutrophil."""
    for path in ("Lymph/l1", "Lymph/l2", "ig/i1", "MMY/i2", "NEUTROPHIL/n1"):
        picture(tmp_path / f"{path}.png")
    (tmp_path / ".cache").mkdir()
    return tmp_path


ANSWERS = {
    "l1": answer("lymphocyte"),
    "l2": answer("monocyte", 0.7),
    "i1": answer("immature granulocyte"),
    "i2": (UNIDENTIFIED, 0.4, {"immature granulocyte": 0.4, "neutrophil": 0.3, "monocyte": 0.3}),
    "n1": answer("neutrophil"),
}


def test_known_answers(folder, analyser) -> None:  # type: ignore[no-untyped-def]
    result = evaluate_cells(analyser(types=ANSWERS), find_typed_pictures(folder), jobs=2)
    assert result["n"] == 5
    assert result["accuracy"] == 0.6
    assert result["unidentified"] == 0.2
    assert result["accuracy_identified"] == 0.75
    assert result["balanced_accuracy"] == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert result["types"]["lymphocyte"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "n": 2,
    }
    assert set(result["types"]) == {"lymphocyte", "immature granulocyte", "neutrophil"}
    assert result["errors"] == []
    json.dumps(result, allow_nan=False)


def test_the_confusion_matrix_has_a_column_for_unidentified(folder, analyser) -> None:  # type: ignore[no-untyped-def]
    pictures = find_typed_pictures(folder)
    result = evaluate_cells(analyser(types=ANSWERS), pictures)
    confusion = result["confusion"]
    assert confusion["columns"] == [*confusion["labels"], UNIDENTIFIED]
    true = [name for _, name in pictures]
    given = [ANSWERS[path.stem][0] for path, _ in pictures]
    expected = metrics.confusion_matrix(true, given, labels=confusion["columns"])
    assert confusion["matrix"] == expected[: len(confusion["labels"])].tolist()


def test_calibration_looks_at_the_most_probable_type(folder, analyser) -> None:  # type: ignore[no-untyped-def]
    """Bins of 0.9 (three right), 0.7 (one wrong), 0.4 (one right, though unidentified)."""
    result = evaluate_cells(analyser(types=ANSWERS), find_typed_pictures(folder))
    assert result["ece"] == pytest.approx((3 * 0.1 + 0.7 + 0.6) / 5)


def test_intervals_hold_the_figures(folder, analyser) -> None:  # type: ignore[no-untyped-def]
    result = evaluate_cells(analyser(types=ANSWERS), find_typed_pictures(folder))
    for name in ("accuracy", "balanced_accuracy", "unidentified", "macro_f1"):
        low, high = result["intervals"][name]
        assert low <= result[name] <= high
    low, high = result["intervals"]["types"]["lymphocyte"]["recall"]
    assert (low, high) == pytest.approx((0.0126, 0.9874), abs=1e-4)  # 1 of 2


def test_a_bad_picture_costs_itself(folder, analyser) -> None:  # type: ignore[no-untyped-def]
    (folder / "Lymph" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    result = evaluate_cells(analyser(types=ANSWERS), find_typed_pictures(folder))
    assert [Path(one["file"]).name for one in result["errors"]] == ["cut.jpg"]
    assert result["n"] == 5


def test_nothing_read_is_undefined_not_zero(tmp_path, analyser) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "ig").mkdir()
    (tmp_path / "ig" / "a.png").write_bytes(b"")
    result = evaluate_cells(analyser(), find_typed_pictures(tmp_path))
    assert result["n"] == 0
    assert result["accuracy"] is None
    assert result["ece"] is None
    assert result["intervals"]["accuracy"] == [None, None]


def test_unknown_folders_are_errors_that_list_the_known(folder, picture) -> None:  # type: ignore[no-untyped-def]
    picture(folder / "blast" / "b.png")
    with pytest.raises(UnknownNameError, match=r"'blast'.*lymphocyte.*platelet"):
        find_typed_pictures(folder)


def test_folders_without_types_are_refused(tmp_path, picture) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="no type folders"):
        find_typed_pictures(tmp_path)
    (tmp_path / "ig").mkdir()
    with pytest.raises(UsageError, match="no pictures"):
        find_typed_pictures(tmp_path)
    with pytest.raises(UsageError, match="nowhere"):
        find_typed_pictures(tmp_path / "nowhere")
