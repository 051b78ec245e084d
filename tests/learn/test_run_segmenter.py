"""Runs of segmenters: what they leave, that they go on, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_segmenters import quick_settings, write_segmenter_run

from smearlab.datasets.element_pairs import simulated_pairs
from smearlab.errors import DataError, RunError, UsageError
from smearlab.learn import run_segmenter as module
from smearlab.learn.models.rwp_generator import RWPGenerator
from smearlab.learn.models.unet import UNet
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_segmenter import pairs_of, run_segmenter
from smearlab.learn.segmentation_recipe import PairData
from smearlab.learn.segmentation_record import SegmentationSummary, is_segmenter_run
from smearlab.learn.segmenter_run import open_segmenter_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segmenter_run(tmp_path_factory.mktemp("gan"))


@pytest.mark.parametrize("recipe", SEGMENTATION_RECIPES)
def test_every_recipe_takes_two_steps(recipe: str, tmp_path: Path) -> None:
    run = write_segmenter_run(tmp_path, recipe, "PLT")
    assert run == tmp_path / f"{recipe}-honest" / "plt"
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    losses = json.loads((run / "losses.json").read_text())["losses"]
    wanted = {"loss"} if recipe == "unet_bce_dice" else {"critic", "adversarial", "l1", "total"}
    assert wanted <= set(losses)
    summary = SegmentationSummary.load(run)
    assert (summary.recipe, summary.element, summary.steps) == (recipe, "PLT", 2)
    assert set(summary.networks) == (
        {"generator"} if recipe == "unet_bce_dice" else {"generator", "critic"}
    )


def test_a_run_says_what_it_was(run: Path) -> None:
    assert is_segmenter_run(run)
    summary = SegmentationSummary.load(run)
    opened = open_segmenter_run(run)
    model = opened.network()
    assert isinstance(model, RWPGenerator) and not model.training
    assert summary.networks["generator"]["trainable"] == sum(p.numel() for p in model.parameters())
    assert summary.networks["generator"]["other"] == sum(b.numel() for b in model.buffers())
    assert (summary.pictures, summary.truths) == (
        {"train": 6, "val": 2, "test": 0},
        {"simulated": 8},
    )
    assert summary.datasets == ("simulated",)
    assert {"pixel_accuracy", "dice", "l1"} <= set(summary.figures)
    assert summary.statistics in ("own", "running")
    assert opened.config == replace(opened.config, statistics=summary.statistics)
    assert summary.judged_on == "val, 4 tiles at most"
    recipe = SEGMENTATION_RECIPES["rwp_gan"]
    assert summary.deviations == (*recipe.deviations, *recipe.honest_deviations)
    assert "Table 2" in json.dumps(summary.reported)
    validation = [json.loads(line) for line in (run / "validation.jsonl").read_text().splitlines()]
    assert validation[-1]["best"] and {"pixel_accuracy", "dice", "l1"} <= set(validation[-1])
    kept = json.loads((run / "pictures.json").read_text())
    assert {pair["part"] for pair in kept["pairs"]} == {"train", "val"}
    assert "l1 " in summary.said() and "val, 4 tiles" in summary.said()


def test_its_tiles_are_those_it_was_judged_on(run: Path) -> None:
    tiles = open_segmenter_run(run).tiles(4)
    assert tiles.pixels.shape == (4, 32, 32, 3)
    assert np.array_equal(tiles.target[tiles.mask], tiles.pixels[tiles.mask])


def test_a_run_that_is_done_is_left_as_it_is(run: Path) -> None:
    before = (run / "model.safetensors").read_bytes(), (run / "summary.json").read_bytes()
    assert write_segmenter_run(run.parents[1]) == run
    after = (run / "model.safetensors").read_bytes(), (run / "summary.json").read_bytes()
    assert before == after


def test_the_same_seed_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    again = write_segmenter_run(tmp_path)
    assert (again / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_other_settings_are_refused(run: Path) -> None:
    asked = Asked("simulated", run.parents[1], "honest", show=False)
    for setting, part in (("weights.l1=10", "weights"), ("train.lr_critic=1e-3", "train")):
        settings = [*quick_settings("rwp_gan"), setting]
        recipe = SEGMENTATION_RECIPES["rwp_gan"].asked_for("WBC", "honest", settings)
        with pytest.raises(UsageError, match=rf"another configuration \(differs in {part}\)"):
            run_segmenter(recipe, "WBC", asked)


@pytest.mark.parametrize("recipe", ["rwp_gan", "unet_bce_dice"])
def test_the_papers_protocol_is_judged_on_the_test_part_but_chooses_nothing(
    recipe: str, tmp_path: Path
) -> None:
    run = write_segmenter_run(tmp_path, recipe, protocol="paper")
    assert not (run / "best.safetensors").exists()
    summary = SegmentationSummary.load(run)
    assert summary.judged_on == "test, 4 tiles at most"
    assert summary.pictures == {"train": 6, "val": 0, "test": 2}
    assert set(summary.figures) == {"pixel_accuracy", "dice", "l1"}


def test_a_u_net_can_be_taken_up_again(tmp_path: Path) -> None:
    opened = open_segmenter_run(write_segmenter_run(tmp_path, "unet_bce_dice", "RBC"))
    assert isinstance(opened.network(), UNet)
    assert opened.config.widths == (4, 6)


def test_simulated_fields_can_be_added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To the training part of whatever the folder holds."""
    drawn = [replace(file, part="val") for file in simulated_pairs(2, "PLT", 5)]
    monkeypatch.setattr(module, "list_pairs", lambda *_, **__: list(drawn))
    pairs = pairs_of(PairData(simulated=3), "PLT", str(tmp_path), "honest")
    assert (len(pairs.part("train")), len(pairs.part("val"))) == (3, 2)
    with pytest.raises(DataError, match="has 2 pairs of PLT and none to train on"):
        pairs_of(PairData(), "PLT", str(tmp_path), "honest")


def test_folders_that_are_no_runs_are_told(run: Path, tmp_path: Path) -> None:
    assert not is_segmenter_run(tmp_path)
    with pytest.raises(RunError, match=r"summary\.json is missing: name the folder of one element"):
        open_segmenter_run(tmp_path)
    (tmp_path / "summary.json").write_text("[]")
    assert not is_segmenter_run(tmp_path)
    with pytest.raises(RunError, match="cannot be read"):
        open_segmenter_run(tmp_path)
    (tmp_path / "summary.json").write_bytes((run / "summary.json").read_bytes())
    with pytest.raises(RunError, match="cannot be read"):
        open_segmenter_run(tmp_path)


def test_pictures_that_are_gone_are_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="name their folder with --data"):
        open_segmenter_run(run).tiles(4, tmp_path)


def test_bccd_white_cells_train_from_their_masks(data_dir: Path) -> None:
    pairs = pairs_of(PairData(truths=("mask",)), "WBC", str(data_dir), "honest")
    assert {file.truth for file in pairs.files} == {"mask"}
    groups = {part: {file.group for file in pairs.part(part)} for part in ("train", "val", "test")}
    assert all(groups.values())
    assert not groups["train"] & (groups["val"] | groups["test"])


def test_as_many_fields_are_simulated_as_were_asked_for() -> None:
    pairs = pairs_of(PairData(simulated=5), "WBC", "simulated", "honest")
    assert [len(pairs.part(part)) for part in ("train", "val")] == [3, 2]
    with pytest.raises(UsageError, match=r"data\.simulated must be above 2 .*; received 2"):
        pairs_of(PairData(simulated=2), "WBC", "simulated", "honest")
