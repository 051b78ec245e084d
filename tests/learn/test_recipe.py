"""Recipes: all are listed, all are data, settings are checked."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import asdict

import pytest

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn import recipes
from smearlab.learn.export import BundleGraph
from smearlab.learn.recipe import Recipe, Stage, override
from smearlab.learn.recipes import RECIPES
from smearlab.types import CELL_TYPES, UNIDENTIFIED

STAGES = [stage for recipe in RECIPES.values() for stage in recipe.stages]


def test_every_recipe_is_listed() -> None:
    names = [name for _, name, _ in pkgutil.iter_modules(recipes.__path__)]
    modules = {name: importlib.import_module(f"{recipes.__name__}.{name}") for name in names}
    assert set(RECIPES) == {name for name, module in modules.items() if hasattr(module, "RECIPE")}
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.title and recipe.source and recipe.stages


def test_stage_names_are_unique_for_they_name_runs_and_bundles() -> None:
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_a_stage_starts_from_an_earlier_one_of_its_recipe(recipe: Recipe) -> None:
    before: set[str] = set()
    for stage in recipe.stages:
        assert stage.start_from is None or stage.start_from in before
        before.add(stage.name)


@pytest.mark.parametrize("stage", STAGES, ids=lambda s: s.name)
def test_cards_keep_the_contract_and_say_what_they_learned_from(stage: Stage) -> None:
    json.dumps(stage.card)
    assert stage.card["data"] and "Research use only" in stage.card["use"]
    if stage.kind == "classifier":
        assert set(stage.card["classes"]) == set(CELL_TYPES) - {UNIDENTIFIED}
        assert stage.card["input_px"] == stage.view.input_px
        assert stage.card["context"] == stage.view.context
    assert isinstance(stage.graph(stage.model()), BundleGraph)


def test_paper_as_figures_are_reported() -> None:
    reported = RECIPES["bloodcell_net"].reported
    assert reported["segmentation (section 4.1)"]["dice"] == 0.9792
    assert reported["classification, 5 folds (section 4.2)"]["accuracy"] == 0.9710
    assert RECIPES["bloodcell_net"].deviations


def test_stages_are_found_by_name() -> None:
    recipe = RECIPES["shipped"]
    assert recipe.stage("cell_types").name == "cell_types"
    with pytest.raises(
        UnknownNameError, match=r"stage of shipped 'cell_type'; did you mean 'cell_"
    ):
        recipe.stage("cell_type")


@pytest.mark.parametrize(
    ("setting", "part", "key", "value"),
    [
        ("train.lr=1e-4", "train", "lr", 1e-4),
        ("train.lr=1", "train", "lr", 1.0),
        ("train.max_steps=2", "train", "max_steps", 2),
        ("train.max_steps=None", "train", "max_steps", None),
        ("train.optimizer=sgd", "train", "optimizer", "sgd"),
        ("train.precision=32-true", "train", "precision", "32-true"),
        ("view.size=320", "view", "size", 320),
        ("view.diameters_px=(40, 60.5)", "view", "diameters_px", (40.0, 60.5)),
    ],
)
def test_settings_are_applied(setting: str, part: str, key: str, value: object) -> None:
    stage = RECIPES["shipped"].stage("cell_centres_first")
    changed = getattr(override(stage, [setting]), part)
    assert getattr(changed, key) == value
    assert type(getattr(changed, key)) is type(value)
    rest = {k: v for k, v in asdict(changed).items() if k != key}
    assert rest == {k: v for k, v in asdict(getattr(stage, part)).items() if k != key}


def test_later_settings_win_and_none_changes_nothing() -> None:
    stage = RECIPES["shipped"].stage("cell_types")
    assert override(stage, []) is stage
    assert override(stage, ["train.epochs=3", "train.epochs=5"]).train.epochs == 5


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epoch=3", "unknown key of TrainConfig 'epoch'; did you mean 'epochs'"),
        ("view.sice=3", "unknown key of ViewConfig 'sice'; did you mean 'size'"),
        ("model.widths=3", "unknown part of a stage 'model'"),
        ("trian.epochs=3", "unknown part of a stage 'trian'; did you mean 'train'"),
        ("train.epochs", r"--set takes part.key=value, as train.lr=1e-3; received 'train.epochs'"),
        ("epochs=3", "--set takes part.key=value"),
        ("train.epochs=three", "epochs cannot be 'three', str: it is 80 now"),
        ("train.epochs=3.5", "epochs cannot be 3.5, float"),
        ("train.lr=True", "lr cannot be True, bool"),
        ("train.max_steps=soon", "max_steps cannot be 'soon', str"),
        ("train.epochs=None", "epochs cannot be None"),
        ("train.epochs=0", "epochs and batch_size must be at least 1"),
        ("train.optimizer=adamww", "unknown optimizer 'adamww'; did you mean 'adamw'"),
        ("view.diameters_px=(40,)", r"diameters_px cannot be \(40,\), tuple"),
        ("view.diameters_px=('a', 'b')", "diameters_px cannot be"),
        ("view.size=333", "size must be a multiple of 32; received 333"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        override(RECIPES["shipped"].stage("cell_centres_first"), [setting])
