"""Ends of generators: a slope is left where bf16 has none."""

from __future__ import annotations

import pytest
import torch

from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.nn.picture_end import PictureSigmoid, picture_sigmoid, picture_tanh


@pytest.mark.parametrize("x", [-6.0, 6.0])
def test_a_nearly_black_pixel_can_turn_bright_again(x: float) -> None:
    """1 − tanh² and s (1 − s) as computed by hand; in bf16 the first is 0 and so is the last."""
    value = torch.tensor([x], dtype=torch.bfloat16, requires_grad=True)
    torch.tanh(value).backward()
    assert value.grad is not None and float(value.grad) == 0
    value.grad = None
    picture_tanh(value).backward()
    assert float(value.grad) == pytest.approx(2.4577e-05, rel=0.01)
    value.grad = None
    PictureSigmoid()(value).backward()
    assert float(value.grad) == pytest.approx(0.0024665, rel=0.01)


def test_ends_are_tanh_and_sigmoid_in_32_bits() -> None:
    x = torch.linspace(-5, 5, 11)
    torch.testing.assert_close(picture_tanh(x), torch.tanh(x))
    torch.testing.assert_close(picture_sigmoid(x), torch.sigmoid(x))
    assert picture_tanh(x.bfloat16()).dtype == picture_sigmoid(x.bfloat16()).dtype == torch.float32


def test_a_generator_in_bf16_ends_in_32_bits() -> None:
    network = RWPGenerator(RWPGeneratorConfig(widths=(4, 4, 4), input_px=8, dropped_blocks=1))
    with torch.autocast("cpu", torch.bfloat16):
        made = network(torch.rand(1, 3, 8, 8))
    assert made.dtype == torch.float32
