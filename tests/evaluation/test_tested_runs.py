"""Finished runs as they are measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from smearlab.errors import RunError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.evaluation.tested_runs import open_runs, same_pictures
from smearlab.metrics.calibration import temperature
from tested_run_folders import TYPES, write_folds, write_run


def test_folds_are_pooled_each_at_its_temperature(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "k", 3, n=120)
    (run,) = open_runs([folder])
    parts = [Predictions.load(folder / f"fold-{n}", "test") for n in (1, 2, 3)]
    assert run.test.paths.tolist() == [path for part in parts for path in part.paths]
    assert run.folds.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    for place, part in enumerate(parts):
        held = Predictions.load(folder / f"fold-{place + 1}", "val")
        heat = temperature(held.logits, held.targets, (0.05, 20))
        assert run.temperatures[place] == pytest.approx(heat)
        expected = softmax(part.logits.astype(float) / heat, axis=1)
        np.testing.assert_allclose(run.calibrated[run.folds == place], expected)
    assert (run.right == (run.probabilities.argmax(1) == run.test.targets)).all()


def test_without_validation_there_is_no_temperature(tmp_path: Path) -> None:
    (run,) = open_runs([write_run(tmp_path / "a", n=20, val=False)])
    assert np.isnan(run.temperatures).all()
    assert np.isnan(run.calibrated).all()
    assert not np.isnan(run.probabilities).any()


def test_names_tell_runs_apart(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / name, n=20) for name in ("one/net", "two/net", "plain")]
    assert [run.name for run in open_runs(folders)] == [
        "one/net",
        "two/net",
        f"{tmp_path.name}/plain",
    ]
    assert [run.name for run in open_runs(folders[1:])] == ["net", "plain"]


def test_classes_come_in_the_order_of_the_first(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", n=50)
    turned = tmp_path / "b"
    order = [3, 0, 4, 1, 2]
    classes = tuple(TYPES[n] for n in order)
    replace(RunSummary.load(first), classes=classes).save(turned)
    for part in ("test", "val"):
        kept = Predictions.load(first, part)
        targets = np.array([order.index(target) for target in kept.targets])
        moved = replace(kept, classes=classes, targets=targets, logits=kept.logits[:, order])
        moved.save(turned, part)
    one, other = open_runs([first, turned])
    assert other.classes == TYPES
    assert (one.test.targets == other.test.targets).all()
    np.testing.assert_array_equal(one.test.logits, other.test.logits)


def test_what_was_trained_on_stands_in_the_configuration(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", n=20)
    assert open_runs([folder])[0].trained_on == ("pbc",)
    asked = {"asked": {"data": {"train_on": ["PBC"], "test_on": ["Raabin"]}}}
    (folder / "config.json").write_text(json.dumps(asked))
    assert open_runs([folder])[0].trained_on == ("PBC",)


def test_the_same_pictures_in_another_order_are_put_into_one(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "a", n=120)
    folds = write_folds(tmp_path / "b", 3, n=120)
    one, other = open_runs([whole, folds])
    shuffled = replace(
        one.test,
        **{
            name: getattr(one.test, name)[::-1]
            for name in ("paths", "groups", "origins", "targets", "logits")
        },
    )
    first, second = same_pictures([other, replace(one, test=shuffled)])
    assert (first.test.paths == second.test.paths).all()
    np.testing.assert_array_equal(second.test.logits, one.test.logits)
    assert (second.right == one.right).all()


def test_wrong_runs_are_named(tmp_path: Path) -> None:
    good = write_run(tmp_path / "good", n=20)
    with pytest.raises(UsageError, match="nowhere is no folder"):
        open_runs([tmp_path / "nowhere"])
    (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match="named twice"):
        open_runs([good, tmp_path / "x" / ".." / "good"])
    other = write_run(tmp_path / "other", n=20, classes=("basophil", "blast"))
    with pytest.raises(UsageError, match="only other has blast; only good has eosinophil"):
        open_runs([good, other])
    begun = tmp_path / "begun"
    begun.mkdir()
    with pytest.raises(RunError, match="no finished run"):
        open_runs([begun])
    (good / "predictions-test.npz").unlink()
    with pytest.raises(RunError, match=r"predictions-test\.npz does not exist"):
        open_runs([good])


def test_contradictions_in_a_run_are_named(tmp_path: Path) -> None:
    mixed = write_run(tmp_path / "mixed", n=20)
    replace(RunSummary.load(mixed), classes=("a", "b")).save(mixed)
    with pytest.raises(RunError, match="its summary is of a, b"):
        open_runs([mixed])
    nan = write_run(tmp_path / "nan", n=20)
    kept = Predictions.load(nan, "test")
    replace(kept, logits=np.full_like(kept.logits, np.nan)).save(nan, "test")
    with pytest.raises(RunError, match="not finite"):
        open_runs([nan])
    empty = write_run(tmp_path / "empty", n=20)
    kept = Predictions.load(empty, "test")
    none = {
        name: getattr(kept, name)[:0]
        for name in ("paths", "groups", "origins", "targets", "logits")
    }
    replace(kept, **none).save(empty, "test")
    with pytest.raises(RunError, match="tested on no picture"):
        open_runs([empty])
    twice = write_folds(tmp_path / "twice", 2, n=20)
    Predictions.load(twice / "fold-1", "test").save(twice / "fold-2", "test")
    with pytest.raises(RunError, match="was tested 2 times"):
        open_runs([twice])


def test_other_pictures_and_other_types_are_refused(tmp_path: Path) -> None:
    runs = open_runs([write_run(tmp_path / "a", n=40), write_run(tmp_path / "b", n=40, first=10)])
    with pytest.raises(UsageError, match="40 pictures, b on 40, and 30 are the same"):
        same_pictures(runs)
    one, other = open_runs([tmp_path / "a", write_run(tmp_path / "c", n=40)])
    targets = other.test.targets.copy()
    targets[3] = (targets[3] + 1) % 5
    with pytest.raises(UsageError, match=r"00003\.png is eosinophil for a, but lymphocyte for c"):
        same_pictures([one, replace(other, test=replace(other.test, targets=targets))])
