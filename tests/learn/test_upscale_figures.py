"""Figures of upscalers: means over pictures, intervals over groups, the classifier's word."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_upscalers import write_upscaler_run

from smearlab.errors import UsageError
from smearlab.learn import upscale_figures
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.learn.upscale_figures import (
    Enlarged,
    Typing,
    enlarge_test_pictures,
    figures,
    sheet,
    typing_by,
)
from smearlab.learn.upscaler_run import open_upscaler_run
from tiny_bundles import write_classifier

REPOSITORY = Path(__file__).resolve().parents[2]


def flat(*levels: int) -> np.ndarray:
    """Even grey pictures of 16 px."""
    return np.stack([np.full((16, 16, 3), level, np.uint8) for level in levels])


LARGE = flat(100, 100, 200, 200)
PICTURES = Enlarged(
    {"small": flat(100, 110, 200, 200), "bicubic": flat(110, 110, 210, 210),
     "srgan": flat(101, 101, 180, 201), "large": LARGE},
    types=np.array(["lymphocyte", "lymphocyte", "neutrophil", "neutrophil"]),
    groups=np.array(["a", "a", "b", "c"]),
    factor=4,
)  # fmt: skip


class Grey:
    """Distance of mean levels."""

    name = "grey"

    def of_pairs(self, pictures: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        means = pictures.astype(float).mean((1, 2, 3))
        return np.abs(means[left] - means[right])


def bright(pictures: np.ndarray) -> np.ndarray:
    """Neutrophils are brighter than 190."""
    hit = pictures.mean((1, 2, 3)) > 190
    return np.column_stack([hit, ~hit]).astype(float)


def test_values_are_those_of_the_pictures() -> None:
    typing = Typing("bright", ("neutrophil", "lymphocyte"), bright)
    found = figures(PICTURES, typing, Grey())
    assert (found["n"], found["n_groups"], found["factor"]) == (4, 3, 4)
    assert (found["classifier"], found["distance"]) == ("bright", "grey")
    ways = found["ways"]
    assert list(ways) == ["small", "bicubic", "srgan", "large"]
    assert ways["bicubic"]["psnr"]["value"] == pytest.approx(20 * np.log10(255 / 10))
    assert ways["srgan"]["distance"]["value"] == pytest.approx((1 + 1 + 20 + 1) / 4)
    accuracy = {way: of["accuracy"]["value"] for way, of in ways.items()}
    assert accuracy == {"small": 1.0, "bicubic": 1.0, "srgan": 0.75, "large": 1.0}
    low, high = ways["srgan"]["accuracy"]["interval"]
    assert low <= 0.75 <= high
    assert set(ways["large"]) == {"accuracy"}
    over = found["over_bicubic"]
    assert over["srgan"]["accuracy"]["value"] == -0.25
    assert over["srgan"]["distance"]["value"] == pytest.approx(5.75 - 10)
    assert over["large"]["accuracy"] == {"value": 0.0, "interval": (0.0, 0.0)}
    assert set(figures(PICTURES)["ways"]["srgan"]) == {"psnr", "ssim"}


def test_a_type_that_the_classifier_does_not_know_is_named() -> None:
    typing = Typing("bright", ("neutrophil", "monocyte"), bright)
    with pytest.raises(UsageError, match="bright does not know lymphocyte; it knows neutrophil"):
        figures(PICTURES, typing)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    out = tmp_path_factory.mktemp("runs")
    return [write_upscaler_run(out, "srresnet"), write_upscaler_run(out, "srgan")]


def test_the_test_pictures_of_runs_are_enlarged(runs: list[Path], tmp_path: Path) -> None:
    opened = [open_upscaler_run(run) for run in runs]
    found = enlarge_test_pictures(opened, most=3)
    assert list(found.ways) == ["small", "bicubic", "srresnet-honest", "srgan-honest", "large"]
    assert {made.shape for made in found.ways.values()} == {(3, 32, 32, 3)}
    trained = set(opened[0].samples("train").pictures.groups)
    assert not trained & set(found.groups)
    with pytest.raises(UsageError, match="at least one run"):
        enlarge_test_pictures([])
    other = write_upscaler_run(tmp_path, "srresnet", None, "view.high_px=48")
    with pytest.raises(UsageError, match="does not test on the pictures of"):
        enlarge_test_pictures([opened[0], open_upscaler_run(other)])


def test_runs_of_one_type_enlarge_the_pictures_of_their_own(
    runs: list[Path], tmp_path: Path
) -> None:
    whole = open_upscaler_run(runs[1])
    kinds = sorted(set(enlarge_test_pictures([whole]).types))
    parts = [
        open_upscaler_run(write_upscaler_run(tmp_path, "srgan_per_type", kind)) for kind in kinds
    ]
    found = enlarge_test_pictures([*parts, whole])
    assert list(found.ways) == ["small", "bicubic", "srgan-honest", "srgan_per_type", "large"]
    for part in parts:
        alone = enlarge_test_pictures([part])
        assert set(alone.types) == {part.summary.type}
        own = found.ways["srgan_per_type"][found.types == part.summary.type]
        np.testing.assert_array_equal(own, alone.ways[part.folder.name])
    with pytest.raises(UsageError, match=f"no run of srgan_per_type is of {kinds[-1]}: train one"):
        enlarge_test_pictures([whole, *parts[:-1]])
    with pytest.raises(UsageError, match="does not test on the pictures of"):
        enlarge_test_pictures(parts)


def test_a_bundle_types_pictures_of_any_size(tmp_path: Path) -> None:
    typing = typing_by(str(write_classifier(tmp_path)))
    assert typing.classes == ("erythrocyte", "neutrophil", "lymphocyte")
    red = np.zeros((40, 30, 30, 3), np.uint8)
    red[..., 0] = 255
    answers = typing.probabilities(red)
    assert answers.shape == (40, 3) and set(answers.argmax(1)) == {0}


@pytest.mark.parametrize(
    ("crop_px", "shown_px", "seen"),
    [(None, None, 16), (8, None, 8), (20, 20, 16), (20, 40, 8)],
)
def test_a_run_sees_of_a_picture_what_its_views_show_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop_px: int | None, shown_px: int | None,
    seen: int,
) -> None:  # fmt: skip
    shown: list[np.ndarray] = []

    def network(pixels: torch.Tensor) -> torch.Tensor:
        shown.append(pixels.numpy())
        return torch.zeros(len(pixels), 2)

    run = SimpleNamespace(
        network=lambda: SimpleNamespace(eval=lambda: network),
        recipe=SimpleNamespace(view=PictureViewConfig(8, crop_px, AffineRanges())),
        summary=SimpleNamespace(recipe="lwcnn"),
        classes=("neutrophil", "lymphocyte"),
    )
    (tmp_path / "summary.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(upscale_figures, "open_classifier_run", lambda folder: run)
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[(16 - seen) // 2 : (16 + seen) // 2, (16 - seen) // 2 : (16 + seen) // 2] = 255
    typing = typing_by(str(tmp_path), shown_px)
    assert typing.probabilities(picture[None]).shape == (1, 2)
    (of,) = shown
    assert of.shape == (1, 3, 8, 8) and of.min() == of.max() > 0.9, "the white square, whole"


def test_a_sheet_has_a_row_of_every_type() -> None:
    rng = np.random.default_rng(0)
    high = rng.integers(0, 256, (9, 16, 16, 3), np.uint8)
    types = np.array(list("aaaaaaabc"))
    pictures = Enlarged({"bicubic": high // 2, "large": high}, types, types, 4)
    one = sheet(pictures)
    few = sheet(Enlarged({"bicubic": high // 2, "large": high}, np.array(["a"] * 9), types, 4))
    assert len(one) * 6 == len(few) * 4, "two of the first type and one of each other; six of one"


def test_the_benchmark_prints_figures_and_draws(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = REPOSITORY / "benchmarks" / "super_resolution.py"
    spec = importlib.util.spec_from_file_location("super_resolution_benchmark", path)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    words = [*map(str, runs), "--out", str(tmp_path / "out"), "--most", "2"]
    monkeypatch.setattr(sys, "argv", [str(path), *words])
    script.main()
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))
    assert found["n"] == 2 and found["distance"].startswith("blood-cell LPIPS")
    assert found["ways"]["srgan-honest"]["distance"]["value"] >= 0
    assert (tmp_path / "out" / "pictures.png").stat().st_size > 1000
