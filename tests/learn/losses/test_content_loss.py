"""The content loss: its value is known, and the target learns nothing from it."""

from __future__ import annotations

import pytest
import torch

from smearlab.learn.losses.content import content
from smearlab.learn.losses.pixels import l2


def test_the_value_and_its_slope_are_known() -> None:
    found = torch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    target = torch.tensor([[1.0, 0.0], [0.0, 4.0]], requires_grad=True)
    loss = content(found, target)
    assert float(loss.detach()) == pytest.approx((0 + 4 + 9 + 1) / 4)
    loss.backward()
    assert found.grad is not None and target.grad is None
    assert found.grad.flatten().tolist() == pytest.approx([0, 1, 1.5, 0.5])  # 2 (f - t) / 4
    assert torch.equal(l2(found, target), loss)


def test_half_precision_is_computed_in_32_bits() -> None:
    loss = content(torch.full((2,), 300.0).half(), torch.zeros(2).half())
    assert loss.dtype == torch.float32
    assert float(loss) == 90_000  # beyond what half floats hold
