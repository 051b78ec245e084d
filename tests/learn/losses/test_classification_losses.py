"""Losses of classifiers: known answers, and independent ways to compute the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss
from sklearn.utils.class_weight import compute_class_weight

import smearlab.learn  # noqa: F401  (before torchvision)
from smearlab.errors import UsageError
from smearlab.learn.losses.classification import (
    balanced_weights,
    cross_entropy,
    focal,
    multiclass_hinge,
)

from torchvision.ops import sigmoid_focal_loss  # isort: skip

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(0, 2, (12, 4))
TARGETS = np.concatenate([np.arange(4), RNG.integers(0, 4, 8)])
WEIGHTS = np.array([0.5, 1.0, 2.0, 4.0])
Z, Y, W = torch.tensor(LOGITS), torch.tensor(TARGETS), torch.tensor(WEIGHTS)


def log_probabilities() -> np.ndarray:
    return LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_classes() -> None:
    zeros = torch.zeros(3, 5, dtype=torch.float64)
    target = torch.tensor([0, 4, 2])
    assert float(cross_entropy(zeros, target)) == pytest.approx(math.log(5))
    assert float(cross_entropy(zeros, target, smoothing=0.4)) == pytest.approx(math.log(5))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_smooths_and_weighs(smoothing: float) -> None:
    labels = (1 - smoothing) * np.eye(4)[TARGETS] + smoothing / 4
    by_hand = -(labels * log_probabilities() * WEIGHTS).sum(1).mean()
    assert float(cross_entropy(Z, Y, smoothing, W)) == pytest.approx(by_hand)
    plain = -(labels * log_probabilities()).sum(1).mean()
    assert float(cross_entropy(Z, Y, smoothing)) == pytest.approx(plain)


def test_hinge_with_known_answers() -> None:
    z = torch.tensor([[3.0, 1.0, 0.0], [2.0, 1.5, 0.0], [0.0, 1.0, 5.0]], dtype=torch.float64)
    target = torch.tensor([0, 0, 0])
    # Leads by 2: nothing. Leads by ½: ½. Trails by 5: 6. The third class of row 1 costs nothing.
    assert float(multiclass_hinge(z, target)) == pytest.approx((0 + 0.5 + 6) / 3)
    assert float(multiclass_hinge(z, target, margin=3.0)) == pytest.approx((1 + 2.5 + 8) / 3)


def test_hinge_is_that_of_scikit_learn() -> None:
    assert float(multiclass_hinge(Z, Y)) == pytest.approx(hinge_loss(TARGETS, LOGITS))
    weighted = hinge_loss(TARGETS, LOGITS, sample_weight=WEIGHTS[TARGETS])  # ÷ sum of weights
    weighted *= WEIGHTS[TARGETS].mean()
    assert float(multiclass_hinge(Z, Y, weights=W)) == pytest.approx(weighted)


def test_hinge_moves_the_true_and_the_nearest_wrong_score_only() -> None:
    z = torch.tensor([[1.0, 0.5, -3.0]], requires_grad=True)
    multiclass_hinge(z, torch.tensor([0])).backward()
    assert z.grad is not None
    assert z.grad.tolist() == [[-1.0, 1.0, 0.0]]


def test_focal_with_a_known_answer() -> None:
    """p = ¼ in each of four classes: (3/4)² · ln 4."""
    zeros = torch.zeros(2, 4, dtype=torch.float64)
    expected = 0.75**2 * math.log(4)
    assert float(focal(zeros, torch.tensor([1, 3]))) == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_focal_by_hand(gamma: float) -> None:
    log_p = log_probabilities()[np.arange(12), TARGETS]
    losses = -((1 - np.exp(log_p)) ** gamma) * log_p
    assert float(focal(Z, Y, gamma)) == pytest.approx(losses.mean())
    assert float(focal(Z, Y, gamma, W)) == pytest.approx((losses * WEIGHTS[TARGETS]).mean())


def test_focal_of_two_classes_is_that_of_torchvision() -> None:
    score = torch.tensor(RNG.normal(0, 3, 20))
    target = torch.tensor(RNG.integers(0, 2, 20))
    theirs = sigmoid_focal_loss(score, target.double(), alpha=-1, gamma=2.0, reduction="mean")
    ours = focal(torch.stack([torch.zeros_like(score), score], 1), target, 2.0)
    torch.testing.assert_close(ours, theirs)


def test_focal_of_gamma_0_is_the_cross_entropy() -> None:
    torch.testing.assert_close(focal(Z, Y, 0.0, W), cross_entropy(Z, Y, 0.0, W))


def test_focal_of_certain_answers_has_a_gradient() -> None:
    z = torch.tensor([[90.0, 0.0]], requires_grad=True)
    focal(z, torch.tensor([0]), gamma=0.5).backward()
    assert z.grad is not None and bool(torch.isfinite(z.grad).all())


def test_the_mean_of_two_halves_is_the_whole() -> None:
    """Else gradient accumulation would change the weights of classes."""
    for loss in (cross_entropy, multiclass_hinge, focal):
        extra = (0.1,) if loss is cross_entropy else (1.5,)
        whole, first, second = (
            loss(Z[part], Y[part], *extra, W) for part in (slice(None), slice(6), slice(6, None))
        )
        assert whole.item() == pytest.approx((first + second).item() / 2)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    theirs = compute_class_weight("balanced", classes=np.arange(4), y=TARGETS)
    assert balanced_weights(np.bincount(TARGETS).tolist()) == pytest.approx(theirs.tolist())
    with pytest.raises(UsageError, match=r"needs a picture to be weighted; received \[3, 0\]"):
        balanced_weights([3, 0])
