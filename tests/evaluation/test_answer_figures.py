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
