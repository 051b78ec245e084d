"""Batch norm of one picture: by what it normalises, and what a single value becomes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from smearlab.errors import UnknownNameError
from smearlab.learn.nn.picture_norm import PictureNorm, use_statistics


def woken(norm: nn.Module) -> nn.Module:
    """Scales and shifts that are not 1 and 0."""
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))  # type: ignore[operator, union-attr]
        norm.bias.copy_(torch.tensor([-1.0, 0.0, 1.0]))  # type: ignore[operator, union-attr]
    return norm


def test_in_training_it_is_batch_norm() -> None:
    torch.manual_seed(0)
    ours, reference = woken(PictureNorm(3)), woken(nn.BatchNorm2d(3))
    for _ in range(3):
        x = torch.randn(2, 3, 4, 5) * 3 + 1
        assert torch.allclose(ours(x), reference(x), atol=1e-6)
    assert torch.allclose(ours.running_mean, reference.running_mean)
    assert torch.allclose(ours.running_var, reference.running_var)
    ours.statistics = "running"
    x = torch.randn(2, 3, 4, 5)
    assert torch.allclose(ours.eval()(x), reference.eval()(x), atol=1e-6)


def test_a_picture_is_normalised_by_itself() -> None:
    """In evaluation as in training with a batch of one, whatever else is in the batch."""
    torch.manual_seed(0)
    norm = woken(PictureNorm(3))
    x = torch.randn(1, 3, 4, 5) * 3 + 1
    alone = norm(x)
    norm.eval()
    beside = norm(torch.cat([x, 10 * torch.randn(1, 3, 4, 5)]))
    assert torch.allclose(beside[:1], alone, atol=1e-5)


def test_running_statistics_are_not_moved_in_evaluation() -> None:
    norm = PictureNorm(3).eval()
    norm(torch.randn(1, 3, 4, 4))
    norm(torch.randn(1, 3, 1, 1))
    assert not norm.running_mean.any()
    assert bool((norm.running_var == 1).all())


def test_a_single_value_is_not_made_zero() -> None:
    """Batch norm would answer its shift; here two pictures stay apart, by the running statistics:
    mean 0 → 0.1 x, variance 1 → 0.9 + 0.1 x²."""
    for value in (2.0, -0.5):
        norm = PictureNorm(3)
        out = norm(torch.full((1, 3, 1, 1), value))
        wanted = (value - 0.1 * value) / math.sqrt(0.9 + 0.1 * value**2 + 1e-5)
        assert out.detach().flatten().tolist() == pytest.approx([wanted] * 3, rel=1e-5)


def test_a_single_value_after_many_equal_ones_stays_bounded() -> None:
    """The variance of equal values dies away; the next other value must not be blown up."""
    norm = PictureNorm(3)
    for _ in range(300):
        norm(torch.ones(1, 3, 1, 1))
    out = norm(torch.full((1, 3, 1, 1), 1000.0))
    assert float(out.detach().abs().max()) <= math.sqrt(0.9 / 0.1)


def test_two_forwards_before_one_backward() -> None:
    norm = PictureNorm(3)
    x = torch.ones(1, 3, 1, 1, requires_grad=True)
    (norm(x) + norm(2 * x)).sum().backward()
    assert x.grad is not None and bool((x.grad > 0).all())


def test_a_batch_of_single_values_is_batch_norm() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 1, 1)
    assert torch.allclose(PictureNorm(3)(x), nn.BatchNorm2d(3)(x), atol=1e-6)


def test_statistics_can_be_exchanged() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(PictureNorm(3), nn.ReLU()).eval()
    x = torch.randn(1, 3, 4, 4) + 2
    own = model(x)
    assert use_statistics(model, "running")
    assert torch.allclose(model(x), torch.relu(x), atol=1e-4)  # mean 0 and variance 1 so far
    assert use_statistics(model, "own") and torch.equal(model(x), own)
    assert not use_statistics(nn.Linear(2, 2), "own")


def test_statistics_that_there_are_not_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown kind of statistics 'runing'; did you mean"):
        PictureNorm(3, "runing")  # type: ignore[arg-type]
