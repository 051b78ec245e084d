"""Losses of pictures: by hand, and against torch's own."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from smearlab.learn.losses.maps import soft_dice
from smearlab.learn.losses.pixels import bce, bce_dice, l1, l1_within


def test_l1_by_hand() -> None:
    found, target = torch.tensor([[0.0, 0.5], [1.0, 0.25]]), torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    assert float(l1(found, target)) == (1 + 0 + 1 + 0.25) / 4
    assert l1(found.half(), target).dtype == torch.float32


def test_l1_within_by_hand() -> None:
    found = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.5, 0.25]]).reshape(1, 2, 1, 3)
    target = torch.tensor([[0.0, 0.5, 1.0], [0.0, 0.0, 0.75]]).reshape(1, 2, 1, 3)
    where = torch.tensor([True, True, False]).reshape(1, 1, 1, 3)
    assert float(l1_within(found, target, where)) == ((1 + 0) / 2 + (0 + 0.5) / 2) / 2
    assert float(l1_within(found, target, where & False)) == 0
    everywhere = torch.ones_like(where)
    torch.testing.assert_close(l1_within(found, target, everywhere), l1(found, target))
    assert l1_within(found.half(), target, where).dtype == torch.float32


def test_bce_by_hand() -> None:
    """Probabilities ½ and ¾; the second is known to be wrong, or is not known."""
    logits, target = torch.tensor([0.0, math.log(3)]), torch.tensor([1.0, 0.0])
    assert float(bce(logits, target)) == pytest.approx((math.log(2) + math.log(4)) / 2)
    known = torch.tensor([True, False])
    assert float(bce(logits, target > 0, known)) == pytest.approx(math.log(2))
    assert float(bce(logits, target, known & False)) == 0


def test_bce_dice_by_hand() -> None:
    """Probabilities ½ and ¾ for a pixel of the element and one of the background."""
    logits = torch.tensor([0.0, math.log(3)]).reshape(1, 1, 1, 2)
    target = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    entropy = (math.log(2) + math.log(4)) / 2
    dice = 1 - (2 * 0.5 + 1) / (0.5 + 0.75 + 1 + 1)
    assert float(bce_dice(logits, target)) == pytest.approx(entropy + dice, rel=1e-6)
    assert float(bce_dice(logits, target, dice_weight=0.5)) == pytest.approx(
        entropy + dice / 2, rel=1e-6
    )


def test_bce_dice_beside_torch() -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 6, 5, generator=rng)
    target = (torch.rand(2, 1, 6, 5, generator=rng) > 0.6).float()
    expected = F.binary_cross_entropy_with_logits(logits, target)
    dice = soft_dice(logits.sigmoid(), target, torch.ones_like(target))
    torch.testing.assert_close(bce_dice(logits, target), expected + dice)


def test_unknown_pixels_cost_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 1, 4, 4, generator=rng)
    target = (torch.rand(1, 1, 4, 4, generator=rng) > 0.5).float()
    known = torch.ones_like(target)
    known[..., 2:] = 0
    torch.testing.assert_close(
        bce_dice(logits, target, known), bce_dice(logits[..., :2], target[..., :2])
    )
    assert float(bce_dice(logits, target, known * 0)) == 0


def test_a_right_and_certain_answer_costs_nearly_nothing() -> None:
    target = torch.eye(8).reshape(1, 1, 8, 8)
    assert float(bce_dice(40 * (2 * target - 1), target)) == pytest.approx(0, abs=1e-6)
    assert float(bce_dice(40 * (1 - 2 * target), target)) > 30
