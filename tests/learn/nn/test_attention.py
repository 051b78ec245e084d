"""Squeeze-and-excitation and gather-excite, against their formulas."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.learn.nn.attention import GatherExcite, SqueezeExcite


def test_squeeze_excite_scales_each_channel_by_what_all_means_say() -> None:
    torch.manual_seed(0)
    block = SqueezeExcite(8, reduction=4)
    first, second = (m for m in block.weigh if isinstance(m, nn.Linear))
    assert (first.out_features, second.out_features) == (2, 8)
    x = torch.rand(3, 8, 5, 4)
    z = x.mean((2, 3))
    weights = torch.sigmoid(
        torch.relu(z @ first.weight.T + first.bias) @ second.weight.T + second.bias
    )
    torch.testing.assert_close(block(x), x * weights[:, :, None, None])


def test_there_is_always_a_unit_in_the_middle() -> None:
    assert SqueezeExcite(8, reduction=16)(torch.rand(1, 8, 2, 2)).shape == (1, 8, 2, 2)


@pytest.mark.parametrize(("steps", "extent"), [(1, 2), (2, 4)])
def test_gather_excite_weighs_each_place_by_its_own_channel_around_it(
    steps: int, extent: int
) -> None:
    torch.manual_seed(0)
    block = GatherExcite(3, steps).eval()
    x = torch.rand(1, 3, 8, 8)
    gathered = block.gather(x)
    assert gathered.shape == (1, 3, 8 // extent, 8 // extent)
    spread = gathered.repeat_interleave(extent, 2).repeat_interleave(extent, 3)
    torch.testing.assert_close(block(x), x * torch.sigmoid(spread))
    other = x.clone()
    other[:, 1:] += 1  # another channel does not matter
    torch.testing.assert_close(block(other)[:, 0], block(x)[:, 0])


def test_odd_sizes_come_back_as_they_were() -> None:
    assert GatherExcite(2).eval()(torch.rand(1, 2, 7, 7)).shape == (1, 2, 7, 7)
