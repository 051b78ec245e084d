"""Bundles: what a sound one gives, and what is said of one that is not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError
from smearlab.io.bundles import Bundle, find_bundle, read_card
from smearlab.registry import SHIPPED_BUNDLES
from smearlab.types import CELL_TYPES, ELEMENTS
from tiny_bundles import (
    CLASSIFIER_CARD,
    SEGMENTER_CARD,
    classifier_model,
    draw_discs,
    segmenter_model,
    write_bundle,
    write_classifier,
    write_segmenter,
)


def test_a_bundle_runs(tmp_path: Path) -> None:
    bundle = Bundle(write_segmenter(tmp_path / "discs"), "segmenter")
    answer = bundle.run(pixels=draw_discs([(62, 46, "RBC")])[None])
    assert bundle.name == "colour_discs"
    assert {name: value.shape for name, value in answer.items()} == {
        "classes": (1, 80, 96, 4),
        "heat": (1, 40, 48, 3),
        "sides": (1, 40, 48, 4),
    }
    assert all(value.dtype == np.float32 for value in answer.values())


def test_eight_threads_get_the_same_answers(tmp_path: Path) -> None:
    bundle = Bundle(write_segmenter(tmp_path / "discs"), "segmenter")
    rng = np.random.default_rng(0)
    fields = [rng.integers(0, 255, (1, 64, 64 + 8 * n, 3)).astype(np.uint8) for n in range(8)]
    alone = [bundle.run(pixels=field) for field in fields]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            together = list(pool.map(lambda field: bundle.run(pixels=field), fields))
            for one, other in zip(alone, together, strict=True):
                for name in one:
                    np.testing.assert_array_equal(one[name], other[name])


def test_a_missing_network_is_said(tmp_path: Path) -> None:
    folder = write_segmenter(tmp_path / "discs")
    (folder / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read \(No such file"):
        Bundle(folder, "segmenter")


def test_a_damaged_network_is_said(tmp_path: Path) -> None:
    folder = write_segmenter(tmp_path / "discs")
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(BundleError, match=r"model\.onnx has sha256 [0-9a-f]{64}, its card says"):
        Bundle(folder, "segmenter")


@pytest.mark.parametrize("data", [b"", b"not a network"])
def test_what_is_no_network_is_said(tmp_path: Path, data: bytes) -> None:
    folder = write_bundle(tmp_path / "bad", data, SEGMENTER_CARD)
    with pytest.raises(BundleError, match=r"model\.onnx is not a model that ONNX Runtime opens"):
        Bundle(folder, "segmenter")


def test_a_bundle_of_another_kind_is_said(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "types")
    with pytest.raises(BundleError, match="kind 'classifier'; a segmenter is needed here"):
        Bundle(folder, "segmenter")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"card\.json cannot be read \(No such file"),
        ("{", "is not valid JSON"),
        ("[1, 2]", "kind 'list'"),
        ("{}", "kind None"),
    ],
)
def test_a_card_that_is_none_is_said(tmp_path: Path, text: str | None, said: str) -> None:
    folder = write_segmenter(tmp_path / "discs")
    (folder / "card.json").unlink()
    if text is not None:
        (folder / "card.json").write_text(text)
    with pytest.raises(BundleError, match=said):
        read_card(folder, "segmenter")


OPTIONAL = {"kind", "thresholds"}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *(("segmenter", key) for key in ("sha256", *SEGMENTER_CARD) if key not in OPTIONAL),
        *(("classifier", key) for key in ("sha256", *CLASSIFIER_CARD) if key not in OPTIONAL),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, kind: str, key: str) -> None:
    write = write_segmenter if kind == "segmenter" else write_classifier
    folder = write(tmp_path / "lacking", **{key: None})
    with pytest.raises(BundleError, match=f"lacks {key}"):
        read_card(folder, kind)


def test_a_network_of_fixed_size_needs_no_range(tmp_path: Path) -> None:
    folder = write_segmenter(
        tmp_path / "fixed", size_px=256, first_look_px=None, cell_diameter_range_px=None
    )
    assert read_card(folder, "segmenter")["size_px"] == 256


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"decoder": "stars"}, "decoder 'stars' of .* is unknown; known: centres, watershed"),
        ({"classes": ["background", "WBC", "RBC", "PLT"]}, "begin with background, RBC, WBC, PLT"),
        ({"classes": ["cell"], "decoder": "watershed"}, "must begin with background"),
        ({"map_step": 3}, "map_step is 3; .* divides the stride, 8"),
        ({"grid_step": 0}, "grid_step is 0"),
        ({"stride": "8"}, "stride is '8'"),
    ],
)
def test_a_segmenter_that_the_bench_does_not_know_is_said(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        read_card(write_segmenter(tmp_path / "strange", **changed), "segmenter")


@pytest.mark.parametrize("classes", [["eosinophil", "blast"], ["monocyte"] * 3, ["unidentified"]])
def test_types_that_the_bench_does_not_know_are_said(tmp_path: Path, classes: list[str]) -> None:
    with pytest.raises(BundleError, match="each must be one of erythrocyte, platelet"):
        read_card(write_classifier(tmp_path / "strange", classes=classes), "classifier")


def test_a_network_that_breaks_the_contract_is_said(tmp_path: Path) -> None:
    other = write_bundle(tmp_path / "a", classifier_model(), SEGMENTER_CARD)
    with pytest.raises(BundleError, match="gives probabilities; its kind also needs classes, heat"):
        Bundle(other, "segmenter")
    classes = ["neutrophil", "lymphocyte"]
    fewer = write_bundle(tmp_path / "b", classifier_model(), CLASSIFIER_CARD, classes=classes)
    with pytest.raises(BundleError, match=r"gives 3 channels of probabilities but .* 2 classes"):
        Bundle(fewer, "classifier")
    grey = segmenter_model().replace(b"pixels", b"piXels")
    with pytest.raises(BundleError, match=r"takes {'piXels'.*one uint8 input, pixels"):
        Bundle(write_bundle(tmp_path / "c", grey, SEGMENTER_CARD), "segmenter")


def test_inputs_that_the_network_refuses_are_said(tmp_path: Path) -> None:
    bundle = Bundle(write_classifier(tmp_path / "types"), "classifier")
    with pytest.raises(BundleError, match=r"'mean_colours' failed on pixels uint8 \(1, 9, 9, 3\)"):
        bundle.run(pixels=np.zeros((1, 9, 9, 3), np.uint8))


def test_bundles_are_found_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_segmenter(tmp_path / "mine")
    assert find_bundle("segmenter", str(folder)) == folder
    monkeypatch.chdir(tmp_path)
    assert find_bundle("segmenter", "mine") == Path("mine")
    with pytest.raises(BundleError, match=r"no segmenter bundle \./yours: no such folder.*default"):
        find_bundle("segmenter", "./yours")


def test_a_folder_does_not_hide_a_shipped_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").mkdir()
    assert find_bundle("segmenter", "default").is_absolute()
    assert find_bundle("segmenter", "./default") == Path("default")


@pytest.mark.parametrize("kind", [kind for kind, names in SHIPPED_BUNDLES.items() if names])
def test_an_unknown_name_lists_the_known(kind: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown {kind} bundle 'defualt'.*Known: default"):
        find_bundle(kind, "defualt")


@pytest.mark.parametrize("kind", list(SHIPPED_BUNDLES))
def test_every_shipped_bundle_keeps_the_contract(kind: str) -> None:
    for name in SHIPPED_BUNDLES[kind]:
        folder = find_bundle(kind, name)
        if not folder.is_dir():
            pytest.skip(f"the shipped {kind} is not in this checkout")
        bundle = Bundle(folder, kind)
        if kind == "classifier":
            side = bundle.card["input_px"]
            crops = np.random.default_rng(0).integers(0, 255, (3, side, side, 3)).astype(np.uint8)
            rows = bundle.run(pixels=crops)["probabilities"]
            assert rows.shape == (3, len(bundle.card["classes"]))
            np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
            assert set(bundle.card["classes"]) <= set(CELL_TYPES)
            assert 0 <= bundle.card["threshold"] < 1
        else:
            height, width = 2 * bundle.card["stride"], 3 * bundle.card["stride"]
            pixels = np.full((1, height, width, 3), 230, np.uint8)
            answer = bundle.run(pixels=pixels)
            step, grid = bundle.card["map_step"], bundle.card["grid_step"]
            assert answer["classes"].shape == (1, height // step, width // step, 4)
            assert answer["heat"].shape == (1, height // grid, width // grid, 3)
            assert answer["sides"].shape == (1, height // grid, width // grid, 4)
            np.testing.assert_allclose(answer["classes"].sum(axis=-1), 1, atol=1e-5)
            assert answer["heat"].min() >= 0
            assert answer["heat"].max() <= 1
            assert answer["sides"].min() > 0
            assert set(bundle.card["thresholds"]) == set(ELEMENTS)


def test_shipped_bundles_are_small_enough() -> None:
    folders = [find_bundle(kind, n) for kind, names in SHIPPED_BUNDLES.items() for n in names]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("the shipped bundles are not in this checkout")
    total = sum(file.stat().st_size for folder in folders for file in folder.iterdir())
    assert total <= 25e6
    for folder in folders:
        card = json.loads((folder / "card.json").read_text())
        assert (folder / "model.onnx").stat().st_size == card["bytes"]
