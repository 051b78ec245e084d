"""Reliability, calibration error and temperature, against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from smearlab.metrics.calibration import (
    calibration_error,
    negative_log_likelihood,
    reliability,
    temperature,
)


def test_calibration_by_hand() -> None:
    """Two bins used: |0.95 − 0.5|·2/4 + |0.35 − 1|·2/4."""
    value = calibration_error([0.95, 0.95, 0.35, 0.35], [True, False, True, True])
    assert value == pytest.approx(0.45 / 2 + 0.65 / 2)


def test_calibration_bins_are_closed_above() -> None:
    assert calibration_error([0.2, 0.20001], [True, False], bins=5) == pytest.approx(
        (0.8 + 0.20001) / 2
    )
    assert calibration_error([0.0, 1.0], [False, True]) == 0.0
    assert math.isnan(calibration_error([], []))


def test_a_calibrated_answerer_has_almost_no_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.2, 1, 200_000)
    assert calibration_error(sure, rng.random(200_000) < sure) < 0.01


def test_the_reliability_diagram_equals_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0, 1, 500)
    right = rng.random(500) < sure**2
    diagram = reliability(sure, right, bins=10)
    accuracy, confidence = calibration_curve(right, sure, n_bins=10)
    np.testing.assert_allclose(diagram.accuracy, accuracy)
    np.testing.assert_allclose(diagram.confidence, confidence)
    assert diagram.n.sum() == 500
    gaps = np.abs(diagram.accuracy - diagram.confidence) * diagram.n / 500
    assert calibration_error(sure, right, bins=10) == pytest.approx(gaps.sum())


def test_an_empty_bin_is_undefined() -> None:
    diagram = reliability([0.1], [True], bins=2)
    assert diagram.n.tolist() == [1, 0]
    assert np.isnan(diagram.accuracy[1]) and np.isnan(diagram.confidence[1])


def test_likelihood_equals_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    logits, targets = rng.normal(0, 2, (50, 4)), rng.integers(0, 4, 50)
    for heat in (1.0, 2.5):
        expected = log_loss(targets, softmax(logits / heat, axis=1), labels=range(4))
        ours = negative_log_likelihood(logits, targets, heat)
        assert ours.shape == (50,)
        assert ours.mean() == pytest.approx(expected)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.8])
def test_a_known_temperature_comes_back(factor: float) -> None:
    rng = np.random.default_rng(3)
    honest = rng.normal(0, 2, (6000, 5))
    chances = softmax(honest, axis=1)
    targets = (chances.cumsum(1) > rng.random((6000, 1))).argmax(1)
    assert temperature(honest * factor, targets) == pytest.approx(factor, rel=0.06)


def test_a_temperature_stays_within_bounds() -> None:
    logits = np.array([[9.0, 0.0], [0.0, 9.0]])
    assert temperature(logits, np.array([0, 1])) == pytest.approx(0.3, abs=0.01)
    assert temperature(logits, np.array([1, 0])) == pytest.approx(3.0, abs=0.01)
    assert temperature(logits, np.array([1, 0]), (1, 8)) == pytest.approx(8.0, abs=0.01)
    assert math.isnan(temperature(np.empty((0, 2)), np.empty(0, np.int64)))


def test_misuse_is_named() -> None:
    with pytest.raises(ValueError, match="confidences lie in"):
        calibration_error([1.5], [True])
    with pytest.raises(ValueError, match="1 confidences but 2"):
        calibration_error([0.5], [True, False])
