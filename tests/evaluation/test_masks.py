"""The figures of an analyser that errs in known ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.errors import UsageError
from smearlab.evaluation.masks import MaskRules, evaluate_masks, find_masks

BOXES = ((10, 10, 30, 30), (40, 40, 60, 60), (70, 10, 90, 30))


def write_mask(path: Path, boxes: tuple = BOXES, side: int = 100) -> Path:
    array = np.zeros((side, side), dtype=np.uint8)
    for x0, y0, x1, y1 in boxes:
        array[y0:y1, x0:x1] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


@pytest.fixture
def folders(tmp_path: Path, picture) -> tuple[Path, Path]:  # type: ignore[no-untyped-def]
    """Two pictures and their masks."""
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
        write_mask(tmp_path / "masks" / f"{name}.png")
    return tmp_path / "images", tmp_path / "masks"


def test_a_perfect_answer(folders, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    cells = tuple(cell(box, label=i) for i, box in enumerate(BOXES, start=1))
    result = evaluate_masks(analyser({"a": cells, "b": cells}), find_masks(*folders))
    for name in (
        *("pixel_accuracy", "precision", "sensitivity", "iou", "dice"),
        *("object_f1_50", "object_f1_75", "panoptic_quality"),
    ):
        assert result[name] == 1.0
        assert result["intervals"][name] == [1.0, 1.0]
    assert (result["splits"], result["merges"]) == (0, 0)
    assert (result["n"], result["n_true"], result["n_found"]) == (2, 6, 6)
    assert result["errors"] == []
    assert result["settings"]["mask_kinds"] == {"binary": 2}
    json.dumps(result, allow_nan=False)


def test_known_errors_are_counted(folders, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    """Field a: one cell missed, one split. Field b: one cell too many."""
    split = ((10, 10, 20, 30), (20, 10, 30, 30), (40, 40, 60, 60))
    extra = (*BOXES, (10, 60, 30, 80))
    answers = {
        "a": tuple(cell(box, label=i) for i, box in enumerate(split, start=1)),
        "b": tuple(cell(box, label=i) for i, box in enumerate(extra, start=1)),
    }
    result = evaluate_masks(analyser(answers), find_masks(*folders), jobs=2)
    assert result["splits"] == 1
    # a: the halves reach IoU 0.5 exactly, so one of them is a hit
    assert result["object_f1_50"] == pytest.approx(2 * 5 / (2 * 5 + 2 + 1))
    assert result["object_f1_75"] == pytest.approx(2 * 4 / (2 * 4 + 3 + 2))
    assert result["precision"] == pytest.approx(2000 / 2400)
    assert result["sensitivity"] == pytest.approx(2000 / 2400)
    low, high = result["intervals"]["object_f1_50"]
    assert low < result["object_f1_50"] < high


def test_both_rules_for_the_border_are_written(tmp_path, picture, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    picture(tmp_path / "images" / "a.png")
    write_mask(tmp_path / "masks" / "a.png")
    cells = (*BOXES, (0, 50, 12, 70))  # a cut cell that the mask leaves out
    answers = {"a": tuple(cell(box, label=i) for i, box in enumerate(cells, start=1))}
    pairs = find_masks(tmp_path / "images", tmp_path / "masks")
    result = evaluate_masks(analyser(answers), pairs)
    assert result["object_f1_50"] == result["by_border"]["ignore"]["object_f1_50"] == 1.0
    assert result["by_border"]["count"]["object_f1_50"] == pytest.approx(6 / 7)
    counted = evaluate_masks(analyser(answers), pairs, MaskRules(border="count"))
    assert counted["object_f1_50"] == pytest.approx(6 / 7)
    assert counted["settings"]["border"] == "count"
    assert counted["by_border"] == result["by_border"]
    assert result["intervals"]["dice"] == [None, None]  # one field has no spread


def test_only_the_cells_asked_for_are_compared(folders, analyser, cell) -> None:  # type: ignore[no-untyped-def]
    cells = tuple(cell(box, label=i) for i, box in enumerate(BOXES, start=1))
    platelet = cell((50, 80, 58, 88), "platelet", label=9)
    answers = dict.fromkeys("ab", (*cells, platelet))
    everything = evaluate_masks(analyser(answers), find_masks(*folders))
    red = evaluate_masks(analyser(answers), find_masks(*folders), MaskRules(("RBC",)))
    assert everything["object_f1_50"] == pytest.approx(6 / 7)
    assert red["object_f1_50"] == 1.0
    assert red["settings"]["elements"] == ["RBC"]


def test_bad_files_cost_themselves(folders, analyser, cell, picture) -> None:  # type: ignore[no-untyped-def]
    images, masks = folders
    (images / "broken.png").write_bytes(b"not a picture")
    write_mask(masks / "broken.png")
    picture(images / "lonely.png")
    picture(images / "other_size.png")
    write_mask(masks / "other_size.png", side=50, boxes=())
    cells = tuple(cell(box, label=i) for i, box in enumerate(BOXES, start=1))
    result = evaluate_masks(analyser({"a": cells, "b": cells}), find_masks(images, masks))
    reasons = {Path(one["file"]).name: one["reason"] for one in result["errors"]}
    assert set(reasons) == {"broken.png", "lonely.png", "other_size.png"}
    assert "no mask" in reasons["lonely.png"]
    assert "50 × 50" in reasons["other_size.png"]
    assert result["object_f1_50"] == 1.0


def test_masks_are_found_under_other_endings_and_folders(tmp_path, picture) -> None:  # type: ignore[no-untyped-def]
    picture(tmp_path / "images" / "day 1" / "a.jpg")
    mask = write_mask(tmp_path / "masks" / "day 1" / "a_mask.tif")
    assert find_masks(tmp_path / "images", tmp_path / "masks")[0][1] == mask


def test_folders_that_do_not_fit_are_refused(tmp_path, picture) -> None:  # type: ignore[no-untyped-def]
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks").mkdir()
    with pytest.raises(UsageError, match="none of the 1 pictures"):
        find_masks(tmp_path / "images", tmp_path / "masks")
    with pytest.raises(UsageError, match="nowhere"):
        find_masks(tmp_path / "images", tmp_path / "nowhere")
