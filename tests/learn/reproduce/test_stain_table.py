"""``smearlab reproduce stain_normalisation``: what it measures, and on which pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.datasets.manifest.table import read_manifest
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.reproduce.stain_normalisation import StainTable


def test_only_pictures_that_no_normaliser_saw_are_asked_about(tmp_path: Path) -> None:
    small = replace(EXPERIMENTS["stain_normalisation"], run=StainTable(("w_cyclegan_gp",)))
    asked = Asked("simulated", tmp_path, scale="smoke", show=False)
    record = reproduce(small, asked, "smearlab reproduce stain_normalisation")
    folder = tmp_path / "stain_normalisation" / "honest-smoke"
    table = read_manifest(folder / "w_cyclegan_gp-honest" / "manifest.parquet")
    abroad = table.column("source") == "simulated-2"
    taught = np.isin(table.column("split"), ("train", "val"))
    answers = {
        line.row: line for line in record.lines
        if line.figure == "accuracy" and line.row.startswith("simulated-2, ")
    }  # fmt: skip
    ways = {row.removeprefix("simulated-2, ") for row in answers}
    varied = "varied stains in training"
    assert ways >= {
        "as it is",
        "the ground alone",
        "reinhard",
        "w_cyclegan_gp",
        varied,
        f"reinhard and {varied}",
    }
    whole = read_manifest(folder / "lwcnn_plain-honest" / "manifest.parquet")
    tested = int((whole.column("split") == "test").sum())
    for line in answers.values():
        assert line.n is not None and 0 < line.n <= tested - int((abroad & taught).sum())
    assert (folder / "normalised.png").is_file()
