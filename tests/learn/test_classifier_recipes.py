"""Recipes of picture classifiers: all are listed, their parts exist, each takes two steps."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
pytest.importorskip("timm", reason="timm is not installed: the train extra is missing")
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of
from smearlab.learn import recipes
from smearlab.learn.classifier_recipe import ClassifierRecipe, with_settings
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.recipe_table import markdown
from smearlab.learn.recipes import (
    CLASSIFIER_RECIPES,
    FEW_SHOT_RECIPES,
    RECIPES,
    SEGMENTATION_RECIPES,
    STAIN_RECIPES,
    SYNTHESIS_RECIPES,
    UPSCALE_RECIPES,
)
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_classifier import run_classifier
from smearlab.learn.simulated_pictures import simulated_pictures
from smearlab.learn.train.config import build_optimizer

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: These take any size, and are tried at a small one; the others at their own.
SMALL_PX = {"inception_v3": 96, "xception": 96, "cell_types": 64}
FIXED = ("w_net", "w_net_8_ways", "lwcnn", "alexnet", "vgg_paper_c", "lstm", "sequential_cnn")
#: Stands for the networks where the whole way from pictures to predictions is tried.
LIGHT = "lwcnn"
USED = {recipe.network: recipe for recipe in CLASSIFIER_RECIPES.values()}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Simulated cells of every kind, in twelve groups."""
    return simulated_pictures(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def manifest(pictures: Manifest) -> Path:
    return write_manifest(pictures.root / "cells.parquet", pictures)


def test_every_recipe_is_listed() -> None:
    names = [name for _, name, _ in pkgutil.iter_modules(recipes.__path__)]
    modules = [importlib.import_module(f"{recipes.__name__}.{name}") for name in names]
    found = [recipe for module in modules for recipe in getattr(module, "RECIPES", ())]
    assert len(found) == len({recipe.name for recipe in found})
    tables = (
        CLASSIFIER_RECIPES,
        SEGMENTATION_RECIPES,
        SYNTHESIS_RECIPES,
        FEW_SHOT_RECIPES,
        UPSCALE_RECIPES,
        STAIN_RECIPES,
    )
    listed = {name: recipe for table in tables for name, recipe in table.items()}
    assert {recipe.name: recipe for recipe in found} == listed
    assert len(listed) == sum(map(len, tables))
    assert not set(listed) & set(RECIPES)


@pytest.mark.parametrize("name", CLASSIFIER_RECIPES)
def test_the_parts_of_a_recipe_exist(name: str) -> None:
    recipe = CLASSIFIER_RECIPES[name]
    entry = CLASSIFIERS[recipe.network]
    assert recipe.name == name and recipe.title and recipe.source
    assert set(recipe.data.datasets) <= set(ADAPTERS)
    assert set(recipe.data.proportions) <= {*["neutrophil", "eosinophil", "basophil"],
                                            *["lymphocyte", "monocyte"]}  # fmt: skip
    if recipe.network in FIXED:
        assert recipe.view.size_px == entry.input_px
    assert not recipe.reported or (recipe.reported["where"] and recipe.deviations)
    for key, value in recipe.reported.items():
        assert key in ("where", "folds", "parameters", "train_seconds") or 0 < value < 1
    assert recipe.pretrain is None or recipe.pretrain.network == recipe.network


def test_figures_are_those_of_the_papers() -> None:
    reported = {name: one.reported.get("accuracy") for name, one in CLASSIFIER_RECIPES.items()}
    papers = {
        "w_net": 0.97, "w_net_svm": 0.95, "w_net_alexnet": 0.84, "w_net_vgg": 0.44,
        "w_net_resnet50": 0.51, "w_net_lstm": 0.83, "lwcnn": 0.971, "vgg19_wbc": 0.9487,
        "vgg16_wbc": 0.9347, "resnet50_wbc": 0.7168, "efficientnet_b7_wbc": 0.53103,
        "senet154_ge": 0.984, "senet154_ge_se_resnext50": 0.959, "rwp_classify": 0.8864,
        "rwp_classify_resnet101": 0.9091, "transfer_w_net": 0.96, "transfer_w_net_scratch": 0.91,
    }  # fmt: skip
    assert {name: reported[name] for name in papers} == papers
    times = {
        name.removeprefix("senet154_ge_"): one.reported["train_seconds"] / 3600
        for name, one in CLASSIFIER_RECIPES.items()
        if "train_seconds" in one.reported and name.startswith("senet154_ge")
    }
    hours = {"vgg19": (16, 22), "efficientnet_b0": (12, 47), "inception_v3": (13, 11),
             "se_resnext50": (9, 6), "resnext101": (10, 55), "senet154_ge": (8, 3)}  # fmt: skip
    assert times == pytest.approx({name: h + m / 60 for name, (h, m) in hours.items()})
    ten_folds = {"w_net": 33.87, "w_net_svm": 33.79, "w_net_vgg": 510.59, "w_net_resnet50": 8.38,
                 "transfer_w_net_scratch": 10.33, "transfer_w_net": 10.83}  # fmt: skip
    for name, took in ten_folds.items():
        for one in (CLASSIFIER_RECIPES[name], CLASSIFIER_RECIPES.get(f"{name}_tuned")):
            if one is not None:
                assert one.reported["train_seconds"] == pytest.approx(took * 360, abs=0.1)
                assert any("a tenth of the paper's hours" in line for line in one.deviations)
    train = CLASSIFIER_RECIPES["w_net"].train
    assert (train.optimizer, train.lr, train.batch_size, train.epochs) == ("adam", 1e-4, 5, 500)
    compact = build_classifier(CLASSIFIER_RECIPES["compact_pbc"].network, 8)
    assert sum(p.numel() for p in compact.parameters()) < 5_000_000


def test_a_network_trained_our_way_still_departs_where_the_network_does() -> None:
    for name, word in (("w_net_vgg", "121,796,165"), ("w_net_svm", "Crammer"), ("w_net", "means")):
        for one in (name, f"{name}_tuned"):
            assert any(word in line for line in CLASSIFIER_RECIPES[one].deviations)


def test_every_network_but_the_one_that_ships_can_be_trained_by_name() -> None:
    stages_only = {"cell_types"}
    libraries_only = {"vgg16"}  # its papers put another head on it: vgg16_dense
    assert CLASSIFIERS.keys() - USED.keys() == stages_only | libraries_only


@pytest.mark.parametrize("network", USED)
def test_every_network_takes_two_steps_as_its_recipe_trains_it(
    network: str, pictures: Manifest
) -> None:
    recipe = USED[network]
    side = recipe.view.size_px if network in FIXED else SMALL_PX.get(network, 32)
    classes = sorted(set(pictures.column("label")))[:4]
    rows = np.flatnonzero(np.isin(pictures.column("label"), classes))[:4]
    view = replace(recipe.view.of_crop(0), size_px=side)
    samples = ManifestSamples(pictures, classes, view, rows=rows, column="label")
    torch.manual_seed(0)
    model = build_classifier(network, len(classes)).train()
    optimizer = build_optimizer(model, recipe.train)
    before = [p.detach().sum() for p in model.parameters()]
    for step in range(2):
        rng = np.random.default_rng(step)
        batch = default_collate([dict(samples.sample(n, rng)) for n in (step, step + 2)])
        loss = recipe.loss(model, batch)["loss"]
        assert torch.isfinite(loss)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    after = [p.detach().sum() for p in model.parameters()]
    changed = sum(bool(a != b) for a, b in zip(after, before, strict=True))
    assert changed > len(before) / 2


def light(recipe: ClassifierRecipe) -> ClassifierRecipe:
    """The recipe as it is, but for the size of its network and two folds at most."""
    steps = ["train.max_steps=2", "train.batch_size=2", "train.workers=0"]
    recipe = with_settings(recipe, steps)
    view = replace(recipe.view, size_px=CLASSIFIERS[LIGHT].input_px)
    data = replace(recipe.data, folds=2 if recipe.data.folds else 0)
    before = recipe.pretrain and light(recipe.pretrain)
    return replace(recipe, network=LIGHT, view=view, data=data, pretrain=before, freeze=False)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)


@pytest.mark.parametrize("name", CLASSIFIER_RECIPES)
def test_every_recipe_becomes_a_run(name: str, manifest: Path, out: Path) -> None:
    recipe = light(CLASSIFIER_RECIPES[name])
    protocol = "paper" if len(name) % 2 else "honest"  # each some of the time
    asked = Asked(str(manifest), out, protocol, show=False)
    first = next(run_classifier(recipe, asked))
    summary = RunSummary.load(first)
    assert (summary.recipe, summary.protocol) == (name, protocol)
    assert summary.datasets == ("simulated",)
    test = Predictions.load(first, "test")
    assert test.classes == summary.classes and len(test.targets) == summary.n_test
    assert len(Predictions.load(first, "val").targets) == summary.n_val
    assert np.isfinite(test.logits).all()
    asked_for = json.loads((first / "config.json").read_text())["asked"]
    assert asked_for["recipe"] == name and asked_for["view"]["size_px"] == recipe.view.size_px
    if not recipe.data.folds:
        assert runs_of(first) == [first]
    assert (first.parent / "pretrained" / "summary.json").is_file() == bool(recipe.pretrain)


def test_the_table_of_the_documentation_is_that_of_the_registry() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    inside = re.search(r"<!-- recipes: begin -->\n\n(.*?)\n<!-- recipes: end -->", page, re.DOTALL)
    assert inside, "docs/recipes.md has no marks around the table of recipes"
    assert inside[1] == markdown(CLASSIFIER_RECIPES.values())
    for name in CLASSIFIER_RECIPES:
        assert f"| `{name}` |" in inside[1]
