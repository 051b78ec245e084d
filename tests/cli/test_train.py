"""``smearlab train`` as a user calls it: every stage of every recipe takes two steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from smearlab.cli import train
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.bundles import Bundle
from smearlab.learn.recipe import Stage
from smearlab.learn.recipes import CLASSIFIER_RECIPES, RECIPES
from smearlab.pipeline import Analyzer
from smearlab.types import CELL_TYPES, UNIDENTIFIED, Field
from tiny_sets import write_sets

#: What makes two steps of a stage quick, by its kind of sample.
QUICK = {
    "centres": ("train.batch_size=2", "view.size=64"),
    "foreground": ("train.batch_size=1", "view.size=32", "train.precision=32-true"),
    "cells": ("train.batch_size=4",),
}
STAGES = {
    stage.name: (recipe.name, stage) for recipe in RECIPES.values() for stage in recipe.stages
}


def call(*arguments: str) -> Result:
    app = typer.Typer()
    train.register(app)
    app.command("other")(lambda: None)  # so that the command keeps its name
    return CliRunner().invoke(app, ["train", *arguments], env={"SMEARLAB_DATA": None})


def quick(stage: Stage) -> list[str]:
    settings = ("train.max_steps=2", "train.workers=0", *QUICK[stage.samples])
    return ["--quiet", *(word for setting in settings for word in ("--set", setting))]


def train_stage(name: str, out: Path, data: str = "simulated") -> Result:
    recipe, stage = STAGES[name]
    return call(recipe, "--stage", name, "--data", data, "--out", str(out), *quick(stage))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every stage, in the order of its recipe → its bundle."""
    out = tmp_path_factory.mktemp("train")
    bundles = {}
    for name in STAGES:
        result = train_stage(name, out)
        assert result.exit_code == 0, result.output
        assert str(out / "bundles" / name) in result.stdout
        bundles[name] = out / "bundles" / name
    return bundles


@pytest.fixture(scope="module")
def field() -> Field:
    config = SmearConfig(height_px=144, width_px=176, rbc_diameter_px=30, n_wbc=2)
    return simulate_field(1, config).field


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_trains_and_becomes_a_bundle(name: str, trained: dict[str, Path]) -> None:
    _, stage = STAGES[name]
    bundle = Bundle(trained[name], stage.kind)
    assert bundle.name == name
    for key, value in stage.card.items():
        assert bundle.card[key] == value
    assert bundle.card["parameters"] == sum(p.numel() for p in stage.model().parameters())
    asked = bundle.card["training"]["asked"]
    assert (asked["stage"], asked["data"]) == (name, "simulated")
    assert asked["train"]["max_steps"] == 2
    run = trained[name].parents[1] / name
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert all(np.isfinite(line["loss"]) for line in lines)


@pytest.mark.parametrize("name", [n for n, (_, s) in STAGES.items() if s.kind == "segmenter"])
def test_every_segmenter_runs_at_the_bench(
    name: str, trained: dict[str, Path], field: Field
) -> None:
    analyzer = Analyzer.load(str(trained[name]), str(trained["cell_types"]))
    analysis = analyzer.analyze(field)
    assert (analysis.width_px, analysis.height_px) == (field.width_px, field.height_px)
    candidates = analyzer.detect(field, 0.001)
    assert len(candidates) >= len(analysis.cells)
    if STAGES[name][1].card["decoder"] == "centres":
        assert candidates, "two steps leave about one per cent of heat everywhere"
    for cell in candidates:
        assert cell.type in CELL_TYPES
        assert sum(cell.probabilities.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", [n for n, (_, s) in STAGES.items() if s.kind == "classifier"])
def test_every_classifier_runs_at_the_bench(
    name: str, trained: dict[str, Path], field: Field
) -> None:
    analyzer = Analyzer.load(str(trained["cell_centres"]), str(trained[name]))
    kind, confidence, shares = analyzer.classify_cell_image(field)
    assert kind in CELL_TYPES
    assert set(shares) == set(CELL_TYPES) - {UNIDENTIFIED}
    assert confidence == max(shares.values())
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert analyzer.describe()["classifier"]["threshold"] == 0  # nothing to tune on


def test_the_same_command_again_changes_nothing(trained: dict[str, Path]) -> None:
    name = "cell_centres_first"
    before = (trained[name] / "model.onnx").read_bytes()
    result = train_stage(name, trained[name].parents[1])
    assert result.exit_code == 0, result.output
    assert (trained[name] / "model.onnx").read_bytes() == before


def test_a_run_with_other_settings_is_refused(trained: dict[str, Path]) -> None:
    name = "cell_centres_first"
    recipe, stage = STAGES[name]
    out = str(trained[name].parents[1])
    result = call(recipe, "--stage", name, "--data", "simulated", "--out", out, *quick(stage),
                  "--set", "train.lr=0.5")  # fmt: skip
    assert result.exit_code == 2
    assert "was begun with another configuration (differs in train)" in result.output


def test_real_sets_train_and_tune(tmp_path: Path, trained: dict[str, Path]) -> None:
    """The tiny sets have one field to tune each threshold on, and cells to calibrate with."""
    data = write_sets(tmp_path / "sets")
    out, name = tmp_path / "runs", "cell_centres_first"
    result = train_stage(name, out, str(data))
    assert result.exit_code == 0, result.output
    card = json.loads((out / "bundles" / name / "card.json").read_text())
    assert card["training"]["asked"]["data"] == card["data"]
    assert set(card["thresholds"]) == {"RBC", "WBC", "PLT"}
    assert all(0.2 <= value <= 0.7 for value in card["thresholds"].values())
    # A segmenter among the bundles finds the cells of single-cell pictures.
    (out / "bundles" / "cell_centres").symlink_to(trained["cell_centres"])
    result = train_stage("cell_types_first", out, str(data))
    assert result.exit_code == 0, result.output
    card = json.loads((out / "bundles" / "cell_types_first" / "card.json").read_text())
    assert card["tuned_on"] >= 3
    assert 0.3 <= card["temperature"] <= 3
    assert 0 <= card["threshold"] <= 0.5
    assert len(list(out.glob("patches-*.npz"))) == 1


def test_without_a_recipe_all_are_listed() -> None:
    result = call()
    assert result.exit_code == 0
    for recipe in RECIPES.values():
        assert f"{recipe.name}: {recipe.title}" in result.stdout
    for name in STAGES:
        assert name in result.stdout
    for pictures in CLASSIFIER_RECIPES.values():
        assert f"{pictures.name}: {pictures.title} ({pictures.network} on" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shiped", "--data", "simulated"], "unknown recipe 'shiped'; did you mean 'shipped'"),
        (["shipped"], "say what to train on: --data DIR, or --data simulated"),
        (
            ["shipped", "--data", "simulated", "--stage", "cell_type"],
            "unknown stage of shipped 'cell_type'; did you mean 'cell_types'",
        ),
        (
            ["shipped", "--data", "simulated", "--set", "train.epoch=1"],
            "unknown key of TrainConfig 'epoch'; did you mean 'epochs'",
        ),
        # A setting that a later stage does not know is refused before the first is trained.
        (
            ["shipped", "--data", "simulated", "--set", "view.mosaic_share=0.1"],
            "unknown key of CellViewConfig 'mosaic_share'",
        ),
        (["shipped", "--data", "nowhere"], "manifest.csv does not exist: give the data folder"),
        (
            ["shipped", "--data", "simulated", "--stage", "cell_types"],
            "cell_types starts from the weights of cell_types_second, but there is no",
        ),
        (
            ["shipped", "--data", "simulated", "--folds", "5", "--no-freeze"],
            "--folds, --freeze: only for recipes of picture classifiers, and shipped is none",
        ),
        (
            ["lwcnn", "--data", "simulated", "--stage", "lwcnn"],
            "--stage: only for recipes of stages, and lwcnn is none",
        ),
        (["lwcnn"], "say what to train on: --data DIR, or --data simulated"),
        (["lwcnnn", "--data", "simulated"], "unknown recipe 'lwcnnn'; did you mean 'lwcnn'"),
        (
            ["lwcnn", "--data", "simulated", "--protocol", "honnest"],
            "unknown protocol 'honnest'; did you mean 'honest'",
        ),
        (
            ["lwcnn", "--data", "simulated", "--set", "view.size=64"],
            "unknown key of PictureViewConfig 'size'; did you mean 'size_px'",
        ),
        (
            ["lwcnn", "--data", "simulated", "--set", "data.taxonomy=cell9"],
            "unknown taxonomy 'cell9'; did you mean 'cells9'",
        ),
        (
            ["lwcnn", "--data", "simulated", "--set", "model.width=1"],
            "unknown part of a recipe 'model'",
        ),
        (["lwcnn", "--data", "simulated", "--folds", "1"], "folds must be 0 or at least 2"),
        (
            ["lwcnn", "--data", "simulated", "--set", "pretrain.train.lr=1"],
            "lwcnn has no training before its own; received train.lr=1",
        ),
        (
            ["lwcnn", "--data", "simulated", "--folds", "2", "--fold", "3"],
            "fold 3 is asked for, and there are folds 1 to 2",
        ),
        (
            ["lwcnn", "--data", "simulated", "--folds", "0", "--fold", "1"],
            "fold 1 is asked for, and there is one split; see --folds",
        ),
        (["shipped", "--data", "simulated", "--fold", "1"], "--fold: only for recipes of picture"),
        (["lwcnn", "--data", "nowhere"], "--data nowhere does not exist: name a manifest"),
        (
            ["rwp_classify", "--data", "simulated"],
            "rwp_classify trains the head only, which needs a trained body",
        ),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = call(*arguments, "--out", str(tmp_path / "runs"), "--quiet")
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert not list(tmp_path.glob("runs/*/model.safetensors"))


def test_a_classifier_is_trained_by_folds_and_goes_on(tmp_path: Path) -> None:
    words = ["lwcnn", "--data", "simulated", "--out", str(tmp_path), "--folds", "2", "--quiet"]
    quick_words = ["train.max_steps=1", "train.batch_size=2", "train.workers=0"]
    words += [word for setting in quick_words for word in ("--set", setting)]
    run = tmp_path / "lwcnn-honest"
    second = call(*words, "--fold", "2")
    assert second.exit_code == 0, second.output
    assert [one.name for one in run.iterdir()] == ["fold-2"]
    result = call(*words)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("is done") == 1
    for fold in ("fold-1", "fold-2"):
        assert str(run / fold) in result.stdout
        assert f"{fold}: test accuracy" in result.stderr
    assert "lwcnn, 2 folds: test accuracy" in result.stderr
    assert "pictures decoded in memory" in result.stderr
    again = call(*words)
    assert again.exit_code == 0 and again.stderr.count("is done") == 2
    # A folder with a folder a class is data, too; its near-duplicates are looked for once.
    folder = tmp_path / "simulated"
    words[2] = str(folder)
    words[4] = str(tmp_path / "own")
    (folder / "manifest.parquet").unlink()
    words += ["--protocol", "paper", "--set", "view.crop_px=None"]
    own = call(*words)
    assert own.exit_code == 0, own.output
    assert len(list((tmp_path / "own").glob("pictures-*.parquet"))) == 1
    other = call(*words, "--set", "train.lr=0.5")
    assert other.exit_code == 2
    assert "was begun with another configuration" in other.output


def test_a_run_that_diverges_ends_with_1(tmp_path: Path) -> None:
    name = "bloodcell_lwcnn"
    recipe, stage = STAGES[name]
    hot: list[Any] = ["--set", "train.lr=1e30", "--set", "train.max_steps=6",
                      "--set", "train.warmup_share=0"]  # fmt: skip
    result = call(recipe, "--stage", name, "--data", "simulated", "--out", str(tmp_path),
                  *quick(stage), *hot)  # fmt: skip
    assert result.exit_code == 1
    assert "training diverged" in result.output
    assert "lower train.lr (1e+30)" in result.output
    assert not (tmp_path / "bundles").exists()
