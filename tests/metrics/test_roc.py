"""Curves and areas against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics

from smearlab.metrics.resampling import draw_weights
from smearlab.metrics.roc import (
    macro_curve,
    micro_average,
    roc_auc,
    roc_curve,
    without_straight_points,
)


def scored(seed: int, n: int = 120, types: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties, and true types."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, types, n)
    logits = rng.normal(0, 1, (n, types)) + 1.2 * np.eye(types)[targets]
    return np.round(softmax(logits, axis=1), 2), targets


@pytest.mark.parametrize("seed", range(3))
def test_equals_scikit_learn(seed: int) -> None:
    scores, targets = scored(seed)
    for kind in range(4):
        ours = roc_curve(scores[:, kind], targets == kind)
        theirs = metrics.roc_curve(targets == kind, scores[:, kind], drop_intermediate=False)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other)
        area = metrics.roc_auc_score(targets == kind, scores[:, kind])
        assert roc_auc(scores[:, kind], targets == kind) == pytest.approx(area)
        few = without_straight_points(ours)
        assert len(few.false_rate) < len(ours.false_rate)
        assert metrics.auc(few.false_rate, few.true_rate) == pytest.approx(area)
    shares = scores / scores.sum(1, keepdims=True)
    micro = metrics.roc_auc_score(targets, shares, multi_class="ovr", average="micro")
    assert roc_auc(*micro_average(shares, targets)) == pytest.approx(micro)
    macro = metrics.roc_auc_score(targets, shares, multi_class="ovr", average="macro")
    areas = [roc_auc(shares[:, kind], targets == kind) for kind in range(4)]
    assert np.mean(areas) == pytest.approx(macro)


def test_weights_count_pictures_as_often_as_they_are_drawn() -> None:
    scores, targets = scored(5, n=40)
    weights = draw_weights(40, resamples=20)
    ours = roc_auc(scores[:, 0], targets == 0, weights)
    assert ours.shape == (20,)
    for row, value in zip(weights, ours, strict=True):
        drawn = np.repeat(np.arange(40), row)
        expected = metrics.roc_auc_score(targets[drawn] == 0, scores[drawn, 0])
        assert value == pytest.approx(expected)


def test_areas_that_are_known() -> None:
    assert roc_auc([1, 2, 3, 4], [False, False, True, True]) == 1
    assert roc_auc([4, 3, 2, 1], [False, False, True, True]) == 0
    assert roc_auc([7, 7, 7], [True, False, True]) == 0.5


def test_one_sided_is_undefined() -> None:
    assert np.isnan(roc_auc([1, 2], [True, True]))
    assert np.isnan(roc_auc([], []))
    assert np.isnan(roc_curve([1, 2], [True, True]).false_rate).all()
    assert np.isnan(roc_auc([1, 2], [True, False], np.array([[1, 0], [0, 0]]))).all()


def test_the_macro_curve_is_the_mean_of_the_curves() -> None:
    """One curve is perfect, one is the diagonal: halfway up at once, then a straight line."""
    perfect = roc_curve([1, 1, 0, 0], [True, True, False, False])
    chance = roc_curve([1, 1, 1, 1], [True, True, False, False])
    undefined = roc_curve([1, 0], [True, True])
    mean = macro_curve([perfect, chance, undefined])
    np.testing.assert_allclose(mean.false_rate, [0, 0, 1])
    np.testing.assert_allclose(mean.true_rate, [0, 0.5, 1])
    assert macro_curve([undefined]).false_rate.size == 0


def test_the_area_of_the_macro_curve_is_the_mean_area() -> None:
    scores, targets = scored(7)
    curves = [roc_curve(scores[:, kind], targets == kind) for kind in range(4)]
    mean = macro_curve(curves)
    areas = [metrics.auc(c.false_rate, c.true_rate) for c in curves]
    assert metrics.auc(mean.false_rate, mean.true_rate) == pytest.approx(np.mean(areas), abs=0.01)


def test_misuse_is_named() -> None:
    with pytest.raises(ValueError, match="1 scores but 2 outcomes"):
        roc_curve([1], [True, False])
    with pytest.raises(ValueError, match="2 scores but 3 weights"):
        roc_auc([1, 2], [True, False], np.ones(3))
