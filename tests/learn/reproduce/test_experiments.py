"""Experiments: all that they name exists, and what they lack is said before the work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.errors import DataError, UsageError
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.recipes import CLASSIFIER_RECIPES
from smearlab.learn.reproduce import experiments
from smearlab.learn.reproduce.classifiers import ClassifierTable, lines_of
from smearlab.learn.reproduce.experiment import SCALES, Asked, Outcome, how_to_run
from smearlab.learn.reproduce.experiments import EXPERIMENTS

TABLES = {
    name: one.run for name, one in EXPERIMENTS.items() if isinstance(one.run, ClassifierTable)
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("scale", SCALES)
def test_each_scale_of_a_table_of_classifiers_can_be_built(name: str, scale: str) -> None:
    for recipe in TABLES[name].recipes:
        built = TABLES[name]._recipe(recipe, scale)  # type: ignore[arg-type]
        assert built.reported == CLASSIFIER_RECIPES[recipe].reported
        assert set(EXPERIMENTS[name].needs) >= set(built.data.datasets)
        assert scale != "smoke" or built.train.max_steps == 2


def test_of_a_table_of_classifiers_only_what_is_asked_for_is_trained(tmp_path: Path) -> None:
    table = ClassifierTable(("w_net_svm", "lwcnn"), {}, "")
    asked = Asked("simulated", tmp_path, scale="smoke", show=False, only=("lwcnn",))
    assert {line.row for line in table(asked).lines} == {"lwcnn"}
    assert (tmp_path / "lwcnn-honest").is_dir()
    assert not (tmp_path / "w_net_svm-honest").exists()
    assert EXPERIMENTS["w_net"].run.names == TABLES["w_net"].recipes


def test_the_paper_is_reproduced_as_its_recipe_says() -> None:
    table = TABLES["w_net"]
    assert table._recipe("w_net", "paper") is CLASSIFIER_RECIPES["w_net"]
    assert table._recipe("w_net", "cpu").name == "w_net_tuned"


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,dataset\na.png,pbc\n")
    here = experiments.datasets_here(str(tmp_path))
    assert here == frozenset({"pbc"})
    with pytest.raises(DataError, match=r"vgg19_wbc needs bccd4, and .* holds pbc"):
        experiments.refuse_missing_data(EXPERIMENTS["vgg19_wbc"], str(tmp_path))
    experiments.refuse_missing_data(EXPERIMENTS["lwcnn"], str(tmp_path))
    experiments.refuse_missing_data(EXPERIMENTS["vgg19_wbc"], "simulated")
    with pytest.raises(
        DataError, match=r"hazra_pipeline needs txl_pbc, with pbc, and .* holds pbc"
    ):
        experiments.refuse_missing_data(EXPERIMENTS["hazra_pipeline"], str(tmp_path))


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,dataset\na.png,pbc\n")
    held = {row[0]: row[-1] for row in experiments.experiments_grid(str(tmp_path)).rows}
    assert held["lwcnn"] == "yes"
    assert held["vgg19_wbc"] == held["stain_normalisation"] == "no"
    (tmp_path / "manifest.csv").write_text("path,dataset\na.png,pbc\nb.png,txl_pbc\n")
    held = {row[0]: row[-1] for row in experiments.experiments_grid(str(tmp_path)).rows}
    assert held["stain_normalisation"] == held["hazra_pipeline"] == "yes"
    unknown = {row[-1] for row in experiments.experiments_grid(None).rows}
    assert unknown == {"?"}


def test_an_unknown_scale_is_refused(tmp_path: Path) -> None:
    asked = replace(Asked("simulated", tmp_path), scale="huge")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="scale must be one of smoke, cpu, paper"):
        experiments.reproduce(EXPERIMENTS["lwcnn"], asked, "smearlab")


def test_experiments_keep_what_they_found_in_folders_for_each_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for kind in ("a", "b"):
        (tmp_path / "cells" / kind).mkdir(parents=True)
        pixels = rng.integers(0, 255, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "cells" / kind / "1.png")
    where, out, read = str(tmp_path / "cells"), tmp_path / "out", []

    class Reads:
        names = ("it",)

        def __call__(self, asked: Asked) -> Outcome:
            how = how_to_run(asked)
            read.append(read_pictures(how.data, (), how.out, lists=how.lists, show=False))
            return Outcome((), (), (), "", 0.0)

    for name in ("one", "other"):
        experiment = replace(EXPERIMENTS["lwcnn"], name=name, needs=(), run=Reads())
        experiments.reproduce(experiment, Asked(where, out, show=False), "smearlab")
    assert [len(one) for one in read] == [2, 2]
    (kept,) = tmp_path.rglob("pictures-*.parquet")
    assert kept.parent == out


def test_lines_of_a_run_hold_reported_beside_obtained() -> None:
    figures = dict.fromkeys(("accuracy", "precision", "recall", "specificity", "f1"), 0.9)
    row = {
        "network": "lwcnn", "reported": {"accuracy": 0.97}, "obtained": figures,
        "intervals": {"accuracy": (0.8, 0.95)}, "n": 40, "parameters": 12,
    }  # fmt: skip
    lines = {line.figure: line for line in lines_of(row, "Table 6")}
    accuracy = lines["accuracy"]
    assert (accuracy.reported, accuracy.where, accuracy.low, accuracy.n) == (
        0.97, "Table 6", 0.8, 40,
    )  # fmt: skip
    assert (lines["f1"].reported, lines["f1"].where, lines["f1"].low) == (None, "", None)
    assert lines["parameters"].obtained == 12


def test_the_commit_is_that_of_the_package_or_none() -> None:
    found = experiments.commit()
    assert found == "" or len(found.split()[0]) == 12
