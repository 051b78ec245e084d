"""Pictures of generators in a manifest: classifiers train on them, nothing is tested on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.errors import ManifestError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.recipes import CLASSIFIER_RECIPES
from smearlab.learn.run_asked import Asked, crops_of, splits_of
from smearlab.learn.split_protocols import chosen_pictures

RECIPE = replace(
    CLASSIFIER_RECIPES["lwcnn"],
    data=PictureData(("pbc",), "cells8", shares=(0.5, 0.25, 0.25)),
)
RECIPE = replace(RECIPE, view=replace(RECIPE.view, crop_px=200))


def rows(dataset: str = "pbc", part: str | None = None) -> Manifest:
    """Twelve real pictures and six generated ones, the latter in ``part``."""
    kinds = ("basophil", "monocyte")
    real: list[dict[str, Any]] = [
        {"dataset": dataset, "source": "PBC", "label": kinds[n % 2], "type": kinds[n % 2],
         "split": ("train", "val", "test")[n // 2 % 3], "group": f"g{n}"}
        for n in range(12)
    ]  # fmt: skip
    made: list[dict[str, Any]] = [
        {"dataset": "synthetic", "source": "dcgan", "label": "basophil", "type": "basophil",
         "synthetic": True, "split": part or "train"}
        for _ in range(6)
    ]  # fmt: skip
    return manifest_of([*real, *made])


def made(manifest: Manifest) -> int:
    return int((manifest.column("dataset") == "synthetic").sum())


def test_classifiers_keep_them_beside_the_sets_they_name() -> None:
    both = rows()
    assert made(chosen_pictures(both, RECIPE.data)) == 0
    kept = chosen_pictures(both, RECIPE.data, generated=True)
    assert (made(kept), len(kept)) == (6, 18)
    origin = replace(RECIPE.data, origins=("PBC",))
    assert len(chosen_pictures(both, origin, generated=True)) == 18
    # pictures of one's own stay, too: the recipe's set is not among them
    assert len(chosen_pictures(rows("folder"), RECIPE.data, generated=True)) == 18


def test_they_are_shown_whole() -> None:
    assert crops_of(rows(), RECIPE).tolist() == [200] * 12 + [0] * 6


@pytest.mark.parametrize("split", ["drawn", "given"])
def test_they_train_in_every_split(tmp_path: Path, split: str) -> None:
    table, said = write_manifest(tmp_path / "m.parquet", rows()), list[str]()
    recipe = replace(RECIPE, data=replace(RECIPE.data, split=split))  # type: ignore[arg-type]
    asked = Asked(str(table), tmp_path, show=False, say=said.append)
    (one,) = splits_of(recipe, asked, generated=True)
    assert [made(one.part(name)) for name in ("train", "val", "test")] == [6, 0, 0]
    noted = any("6 of the pictures were made by a generator" in line for line in said)
    assert noted == (split == "drawn")
    (without,) = splits_of(recipe, asked)
    assert made(without.manifest) == 0


@pytest.mark.parametrize("protocol", ["honest", "paper"])
@pytest.mark.parametrize("part", ["val", "test"])
def test_no_protocol_tests_on_them(tmp_path: Path, part: str, protocol: Any) -> None:
    table = write_manifest(tmp_path / "m.parquet", rows(part=part))
    recipe = replace(RECIPE, data=replace(RECIPE.data, split="given"))
    asked = Asked(str(table), tmp_path, protocol, show=False)
    with pytest.raises(ManifestError, match=rf"12\.png is synthetic and in {part} \(6 such\)"):
        splits_of(recipe, asked, generated=True)


def test_no_fold_tests_on_them(tmp_path: Path) -> None:
    folds = np.arange(18) % 3
    table = write_manifest(
        tmp_path / "m.parquet", rows().with_columns(fold=folds, split=[None] * 18)
    )
    recipe = replace(RECIPE, data=replace(RECIPE.data, split="given", folds=3))
    with pytest.raises(ManifestError, match=r"12\.png is synthetic and in test"):
        splits_of(recipe, Asked(str(table), tmp_path, show=False), generated=True)
