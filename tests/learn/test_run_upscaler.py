"""From pictures to the run of an upscaler: what it leaves, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_upscalers import quick_settings, write_upscaler_run

from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.errors import RunError, UnknownNameError, UsageError
from smearlab.evaluation.runs import SUMMARY
from smearlab.io.images import read_field
from smearlab.learn.recipes import UPSCALE_RECIPES
from smearlab.learn.run_asked import Asked, run_folder
from smearlab.learn.run_upscaler import run_upscaler
from smearlab.learn.train.checkpoints import result_weights
from smearlab.learn.upscale_judge import SHEET, UpscaleJudge, enlarged
from smearlab.learn.upscaler_run import UpscalerRun, open_upscaler_run
from smearlab.metrics.picture_pairs import psnr


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def plain(out: Path) -> UpscalerRun:
    """An SRResNet."""
    return open_upscaler_run(write_upscaler_run(out))


def test_a_run_says_what_it_learned_and_what_it_is_worth(plain: UpscalerRun) -> None:
    summary = plain.summary
    assert plain.folder.name == "srresnet-honest"
    assert (summary.factor, summary.type, summary.steps, summary.features) == (4, None, 2, None)
    assert set(summary.types) == {"eosinophil", "lymphocyte", "monocyte", "neutrophil"}
    assert set(summary.figures) == {"psnr", "ssim", "psnr_bicubic", "ssim_bicubic"}
    assert summary.figures["psnr"] == pytest.approx(summary.figures["psnr_bicubic"], abs=1.0)
    assert "bicubic" in summary.said() and "validation pictures" in summary.said()
    sheet = read_field(plain.folder / SHEET)
    assert sheet.width_px > 4 * 256, "four columns"
    lines = (plain.folder / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["psnr"] > 0
    assert not find_leaks(plain.manifest())


def test_figures_are_those_of_the_pictures(plain: UpscalerRun) -> None:
    samples, model = plain.samples("val"), plain.network()
    judge = UpscaleJudge(samples, most=3, chooses=True)
    figures = judge(model)
    made = enlarged(model, judge.low)
    assert made.shape == judge.high.shape == (3, 32, 32, 3)
    assert figures["psnr"] == pytest.approx(psnr(made, judge.high).mean())
    squares = np.square(made / 255.0 - judge.high / 255.0)
    assert figures["loss"] == pytest.approx(squares.mean())
    first = cv2.resize(judge.low[0], (32, 32), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(judge.bicubic[0], first)
    assert "loss" not in UpscaleJudge(samples, 3, chooses=False)(model)


def test_one_type_begins_with_other_weights_and_plays(plain: UpscalerRun, out: Path) -> None:
    recipe = UPSCALE_RECIPES["srgan_per_type"].with_settings(
        [*quick_settings("srgan_per_type"), "train.lr_generator=1e-9", "train.lr_critic=1e-9"]
    )
    asked = Asked("simulated", out, weights=result_weights(plain.folder), show=False)
    run = run_upscaler(recipe, asked, "eosinophil")
    assert run == run_folder(recipe, asked, "eosinophil")
    assert run.name == "srgan_per_type-honest-eosinophil"
    found = open_upscaler_run(run)
    assert found.summary.features == "the shipped blood-cell classifier, stage 0"
    assert set(found.summary.networks) == {"generator", "critic"}
    types = found.samples("train").pictures.manifest.column("type")
    rows = found.samples("train").pictures.rows
    assert set(types[rows]) == {"eosinophil"}
    begun, ended = (one.network().state_dict()["stem.0.weight"] for one in (plain, found))
    assert torch.allclose(begun, ended, atol=1e-6)
    line = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])
    weighted = line["content"] + line["pixels"] + 1e-3 * line["adversarial"]
    assert line["total"] == pytest.approx(weighted, rel=1e-4)


def test_a_finished_run_stays_and_a_changed_one_is_refused(plain: UpscalerRun, out: Path) -> None:
    before = (plain.folder / SUMMARY).stat().st_mtime_ns
    said: list[str] = []
    recipe = UPSCALE_RECIPES["srresnet"].with_settings(quick_settings("srresnet"))
    run_upscaler(recipe, Asked("simulated", out, show=False, say=said.append))
    assert (plain.folder / SUMMARY).stat().st_mtime_ns == before
    assert said[-1] == f"{plain.folder} is done"
    with pytest.raises(UsageError, match=r"network\.width was 4 and is 5"):
        write_upscaler_run(out, "srresnet", None, "network.width=5")


def test_what_cannot_be_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'eosinophil'"):
        write_upscaler_run(tmp_path / "new", "srresnet", "eosinophils")
    recipe = UPSCALE_RECIPES["srresnet"].with_settings(quick_settings("srresnet"))
    gone = Asked("simulated", tmp_path, weights=tmp_path / "no.safetensors", show=False)
    with pytest.raises(UsageError, match=r"no\.safetensors"):
        run_upscaler(recipe, gone)
    with pytest.raises(RunError, match="is no finished run"):
        open_upscaler_run(tmp_path)
    (tmp_path / SUMMARY).write_text(json.dumps({"kind": "classifier"}))
    with pytest.raises(RunError, match="is a run of a classifier, not of an upscaler"):
        open_upscaler_run(tmp_path)
