"""What runs of every kind are asked for: where they lie, and which pictures they get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.learn.recipes import CLASSIFIER_RECIPES, STAIN_RECIPES
from smearlab.learn.run_asked import Asked, crops_of, is_simulated, pictures_of, run_folder
from smearlab.learn.simulated_pictures import simulated_pictures
from smearlab.learn.transforms.picture_views import PictureViewConfig

RECIPE = CLASSIFIER_RECIPES["lwcnn"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return simulated_pictures(tmp_path_factory.mktemp("pictures") / "simulated")


def test_a_folder_tells_recipe_protocol_part_and_type() -> None:
    asked = Asked("simulated", Path("runs"), "paper", n_train=40)
    assert run_folder(RECIPE, asked).name == "lwcnn-paper-n40"
    assert run_folder(RECIPE, replace(asked, n_train=None), "immature cell").name == (
        "lwcnn-paper-immature_cell"
    )


@pytest.mark.parametrize("recipe", [RECIPE, STAIN_RECIPES["w_cyclegan_gp"]])
def test_duplicates_that_nobody_sought_are_said(
    recipe: Any, pictures: Manifest, tmp_path: Path
) -> None:
    real = pictures.with_columns(dataset=["pbc"] * len(pictures))
    real = replace(real, provenance=())
    path = write_manifest(pictures.root / "real.parquet", real)
    said: list[str] = []
    asked = Asked(str(path), tmp_path, show=False, say=said.append)
    assert len(pictures_of(recipe, asked)) == len(pictures)
    assert [line.split(":")[0] for line in said] == [
        "near-duplicates have not been looked for among these pictures"
    ]
    said.clear()
    pictures_of(recipe, replace(asked, protocol="paper"))
    drawn = pictures_of(recipe, replace(asked, data="simulated"))
    assert said == [] and is_simulated(drawn) and not is_simulated(real)


def test_origins_of_another_scale_show_a_larger_square(pictures: Manifest) -> None:
    real = pictures.take(np.arange(3)).with_columns(
        dataset=["txl_pbc", "pbc", "simulated"], source=["Raabin-WBC", "PBC", "simulated-1"]
    )
    view = PictureViewConfig(64, 200)
    assert crops_of(real, replace(RECIPE, view=view)).tolist() == [380, 200, 0]
    whole = replace(RECIPE, view=PictureViewConfig(64, None))
    assert crops_of(real, whole).tolist() == [0, 0, 0]
