"""What a trained classifier leaves for those who compare it."""

from dataclasses import replace

import numpy as np
import pytest

from smearlab.errors import RunError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of

SUMMARY = RunSummary(
    recipe="lwcnn",
    network="lwcnn",
    protocol="honest",
    classes=("basophil", "monocyte"),
    n_train=80,
    n_val=10,
    n_test=10,
    parameters=653_129,
    macs=None,
    input_px=64,
    epochs=3,
    best_epoch=2,
    train_seconds=12.5,
    images_per_s=None,
    hardware="two cores",
    precision="32-true",
    seed=0,
    datasets=("pbc",),
    reported={"accuracy": 0.971},
    deviations=("fewer epochs",),
)


def answers() -> Predictions:
    names = np.array(["a.jpg", "b.jpg", "c.jpg"])
    logits = np.array([[2.0, 0.0], [0.0, 0.0], [-1.0, 3.0]], np.float32)
    return Predictions(SUMMARY.classes, names, names, names, np.array([0, 1, 1]), logits)


def test_predictions_are_read_as_they_were_written(tmp_path):
    answers().save(tmp_path, "test")
    again = Predictions.load(tmp_path, "test")
    assert again.classes == SUMMARY.classes
    for name in ("paths", "groups", "origins", "targets", "logits"):
        np.testing.assert_array_equal(getattr(again, name), getattr(answers(), name))
    np.testing.assert_allclose(again.probabilities[0], [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))])
    with pytest.raises(RunError, match="predictions-val"):
        Predictions.load(tmp_path, "val")


def test_damaged_predictions_name_the_file(tmp_path):
    (tmp_path / "predictions-test.npz").write_bytes(b"no archive")
    with pytest.raises(RunError, match=r"predictions-test\.npz cannot be read"):
        Predictions.load(tmp_path, "test")


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(UsageError, match="do not belong together"):
        replace(answers(), groups=np.array(["a.jpg"]))
    with pytest.raises(UsageError, match="targets must lie in 0 to 1; received 0 to 2"):
        replace(answers(), targets=np.array([0, 1, 2]))


def test_a_summary_is_read_as_it_was_written(tmp_path):
    SUMMARY.save(tmp_path)
    assert RunSummary.load(tmp_path) == SUMMARY


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(RunError, match="no finished run"):
        RunSummary.load(tmp_path)
    (tmp_path / "summary.json").write_text('{"recipe": "lwcnn", "classes": []}')
    with pytest.raises(RunError, match=r"summary\.json cannot be read"):
        RunSummary.load(tmp_path)


def test_folds_come_in_their_order_and_none_may_be_missing(tmp_path):
    for n in (1, 2, 10):
        replace(SUMMARY, fold=n, folds=3 if n < 10 else 10).save(tmp_path / f"fold-{n}")
    with pytest.raises(RunError, match="lacks fold-3 of its 3 folds"):
        runs_of(tmp_path)
    replace(SUMMARY, fold=3, folds=3).save(tmp_path / "fold-3")
    assert [path.name for path in runs_of(tmp_path)] == ["fold-1", "fold-2", "fold-3", "fold-10"]
    assert runs_of(tmp_path / "fold-2") == [tmp_path / "fold-2"]
