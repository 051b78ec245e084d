"""Upscalers as bundles: the checkpoint's answers for any size, and no seams between tiles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_upscalers import write_upscaler_run
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.errors import RunError
from smearlab.learn.export_upscaler import export_upscaler
from smearlab.learn.train.checkpoints import result_weights
from smearlab.learn.upscale_judge import enlarged
from smearlab.learn.upscaler_run import UpscalerRun, open_upscaler_run
from smearlab.upscale.upscaler import Upscaler


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> UpscalerRun:
    """One whose last convolution is no longer near zero: its answers reach far."""
    folder = write_upscaler_run(tmp_path_factory.mktemp("runs"))
    path = result_weights(folder)
    weights = load_file(path)
    torch.manual_seed(0)
    weights["head.weight"] = torch.randn_like(weights["head.weight"]) / 4
    save_file(weights, path)
    return open_upscaler_run(folder)


@pytest.fixture(scope="module")
def bundle(run: UpscalerRun) -> Path:
    export_upscaler(run, run.folder / "bundle")
    return run.folder / "bundle"


def test_the_card_tells_what_the_bench_must_know(bundle: Path, run: UpscalerRun) -> None:
    card = json.loads((bundle / "card.json").read_text(encoding="utf-8"))
    assert (card["kind"], card["name"], card["factor"]) == ("upscaler", "srresnet", 4)
    assert card["context_px"] == run.recipe.network.context_px == 10
    assert card["learned_by"] == "the difference of pixels"
    assert card["data"] == ["simulated cells (smearlab simulate)"]
    assert card["parity"]["largest_difference"] <= 1
    assert card["parity"]["of"] == "validation"
    assert card["metrics"]["val"]["psnr"] == run.summary.figures["psnr"]


@pytest.mark.parametrize("shape", [(5, 7), (32, 32), (3, 40)])
def test_the_bundle_answers_as_the_checkpoint(
    bundle: Path, run: UpscalerRun, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = Upscaler.load(str(bundle)).upscale(pixels)
    wanted = enlarged(run.network(), pixels[None])[0]
    assert found.std() > 20, "the network does something"
    assert np.abs(found.astype(int) - wanted).max() <= 1


def test_tiled_is_untiled(bundle: Path) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (45, 52, 3)).astype(np.uint8)
    whole = Upscaler.load(str(bundle), tile_px=64).upscale(pixels)
    for tile_px in (7, 16):
        tiled = Upscaler.load(str(bundle), tile_px=tile_px).upscale(pixels)
        assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_the_command_makes_the_bundle_anew(run: UpscalerRun, tmp_path: Path) -> None:
    words = ["export", str(run.folder), "--out", str(tmp_path / "made"), "--weights", "float"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "4 times as wide and high" in result.output
    assert Upscaler.load(str(tmp_path / "made")).card["weights"] == "float"
    refused = CliRunner().invoke(app, [*words, "--force", "--context", "2"])
    assert refused.exit_code == 2 and "is a upscaler; leave them out" in refused.output


def test_pictures_that_are_gone_are_said(run: UpscalerRun, tmp_path: Path) -> None:
    """Without --data random numbers prove parity; a folder that is named must hold them."""
    moved = tmp_path / "moved"
    shutil.copytree(run.folder, moved, ignore=shutil.ignore_patterns("bundle"))
    (tmp_path / "empty").mkdir()
    card = export_upscaler(open_upscaler_run(moved), tmp_path / "out", data=None)
    assert card["parity"]["of"] == "random numbers"
    with pytest.raises(RunError, match=r"val pictures of .* are not there, first"):
        export_upscaler(open_upscaler_run(moved), tmp_path / "out2", data=tmp_path / "empty")
    assert not (tmp_path / "out2").exists()
