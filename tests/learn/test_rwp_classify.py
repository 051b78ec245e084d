"""Paper B's classification from archive to confusion matrix, on discs in the place of cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from disc_archives import import_discs, write_all_idb1, write_all_idb2
from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import write_manifest
from smearlab.datasets.segmented_manifest import segment_manifest
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.errors import UsageError
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.learn.classifier_recipe import ClassifierRecipe, with_settings
from smearlab.learn.models.classifiers import build_classifier
from smearlab.learn.recipes import CLASSIFIER_RECIPES
from smearlab.learn.recipes.rwp_classify import NETWORKS, RECIPES
from smearlab.learn.reproduce.classifiers import EXPERIMENTS as TABLES
from smearlab.learn.reproduce.classifiers import ClassifierTable
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_classifier import run_classifier
from smearlab.learn.split_protocols import chosen_pictures, split_pictures
from smearlab.learn.train.transfer import freeze_all_but_head
from tiny_bundles import write_elements

EXPERIMENTS = {one.name: one for one in TABLES}
RIGHT_OF_18 = {"resnet50": 16, "resnet101": 17, "mobilenet_v2": 15}


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> ElementSegmenter:
    folder = write_elements(tmp_path_factory.mktemp("models") / "gan", "WBC")
    return ElementSegmenter.load(str(folder))


def light(recipe: ClassifierRecipe) -> ClassifierRecipe:
    """The recipe with another network, so that it takes a second."""
    settings = ["train.max_steps=2", "train.batch_size=4", "train.workers=0", "view.size_px=64"]
    return replace(with_settings(recipe, settings), network="lwcnn", freeze=False)


def test_figures_are_whole_pictures_of_the_papers_test_parts() -> None:
    """Section IV.D: 18 and 44 pictures give all six percentages, as the deviations say."""
    for network, (_, on_2, on_1) in NETWORKS.items():
        assert on_1 == pytest.approx(RIGHT_OF_18[network] / 18, abs=1e-4)
        assert on_2 == pytest.approx(round(on_2 * 44) / 44, abs=5e-5)
        ending = "" if network == "resnet50" else f"_{network}"
        for twin in ("", "_unfrozen"):
            for kind, figure in (("", on_2), ("_fields", on_1)):
                recipe = CLASSIFIER_RECIPES[f"rwp_classify{kind}{ending}{twin}"]
                assert recipe.reported["accuracy"] == figure
                assert (recipe.network, recipe.freeze) == (network, not twin)
                assert recipe.data.datasets == (("all_idb1",) if kind else ("all_idb2",))
        for kind in ("", "_fields"):
            for twin in ("", "_frozen"):
                stand_in = CLASSIFIER_RECIPES[f"rwp_classify_maturity{kind}{ending}{twin}"]
                assert (stand_in.network, stand_in.freeze) == (network, bool(twin))
                assert stand_in.deviations[0].startswith("not healthy or blast")
                assert not stand_in.reported
        body = CLASSIFIER_RECIPES[f"rwp_body{ending}"]
        assert (body.network, body.freeze, body.reported) == (network, False, {})
    assert len(RECIPES) == 27


@pytest.mark.parametrize(
    "recipe",
    [recipe for recipe in RECIPES if recipe.data.taxonomy != "wbc4"],
    ids=lambda recipe: recipe.name,
)
def test_a_fifth_is_tested_and_no_group_parts(recipe: ClassifierRecipe) -> None:
    labels = {"maturity2": ("ig", "neutrophil")}.get(recipe.data.taxonomy, ("blast", "healthy"))
    rows = [
        {
            "path": f"{n}.png",
            "dataset": recipe.data.datasets[0],
            "group": f"smear {n // 2}",
            "label": labels[n // 2 % 2],
        }
        for n in range(400)
    ]
    manifest = manifest_of(rows)
    (split,) = split_pictures(chosen_pictures(manifest, recipe.data), recipe.data, "honest")
    assert len(split.part("test")) == pytest.approx(80, abs=4)
    groups = [set(split.part(name).column("group")) for name in ("train", "val", "test")]
    assert not groups[2] & (groups[0] | groups[1])
    assert recipe.segmented == "WBC"


@pytest.mark.parametrize("kind", ["", "_fields"])
def test_from_an_archive_to_predictions(
    tmp_path: Path, segmenter: ElementSegmenter, kind: str
) -> None:
    if kind:
        whole = import_discs("all_idb1", write_all_idb1(tmp_path / "set", 10, 10))
    else:
        whole = import_discs("all_idb2", write_all_idb2(tmp_path / "set", 10, 10))
    alone = segment_manifest(whole, tmp_path / "alone", segmenter, ["WBC"], central=not kind)
    recipe = light(CLASSIFIER_RECIPES[f"rwp_classify{kind}_unfrozen"])
    said: list[str] = []
    asked = Asked(
        str(tmp_path / "alone" / "manifest.parquet"), tmp_path / "runs", show=False, say=said.append
    )
    (run,) = run_classifier(recipe, asked)
    summary, test = RunSummary.load(run), Predictions.load(run, "test")
    assert len(alone.manifest) == 20
    assert (summary.classes, summary.n_test) == (("healthy", "blast"), 4)
    assert np.bincount(test.targets).tolist() == [2, 2]
    assert summary.deviations == recipe.deviations
    assert not [line for line in said if "alone, and these show" in line]


def test_whole_pictures_are_said_to_be_whole(tmp_path: Path) -> None:
    whole = import_discs("all_idb2", write_all_idb2(tmp_path / "set", 10, 10))
    path = write_manifest(tmp_path / "whole.parquet", whole)
    said: list[str] = []
    recipe = light(CLASSIFIER_RECIPES["rwp_classify_unfrozen"])
    asked = Asked(str(path), tmp_path / "runs", show=False, say=said.append)
    (run,) = run_classifier(recipe, asked)
    assert RunSummary.load(run).deviations[-1] == "whole pictures, not segmented"
    assert any("these show everything: smearlab data segment" in line for line in said)


def test_a_frozen_body_is_refused_without_weights(tmp_path: Path) -> None:
    recipe = CLASSIFIER_RECIPES["rwp_classify_fields"]
    with pytest.raises(UsageError, match="rwp_classify_fields trains the head only"):
        next(run_classifier(recipe, Asked("simulated", tmp_path, show=False)))


def test_a_table_without_weights_trains_the_unfrozen_twins() -> None:
    for kind in ("", "_fields"):
        table = EXPERIMENTS[f"rwp_classify{kind}"].run
        assert isinstance(table, ClassifierTable)
        for name in table.recipes:
            assert table._recipe(name, "cpu").name == f"{name}_unfrozen"
            assert table._recipe(name, "paper").freeze
    stand_in = EXPERIMENTS["rwp_classify_maturity"]
    assert "not healthy or blast" in stand_in.title
    assert stand_in.wanted == "healthy cells and blasts of ALL-IDB"


@pytest.mark.parametrize(
    ("network", "whole", "head"),
    [
        ("resnet50", 23_512_130, 4_098),
        ("resnet101", 42_504_258, 4_098),
        ("mobilenet_v2", 2_226_434, 2_562),
    ],
)
def test_parameters_that_learn(network: str, whole: int, head: int) -> None:
    """The published networks with two classes in the place of 1,000: features × 2 + 2."""
    model = build_classifier(network, 2)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == whole
    freeze_all_but_head(model)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == head
