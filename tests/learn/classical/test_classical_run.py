"""A classical recipe from a manifest to a run folder, and back without a pickle."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted_cells import KINDS, paint, painted_manifest

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.errors import ManifestError, RunError, UnknownNameError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of
from smearlab.learn.classical.classifiers import ForestConfig
from smearlab.learn.classical.features import FeatureConfig
from smearlab.learn.classical.fitted import load_classical
from smearlab.learn.classical.recipes import CLASSICAL_RECIPES, ClassicalRecipe
from smearlab.learn.classical.run import run_classical
from smearlab.learn.manifest_samples import Split, rows_of_split

CLASSES = tuple(KINDS)


def quick(name: str) -> ClassicalRecipe:
    recipe = replace(CLASSICAL_RECIPES[name], features=FeatureConfig(size_px=64, crop_px=120))
    if name == "classical_forest":
        return replace(recipe, classifier=ForestConfig(trees=8))
    return recipe


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("painted")
    return painted_manifest(folder, {"train": 6, "val": 2, "test": 3})


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def splits(manifest: Manifest) -> dict[Split, NDArray[np.intp]]:
    names: tuple[Split, ...] = ("train", "val", "test")
    return {name: rows_of_split(manifest, name) for name in names}


def train(manifest: Manifest, run: Path, cache: Path, name: str, **given: Any) -> RunSummary:
    recipe = given.pop("recipe", quick(name))
    return run_classical(
        recipe, manifest, splits(manifest), run, classes=CLASSES, cache=cache, **given
    )


@pytest.mark.parametrize("name", CLASSICAL_RECIPES)
def test_a_run_is_left_and_comes_back(
    name: str, manifest: Manifest, cache: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    summary = train(manifest, tmp_path, cache, name, advance=lambda *n: told.append(n))
    assert told == [(n + 1, 22) for n in range(22)]
    assert RunSummary.load(tmp_path) == summary
    assert list(runs_of(tmp_path)) == [tmp_path]
    assert (summary.n_train, summary.n_val, summary.n_test) == (12, 4, 6)
    assert summary.recipe == name
    assert summary.parameters > 0
    test = Predictions.load(tmp_path, "test")
    assert test.logits.argmax(1).tolist() == test.targets.tolist()
    np.testing.assert_allclose(np.exp(test.logits.astype(np.float64)).sum(1), 1, atol=1e-5)
    assert len(set(test.groups)) == 6
    assert set(test.origins) == {"painted"}
    rows = splits(manifest)["test"]
    assert test.paths.tolist() == manifest.column("path")[rows].tolist()
    assert not list(tmp_path.rglob("*.pkl")) + list(tmp_path.rglob("*.joblib"))
    kept = read_manifest(tmp_path / "manifest.parquet")
    assert kept.file(kept.column("path")[0]).is_file()

    again = load_classical(tmp_path)
    assert again.classes == CLASSES
    assert again.recipe.classifier == quick(name).classifier
    assert again.recipe.features == quick(name).features
    pixels = paint("neutrophil", 77)[0][::2, ::2].copy()
    shares = again.probabilities(pixels)
    assert shares.sum() == pytest.approx(1, abs=1e-5)


def test_the_same_run_gives_the_same_bytes(manifest: Manifest, cache: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train(manifest, tmp_path / name, cache, "classical_forest")
    for file in ("predictions-val.npz", "predictions-test.npz", "features.npz", "config.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    other = replace(quick("classical_forest"), seed=1)
    train(manifest, tmp_path / "c", cache, "classical_forest", recipe=other)
    assert (tmp_path / "a" / "predictions-val.npz").read_bytes() != (
        tmp_path / "c" / "predictions-val.npz"
    ).read_bytes()


def test_a_run_that_answers_differently_is_refused(
    manifest: Manifest, cache: Path, tmp_path: Path
) -> None:
    train(manifest, tmp_path, cache, "classical_lda")
    with np.load(tmp_path / "features.npz") as kept:
        arrays = dict(kept)
    np.savez(tmp_path / "features.npz", **{**arrays, "targets": 1 - arrays["targets"]})
    with pytest.raises(RunError, match=r"answers differently .* made with scikit-learn \d"):
        load_classical(tmp_path)
    np.savez(tmp_path / "features.npz", **{**arrays, "names": arrays["names"][:5]})
    with pytest.raises(RunError, match="measured with features of version"):
        load_classical(tmp_path)


def test_another_configuration_is_refused(manifest: Manifest, cache: Path, tmp_path: Path) -> None:
    train(manifest, tmp_path, cache, "classical_lda")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError, match="begun with another configuration"):
        train(manifest, tmp_path, cache, "classical_knn")
    fewer = manifest.take(np.arange(len(manifest)) != 3)
    with pytest.raises(UsageError, match="differs in pictures"):
        train(fewer, tmp_path, cache, "classical_lda")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_cannot_be_run_is_refused(manifest: Manifest, cache: Path, tmp_path: Path) -> None:
    rows = splits(manifest)
    with pytest.raises(UnknownNameError, match="did you mean 'classical_svm'"):
        run_classical("classical_svn", manifest, rows, tmp_path / "x", classes=CLASSES)
    part: dict[Split, NDArray[np.intp]] = {"train": rows["train"]}
    with pytest.raises(UsageError, match="val, test is missing"):
        run_classical("classical_lda", manifest, part, tmp_path / "x", classes=CLASSES)
    assert not (tmp_path / "x").exists()
    with pytest.raises(ManifestError, match="has the type 'neutrophil', which is none of"):
        run_classical(quick("classical_lda"), manifest, rows, tmp_path / "y", classes=CLASSES[:1])


def test_a_folder_without_a_run_is_no_run(manifest: Manifest, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is no finished classical run, config\.json is missing"):
        load_classical(tmp_path)
    train(manifest, tmp_path / "run", cache, "classical_lda")
    shutil.copytree(tmp_path / "run", tmp_path / "damaged")
    (tmp_path / "damaged" / "features.npz").unlink()
    with pytest.raises(RunError, match=r"features\.npz is missing"):
        load_classical(tmp_path / "damaged")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["asked"]["classifier"] = {"shrinkage": 7}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="shrinkage must lie in 0 to 1"):
        load_classical(tmp_path / "run")
