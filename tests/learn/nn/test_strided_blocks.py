"""Blocks of picture-to-picture networks: sizes, biases, dropout's explicit factors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UnknownNameError
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.picture_norm import PictureNorm
from smearlab.learn.nn.strided_blocks import Down, Norm, Up


@pytest.mark.parametrize(("stride", "side"), [(2, 8), (1, 15)])
def test_a_convolution_halves_or_keeps(stride: int, side: int) -> None:
    assert Down(3, 5, stride=stride)(torch.rand(1, 3, 16, 16)).shape == (1, 5, side, side)
    assert Up(5, 4)(torch.rand(1, 5, 8, 8)).shape == (1, 4, 16, 16)


@pytest.mark.parametrize(
    ("norm", "kind"), [("none", None), ("batch", PictureNorm), ("instance", nn.InstanceNorm2d)]
)
def test_a_norm_takes_the_place_of_the_bias(norm: Norm, kind: type[nn.Module] | None) -> None:
    down, up = Down(3, 5, norm, bias=True), Up(5, 4, norm)
    assert (down[0].bias is None) == (kind is not None)
    assert (up.conv.bias is None) == (kind is not None)
    found = [m for m in (*down.modules(), *up.modules()) if kind and isinstance(m, kind)]
    assert len(found) == (2 if kind else 0)
    assert Down(3, 5, norm)[0].bias is None


def test_a_leaky_relu_lets_a_fifth_through() -> None:
    down = Down(1, 1, "none")
    with torch.no_grad():
        down[0].weight.fill_(-1 / 16)
    assert float(down(torch.ones(1, 1, 4, 4)).detach().max()) == pytest.approx(-0.2 * 9 / 16)


def test_explicit_factors_take_the_place_of_chance() -> None:
    torch.manual_seed(0)
    up = Up(2, 3, dropout=0.5)
    x = torch.randn(1, 2, 4, 4)
    whole = up(x, torch.ones(1, 3, 8, 8))
    keep = torch.zeros(1, 3, 8, 8)
    keep[:, 1] = 2
    some = up(x, keep)
    assert torch.allclose(some[:, 1], 2 * whole[:, 1], atol=1e-6)
    assert not some[:, [0, 2]].any()
    assert not torch.equal(up(x), up(x)), "in training there is chance"
    up.eval()
    assert torch.equal(up(x), up(x, torch.ones(1, 3, 8, 8)))


def test_kernels_begin_normal_and_norms_at_one() -> None:
    torch.manual_seed(0)
    up = start_normal(Up(64, 64))
    assert float(up.conv.weight.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert float(up.conv.weight.detach().mean()) == pytest.approx(0, abs=1e-3)
    assert bool((up.norm.weight == 1).all())
    plain = start_normal(nn.Linear(4, 3))
    assert not plain.bias.any()


def test_norms_that_there_are_not_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown norm 'bach'; did you mean 'batch'"):
        Up(2, 2, "bach")  # type: ignore[arg-type]
