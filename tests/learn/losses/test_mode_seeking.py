"""The mode-seeking term beside its value by hand, and where its gradient leads."""

from __future__ import annotations

import pytest
import torch

from smearlab.learn.losses.mode_seeking import mode_seeking


def test_it_is_the_mean_ratio_of_mean_distances() -> None:
    first = torch.zeros(2, 3, 4, 4)
    second = torch.stack([torch.full((3, 4, 4), 0.5), torch.full((3, 4, 4), -0.2)])
    noise, other = torch.zeros(2, 5), torch.stack([torch.full((5,), 2.0), torch.full((5,), -0.5)])
    found = mode_seeking(first, second, noise, other)
    assert float(found) == pytest.approx(-(0.5 / 2 + 0.2 / 0.5) / 2)
    assert float(mode_seeking(second, first, other, noise)) == pytest.approx(float(found))


def test_alike_pictures_cost_nothing_and_the_same_noise_is_finite() -> None:
    pictures, noise = torch.rand(2, 3, 4, 4), torch.rand(2, 5)
    assert float(mode_seeking(pictures, pictures, noise, noise + 1)) == 0
    assert torch.isfinite(mode_seeking(pictures, 1 - pictures, noise, noise))


def test_its_gradient_drives_pictures_apart() -> None:
    first = torch.zeros(1, 3, 2, 2, requires_grad=True)
    mode_seeking(first, torch.ones(1, 3, 2, 2), torch.zeros(1, 4), torch.ones(1, 4)).backward()
    assert first.grad is not None  # a descent makes the first darker, away from the second
    assert torch.allclose(first.grad, torch.full_like(first, 1 / 12))
