"""Paper C's W-Net: its layers, its size, and how its weights begin."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.w_net import WNet, WNetConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    assert parameter_count(WNet()) == 16_806_949


def test_its_layers_have_the_sizes_of_table_3() -> None:
    model = WNet().eval()
    sizes: list[int] = []
    for module in model.modules():
        if isinstance(module, nn.MaxPool2d | nn.Linear):
            module.register_forward_hook(lambda _, __, out: sizes.append(out[0].numel()))
    with torch.inference_mode():
        model(torch.rand(1, 3, 128, 128))
    assert sizes == [65_536, 32_768, 16_384, 1_024, 5]


def test_dropout_follows_every_layer_but_the_last() -> None:
    rates = [module.p for module in WNet().modules() if isinstance(module, nn.Dropout)]
    assert rates == [0.4] * 4  # the paper's 0.6 are kept
    without = WNet(WNetConfig(dropout=0))
    assert not any(isinstance(module, nn.Dropout) for module in without.modules())


def test_its_weights_begin_as_xavier_said() -> None:
    """Uniform within ± √(6 / (in + out)); a kernel's in and out count its nine places."""
    torch.manual_seed(0)
    for module in WNet().modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            out, channels, *kernel = module.weight.shape
            bound = math.sqrt(6 / ((channels + out) * math.prod(kernel)))
            weight = module.weight.detach()
            assert 0.97 * bound < float(weight.abs().max()) <= bound
            assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
            assert module.bias is not None and not module.bias.any()


@pytest.mark.parametrize("side", [64, 100])
def test_other_sizes_work(side: int) -> None:
    model = WNet(WNetConfig(classes=3, input_px=side)).eval()
    with torch.inference_mode():
        assert model(torch.rand(2, 3, side, side)).shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"classes": 1}, "classes must be at least 2; received 1"),
        ({"dropout": 1.0}, r"dropout must lie within \[0, 1\); received 1.0"),
        ({"input_px": 7}, "input_px must be at least 8; received 7"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        WNetConfig(**given)  # type: ignore[arg-type]
