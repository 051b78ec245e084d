"""Simulated fields on disk: what is read back is what was true."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.simulated_files import BOX_CLASSES, write_fields
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import OutputExistsError
from smearlab.io.annotations import yolo

CONFIG = SmearConfig(height_px=240, width_px=320, rbc_diameter_px=40, n_rbc=12, n_wbc=2, n_plt=3)


def test_pictures_masks_and_boxes_come_back(tmp_path: Path) -> None:
    fields = [simulate_field(seed, CONFIG) for seed in (1, 2)]
    write_fields(tmp_path / "out", iter(fields), CONFIG)
    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert truth["simulated"] is True
    assert truth["settings"]["rbc_diameter_px"] == 40
    classes = yolo.read_classes(tmp_path / "out" / "classes.txt")
    assert classes == BOX_CLASSES
    for simulated, entry in zip(fields, truth["fields"], strict=True):
        name = simulated.field.name
        with Image.open(tmp_path / "out" / "images" / f"{name}.png") as image:
            assert np.array_equal(np.array(image), simulated.field.pixels)
            assert image.info["dpi"][0] == pytest.approx(
                25_400 / simulated.field.um_per_px, rel=1e-4
            )
        with Image.open(tmp_path / "out" / "masks" / f"{name}.png") as mask:
            assert np.array_equal(np.array(mask), simulated.labels.array)
        assert (entry["RBC"], entry["WBC"], entry["PLT"]) == (12, 2, 3)
        assert entry["types"]["erythrocyte"] == 12
        boxes = yolo.read(tmp_path / "out" / "boxes" / f"{name}.txt", classes, size_px=(320, 240))
        assert [(item.label, item.bbox) for item in boxes.items] == [
            (cell.element, cell.bbox) for cell in simulated.cells
        ]


def test_the_manifest_has_a_row_a_field(tmp_path: Path) -> None:
    table = pytest.importorskip("smearlab.datasets.manifest.table", reason="pyarrow is missing")
    fields = [simulate_field(seed, CONFIG) for seed in (1, 2)]
    write_fields(tmp_path / "out", iter(fields), CONFIG)
    rows = table.read_manifest(tmp_path / "out" / "manifest.parquet").table.to_pylist()
    assert len(rows) == 2
    for simulated, row in zip(fields, rows, strict=True):
        assert row["path"] == f"images/{simulated.field.name}.png"
        assert row["mask"] == f"masks/{simulated.field.name}.png"
        assert (row["width_px"], row["height_px"], row["stain"]) == (320, 240, "cream")
        assert row["synthetic"] is True
        assert [(box["label"], box["x0"], box["y1"]) for box in row["boxes"]] == [
            (cell.element, cell.bbox[0], cell.bbox[3]) for cell in simulated.cells
        ]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputExistsError, match="is not empty; name a new folder"):
        write_fields(tmp_path, [], CONFIG)
    with pytest.raises(OutputExistsError):
        write_fields(tmp_path / "mine.txt", [], CONFIG)
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
