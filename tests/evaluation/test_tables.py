"""Tables that people read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from smearlab.evaluation.box_figures import TrueBox
from smearlab.evaluation.cells import evaluate_cells
from smearlab.evaluation.fields import evaluate_fields
from smearlab.evaluation.tables import cells_tables, fields_table, figure, masks_table

FIGURES = (
    *("object_f1_50", "object_f1_75", "panoptic_quality", "pixel_accuracy"),
    *("precision", "sensitivity", "iou", "dice"),
)


def shown(*tables: object) -> str:
    console = Console(width=100, file=io.StringIO(), record=True)
    for table in tables:
        console.print(table)
    return console.export_text()


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (0.98765, (0.9, 1.0), "0.9877 (0.9000–1.0000)"),
        (-0.5, (-1.0, 0.5), "-0.5000 (-1.0000…0.5000)"),
        (0.5, (None, None), "0.5000"),
        (None, (None, None), "–"),
        (None, None, "–"),
    ],
)
def test_figures(value, interval, text: str) -> None:  # type: ignore[no-untyped-def]
    assert figure(value, interval) == text


def test_fields(tmp_path: Path, picture, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    images = [picture(tmp_path / f"{name}.png") for name in "ab"]
    box = (10, 10, 40, 40)
    found = dict.fromkeys("ab", (cell(box, "basophil"),))
    result = evaluate_fields(
        analyser(found), images, lambda image, field: [TrueBox("basophil", box)]
    )
    text = shown(fields_table(result, "all of them"))
    assert "all of them" in text
    assert "2 fields" in text
    assert "basophil" in text
    assert "1.000 (1.000–1.000)" in text
    assert "–" in text  # platelets: undefined


def test_masks() -> None:
    ends = dict.fromkeys(FIGURES, (0.25, 0.75))
    part = {**dict.fromkeys(ends, 0.5), "n_true": 12, "n_found": 13, "splits": 1, "merges": 2}
    part["intervals"] = ends
    counted = {**part, "n_true": 14}
    result = {
        "n": 3,
        "settings": {"border": "count"},
        "by_border": {"ignore": part, "count": counted},
    }
    text = shown(masks_table(result))
    assert text.index("counted") < text.index("ignored")  # what was asked for comes first
    assert "0.5000 (0.2500–0.7500)" in text
    assert "14" in text


def test_cells(tmp_path: Path, picture, analyser) -> None:  # type: ignore[no-untyped-def]
    pictures = [(picture(tmp_path / f"{name}.png"), "neutrophil") for name in "ab"]
    answers = {
        "a": ("neutrophil", 0.9, {"neutrophil": 0.9, "monocyte": 0.1}),
        "b": ("unidentified", 0.4, {"monocyte": 0.4}),
    }
    text = shown(*cells_tables(evaluate_cells(analyser(types=answers), pictures)))
    assert "2 pictures" in text
    assert "share unidentified" in text
    assert "neutrophil" in text
