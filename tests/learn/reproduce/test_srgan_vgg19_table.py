"""``smearlab reproduce srgan_vgg19``: what is trained, measured, and put beside the paper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Record
from smearlab.learn.recipes import UPSCALE_RECIPES
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.reproduce.srgan_vgg19 import UpscaleTable

EXPERIMENT = EXPERIMENTS["srgan_vgg19"]


def test_every_scale_fits_the_recipes() -> None:
    table, folder = UpscaleTable(), Path("out")
    for name in ("srresnet", "srgan"):
        own = table.upscaler(name, Asked("simulated", folder, scale="paper"))
        assert own == UPSCALE_RECIPES[name]
        cpu = table.upscaler(name, Asked("simulated", folder, scale="cpu"))
        assert cpu.network == own.network and cpu.view.learned_px == 64
    paper = table.classifier(Asked("simulated", folder, scale="paper"))
    small = table.classifier(Asked("simulated", folder, scale="cpu"))
    assert (paper.name, small.network) == ("vgg19_wbc", "cell_types")
    assert paper.data == small.data == UPSCALE_RECIPES["srgan"].data, "one split for all"


def test_pbc_has_recipes_of_its_own_and_one_split() -> None:
    table = EXPERIMENTS["srgan_pbc"].run
    assert isinstance(table, UpscaleTable)
    assert table.names == ("srresnet_pbc", "srgan_pbc", "classifier")
    for scale in ("smoke", "cpu", "paper"):
        asked = Asked("simulated", Path("out"), scale=scale)
        classifier = table.classifier(asked)
        for name in ("srresnet", "srgan"):
            recipe = table.upscaler(name, asked)
            assert recipe.name == f"{name}_pbc" and recipe.data == classifier.data
            assert recipe.view.crop_px == classifier.view.crop_px, "both see the same square"


def test_nothing_that_is_not_trained_is_measured(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="smoke", show=False, only=("classifier",))
    with pytest.raises(UsageError, match="no upscaler of this table is trained yet"):
        reproduce(EXPERIMENT, asked, "smearlab reproduce srgan_vgg19")


def test_a_smoke_run_tells_reported_beside_obtained(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="smoke", show=False)
    record = reproduce(EXPERIMENT, asked, "smearlab reproduce srgan_vgg19")
    folder = tmp_path / "srgan_vgg19" / "honest-smoke"
    assert Record.load(folder / "record.json") == record
    lines = {(line.row, line.figure): line for line in record.lines}
    ways = ("small", "bicubic", "srresnet", "srgan", "large")
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
    config = json.loads((folder / "srgan-honest" / "config.json").read_text(encoding="utf-8"))
    assert config["asked"]["begins_with"] is not None
