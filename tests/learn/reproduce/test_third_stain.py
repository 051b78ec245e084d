"""Fields of a stain that nothing was trained on: which are taken, and what is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.simulated_looks import LOOKS
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.recipes import CLASSIFIER_RECIPES
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.third_stain import (
    judged_third,
    third_cells,
    third_fields,
    third_lines,
)
from smearlab.stain.fitting import measure_look
from smearlab.stain.normaliser import ReferenceNormaliser


def smears(look: str, n: int) -> list[np.ndarray]:
    config = SmearConfig(height_px=160, width_px=200, n_wbc=1, look=LOOKS[look])
    return [simulate_field(seed, config).field.pixels for seed in range(n)]


def write(folder: Path, dataset: str, groups: list[str]) -> Path:
    folder.mkdir()
    rows = []
    for n, group in enumerate(groups):
        Image.new("RGB", (30, 20), (n, 0, 0)).save(folder / f"{n}.png")
        rows.append({"path": f"{n}.png", "dataset": dataset, "source": "BCCD", "group": group})
    return write_manifest(folder / "m.parquet", Manifest.from_rows(rows, folder, "fields"))


def test_one_field_of_each_group_evenly_spread(tmp_path: Path) -> None:
    groups = ["a", "a", "b", "c", "c", "d", "e"]
    asked = Asked(str(write(tmp_path / "x", "bccd", groups)), tmp_path / "out")
    assert [int(one[0, 0, 0]) for one in third_fields(asked)] == [0, 2, 3, 5, 6]
    assert [int(one[0, 0, 0]) for one in third_fields(asked, 3)] == [0, 3, 6]


def test_without_such_fields_nothing_is_judged(tmp_path: Path) -> None:
    assert third_fields(Asked("simulated", tmp_path)) == []
    other = Asked(str(write(tmp_path / "x", "pbc", ["a"])), tmp_path / "out")
    assert third_fields(other) == []
    assert judged_third({}, smears("cream", 1), []) == {}
    assert list(third_lines({})) == []


def test_a_normaliser_brings_colours_nearer() -> None:
    home, away = smears("cream", 3), smears("pink", 3)
    look = measure_look(home, "macenko", name="home")
    judged = judged_third({"macenko": ReferenceNormaliser("m", "macenko", look)}, home, away)
    lines = {(line.row, line.figure): line for line in third_lines(judged)}
    before = lines["bccd, as it is", "ground ΔE00"].obtained
    after = lines["bccd, macenko", "ground ΔE00"]
    assert before is not None and after.obtained is not None
    assert after.obtained < before / 3
    assert (after.n, after.of) == (3, "fields")
    assert ("bccd, as it is", "SSIM of lightness") not in lines
    assert ("bccd, macenko", "SSIM of lightness") in lines


def test_cells_of_the_third_stain_are_as_many_of_each_group(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    rows = []
    for n in range(12):
        pixels = np.full((96, 96, 3), 235, np.uint8)
        cv2.circle(pixels, (30 + 3 * n, 50), 12, (120, 40, 90), cv2.FILLED)
        pixels[0, 0] = n  # no two are copies
        cv2.imwrite(str(folder / f"{n}.png"), pixels)
        kind = ("neutrophil", "monocyte")[n % 2]
        rows.append({"path": f"{n}.png", "dataset": "bccd4", "source": "BCCD", "label": kind,
                     "group": "one" if n < 9 else f"other {n}"})  # fmt: skip
    table = write_manifest(folder / "m.parquet", Manifest.from_rows(rows, folder, "cells"))
    data = PictureData(("pbc", "txl_pbc"), "wbc5", split="given")
    recipe = replace(CLASSIFIER_RECIPES["lwcnn_plain"], data=data)
    run = SimpleNamespace(recipe=recipe, classes=("monocyte", "neutrophil"))
    cells = third_cells(run, 48, Asked(str(table), tmp_path / "out"), most=8)  # type: ignore[arg-type]
    assert cells is not None and len(cells) == 2 + 3, "two of the group of nine, one of each other"
    assert set(cells.targets.tolist()) <= {0, 1}
    for n in range(len(cells)):
        view = cells.sample(n, np.random.default_rng(0))["pixels"]
        assert view.shape == (48, 48, 3)
        assert view[24, 24].max() < 130, "the nucleus is in the middle"
    assert third_cells(run, 48, Asked("simulated", tmp_path)) is None  # type: ignore[arg-type]
    other = Asked(str(write(tmp_path / "y", "pbc", ["a"])), tmp_path / "out")
    assert third_cells(run, 48, other) is None  # type: ignore[arg-type]
