"""Confusion and what follows from it, against scikit-learn and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from smearlab.errors import UnknownNameError
from smearlab.metrics.classification import (
    classification_figures,
    confusion_matrix,
    resample_confusion,
)

TYPES = ["basophil", "eosinophil", "lymphocyte", "monocyte"]


def answers(seed: int, n: int = 200) -> tuple[list[str], list[str]]:
    """True types and answers that are right about four times in five."""
    rng = np.random.default_rng(seed)
    true = rng.choice(TYPES, n, p=[0.1, 0.2, 0.3, 0.4])
    given = np.where(rng.random(n) < 0.8, true, rng.choice([*TYPES, "unidentified"], n))
    return true.tolist(), given.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_equals_scikit_learn(seed: int) -> None:
    true, given = answers(seed)
    matrix = confusion_matrix(true, given, TYPES, ["unidentified"])
    columns = [*TYPES, "unidentified"]
    assert (matrix == metrics.confusion_matrix(true, given, labels=columns)[:4]).all()
    ours = classification_figures(matrix)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        true, given, labels=TYPES, zero_division=0
    )
    assert ours["precision"] == pytest.approx(precision)
    assert ours["recall"] == pytest.approx(recall)
    assert ours["f1"] == pytest.approx(f1)
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(true, given))
    assert ours["balanced_accuracy"] == pytest.approx(recall.mean())
    assert ours["macro_f1"] == pytest.approx(f1.mean())
    assert ours["macro_precision"] == pytest.approx(precision.mean())
    weighted = metrics.precision_recall_fscore_support(
        true, given, labels=TYPES, average="weighted", zero_division=0
    )
    for name, value in zip(("precision", "recall", "f1"), weighted, strict=False):
        assert ours[f"weighted_{name}"] == pytest.approx(value)
    # Specificity of a type is the recall of "not this type".
    for index, name in enumerate(TYPES):
        wrong = metrics.recall_score(
            [t != name for t in true], [g != name for g in given], zero_division=0
        )
        assert ours["specificity"][index] == pytest.approx(wrong)
    assert ours["macro_specificity"] == pytest.approx(ours["specificity"].mean())


def test_balanced_accuracy_equals_scikit_learn_where_every_answer_is_a_type() -> None:
    true, given = answers(1)
    given = [t if g == "unidentified" else g for t, g in zip(true, given, strict=True)]
    ours = classification_figures(confusion_matrix(true, given, TYPES))
    assert ours["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(true, given))


def test_unidentified_is_wrong() -> None:
    matrix = confusion_matrix(["a", "a"], ["a", "unidentified"], ["a", "b"], ["unidentified"])
    ours = classification_figures(matrix)
    assert ours["accuracy"] == 0.5
    assert ours["recall"][0] == 0.5
    assert ours["precision"][0] == 1.0


def test_what_does_not_occur_is_undefined_and_left_out_of_means() -> None:
    ours = classification_figures([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    assert np.isnan(ours["recall"][2])
    assert np.isnan(ours["precision"][2])
    assert ours["balanced_accuracy"] == pytest.approx((0.75 + 1) / 2)
    assert ours["macro_specificity"] == pytest.approx((1 + 3 / 4) / 2)
    assert ours["weighted_recall"] == ours["accuracy"] == pytest.approx(5 / 6)
    assert np.isnan(classification_figures(np.zeros((2, 2)))["accuracy"])
    alone = classification_figures([[4]])
    assert np.isnan(alone["specificity"][0]) and alone["recall"][0] == 1


def test_a_type_never_answered_has_f1_zero_and_counts_in_the_mean() -> None:
    ours = classification_figures([[4, 0], [4, 0]])
    assert np.isnan(ours["precision"][1])
    assert ours["f1"][1] == 0
    assert ours["macro_precision"] == pytest.approx(0.25)


def test_resampled_matrices_are_those_of_resampled_pictures() -> None:
    """Same mean and spread of accuracy as drawing pictures one by one."""
    true, given = answers(2)
    matrix = confusion_matrix(true, given, TYPES, ["unidentified"])
    draws = resample_confusion(matrix, resamples=4000, seed=1)
    assert (draws.sum(axis=(1, 2)) == 200).all()
    share = classification_figures(draws)["accuracy"]
    p = classification_figures(matrix)["accuracy"].item()
    assert share.mean() == pytest.approx(p, abs=0.005)
    assert share.std() == pytest.approx(math.sqrt(p * (1 - p) / 200), rel=0.08)
    assert resample_confusion(np.zeros((2, 2), np.int64), resamples=3).sum() == 0


def test_misuse_is_named() -> None:
    with pytest.raises(UnknownNameError, match="neutrofil"):
        confusion_matrix(["a"], ["neutrofil"], ["a"])
    with pytest.raises(UnknownNameError, match="true type 'unidentified'"):
        confusion_matrix(["unidentified"], ["a"], ["a"], ["unidentified"])
    with pytest.raises(ValueError, match="2 true types but 1"):
        confusion_matrix(["a", "a"], ["a"], ["a"])
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        classification_figures(np.zeros((3, 2)))
