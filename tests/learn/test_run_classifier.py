"""A classifier's run: folds go on, what changed is refused, weights and class weights arrive."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.errors import DataError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of
from smearlab.evaluation.tested_runs import open_runs
from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.held_out import HeldOutPictures, Validation
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.models.classifiers import build_classifier
from smearlab.learn.nn.ways import OverWays
from smearlab.learn.objectives import Classification
from smearlab.learn.run_asked import Asked, run_folder
from smearlab.learn.run_classifier import run_classifier
from smearlab.learn.run_record import said_accuracy
from smearlab.learn.simulated_pictures import simulated_pictures
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

RECIPE = ClassifierRecipe(
    name="tried",
    title="for tests",
    source="tests",
    network="lwcnn",
    data=PictureData((), "wbc5", folds=2),
    view=PictureViewConfig(64, None, AffineRanges(mirrored=0.5)),
    train=TrainConfig(epochs=2, batch_size=8, lr=1e-3, ema=0.0),
    reported={"accuracy": 0.9},
    deviations=("tiny",),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return simulated_pictures(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def data(pictures: Manifest) -> str:
    return str(write_manifest(pictures.root / "cells.parquet", pictures))


@pytest.fixture(scope="module")
def finished(data: str, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Both folds of the recipe."""
    asked = Asked(data, tmp_path_factory.mktemp("runs"), show=False)
    assert len(list(run_classifier(RECIPE, asked))) == 2
    return asked


def bytes_of(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def test_simulated_pictures_are_made_once(pictures: Manifest) -> None:
    assert len(simulated_pictures(pictures.root)) == len(pictures)
    assert set(pictures.column("label")) >= {"neutrophil", "platelet", "promyelocyte", "myeloblast"}
    assert len(set(pictures.column("group"))) == 12
    assert all(pictures.file(path).is_file() for path in pictures.column("path"))


def test_a_run_leaves_what_others_read(finished: Asked) -> None:
    run = run_folder(RECIPE, finished)
    assert run.name == "tried-honest"
    folds = runs_of(run)
    assert [fold.name for fold in folds] == ["fold-1", "fold-2"]
    tested: list[str] = []
    for number, fold in enumerate(folds, start=1):
        summary, kept = RunSummary.load(fold), read_manifest(fold / "manifest.parquet")
        assert (summary.fold, summary.folds, summary.epochs) == (number, 2, 2)
        assert summary.best_epoch in (1, 2)
        assert summary.classes == ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte")
        assert summary.parameters == 653_129 - 4 * 257  # five classes, not nine
        assert summary.macs and summary.train_seconds and summary.images_per_s
        assert summary.reported == {"accuracy": 0.9} and summary.deviations == ("tiny",)
        for part, n in (("val", summary.n_val), ("test", summary.n_test)):
            answers = Predictions.load(fold, part)  # type: ignore[arg-type]
            rows = kept.column("split") == part
            assert answers.paths.tolist() == kept.column("path")[rows].tolist()
            assert answers.groups.tolist() == kept.column("group")[rows].tolist()
            types = kept.column("type")[rows].tolist()
            assert [summary.classes[t] for t in answers.targets] == types and len(types) == n
        tested += Predictions.load(fold, "test").paths.tolist()
    assert len(tested) == len(set(tested)) == len(read_manifest(folds[0] / "manifest.parquet"))
    said = said_accuracy([Predictions.load(fold, "test") for fold in folds])
    assert f"n = {len(tested)} pictures in 12 groups" in said


def test_a_recipe_that_does_not_choose_keeps_its_last_epoch(data: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, chooses=False, data=replace(RECIPE.data, folds=0))
    asked = Asked(data, tmp_path / "runs", show=False)
    (run,) = run_classifier(recipe, asked)
    summary = RunSummary.load(run)
    assert summary.best_epoch == summary.epochs == 2
    assert not (run / "best.safetensors").exists()
    assert not (run / "validation.jsonl").exists(), "nobody looked"
    assert summary.n_val == len(Predictions.load(run, "val").paths) > 0
    assert open_runs([run]), "pages of the run can be made"
    before = bytes_of(run)
    assert list(run_classifier(recipe, asked)) == [run]
    assert bytes_of(run) == before
    with pytest.raises(UsageError, match="differs in chooses"):
        list(run_classifier(replace(recipe, chooses=True), asked))


def test_predictions_are_those_of_the_best_weights(finished: Asked) -> None:
    fold = run_folder(RECIPE, finished) / "fold-1"
    kept = read_manifest(fold / "manifest.parquet")
    answers = Predictions.load(fold, "test")
    rows = np.flatnonzero(kept.column("split") == "test")
    samples = ManifestSamples(kept, answers.classes, RECIPE.view, rows=rows)
    model = build_classifier("lwcnn", 5)
    model.load_state_dict(load_file(fold / "best.safetensors"))
    np.testing.assert_allclose(
        HeldOutPictures(samples).logits(model.eval()), answers.logits, rtol=1e-4, atol=1e-5
    )


def test_intervals_count_what_the_split_keeps_together(pictures: Manifest) -> None:
    """Pictures of one patient or source are one, whether or not a column group says so."""
    rows = np.flatnonzero(pictures.column("label") == "neutrophil")[:6]
    some = pictures.take(rows).with_columns(
        group=["g", None, None, None, None, None],
        source=["PBC"] * 6,
        patient=["p", "p", None, None, None, None],
        source_image=[None, None, "i", "i", None, None],
    )
    samples = ManifestSamples(some, ("monocyte", "neutrophil"), RECIPE.view, column="label")
    groups = HeldOutPictures(samples).predictions(build_classifier("lwcnn", 2)).groups.tolist()
    paths = some.column("path").tolist()
    assert groups == ["g", "g", paths[2], paths[2], paths[4], paths[5]]


def test_done_folds_are_passed_over_and_missing_ones_trained(finished: Asked) -> None:
    run = run_folder(RECIPE, finished)
    before = bytes_of(run)
    assert len(list(run_classifier(RECIPE, finished))) == 2
    assert bytes_of(run) == before
    # Interrupted before the second fold's summary: the same answers come again.
    (run / "fold-2" / "summary.json").unlink()
    (run / "fold-2" / "predictions-test.npz").unlink()
    said: list[str] = []
    list(run_classifier(RECIPE, replace(finished, say=said.append)))
    after = bytes_of(run)
    assert any("fold-1 is done" in line for line in said)
    assert not any("fold-2 is done" in line for line in said)
    assert set(after) == set(before)
    assert after["fold-2/predictions-test.npz"] == before["fold-2/predictions-test.npz"]


def test_a_run_that_went_on_elsewhere_names_both_machines(finished: Asked, tmp_path: Path) -> None:
    shutil.copytree(finished.out, tmp_path / "runs")
    asked = replace(finished, out=tmp_path / "runs")
    fold = run_folder(RECIPE, asked) / "fold-1"
    config = json.loads((fold / "config.json").read_text())
    other = {**config["hardware"], "device": "another one", "precision": "bf16-mixed"}
    config["went_on_with"] = [other, config["hardware"]]
    (fold / "config.json").write_text(json.dumps(config))
    (fold / "summary.json").unlink()
    list(run_classifier(RECIPE, asked))
    summary = RunSummary.load(fold)
    assert summary.hardware.count(config["hardware"]["device"]) == 1
    assert ", then another one (" in summary.hardware
    assert summary.precision == "32-true, then bf16-mixed"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (replace(RECIPE, train=replace(RECIPE.train, lr=0.5)), r"train.lr was 0.001 and is 0.5"),
        (replace(RECIPE, view=replace(RECIPE.view, colour=1.0)), "view.colour was 0.0 and is 1.0"),
        (replace(RECIPE, data=replace(RECIPE.data, seed=4)), "data.digest was"),
        (replace(RECIPE, loss=Classification(loss="hinge")), "loss.loss was 'cross_entropy'"),
    ],
)
def test_a_changed_recipe_is_refused_and_nothing_overwritten(
    finished: Asked, changed: ClassifierRecipe, message: str
) -> None:
    before = bytes_of(finished.out)
    with pytest.raises(UsageError, match=message):
        list(run_classifier(changed, finished))
    assert bytes_of(finished.out) == before


def test_folds_and_one_split_do_not_share_a_folder(finished: Asked, tmp_path: Path) -> None:
    before = bytes_of(finished.out)
    alone = replace(RECIPE, data=replace(RECIPE.data, folds=0))
    with pytest.raises(UsageError, match="holds the folds of a run, not one split as asked"):
        list(run_classifier(alone, finished))
    assert bytes_of(finished.out) == before
    other = replace(finished, out=tmp_path)
    run = run_folder(RECIPE, other)
    run.mkdir()
    (run / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="holds a run of one split, not 2 folds as asked"):
        list(run_classifier(RECIPE, other))


def test_other_words_about_a_recipe_change_nothing(finished: Asked) -> None:
    before = bytes_of(finished.out)
    reworded = replace(RECIPE, deviations=("said in other words",))
    assert len(list(run_classifier(reworded, finished))) == 2
    assert bytes_of(finished.out) == before


def test_other_pictures_are_refused(finished: Asked, pictures: Manifest, tmp_path: Path) -> None:
    fewer = pictures.take(np.arange(3, len(pictures)))
    path = write_manifest(pictures.root / "fewer.parquet", fewer)
    with pytest.raises(UsageError, match=r"differs in data\): .*data.digest was"):
        list(run_classifier(RECIPE, replace(finished, data=str(path))))


def test_weights_begin_the_body_and_only_the_head_learns(data: str, tmp_path: Path) -> None:
    torch.manual_seed(9)
    given = build_classifier("lwcnn", 3).state_dict()
    path = tmp_path / "given.safetensors"
    save_file(given, path)
    frozen = replace(
        RECIPE,
        freeze=True,
        data=replace(RECIPE.data, folds=0),
        train=replace(RECIPE.train, epochs=1),
    )
    said: list[str] = []
    asked = Asked(data, tmp_path / "runs", weights=path, show=False, say=said.append)
    (run,) = run_classifier(frozen, asked)
    assert any("given.safetensors" in line and "100.0%" in line for line in said)
    learned = load_file(run / "best.safetensors")
    body = [name for name in given if given[name].shape == learned[name].shape]
    changed = [name for name in body if not torch.equal(given[name], learned[name])]
    assert len(body) > 8 and len(changed) <= 2  # nothing but what belongs to the head
    assert json.loads((run / "config.json").read_text())["asked"]["weights"]
    with pytest.raises(UsageError, match="trains the head only, which needs a trained body"):
        list(run_classifier(frozen, replace(asked, weights=None)))


def test_the_second_training_goes_on_from_the_first(data: str, tmp_path: Path) -> None:
    hold_out = replace(RECIPE, data=replace(RECIPE.data, folds=0))
    # At this rate the second training changes next to nothing.
    second = replace(hold_out, name="second", train=replace(RECIPE.train, epochs=1, lr=1e-9),
                     pretrain=replace(hold_out, name="first"))  # fmt: skip
    asked = Asked(data, tmp_path, show=False)
    (run,) = run_classifier(second, asked)
    first, last = (load_file(folder / "best.safetensors") for folder in (run / "pretrained", run))
    assert all(torch.allclose(first[name], last[name], atol=1e-6) for name in first)
    other = replace(second, name="other", data=replace(second.data, taxonomy="cells8"))
    with pytest.raises(UsageError, match=r"show erythroblast, .*, which first does not know"):
        list(run_classifier(other, asked))


def test_one_fold_of_what_is_trained_on_others_first(data: str, tmp_path: Path) -> None:
    """The folds are those of the second training; the first has one split."""
    first = replace(RECIPE, name="first", data=replace(RECIPE.data, folds=0))
    second = replace(RECIPE, name="second", data=replace(RECIPE.data, folds=2), pretrain=first)
    runs = list(run_classifier(second, Asked(data, tmp_path, show=False, folds=(2,))))
    assert [run.name for run in runs] == ["fold-2"]
    assert (runs[0].parent / "pretrained" / "best.safetensors").is_file()


def test_classes_are_weighted_by_their_training_pictures(data: str, tmp_path: Path) -> None:
    weighted = replace(
        RECIPE,
        name="weighted",
        data=replace(RECIPE.data, folds=0, weights="inverse"),
        train=replace(RECIPE.train, epochs=1, max_steps=1),
    )
    asked = Asked(data, tmp_path, show=False)
    plain = replace(weighted, name="plain", data=replace(weighted.data, weights="none"))
    (run,), (other,) = (list(run_classifier(one, asked)) for one in (weighted, plain))
    assert json.loads((run / "config.json").read_text())["asked"]["data"]["weights"] == "inverse"
    # The first batch is the same in both: its loss is the weighted one.
    losses = [json.loads((one / "log.jsonl").read_text())["loss"] for one in (run, other)]
    assert abs(losses[0] - losses[1]) > 1e-3
    types = read_manifest(run / "manifest.parquet").column("type")
    counts = np.array([(types == name).sum() for name in RunSummary.load(run).classes])
    assert len(set(counts.tolist())) > 1  # else all weights were 1


def test_a_trial_on_simulated_pictures_does_not_pass_for_another(data: str, tmp_path: Path) -> None:
    across = PictureData(("pbc", "txl_pbc"), "wbc5", train_on=("PBC",), test_on=("Raabin-WBC",))
    tried = replace(RECIPE, data=across, train=replace(RECIPE.train, epochs=1, max_steps=1))
    (run,) = run_classifier(tried, Asked(data, tmp_path, show=False))
    kept = json.loads((run / "config.json").read_text())["asked"]["data"]
    assert (kept["datasets"], kept["train_on"]) == ([], ["simulated-1"])
    (opened,) = open_runs([run])
    assert opened.trained_on == ("simulated-1",) and set(opened.test.origins) == {"simulated-2"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loss": Classification(class_weights=(1.0, 2.0))}, "2 class_weights, .* lymphocyte, mo"),
        (
            {
                "loss": Classification(class_weights=(1.0,) * 5),
                "data": PictureData((), "wbc5", weights="inverse"),
            },
            r"data.weights asks for others \(inverse\)",
        ),
    ],
)
def test_class_weights_that_cannot_be_leave_no_run(
    changed: dict[str, Any], message: str, data: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        list(run_classifier(replace(RECIPE, **changed), Asked(data, tmp_path, show=False)))
    assert not list(tmp_path.iterdir())


def test_missing_weights_are_told_before_pictures_are_read(tmp_path: Path) -> None:
    asked = Asked("nowhere", tmp_path / "runs", weights=tmp_path / "w.pt", show=False)
    with pytest.raises(UsageError, match=r"there is no weight file .*w\.pt"):
        list(run_classifier(RECIPE, asked))


def test_only_the_first_process_says_what_goes_on(
    finished: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rank, lines in (("0", 3), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        said: list[str] = []
        list(run_classifier(RECIPE, replace(finished, say=said.append)))
        assert len(said) == lines  # the pictures, and that two folds are done


def test_validation_is_the_mean_over_pictures(pictures: Manifest) -> None:
    rows = np.flatnonzero(pictures.column("label") == "neutrophil")[:7]
    classes = ("monocyte", "neutrophil")
    samples = ManifestSamples(pictures, classes, RECIPE.view, rows=rows, column="label")
    held_out = HeldOutPictures(samples)

    class Constant(torch.nn.Module):
        stage_starts = ()

        def __init__(self) -> None:
            super().__init__()
            self.bias = torch.nn.Parameter(torch.tensor([0.0, np.log(3.0)], dtype=torch.float32))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            asked.append(len(images))
            return images.new_zeros(len(images), 2) + self.bias

    asked: list[int] = []
    figures = Validation(held_out, Classification())(Constant())
    assert figures["loss"] == pytest.approx(np.log(4 / 3))  # p = 3 / 4
    assert figures["accuracy"] == 1.0
    assert held_out.pixels.shape == (7, 64, 64, 3)
    every = OverWays(Constant()).eval()
    assert Validation(held_out, Classification())(every) == figures
    held_out.logits(every)
    assert asked == [7, 7, 8 * 7]  # validated as the pictures lie


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        (
            replace(RECIPE, network="w_net"),
            UsageError,
            "w_net does not take pictures of 64 px .* its own size is 128: set view.size_px",
        ),
        (
            replace(RECIPE, data=PictureData(("all_idb2",), "health2")),
            DataError,
            r"tried learns from all_idb2, and .* holds pbc: import it \(smearlab data import all",
        ),
    ],
)
def test_what_cannot_be_is_said_before_training(
    changed: ClassifierRecipe,
    kind: type[Exception],
    message: str,
    pictures: Manifest,
    tmp_path: Path,
) -> None:
    real = pictures.with_columns(dataset=["pbc"] * len(pictures))
    path = write_manifest(pictures.root / "real.parquet", real)
    with pytest.raises(kind, match=message):
        list(run_classifier(changed, Asked(str(path), tmp_path / "runs", show=False)))
    assert not (tmp_path / "runs").exists()
