"""A whole verification on painted cells: results, resuming, page, and what is trained on what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
pytest.importorskip("onnx", reason="tiny networks are written with onnx")
from painted_sets import MADE_PX, REAL_PX, TYPES, paint
from PIL import Image

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import read_manifest, write_manifest
from smearlab.errors import ManifestError, UnknownNameError
from smearlab.evaluation.blind_test import BlindKey
from smearlab.evaluation.verification_grids import verification_grids
from smearlab.evaluation.verification_result import RESULT
from smearlab.io.images import read_field
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.transforms.picture_views import draw_picture_view
from smearlab.learn.verification.config import CHECKS, VerifyConfig
from smearlab.learn.verification.pictures import VerifiedPictures
from smearlab.learn.verification.recipes import equal_epochs, recipe_of, with_added
from smearlab.learn.verification.run import PAGE, verify
from smearlab.learn.verification.trainings import Trainings, synthetic_on_real
from smearlab.report.verification_page import cautions
from tiny_bundles import write_classifier


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VerifyConfig, dict[str, Any]]:
    """Every check, with a network of one layer for the features."""
    folder = tmp_path_factory.mktemp("verified")
    config = VerifyConfig(
        epochs=1, batch_size=8, seeds=2, shares=(0.5,), crop_px=REAL_PX, blind_each=2,
        features=str(write_classifier(folder / "tiny")), resamples=5, pairs=2,
    )  # fmt: skip
    paint(folder / "real", 20, synthetic=False)
    paint(folder / "made", 8, synthetic=True)
    return folder, config, run(folder, config)


def run(
    folder: Path,
    config: VerifyConfig,
    said: list[str] | None = None,
    shared: Path | None = None,
) -> dict[str, Any]:
    return verify(
        folder / "made",
        str(folder / "real" / "manifest.parquet"),
        config,
        folder / "out",
        shared=shared,
        show=False,
        say=(lambda line: None) if said is None else said.append,
    )


def test_every_check_leaves_a_result(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    folder, _, whole = finished
    assert list(whole["checks"]) == [name for name in CHECKS if name != "balanced"]
    assert json.loads((folder / "out" / RESULT).read_text()) == whole
    assert whole["synthetic"] == {
        "n": 16, "types": {"basophil": 8, "monocyte": 8}, "source": "painter", "fingerprints": ""
    }  # fmt: skip
    assert whole["real"] == {"train": 16, "val": 8, "test": 16}


def test_figures_name_their_network(finished: tuple[Path, VerifyConfig, dict[str, Any]]) -> None:
    found = finished[2]["checks"]["figures"]
    assert found["features"].startswith("mean_colours")
    assert set(found["parts"]) == {"all", *TYPES}
    part = found["parts"]["all"]
    assert (part["n_real"], part["n_synthetic"], part["n_beside"]) == (16, 16, 16)
    assert part["figures"]["fid"]["value"] > part["figures"]["fid"]["real"] > 0
    assert "blood-cell LPIPS" in found["diversity"]["lpips"]["network"]
    assert found["diversity"]["ms_ssim"]["scales"] == 2


def test_neighbours_are_pairs_of_existing_pictures(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    folder, _, whole = finished
    for space, one in whole["checks"]["neighbours"]["spaces"].items():
        assert (one["n_synthetic"], one["n_train"], one["n_held_out"]) == (16, 16, 16)
        apart = [pair["distance"] for pair in one["nearest"]]
        assert apart == sorted(apart) and len(apart) == 12
        assert (folder / "made" / one["nearest"][0]["synthetic"]).is_file(), space
        assert (folder / "out" / "pictures" / one["nearest"][0]["real"]).is_file()
        assert (folder / "out" / f"nearest-{space}.png").is_file()
        partners = one["partners"]
        assert set(partners) == {"psnr", "ssim", "l1", "l2"}
        assert 0 < partners["l1"]["value"] <= partners["l2"]["value"] < 1


def test_turned_copies_are_found_among_all_training_pictures(
    finished: tuple[Path, VerifyConfig, dict[str, Any]], tmp_path: Path
) -> None:
    """Every made picture is a mirrored and turned view; figures are of two pictures of a type."""
    folder, config, _ = finished
    real = read_manifest(folder / "out" / "pictures" / "real.parquet")
    chosen = real.take((real.column("split") == "train").astype(bool))
    names = []
    for n, path in enumerate(chosen.column("path")):
        view = read_field(chosen.file(path)).pixels
        names.append(f"{n}.png")
        turned = np.rot90(view[:, ::-1], n % 4)
        Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / names[-1])
    rows = [
        {"path": name, "type": kind, "synthetic": True, "source": "copyist", "split": "train"}
        for name, kind in zip(names, chosen.column("type"), strict=True)
    ]
    made = write_manifest(tmp_path / "manifest.parquet", manifest_of(rows, tmp_path))
    few = replace(config, most_of_type=2, checks=("neighbours",))
    whole = verify(made, str(folder / "real" / "manifest.parquet"), few, tmp_path / "out",
                   show=False)  # fmt: skip
    found = whole["checks"]["neighbours"]["spaces"]
    pixels = found["pixels"]
    assert (pixels["n_synthetic"], pixels["n_train"], pixels["n_held_out"]) == (16, 16, 16)
    assert pixels["rate"] == 1.0
    assert [pair["distance"] for pair in pixels["nearest"]] == pytest.approx([0] * 12, abs=1e-6)
    assert pixels["partners"]["l1"]["value"] == 0.0, "compared as it is turned"
    features = found["features"]
    assert (features["n_synthetic"], features["n_train"], features["n_held_out"]) == (4, 16, 4)
    assert max(pair["distance"] for pair in features["nearest"]) < 1e-6


def test_distributions_can_be_compared_with_test_pictures(
    filled: tuple[Path, VerifyConfig], finished: tuple[Path, VerifyConfig, dict[str, Any]]
) -> None:
    """Where a type was held down to a few training pictures."""
    folder, config = filled
    config = replace(config, features=finished[1].features, resamples=2, pairs=2)
    sizes = {}
    for against in ("train", "test"):
        asked = replace(config, checks=("figures",), against=against)  # type: ignore[arg-type]
        found = run(folder, asked)["checks"]["figures"]
        assert found["against"] == against
        part = found["parts"]["monocyte"]
        sizes[against] = part["n_real"], part["n_beside"]
    assert sizes == {"train": (3, 8), "test": (8, 3)}
    with pytest.raises(UnknownNameError, match="part of the real pictures 'tset'"):
        replace(config, against="tset")  # type: ignore[arg-type]


def test_other_weights_under_the_same_name_are_other_features(
    finished: tuple[Path, VerifyConfig, dict[str, Any]], tmp_path: Path
) -> None:
    files = tmp_path / "net.bin", tmp_path / "linear.bin"
    for path in files:
        path.write_bytes(b"one")
    config = replace(finished[1], lpips=files)
    before = config.said("lpips")
    assert before == replace(config, lpips=(files[1], files[0])).said("lpips")
    files[0].write_bytes(b"two")
    assert config.said("lpips") != before
    assert config.said("features") != VerifyConfig().said("features")
    assert config.said("inception") == "None"


def test_cosines_are_of_both_spaces(finished: tuple[Path, VerifyConfig, dict[str, Any]]) -> None:
    found = finished[2]["checks"]["cosine"]
    for one in found["spaces"].values():
        row = one["types"]["monocyte"]
        assert (row["n_real"], row["n_synthetic"]) == (16, 8)
        difference = row["real"]["value"] - row["synthetic"]["value"]
        assert row["difference"]["value"] == pytest.approx(difference)
        assert 0.9 < row["real"]["value"] < 1


def test_the_blind_test_tells_the_expert_nothing(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    folder, _, whole = finished
    told = whole["checks"]["blind-test"]
    key = BlindKey.load(folder / "out" / told["key"])
    assert told["n"] == len(key.cells) == 8
    handed = "".join(path.read_text() for path in (folder / "out" / "blind-test").iterdir())
    assert key.test in handed
    for cell in key.cells:
        assert cell.path not in handed and cell.group not in handed
    real = {cell.path for cell in key.cells if cell.origin == "real"}
    rows = read_manifest(folder / "out" / "pictures" / "real.parquet")
    assert set(rows.column("split")[np.isin(rows.column("path"), list(real))]) == {"test"}


def test_synthetic_pictures_are_only_trained_on(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    runs = finished[0] / "out" / "runs"
    seen = {}
    for path in runs.glob("*/manifest.parquet"):
        table = read_manifest(path)
        made, parts = table.column("synthetic").astype(bool), table.column("split")
        assert set(parts[made]) <= {"train"}, path
        trained = parts == "train"
        seen[path.parent.name] = int((trained & made).sum()), int((trained & ~made).sum())
        assert (parts == "test").sum() == 16
    assert seen == {
        "added-0-seed-0-honest": (0, 16),
        "added-0-seed-1-honest": (0, 16),
        "added-50-seed-0-honest": (8, 16),
        "added-50-seed-1-honest": (8, 16),
        "synthetic-alone-honest": (16, 0),
    }
    chosen = {run.name for run in runs.iterdir() if (run / "best.safetensors").is_file()}
    assert chosen == seen.keys() - {"synthetic-alone-honest"}, "real pictures choose no epoch there"


def test_answers_and_gains(finished: tuple[Path, VerifyConfig, dict[str, Any]]) -> None:
    checks = finished[2]["checks"]
    assert checks["real-on-synthetic"]["synthetic"]["n"] == 16
    assert checks["real-on-synthetic"]["real"]["n"] == 16
    assert checks["real-on-synthetic"]["real"]["n_groups"] == 8
    assert checks["synthetic-on-real"]["training"]["n_train"] == 16
    without, half = checks["added"]["arms"]
    assert (without["share"], without["n_synthetic"], without["gain"]["value"]) == (0, 0, 0)
    assert (half["n_synthetic"], half["n_wanted"]) == (8, 8)
    each = [
        b["accuracy"] - a["accuracy"] for a, b in zip(without["runs"], half["runs"], strict=True)
    ]
    assert half["gain"]["value"] == pytest.approx(np.mean(each))
    assert half["accuracy"]["n"] == 2


def test_what_is_done_is_not_done_again(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    folder, config, whole = finished
    said: list[str] = []
    assert run(folder, config, said) == whole
    done = [f"{name} is done" for name in whole["checks"]]
    left = "balanced is left out: no type has fewer than 8 training pictures"
    assert said[1:] == [*done, left]
    page = (folder / "out" / PAGE).read_text(encoding="utf-8")
    other = replace(config, blind_each=3, checks=("blind-test",))
    changed = run(folder, other, said := [])
    assert changed["checks"]["blind-test"]["n"] == 12
    assert "cosine" in changed["checks"], "what still holds stays in the report"
    assert not any("is done" in line for line in said)
    assert "Blind test" in page and "Memorisation" in page and "<img" in page


def test_tables_have_rows_for_everything(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    grids = verification_grids(finished[2])
    assert set(grids) == {*CHECKS} - {"blind-test", "balanced"}
    for several in grids.values():
        for grid in several:
            assert all(len(row) == len(grid.columns) for row in grid.rows), grid.title
    assert [row[0] for row in grids["added"][0].rows] == ["0%", "50%"]
    assert verification_grids({"checks": {}}) == {}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VerifyConfig]:
    """A type with half as many training pictures as the other, and synthetic ones of both."""
    folder = tmp_path_factory.mktemp("filled")
    table = read_manifest(paint(folder / "real", 20, synthetic=False))
    rows = np.flatnonzero((table.column("type") == "monocyte") & (table.column("split") == "train"))
    keep = np.ones(len(table), bool)
    keep[rows[3:]] = False
    write_manifest(folder / "real" / "manifest.parquet", table.take(keep))
    paint(folder / "made", 4, synthetic=True)
    return folder, VerifyConfig(epochs=1, batch_size=8, seeds=2, crop_px=REAL_PX)


def test_rarer_types_are_filled_up(filled: tuple[Path, VerifyConfig]) -> None:
    folder, config = filled
    checks = ("real-on-synthetic", "balanced")
    whole = run(folder, replace(config, checks=checks), shared=folder / "shared")
    found = whole["checks"]["balanced"]
    assert found["level"] == 8
    assert found["filled"] == {"monocyte": {"real": 3, "synthetic": 4}}
    assert [arm["arm"] for arm in found["arms"]] == ["without", "weighted", "with"]
    without, weighted, after = found["arms"]
    assert [arm["n_synthetic"] for arm in found["arms"]] == [0, 0, 4]
    for gain, over in ((after["recall_gain"], without), (after["over_weighted"], weighted)):
        each = [
            b["recall"]["monocyte"] - a["recall"]["monocyte"]
            for a, b in zip(over["runs"], after["runs"], strict=True)
        ]
        assert gain["monocyte"]["value"] == pytest.approx(np.mean(each))
        assert gain["monocyte"]["n"] == 2
    (grid,) = verification_grids(whole)["balanced"]
    assert [row[:2] for row in grid.rows][:2] == [("basophil", ""), ("monocyte", "3 + 4")]
    assert {len(row) for row in grid.rows} == {len(grid.columns)}
    # What no synthetic picture is in is trained once, for all that are compared with it.
    real = {path.name for path in (folder / "shared" / "runs").iterdir() if path.is_dir()}
    assert real == {
        f"{arm}-seed-{seed}-honest" for arm in ("added-0", "weighted") for seed in (0, 1)
    }
    for arm, weights in (("added-0", "none"), ("weighted", "inverse")):
        kept = json.loads(
            (folder / "shared/runs" / f"{arm}-seed-0-honest" / "config.json").read_text()
        )
        assert kept["asked"]["data"]["weights"] == weights
    made = {path.name for path in (folder / "out" / "runs").iterdir() if path.is_dir()}
    assert made == {"balanced-8-seed-0-honest", "balanced-8-seed-1-honest"}
    lower = run(
        folder, replace(config, checks=("balanced",), balance_to=4), shared=folder / "shared"
    )
    assert lower["checks"]["balanced"]["filled"] == {"monocyte": {"real": 3, "synthetic": 1}}


def test_nothing_to_fill_up_is_said(filled: tuple[Path, VerifyConfig]) -> None:
    folder, config = filled
    with pytest.raises(ManifestError, match="3 real training pictures or more"):
        run(folder, replace(config, checks=("balanced",), balance_to=3))


def test_cautions(finished: tuple[Path, VerifyConfig, dict[str, Any]]) -> None:
    whole = json.loads(json.dumps(finished[2]))
    assert any("three seeds" in said for said in cautions(whole))
    near = whole["checks"]["neighbours"]["spaces"]["pixels"]
    near["rate"], near["interval"] = 0.4, [0.2, 0.6]
    assert any("look at the nearest pairs" in said for said in cautions(whole))
    assert any("simulated" in said for said in cautions({**whole, "simulated": True}))


def test_training_shows_whole_pixels_as_the_test_does() -> None:
    side = CLASSIFIERS["lwcnn"].input_px
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (side, side, 3), np.uint8)
    view = recipe_of("any", VerifyConfig()).view
    known = {
        np.rot90(one, turns).tobytes() for one in (picture, picture[::-1]) for turns in range(4)
    }
    reduced = Reduced(picture, side, side)
    seen = {draw_picture_view(reduced, view, rng).tobytes() for _ in range(100)}
    assert seen <= known, "mirrored and turned by quarters: nothing is interpolated"
    assert len(seen) >= 6


def test_equal_steps() -> None:
    config = VerifyConfig(epochs=12, batch_size=32)
    assert [equal_epochs(n, 320, config) for n in (320, 400, 640, 960)] == [12, 9, 6, 4]
    assert equal_epochs(99999, 320, config) == 1


def test_a_larger_share_holds_the_smaller(
    finished: tuple[Path, VerifyConfig, dict[str, Any]],
) -> None:
    folder = finished[0]
    real = read_manifest(folder / "out" / "pictures" / "real.parquet")
    made = read_manifest(folder / "made" / "manifest.parquet")
    paths = []
    for share, seed in ((0.25, 1), (0.5, 1), (0.5, 2), (9.0, 1)):
        both = with_added(real, made, share, seed)
        added = both.column("synthetic").astype(bool)
        paths.append(set(both.column("path")[added]))
    assert paths[0] < paths[1] < paths[3]
    assert [len(one) for one in paths] == [4, 8, 8, 16]
    assert paths[1] != paths[2]


def test_one_type_teaches_no_classifier(
    finished: tuple[Path, VerifyConfig, dict[str, Any]], tmp_path: Path
) -> None:
    folder, config, _ = finished
    made = read_manifest(paint(tmp_path / "one", 4, synthetic=True, types=TYPES[:1]))
    real = read_manifest(folder / "out" / "pictures" / "real.parquet")
    trainings = Trainings(VerifiedPictures(real, made, MADE_PX, "painter"), config, tmp_path)
    with pytest.raises(ManifestError, match="all of the type basophil"):
        synthetic_on_real(trainings)
