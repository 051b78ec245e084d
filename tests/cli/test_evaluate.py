"""``smearlab evaluate``: help, refusals, and a whole run where models ship."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from smearlab.cli.evaluate import commands
from smearlab.io.bundles import find_bundle


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    result = CliRunner().invoke(commands, [str(one) for one in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def shipped() -> None:
    """Skips where no models ship."""
    for kind in ("segmenter", "classifier"):
        if not (find_bundle(kind, "default") / "card.json").is_file():
            pytest.skip(f"no default {kind} ships yet")


@pytest.fixture
def smear(tmp_path: Path) -> Path:
    """Two drawn fields with boxes and masks, and the cells cut out of them."""
    for folder in ("images", "labels", "masks", "cells/RBC"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "classes.txt").write_text("RBC\n")
    for name in ("a", "b"):
        field = Image.new("RGB", (320, 240), (238, 232, 222))
        mask = Image.new("L", field.size)
        lines = []
        for x, y in ((70, 60), (160, 150), (250, 70)):
            box = (x - 35, y - 35, x + 34, y + 34)
            ImageDraw.Draw(field).ellipse(box, fill=(206, 140, 138))
            ImageDraw.Draw(mask).ellipse(box, fill=255)
            lines.append(f"0 {x / 320} {y / 240} {70 / 320} {70 / 240}")
        field.save(tmp_path / "images" / f"{name}.png")
        mask.save(tmp_path / "masks" / f"{name}.png")
        (tmp_path / "labels" / f"{name}.txt").write_text("\n".join(lines))
        field.crop((20, 10, 120, 110)).save(tmp_path / "cells" / "RBC" / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("command", ["fields", "masks", "cells"])
def test_help_teaches(command: str) -> None:
    status, text = run(command, "--help")
    assert status == 0
    assert f"Example: smearlab evaluate {command}" in text.replace("│", " ")
    assert "Exit status" in text


def test_wrong_calls_end_with_two_and_say_why(smear: Path) -> None:
    images, labels, masks = smear / "images", smear / "labels", smear / "masks"
    boxes = ("fields", "--images", images, "--boxes", labels, "--format")
    calls = {
        (*boxes, "coco"): "coco",
        ("fields", "--images", smear / "no", "--boxes", labels, "--format", "yolo"): "no folder",
        ("fields", "--images", images, "--boxes", smear / "no", "--format", "yolo"): "no such",
        (*boxes, "yolo", "--classes", smear / "no.txt"): "classes file",
        (*boxes, "yolo", "--json", smear / "no" / "out.json"): "make it first",
        (*boxes, "yolo", "--json", smear): "is a folder",
        (*boxes, "yolo", "--groups", smear / "no.csv"): "groups",
        (*boxes, "yolo", "--jobs", 0): "--jobs",
        (*boxes, "yolo", "--segmenter", "nothing"): "nothing",
        ("masks", "--images", images, "--masks", labels): "none of the 2 pictures",
        ("masks", "--images", images, "--masks", masks, "--border", "maybe"): "maybe",
        ("masks", "--images", images, "--masks", masks, "--min-area", -1): "--min-area",
        ("cells", "--images", smear / "no"): "no folder",
        ("cells", "--images", smear): "unknown cell type 'cells'",
    }
    for call, reason in calls.items():
        status, text = run(*call)
        assert status == 2, (call, text)
        assert reason in text, (call, text)


def test_unknown_folders_list_the_known(smear: Path) -> None:
    (smear / "cells" / "tumour").mkdir()
    status, text = run("cells", "--images", smear / "cells")
    assert status == 2
    assert "'tumour'" in text
    assert all(name in text for name in ("erythroblast", "NRBC", "immature granulocyte"))


@pytest.mark.usefixtures("shipped")
def test_fields(smear: Path) -> None:
    out = smear / "out.json"
    status, text = run(
        *("fields", "--images", smear / "images", "--boxes", smear / "labels"),
        *("--format", "yolo", "--json", out),
    )
    result = json.loads(out.read_text())
    assert status == 0
    assert result["n_fields"] == 2
    assert result["RBC"]["n"] == 6
    keys = ("ap50", "ap", "precision", "recall", "count_mae", "count_bias", "count_mape", "n")
    for element in ("RBC", "WBC", "PLT"):
        assert set(keys) <= set(result[element])
    assert {"map50", "intervals", "models", "settings", "errors"} <= set(result)
    assert "2 fields" in text


@pytest.mark.usefixtures("shipped")
def test_masks(smear: Path) -> None:
    out = smear / "out.json"
    status, _ = run(
        *("masks", "--images", smear / "images", "--masks", smear / "masks", "--json", out),
        *("--element", "RBC", "--element", "WBC"),
    )
    result = json.loads(out.read_text())
    assert status == 0
    assert result["n"] == 2
    for key in (
        *("pixel_accuracy", "precision", "sensitivity", "iou", "dice", "object_f1_50"),
        *("object_f1_75", "panoptic_quality", "splits", "merges", "intervals"),
    ):
        assert key in result
    assert result["settings"]["elements"] == ["RBC", "WBC"]


@pytest.mark.usefixtures("shipped")
def test_cells_and_a_bad_picture(smear: Path) -> None:
    (smear / "cells" / "RBC" / "cut.png").write_bytes(b"\x89PNG\r\n")
    out = smear / "out.json"
    status, text = run("cells", "--images", smear / "cells", "--json", out)
    result = json.loads(out.read_text())
    assert status == 1
    assert "1 files failed" in text
    assert [Path(one["file"]).name for one in result["errors"]] == ["cut.png"]
    assert result["n"] == 2
    matrix = np.array(result["confusion"]["matrix"])
    assert matrix.sum() == 2
    assert {"accuracy", "balanced_accuracy", "ece", "types", "intervals"} <= set(result)
