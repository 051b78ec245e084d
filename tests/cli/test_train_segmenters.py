"""``smearlab train`` and ``export`` of recipes that segment an element, as a user calls them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from smearlab.cli import export, train
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.elements.models import find_model
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.io.bundles import read_card
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.types import ELEMENTS

sys.path.append(str(Path(__file__).resolve().parents[1] / "learn"))
from tiny_segmenters import quick_settings


def call(*arguments: str) -> Result:
    app = typer.Typer()
    train.register(app)
    export.register(app)
    return CliRunner().invoke(app, arguments, env={"SMEARLAB_DATA": None, "COLUMNS": "200"})


def train_recipe(name: str, out: Path, *more: str) -> Result:
    words = [word for setting in quick_settings(name) for word in ("--set", setting)]
    return call("train", name, "--data", "simulated", "--out", str(out), "--quiet", *words, *more)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("train")
    return out, train_recipe("rwp_gan", out)


def test_all_elements_are_trained_and_become_a_model(trained: tuple[Path, Result]) -> None:
    out, result = trained
    assert result.exit_code == 0, result.output
    folder = out / "rwp_gan-honest"
    for element in ELEMENTS:
        name = element.lower()
        assert (folder / name / "summary.json").is_file()
        assert str(folder / name) in result.stdout
        assert read_card(folder / "bundles" / name, "segmenter")["element"] == element
        assert f"rwp_gan, {element}: pixel accuracy" in result.stderr
    assert find_model(str(folder / "bundles")).elements == ELEMENTS


def test_the_model_segments_fields_at_the_bench(trained: tuple[Path, Result]) -> None:
    model = str(trained[0] / "rwp_gan-honest" / "bundles")
    segmenter = ElementSegmenter.load(model, samples=2, seed=1)
    field = simulate_field(1, SmearConfig(96, 112, rbc_diameter_px=30, n_wbc=1)).field
    pictures = segmenter.segment(field, ELEMENTS)
    for element in ELEMENTS:
        picture = pictures[element]
        assert picture.mask.shape == (96, 112)
        assert picture.segmented.shape == (96, 112, 3)
        assert picture.spread is not None and picture.spread.shape == (96, 112)


def test_one_element_has_a_bundle_if_its_place_is_named(tmp_path: Path) -> None:
    result = train_recipe("unet_bce_dice", tmp_path, "--element", "PLT")
    assert result.exit_code == 0, result.output
    run = tmp_path / "unet_bce_dice-honest" / "plt"
    assert not (tmp_path / "unet_bce_dice-honest" / "bundles").exists()
    named = train_recipe(
        "unet_bce_dice", tmp_path, "--element", "plt", "--bundles", str(tmp_path / "b")
    )
    assert named.exit_code == 0, named.output
    assert f"{run} is done" in named.stderr
    assert find_model(str(tmp_path / "b")).elements == ("PLT",)


def test_a_run_becomes_a_bundle(trained: tuple[Path, Result], tmp_path: Path) -> None:
    run = trained[0] / "rwp_gan-honest" / "wbc"
    out = tmp_path / "model" / "wbc"
    result = call("export", str(run), "--out", str(out))
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout
    for said in ("RWPGenerator, ", "tiles of 32 px, 24 px a red cell", "of the pixels change"):
        assert said in result.stdout
    again = call("export", str(run), "--out", str(out))
    assert again.exit_code == 2 and "holds a bundle already" in again.stderr
    assert call("export", str(run), "--out", str(out), "--force").exit_code == 0
    eight = call("export", str(run), "--quantize", "int8", "--out", str(tmp_path / "q"))
    assert eight.exit_code == 2
    assert "--quantize and --context are for classifiers" in eight.stderr


def test_segmenters_are_listed() -> None:
    result = call("train")
    for recipe in SEGMENTATION_RECIPES.values():
        assert f"{recipe.name}: {recipe.title} (elements: rbc, wbc, plt)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rwp_gan"], "say what to train on: --data DIR, or --data simulated"),
        (["rwp_gan", "--data", "simulated", "--element", "wbcs"], "did you mean 'wbc'"),
        (
            ["rwp_gan", "--data", "simulated", "--folds", "5"],
            "--folds: only for recipes of picture classifiers, and rwp_gan is none",
        ),
        (
            ["rwp_gan", "--data", "simulated", "--stage", "wbc"],
            "--stage: only for recipes of stages, and rwp_gan is none",
        ),
        (
            ["lwcnn", "--data", "simulated", "--element", "wbc"],
            "--element: only for recipes that segment an element, and lwcnn is none",
        ),
        (
            ["rwp_gan", "--data", "simulated", "--protocol", "honnest"],
            "unknown protocol 'honnest'; did you mean 'honest'",
        ),
        (
            ["rwp_gan", "--data", "simulated", "--set", "network.width=1"],
            "unknown key of RWPGeneratorConfig 'width'; did you mean 'widths'",
        ),
        (["rwp_gan", "--data", "nowhere"], "nowhere"),
    ],
)
def test_wrong_calls_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = call("train", *arguments, "--out", str(tmp_path))
    assert result.exit_code == 2
    assert message in result.output
    assert not any(tmp_path.iterdir())
