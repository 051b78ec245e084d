"""Accuracy against coverage, against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.metrics.selective import accuracy_coverage


def test_by_hand_with_equals_answered_together() -> None:
    curve = accuracy_coverage([0.5, 0.9, 0.7, 0.7], [False, True, True, False])
    assert curve.thresholds.tolist() == [0.9, 0.7, 0.5]
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    np.testing.assert_allclose(curve.accuracy, [1, 2 / 3, 0.5])
    assert curve.at(0.3) == pytest.approx((0.7, 0.75, 2 / 3))
    assert curve.at(1.0) == pytest.approx((0.5, 1.0, 0.5))


def test_every_point_is_what_its_threshold_gives() -> None:
    rng = np.random.default_rng(0)
    sure = np.round(rng.uniform(0.2, 1, 300), 2)
    right = rng.random(300) < sure
    curve = accuracy_coverage(sure, right)
    for threshold, coverage, accuracy in zip(*curve, strict=True):
        answered = sure >= threshold
        assert coverage == answered.mean()
        assert accuracy == pytest.approx(right[answered].mean())
    assert curve.accuracy[-1] == pytest.approx(right.mean())


def test_nothing_is_undefined() -> None:
    assert all(math.isnan(value) for value in accuracy_coverage([], []).at(0.5))
    with pytest.raises(ValueError, match="1 confidences but 2"):
        accuracy_coverage([0.5], [True, False])
