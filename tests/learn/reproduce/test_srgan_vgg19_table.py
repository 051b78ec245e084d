"""``smearlab reproduce srgan_vgg19``: what is trained, measured, and put beside the paper."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from smearlab.datasets.manifest.taxonomy import TAXONOMIES
from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Record
from smearlab.learn.recipes import UPSCALE_RECIPES
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.reproduce.srgan_vgg19 import UPSCALERS, UpscaleTable

EXPERIMENT = EXPERIMENTS["srgan_vgg19"]


def test_every_scale_fits_the_recipes() -> None:
    table, folder = UpscaleTable(), Path("out")
    for name in UPSCALERS:
        own = table.upscaler(name, Asked("simulated", folder, scale="paper"))
        assert own == UPSCALE_RECIPES[name]
        cpu = table.upscaler(name, Asked("simulated", folder, scale="cpu"))
        assert cpu.network == own.network and cpu.view.learned_px == 64
    paper = table.classifier(Asked("simulated", folder, scale="paper"))
    small = table.classifier(Asked("simulated", folder, scale="cpu"))
    assert (paper.name, small.network) == ("vgg19_wbc", "cell_types")
    assert paper.data == small.data == UPSCALE_RECIPES["srgan"].data, "one split for all"


@pytest.mark.parametrize("name", ["srgan_vgg19", "srgan_pbc"])
def test_networks_of_one_type_take_about_as_many_steps_together(name: str) -> None:
    table, asked = EXPERIMENTS[name].run, Asked("simulated", Path("out"))
    assert isinstance(table, UpscaleTable)
    of_all, of_one = (table.upscaler(one, asked) for one in ("srgan", "srgan_per_type"))
    assert of_one.per_type and not of_all.per_type
    steps, each = of_all.train.max_steps, of_one.train.max_steps
    assert steps is not None and each is not None
    kinds = len(TAXONOMIES[of_one.data.taxonomy].types)
    assert each * kinds == pytest.approx(steps, rel=0.01)


def test_pbc_has_recipes_of_its_own_and_one_split() -> None:
    table = EXPERIMENTS["srgan_pbc"].run
    assert isinstance(table, UpscaleTable)
    assert table.names == ("srresnet_pbc", "srgan_pbc", "srgan_per_type_pbc", "classifier")
    for scale in ("smoke", "cpu", "paper"):
        asked = Asked("simulated", Path("out"), scale=scale)
        classifier = table.classifier(asked)
        for name in UPSCALERS:
            recipe = table.upscaler(name, asked)
            assert recipe.name == f"{name}_pbc" and recipe.data == classifier.data
            assert recipe.view.crop_px == classifier.view.crop_px, "both see the same square"


def test_nothing_that_is_not_trained_is_measured(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="smoke", show=False, only=("classifier",))
    with pytest.raises(UsageError, match="no upscaler of this table is trained yet"):
        reproduce(EXPERIMENT, asked, "smearlab reproduce srgan_vgg19")
    asked = replace(asked, only=("srgan_per_type",))
    with pytest.raises(UsageError, match="begins with srresnet, which is not trained yet: --only"):
        reproduce(EXPERIMENT, asked, "smearlab reproduce srgan_vgg19")


def test_a_smoke_run_tells_reported_beside_obtained(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="smoke", show=False)
    record = reproduce(EXPERIMENT, asked, "smearlab reproduce srgan_vgg19")
    folder = tmp_path / "srgan_vgg19" / "honest-smoke"
    assert Record.load(folder / "record.json") == record
    lines = {(line.row, line.figure): line for line in record.lines}
    ways = ("small", "bicubic", "srresnet", "srgan", "srgan_per_type", "large")
    for way in ways:
        line = lines[f"test pictures, {way}", "accuracy"]
        assert line.obtained is not None and 0 <= line.obtained <= 1
        assert (line.reported, line.where) == (
            (0.9487, "Table 6") if way == "large" else (None, "")
        )
        assert ((f"test pictures, {way}", "psnr") in lines) == (way != "large")
    size = lines["generator, srgan", "parameters"]
    assert size.reported == 2_044_291 and size.obtained is not None
    assert record.pages == ("enlarged.png", "figures.json")
    assert all((folder / page).is_file() for page in record.pages)
    found = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    bicubic = lines["test pictures, bicubic", "psnr"]
    assert bicubic.obtained == found["ways"]["bicubic"]["psnr"]["value"]
    assert any("SRGAN begins with SRResNet's weights" in said for said in record.deviations)
    begins = {
        run.name: json.loads((run / "config.json").read_text(encoding="utf-8"))["asked"]
        for run in sorted(folder.glob("srgan*-honest*"))
    }
    kinds = {one["type"] for one in begins.values()}
    assert len(begins) == len(kinds) > 2, "one of all types, one of each"
    assert len({one["begins_with"] for one in begins.values()} - {None}) == 1
    assert record.deviations.count("scale smoke: srgan_per_type takes 2 steps a type of 2 parts "
                                   "of 32 px at most in the place of 200 epochs") == 1  # fmt: skip
