"""The models that ship on real pictures, when they are at hand: a few of each validation part.

What they reach on all of them is in ``docs/accuracy.md``; the bounds here only notice a break.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.evaluation.box_sets import open_box_set
from smearlab.evaluation.fields import evaluate_fields
from smearlab.evaluation.masks import MaskRules, evaluate_masks, find_masks
from smearlab.io.bundles import find_bundle
from smearlab.pipeline import Analyzer


@pytest.fixture(scope="module")
def shipped() -> Analyzer:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the shipped {kind} is not in this checkout")
    return Analyzer.load()


def test_boxed_fields(shipped: Analyzer, data_part: Callable[[str], Path]) -> None:
    folder = data_part("fields/txl_pbc")
    boxes = open_box_set(folder / "images" / "val", folder / "labels" / "val", "yolo")
    result = evaluate_fields(
        shipped, boxes.images[::32], boxes.read, class_names=boxes.class_names, resamples=20
    )
    assert result["errors"] == []
    assert result["n_fields"] == 8
    assert result["RBC"]["ap50"] > 0.9
    assert result["RBC"]["count_mape"] < 15
    assert result["WBC"]["recall"] > 0.75


def test_fields_with_masks(shipped: Analyzer, data_part: Callable[[str], Path]) -> None:
    folder = data_part("fields/bbbc041seg")
    pairs = find_masks(folder / "images", folder / "masks")
    result = evaluate_masks(shipped, pairs[::10], MaskRules(("RBC", "WBC")), resamples=20)
    assert result["errors"] == []
    assert result["n"] == 2
    assert result["object_f1_50"] > 0.8


@pytest.mark.usefixtures("shipped")
def test_a_folder_from_end_to_end(data_part: Callable[[str], Path], tmp_path: Path) -> None:
    pictures = sorted((data_part("fields/bccd") / "images").iterdir())[:60:20]
    call = ["analyze", *map(str, pictures), "--out", str(tmp_path / "out"), "--export", "geojson"]
    result = CliRunner().invoke(app, call, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    counts = json.loads((tmp_path / "out" / "counts.json").read_bytes())
    with (tmp_path / "out" / "cells.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [field["name"] for field in counts["fields"]] == [path.stem for path in pictures]
    # Each of these fields was photographed for its one white cell.
    assert [field["WBC"] for field in counts["fields"]] == [1, 1, 1]
    assert all(field["RBC"] >= 5 for field in counts["fields"])
    assert len(rows) == counts["pooled"]["n_cells"]
    for path in pictures:
        drawn = json.loads((tmp_path / f"out/annotations/geojson/{path.stem}.geojson").read_bytes())
        assert len(drawn["features"]) == sum(row["field"] == path.stem for row in rows)
        assert (tmp_path / f"out/overlays/{path.stem}.png").stat().st_size > 10_000
