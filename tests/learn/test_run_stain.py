"""From pictures of two stains to a run: what it leaves, how it goes on, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_stains import write_stain_run
from two_stains import STAINS, write_two_stains

from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import BundleError, DataError, RunError, UnknownNameError, UsageError
from smearlab.evaluation.picture_features import BundleFeatures
from smearlab.evaluation.runs import MANIFEST, SUMMARY
from smearlab.io.images import read_field
from smearlab.learn.export_stain import export_stain
from smearlab.learn.manifest_samples import ManifestSamples, rows_of_split
from smearlab.learn.stain_graph import restained
from smearlab.learn.stain_judge import SHEET
from smearlab.learn.stain_run import StainRun, open_stain_run
from smearlab.learn.stain_samples import matched_places, pictures_at
from smearlab.metrics.generative import frechet_distance
from smearlab.metrics.picture_pairs import l1, ssim
from smearlab.stain.ground import ground_of
from tiny_stain import write_stain


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_two_stains(tmp_path_factory.mktemp("cells")))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def both(out: Path, cells: str) -> StainRun:
    """Both ways between the stains."""
    return open_stain_run(write_stain_run(out, data=cells, stains=STAINS))


def test_a_run_says_what_it_learned_and_what_it_is_worth(both: StainRun) -> None:
    summary = both.summary
    assert both.folder.name == "w_cyclegan_gp-honest"
    assert (summary.stains, summary.ways, summary.steps) == (STAINS, ("a_to_b", "b_to_a"), 2)
    assert set(summary.types) == {"lymphocyte", "neutrophil"}
    assert set(summary.networks) == {"generator", "critic"}
    assert set(summary.figures) == {
        "is_real_a", "is_real_b", "is_made_a", "is_made_b",
        "fid_raw", "fid_made_a", "fid_made_b", "fid_back_a", "fid_back_b", "ssim_back_a",
        "ssim_back_b", "l1_same_a", "l1_same_b", "l1_own_b",
    }  # fmt: skip
    assert summary.judged == {"cream": 4, "pink": 4} and "cell_types" in summary.features
    for one in summary.figures.values():
        low, value, high = one["low"], one["value"], one["high"]
        assert low is not None and value is not None and high is not None
        assert low <= value <= high
    assert "on 4 and 4 test pictures" in summary.said() and "FID to pink" in summary.said()
    sheet = read_field(both.folder / SHEET)
    assert sheet.width_px > 3 * 128, "real, made, back"
    lines = (both.folder / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["ssim_back_a"] > 0.5
    assert "loss" not in json.loads(lines[-1]), "no epoch is chosen"


def test_both_stains_are_split_by_themselves_and_nothing_leaks(both: StainRun) -> None:
    manifest = read_manifest(both.folder / MANIFEST)
    assert not find_leaks(manifest)
    counts = both.summary.pictures
    assert {part: dict(of) for part, of in counts.items()} == {
        "train": {"cream": 12, "pink": 12},
        "val": {"cream": 2, "pink": 2},
        "test": {"cream": 6, "pink": 6},
    }


def test_figures_are_those_of_the_test_pictures(both: StainRun) -> None:
    manifest = read_manifest(both.folder / MANIFEST)
    whole = np.zeros(len(manifest), np.intp)
    rows = [
        rows[manifest.column("source")[rows] == stain]
        for stain in STAINS
        for rows in [rows_of_split(manifest, "test")]
    ]
    samples = [
        ManifestSamples(
            manifest,
            both.summary.types,
            both.view,
            rows=one,
            crops=whole,
            ground=both.ground_of(stain),
        )
        for stain, one in zip(STAINS, rows, strict=True)
    ]
    a, b = map(pictures_at, samples, matched_places(*samples, 4))
    there, back = (both.model().way(way) for way in both.ways)
    made = restained(there, a)
    figures = {name: one["value"] for name, one in both.summary.figures.items()}
    assert figures["ssim_back_a"] == pytest.approx(ssim(restained(back, made), a).mean())
    assert figures["l1_same_b"] == pytest.approx(l1(restained(there, b), b).mean())
    features = BundleFeatures()
    wanted = frechet_distance(features(b), features(made))
    assert figures["fid_made_b"] == pytest.approx(wanted, rel=1e-6)
    assert figures["fid_raw"] == pytest.approx(frechet_distance(features(a), features(b)), rel=1e-6)


def test_both_stains_are_put_on_the_median_ground_of_their_training_pictures(
    both: StainRun,
) -> None:
    manifest = read_manifest(both.folder / MANIFEST)
    rows = rows_of_split(manifest, "train")
    for stain in STAINS:
        paths = manifest.column("path")[rows[manifest.column("source")[rows] == stain]]
        grounds = [ground_of(read_field(manifest.file(path)).pixels) for path in paths]
        assert both.ground_of(stain) == np.median(grounds, axis=0).tolist()
        seen = both.pictures("test", stain, 6)
        off = [np.abs(ground_of(one) - both.ground_of(stain)).max() for one in seen]
        assert max(off) < 8, "some of what a view cuts off is ground"
    assert both.ground_of("cream") != both.ground_of("pink")


def test_the_ground_is_left_alone_where_a_recipe_says_so(tmp_path: Path, cells: str) -> None:
    run = open_stain_run(
        write_stain_run(tmp_path, "w_cyclegan_gp", "same_ground=False", data=cells, stains=STAINS)
    )
    assert run.ground_of("cream") is None and "grounds" not in run.asked
    cards = export_stain(run, run.folder / "bundle")
    assert all("ground" not in card for card in cards.values())


def test_a_finished_run_stays_and_a_changed_one_is_refused(
    both: StainRun, out: Path, cells: str
) -> None:
    before = (both.folder / SUMMARY).stat().st_mtime_ns
    write_stain_run(out, data=cells, stains=STAINS)
    assert (both.folder / SUMMARY).stat().st_mtime_ns == before
    with pytest.raises(UsageError, match=r"network\.widths was \[2, 3\] and is \[2, 4\]"):
        write_stain_run(out, "w_cyclegan_gp", "network.widths=2,4", data=cells, stains=STAINS)
    with pytest.raises(UsageError, match=r"stains was .*cream.* and is .*pink"):
        write_stain_run(out, data=cells, stains=STAINS[::-1])


def test_a_resumed_run_is_an_uninterrupted_one(tmp_path: Path, cells: str) -> None:
    """Stopped after a step, with norms that settle after the next."""
    settings = ("train.epochs=1", "train.batch_size=4", "train.max_steps=3", "settle=0.5")
    whole = write_stain_run(
        tmp_path / "whole", "w_cyclegan_gp", *settings, data=cells, stains=STAINS
    )
    cut = ("train.epochs=1", "train.batch_size=4", "train.max_steps=1", "settle=0.5")
    run = write_stain_run(tmp_path / "cut", "w_cyclegan_gp", *cut, data=cells, stains=STAINS)
    (run / SUMMARY).unlink()
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    config["asked"]["train"]["max_steps"] = 3
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_stain_run(tmp_path / "cut", "w_cyclegan_gp", *settings, data=cells, stains=STAINS)
    ends = [(folder / "model.safetensors").read_bytes() for folder in (whole, run)]
    assert ends[0] == ends[1]


def test_rivals_run_and_one_is_taught(
    both: StainRun, out: Path, cells: str, tmp_path: Path
) -> None:
    asked = {"data": cells, "stains": STAINS}
    cyclegan = open_stain_run(write_stain_run(out, "cyclegan", **asked))  # type: ignore[arg-type]
    assert cyclegan.ways == ("a_to_b", "b_to_a")
    jittered = open_stain_run(write_stain_run(out, "pix2pix_stain", **asked))  # type: ignore[arg-type]
    assert jittered.ways == ("a_to_b",)
    assert set(jittered.summary.figures) == {
        "fid_raw", "fid_made_b", "is_real_b", "is_made_b", "l1_same_b", "l1_own_b",
    }  # fmt: skip
    with pytest.raises(BundleError, match="holds no bundle from cream to pink: make it with"):
        write_stain_run(out, "stainnet", teacher=str(both.folder), **asked)  # type: ignore[arg-type]
    export_stain(both, both.folder / "bundle")
    run = write_stain_run(
        out, "stainnet", "train.max_steps=60", "train.epochs=10", "network.width=16",
        teacher=str(both.folder), **asked,
    )  # type: ignore[arg-type]  # fmt: skip
    taught = open_stain_run(run)
    assert taught.summary.teacher is not None
    assert taught.summary.teacher["name"] == "w_cyclegan_gp_cream_to_pink"
    assert set(taught.summary.figures) == {
        "fid_raw", "fid_made_b", "is_real_b", "is_made_b", "ssim_taught", "l1_taught",
    }  # fmt: skip
    lines = (run / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0] / 2, "it learns what the teacher answers"
    assert "SSIM to the teacher" in taught.summary.said()
    assert taught.ground_of("cream") == both.ground_of("cream"), "as its teacher wants them"
    (card,) = export_stain(taught, tmp_path / "bundle", "a_to_b").values()
    assert card["ground"] == both.ground_of("cream")


def test_teacher_and_recipe_must_go_together(tmp_path: Path, cells: str) -> None:
    teacher = str(write_stain(tmp_path / "blur"))  # from cream to pink, sides in fours
    asked = {"data": cells, "stains": STAINS}
    with pytest.raises(UsageError, match="stainnet learns from what a trained network answers"):
        write_stain_run(tmp_path, "stainnet", **asked)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--teacher: cyclegan learns without one"):
        write_stain_run(tmp_path, "cyclegan", teacher=teacher, **asked)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="leads from cream to pink, and pink to cream shall be"):
        write_stain_run(tmp_path, "stainnet", teacher=teacher, data=cells, stains=STAINS[::-1])
    with pytest.raises(UsageError, match="multiples of 4 px; received 18"):
        write_stain_run(
            tmp_path, "stainnet", "view.size_px=18", teacher=teacher, data=cells, stains=STAINS
        )


def test_sources_that_are_no_two_stains_are_refused(tmp_path: Path, cells: str) -> None:
    types = {"cream": ("lymphocyte", "erythrocyte"), "pink": ("neutrophil", "platelet")}
    strange = write_two_stains(tmp_path / "strange", types=types)
    with pytest.raises(DataError, match="the stains share no type of cell: one shows"):
        write_stain_run(
            tmp_path, "w_cyclegan_gp", "data.taxonomy=labels", data=str(strange), stains=STAINS
        )
    copied = str(write_two_stains(tmp_path / "copied", copied=True))
    with pytest.raises(DataError, match="1 of the 20 pictures of pink are also among the 20 of cr"):
        write_stain_run(tmp_path, data=copied, stains=STAINS)
    with pytest.raises(UnknownNameError, match=r"source of pictures \(stain\) 'pinkish'.*'pink'"):
        write_stain_run(tmp_path, data=cells, stains=("Cream", "pinkish"))
    with pytest.raises(RunError, match="is no finished run"):
        open_stain_run(tmp_path)
    assert not list(tmp_path.glob("*/config.json")), "nothing was begun"
