"""InfoGAN's bound on the information, where it is known."""

from __future__ import annotations

import math

import pytest
import torch

from smearlab.learn.losses.information import lost_information

CODES = torch.tensor([0, 1, 2, 3])


def test_a_blind_reader_misses_all_and_a_sure_one_nothing() -> None:
    assert float(lost_information(torch.zeros(4, 4), CODES)) == pytest.approx(0, abs=1e-6)
    sure = 100 * torch.eye(4)
    assert float(lost_information(sure, CODES)) == pytest.approx(-math.log(4), abs=1e-6)
    assert float(lost_information(sure, CODES.flip(0))) == pytest.approx(100 - math.log(4))


def test_a_reader_of_half_the_code() -> None:
    """It knows whether the code is below 2: one bit of two."""
    half = torch.tensor([[0.0, 0, -100, -100]] * 2 + [[-100, -100, 0, 0]] * 2)
    assert float(lost_information(half, CODES)) == pytest.approx(-math.log(2), abs=1e-6)


def test_its_slope_is_that_of_the_cross_entropy() -> None:
    logits = torch.zeros(2, 4, requires_grad=True)
    lost_information(logits, torch.tensor([1, 3])).backward()
    wanted = torch.full((2, 4), 0.25)
    wanted[0, 1] -= 1
    wanted[1, 3] -= 1
    assert logits.grad is not None and torch.allclose(logits.grad, wanted / 2)
