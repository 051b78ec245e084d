"""Stain networks as bundles: the checkpoint's answers at any size, no seams, each way by itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_stains import write_stain_run
from two_stains import STAINS, write_two_stains
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.errors import BundleError, RunError, UnknownNameError
from smearlab.io.bundles import Bundle, read_card
from smearlab.learn.export_stain import export_stain, tiling_difference
from smearlab.learn.stain_graph import restained
from smearlab.learn.stain_run import StainRun, open_stain_run
from smearlab.learn.train.checkpoints import result_weights
from smearlab.preprocess.tiling import plan_tiles


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StainRun:
    """One with weights that are no longer near zero: its answers reach far."""
    cells = write_two_stains(tmp_path_factory.mktemp("cells"))
    out = tmp_path_factory.mktemp("runs")
    folder = write_stain_run(
        out, "w_cyclegan_gp", "network.widths=3,4", data=str(cells), stains=STAINS
    )
    path, chance = result_weights(folder), torch.Generator().manual_seed(0)
    weights = load_file(path)
    for name, value in weights.items():
        if name.endswith("weight"):
            weights[name] = torch.randn(value.shape, generator=chance) / 4
    save_file(weights, path)
    return open_stain_run(folder)


@pytest.fixture(scope="module")
def bundles(run: StainRun) -> Path:
    export_stain(run, run.folder / "bundle")
    return run.folder / "bundle"


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_cards_tell_what_the_bench_must_know(bundles: Path, run: StainRun) -> None:
    there, back = (read_card(bundles / way, "stain") for way in ("a_to_b", "b_to_a"))
    assert (there["name"], there["from"], there["to"]) == (
        "w_cyclegan_gp_cream_to_pink", "cream", "pink",
    )  # fmt: skip
    assert (back["name"], back["from"], back["to"]) == (
        "w_cyclegan_gp_pink_to_cream", "pink", "cream",
    )  # fmt: skip
    assert there["ground"] == run.ground_of("cream") and back["ground"] == run.ground_of("pink")
    assert there["network"] == "StainUNet" and there["multiple_px"] == 4
    assert there["context_px"] == run.network.context_px == 22
    assert there["tile_px"] == 512 and there["data"] == ["simulated cells (smearlab simulate)"]
    assert there["parity"]["largest_difference"] <= 1 and there["parity"]["of"] == "test"
    figures, told = run.summary.figures, there["metrics"]["test"]
    assert told["n"] == {"cream": 4, "pink": 4} and "cell_types" in told["features"]
    assert told["fid_made_b"] == figures["fid_made_b"] and "fid_made_a" not in told
    assert back["metrics"]["test"]["l1_same_a"] == figures["l1_same_a"]


@pytest.mark.parametrize("shape", [(4, 8), (32, 32), (8, 40)])
@pytest.mark.parametrize("way", ["a_to_b", "b_to_a"])
def test_a_bundle_answers_as_the_checkpoint(
    bundles: Path, run: StainRun, shape: tuple[int, int], way: str
) -> None:
    pixels = np.stack([noise(*shape), noise(*shape)[::-1]])
    found = Bundle(bundles / way, "stain").run(pixels=pixels)["normalised"]
    wanted = restained(run.model().way(way), pixels)  # type: ignore[arg-type]
    assert np.abs(wanted.astype(int) - pixels).mean() > 5, "the network does something"
    assert np.abs(found.astype(int) - wanted).max() <= 1


def test_tiled_is_untiled(bundles: Path) -> None:
    """As a reader cuts it: windows at multiples, with the context of the card."""
    bundle, whole = Bundle(bundles / "a_to_b", "stain"), noise(44, 52)
    wanted = bundle.run(pixels=whole[None])["normalised"][0].astype(int)

    def off(context_px: int) -> int:
        made = np.empty_like(whole)
        step = int(bundle.card["multiple_px"])
        for tile in plan_tiles(
            52, 44, tile_px=16, overlap_px=0, stride=step, context_px=context_px
        ):
            (x0, y0, x1, y1), (wx0, wy0, wx1, wy1) = tile.core, tile.window
            window = np.ascontiguousarray(whole[None, wy0:wy1, wx0:wx1])
            answer = bundle.run(pixels=window)["normalised"][0]
            made[y0:y1, x0:x1] = answer[y0 - wy0 : y1 - wy0, x0 - wx0 : x1 - wx0]
        return int(np.abs(made - wanted).max())

    assert off(int(bundle.card["context_px"])) <= 1
    assert off(0) > 10, "so that this can fail"


def test_the_seam_is_measured(bundles: Path) -> None:
    card = read_card(bundles / "a_to_b", "stain")
    assert card["tiling"]["largest_difference"] <= 1
    assert card["tiling"]["step_at_seam"] > 0
    model = bundles / "a_to_b" / "model.onnx"
    blind = tiling_difference(model, {**card, "context_px": 0}, noise(16, 16))
    assert blind["largest_difference"] > 10


def test_the_command_writes_one_way_or_both(run: StainRun, tmp_path: Path) -> None:
    words = ["export", str(run.folder), "--weights", "float"]
    runner = CliRunner(env={"COLUMNS": "120"})
    both = runner.invoke(app, [*words, "--out", str(tmp_path / "m")], catch_exceptions=False)
    assert both.exit_code == 0, both.output
    assert "from cream to pink" in both.output and "from pink to cream" in both.output
    assert read_card(tmp_path / "m" / "b_to_a", "stain")["weights"] == "float"
    again = runner.invoke(app, [*words, "--out", str(tmp_path / "m")])
    assert again.exit_code == 2 and "holds a bundle already" in again.output
    one = [*words, "--direction", "b_to_a", "--out", str(tmp_path / "one")]
    assert runner.invoke(app, one, catch_exceptions=False).exit_code == 0
    assert read_card(tmp_path / "one", "stain")["to"] == "cream"
    with pytest.raises(BundleError, match="it holds the bundles a_to_b, b_to_a: name one"):
        read_card(tmp_path / "m", "stain")


def test_what_cannot_be_exported_is_said(run: StainRun, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(run.folder, moved, ignore=shutil.ignore_patterns("bundle"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"test pictures of .* are not there, first"):
        export_stain(open_stain_run(moved), tmp_path / "out", data=tmp_path / "empty")
    assert not (tmp_path / "out").exists()
    summary = json.loads((moved / "summary.json").read_text(encoding="utf-8"))
    (moved / "summary.json").write_text(json.dumps({**summary, "ways": ["a_to_b"]}))
    with pytest.raises(UnknownNameError, match=r"direction of .* 'b_to_a'"):
        export_stain(open_stain_run(moved), tmp_path / "out", "b_to_a")
