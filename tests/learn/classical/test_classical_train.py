"""Classical recipes as ``smearlab train`` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from painted_cells import KINDS, painted_manifest
from typer.testing import CliRunner, Result

from smearlab.cli import train
from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import UnknownNameError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of
from smearlab.learn.classical.classifiers import SvmConfig
from smearlab.learn.classical.features import FeatureConfig
from smearlab.learn.classical.fitted import load_classical
from smearlab.learn.classical.recipes import CLASSICAL_RECIPES, with_classical_settings
from smearlab.learn.recipes import CLASSIFIER_RECIPES, RECIPES

#: Painted cells, all of them, small.
SETTINGS = (
    "data.datasets=()",
    "data.taxonomy=given",
    "features.size_px=64",
    "features.crop_px=120",
)


def call(*arguments: str) -> Result:
    app = typer.Typer()
    train.register(app)
    app.command("other")(lambda: None)  # so that the command keeps its name
    return CliRunner().invoke(app, ["train", *arguments], env={"SMEARLAB_DATA": None})


def fit(manifest: Path, out: Path, *more: str, recipe: str = "classical_lda") -> Result:
    settings = [word for one in SETTINGS for word in ("--set", one)]
    where = ("--data", str(manifest), "--out", str(out), "--quiet")
    return call(recipe, *where, *settings, *more)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("painted")
    rows = painted_manifest(folder, {"train": 6, "val": 2, "test": 2})
    return write_manifest(folder / "painted.parquet", rows)


def test_folds_are_runs_and_are_done_once(manifest: Path, tmp_path: Path) -> None:
    result = fit(manifest, tmp_path, "--folds", "2")
    assert result.exit_code == 0, result.output
    run = tmp_path / "classical_lda-honest"
    folds = runs_of(run)
    assert [fold.name for fold in folds] == ["fold-1", "fold-2"]
    assert "test accuracy" in result.stderr and "n = 20 pictures in 20 groups" in result.stderr
    tested: list[str] = []
    for number, fold in enumerate(folds, start=1):
        summary = RunSummary.load(fold)
        assert (summary.fold, summary.folds, summary.protocol) == (number, 2, "honest")
        assert summary.classes == tuple(sorted(KINDS))
        tested += Predictions.load(fold, "test").paths.tolist()
        assert load_classical(fold).recipe.features.size_px == 64
    assert len(tested) == len(set(tested)) == 20
    assert len(list((tmp_path / "features").iterdir())) == 1

    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    again = fit(manifest, tmp_path, "--folds", "2")
    assert again.exit_code == 0, again.output
    assert "fold-2 is done" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before

    other = fit(manifest, tmp_path, "--folds", "2", "--set", "classifier.shrinkage=0.5")
    assert other.exit_code == 2
    assert "classifier.shrinkage was None and is 0.5" in other.stderr
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_fewer_pictures_and_the_papers_protocol(manifest: Path, tmp_path: Path) -> None:
    given = ("--folds", "0", "--protocol", "paper", "--n-train", "10")
    result = fit(manifest, tmp_path, *given, recipe="classical_knn")
    assert result.exit_code == 0, result.output
    summary = RunSummary.load(tmp_path / "classical_knn-paper-n10")
    assert (summary.n_train, summary.protocol, summary.fold) == (10, "paper", None)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--weights", "w.safetensors"), "--weights: only for recipes of networks"),
        (("--no-freeze", "--cache-gb", "1"), "--freeze, --cache-gb: only for recipes of networks"),
        (("--stage", "x"), "--stage: only for recipes of stages"),
        (("--set", "classifier.shrink=1"), "did you mean 'shrinkage'"),
        (("--set", "train.epochs=1"), "unknown part of a recipe 'train'"),
        (("--set", "features.groups=('color',)"), "did you mean 'colour'"),
        (("--set", "classifier.shrinkage=7"), "shrinkage must lie in 0 to 1, or be None"),
    ],
)
def test_wrong_calls_end_with_2(
    more: tuple[str, ...], message: str, manifest: Path, tmp_path: Path
) -> None:
    result = fit(manifest, tmp_path / "runs", *more)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (tmp_path / "runs").exists()


def test_they_are_listed_beside_the_networks() -> None:
    listed = call().stdout
    assert all(f"{name}: " in listed for name in CLASSICAL_RECIPES)
    assert not set(CLASSICAL_RECIPES) & {*RECIPES, *CLASSIFIER_RECIPES}


def test_settings_change_their_part() -> None:
    recipe = CLASSICAL_RECIPES["classical_svm"]
    changed = with_classical_settings(
        recipe, ["classifier.C=3", "features.groups=('shape','colour')", "data.seed=2"]
    )
    assert changed.classifier == SvmConfig(C=3.0)
    assert changed.features == FeatureConfig(groups=("shape", "colour"))
    assert changed.data.seed == 2
    assert changed.view.crop_px == recipe.features.crop_px
    with pytest.raises(UnknownNameError, match="did you mean 'gamma_scale'"):
        with_classical_settings(recipe, ["classifier.gamma=1"])
    with pytest.raises(UsageError, match="C must be above 0; received -1"):
        with_classical_settings(recipe, ["classifier.C=-1"])
