"""Losses of pixel maps, against torch's cross-entropy and sums by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from smearlab.learn.losses.maps import class_map_loss, soft_dice


def test_dice_by_hand() -> None:
    """Two classes over two pixels; the third pixel is unknown."""
    found = torch.tensor([[0.8, 0.1, 0.9], [0.2, 0.6, 0.0]]).reshape(1, 2, 1, 3)
    true = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]).reshape(1, 2, 1, 3)
    known = torch.tensor([1.0, 1.0, 0.0]).reshape(1, 1, 1, 3)
    first = 1 - (2 * 0.8 + 1) / (0.9 + 1 + 1)
    second = 1 - (2 * 0.6 + 1) / (0.8 + 1 + 1)
    assert float(soft_dice(found, true, known)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_dice_of_the_truth_and_of_nothing() -> None:
    true = (torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    known = torch.ones(2, 1, 8, 8)
    assert float(soft_dice(true, true, known)) == pytest.approx(0, abs=1e-6)
    assert float(soft_dice(true * 0, true * 0, known)) == 0
    assert float(soft_dice(1 - true, true, known, eps=1e-9)) == pytest.approx(1, abs=1e-6)


def test_it_is_cross_entropy_plus_half_of_dice() -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 6, 5, generator=rng)
    target = torch.randint(0, 4, (2, 6, 5), generator=rng)
    target[:, 2:4] = 255
    entropy = F.cross_entropy(logits, target, ignore_index=255)
    p = logits.softmax(1)
    dice = []
    for number in (1, 2, 3):  # background has no Dice of its own
        known, here = target != 255, target == number
        both = float(p[:, number][here].sum())
        either = float(p[:, number][known].sum()) + int(here.sum())
        dice.append(1 - (2 * both + 1) / (either + 1))
    expected = float(entropy) + 0.5 * sum(dice) / 3
    assert float(class_map_loss(logits, target)) == pytest.approx(expected, rel=1e-5)


def test_a_map_of_which_nothing_is_known_costs_nothing() -> None:
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    loss = class_map_loss(logits, torch.full((1, 3, 3), 255))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert float(logits.grad.abs().sum()) == 0


def test_the_ignored_value_can_be_another() -> None:
    logits = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[[0, 1], [2, 9]]])
    other = torch.where(target == 9, 255, target)
    assert float(class_map_loss(logits, target, ignore=9)) == float(class_map_loss(logits, other))
