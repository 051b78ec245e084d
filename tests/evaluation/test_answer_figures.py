"""Answers to typed pictures."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.evaluation.answer_figures import answer_figures
from smearlab.metrics.intervals import clopper_pearson

TRUE = ["a", "a", "a", "b", "b"]


def test_accuracy_recall_and_intervals() -> None:
    found = answer_figures(
        TRUE, ["a", "a", "b", "b", "none"], np.arange(5).astype(str), "ab", ("none",)
    )
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["intervals"]["accuracy"] == clopper_pearson(3, 5)
    assert found["types"]["a"]["recall"] == pytest.approx(2 / 3)
    assert found["types"]["a"]["interval"] == clopper_pearson(2, 3)
    assert found["types"]["b"]["precision"] == 0.5
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["confusion"]["matrix"].tolist() == [[2, 1, 0], [0, 1, 1]]


def test_pictures_of_a_group_are_drawn_together() -> None:
    found = answer_figures(TRUE, ["a", "a", "b", "b", "a"], np.array(list("xxyyz")), "ab")
    assert found["n_groups"] == 3
    assert found["intervals"]["accuracy"] != clopper_pearson(3, 5)


def test_types_are_told_from_all_others_with_intervals() -> None:
    found = answer_figures(
        TRUE, ["a", "a", "b", "b", "none"], np.arange(5).astype(str), "ab", ("none",)
    )
    a, b = found["types"].values()
    assert (a["accuracy"], b["accuracy"]) == pytest.approx((4 / 5, 3 / 5))
    assert (a["specificity"], b["specificity"]) == pytest.approx((1, 2 / 3))
    assert a["intervals"]["accuracy"] == clopper_pearson(4, 5)
    assert a["intervals"]["specificity"] == clopper_pearson(2, 2)
    assert b["intervals"]["specificity"] == clopper_pearson(2, 3)
    assert a["intervals"]["recall"] == a["interval"]
    assert b["intervals"]["precision"] == clopper_pearson(1, 2)
    assert found["macro_specificity"] == pytest.approx((1 + 2 / 3) / 2)
    for ends, value in (
        (found["intervals"]["macro_recall"], found["macro_recall"]),
        (found["intervals"]["macro_specificity"], found["macro_specificity"]),
        (b["intervals"]["precision"], b["precision"]),
        (b["intervals"]["f1"], b["f1"]),
    ):
        assert 0 <= ends[0] <= value <= ends[1] <= 1
        assert ends[0] < ends[1]


def test_answers_of_one_type_alone_have_no_specificity() -> None:
    found = answer_figures(["a"] * 3, ["a", "a", "b"], np.array(list("xxy")), "a", ("b",))
    (of,) = found["types"].values()
    assert np.isnan(of["specificity"]) and np.isnan(of["intervals"]["specificity"]).all()
    assert of["accuracy"] == found["accuracy"] == pytest.approx(2 / 3)


def test_one_group_has_no_interval_of_means() -> None:
    found = answer_figures(TRUE, TRUE, np.array(["x"] * 5), "ab")
    assert np.isnan(found["intervals"]["macro_f1"]).all()


def test_resamples_that_are_all_alike_give_no_interval() -> None:
    found = answer_figures(TRUE, ["b"] * 5, np.arange(5).astype(str), "ab")
    assert found["types"]["a"]["f1"] == 0
    assert np.isnan(found["types"]["a"]["intervals"]["f1"]).all()
    assert found["types"]["a"]["intervals"]["recall"] == clopper_pearson(0, 3)
