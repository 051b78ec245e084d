"""Bundles of segmenters: the contract of the bench, and the checkpoint's answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from tiny_segmenters import write_segmenter_run

from smearlab.errors import RunError
from smearlab.io.bundles import Bundle
from smearlab.learn.export_proof import PARITY
from smearlab.learn.export_segmenters import export_segmenter
from smearlab.learn.models.rwp_generator import RWPGeneratorConfig
from smearlab.learn.nn.picture_norm import Statistics
from smearlab.learn.segmenter_graphs import graph_of
from smearlab.learn.segmenter_run import SegmenterRun, open_segmenter_run
from smearlab.segment.maps import Segmenter
from smearlab.segment.noise import draw_noise, no_noise


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SegmenterRun:
    return open_segmenter_run(write_segmenter_run(tmp_path_factory.mktemp("gan")))


@pytest.fixture(scope="module")
def bundle(run: SegmenterRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "wbc"
    export_segmenter(run, folder, "float")
    return folder


def test_the_card_is_that_of_the_contract(run: SegmenterRun, bundle: Path) -> None:
    card = Bundle(bundle, "segmenter").card
    wanted = {
        "kind": "segmenter",
        "name": "rwp_gan_wbc",
        "classes": ["background", "WBC"],
        "element": "WBC",
        "decoder": "watershed",
        "watershed": {"min_area_px": 600.0, "marker_depth": 0.3},
        "map_step": 1,
        "cell_diameter_px": 24.0,
        "blend": {"tile_px": 32, "overlap_px": 12},
        "segmented": True,
        "noise": {"size": 6 * 2 * 2 + 6 * 4 * 4 + 4 * 8 * 8, "keep": 0.5},
        "targets": {"simulated": 8},
        "weights": "float",
        "parameters": run.summary.networks["generator"]["trainable"],
    }
    assert {key: card[key] for key in wanted} == wanted
    assert card["training"]["recipe"] == "rwp_gan"
    assert card["parity"]["of"] == "held-out tiles"
    assert card["parity"]["largest_difference"] <= PARITY
    assert card["parity"]["pixels_changed"] == 0
    assert card["data"] == ["simulated cells (smearlab simulate)"]


@pytest.mark.parametrize("noisy", [False, True])
def test_the_bundle_answers_as_the_checkpoint(run: SegmenterRun, bundle: Path, noisy: bool) -> None:
    opened = Bundle(bundle, "segmenter")
    keep = draw_noise(opened.card, 3, 0) if noisy else no_noise(opened.card)
    pixels = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8)
    found = opened.run(pixels=pixels, keep=keep)
    with torch.inference_mode():
        wanted = graph_of(run.network()).eval()(torch.from_numpy(pixels), torch.from_numpy(keep))
    for name, tensor in zip(("classes", "segmented"), wanted, strict=True):
        assert np.abs(found[name] - tensor.numpy()).max() <= PARITY


def test_both_kinds_of_statistics_become_bundles(run: SegmenterRun, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8)
    answers = []
    for kind in get_args(Statistics):
        assert isinstance(run.config, RWPGeneratorConfig)
        other = replace(run, config=replace(run.config, statistics=kind))
        card = export_segmenter(other, tmp_path / kind, "float")
        assert card["statistics"] == kind
        assert card["parity"]["largest_difference"] <= PARITY
        bundle = Bundle(tmp_path / kind, "segmenter")
        answers.append(bundle.run(pixels=pixels, keep=no_noise(bundle.card))["segmented"])
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def test_noise_changes_the_answer(bundle: Path) -> None:
    opened = Bundle(bundle, "segmenter")
    pixels = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8)
    answers = [
        opened.run(pixels=pixels, keep=keep)["segmented"]
        for keep in (no_noise(opened.card), draw_noise(opened.card, 3, 0))
    ]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def test_the_bench_segments_fields_of_any_size(bundle: Path) -> None:
    segmenter = Segmenter(Bundle(bundle, "segmenter"))
    maps = segmenter.maps(np.full((50, 70, 3), 200, np.uint8), 1.0)
    assert maps.classes.shape == (50, 70, 2)
    assert maps.segmented is not None and maps.segmented.shape == (50, 70, 3)


def test_half_floats_halve_the_file(run: SegmenterRun, bundle: Path, tmp_path: Path) -> None:
    card = export_segmenter(run, tmp_path / "half", "half")
    assert card["weights"] == "half"
    assert card["bytes"] < 0.85 * json.loads((bundle / "card.json").read_text())["bytes"]
    assert card["parity"]["largest_difference"] < 0.05


def test_a_u_net_shows_the_picture_where_its_mask_is(tmp_path: Path) -> None:
    run = open_segmenter_run(write_segmenter_run(tmp_path, "unet_bce_dice", "RBC"))
    card = export_segmenter(run, tmp_path / "rbc")
    assert "noise" not in card
    assert (card["stride"], card["classes"]) == (2, ["background", "RBC"])
    pixels = np.random.default_rng(1).integers(1, 256, (1, 32, 32, 3)).astype(np.uint8)
    found = Bundle(tmp_path / "rbc", "segmenter").run(pixels=pixels)
    shown = found["classes"][..., 1] > 0.5
    assert np.allclose(found["segmented"][shown], pixels[shown] / 255, atol=1e-6)
    assert not found["segmented"][~shown].any()


def test_without_its_pictures_random_ones_are_compared_on(tmp_path: Path) -> None:
    folder = write_segmenter_run(tmp_path)
    (folder / "pictures.json").unlink()
    run = open_segmenter_run(folder)
    assert export_segmenter(run, tmp_path / "b")["parity"]["of"] == "random numbers"
    with pytest.raises(RunError, match="name their folder with --data"):
        export_segmenter(run, tmp_path / "c", data=tmp_path)
    assert not (tmp_path / "c").exists()
