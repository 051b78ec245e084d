"""Residual blocks of generators and critics: the sum, its first size; planes of types."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.learn.nn.residual_pictures import SumBlock, start_he
from smearlab.learn.nn.type_planes import let_types_count, with_type_planes


@pytest.mark.parametrize("norm", [False, True])
def test_a_block_adds_two_convolutions_to_what_comes_in(norm: bool) -> None:
    torch.manual_seed(0)
    block = SumBlock(3, norm=norm).eval()
    x = torch.randn(2, 3, 5, 5)
    convolutions = [layer for layer in block.layers if isinstance(layer, nn.Conv2d)]
    added = x
    for convolution in convolutions:  # fresh norms in evaluation divide by √(1 + ε)
        scaled = added / (1 + 1e-5) ** 0.5 if norm else added
        added = nn.functional.conv2d(
            nn.functional.leaky_relu(scaled, 0.2), convolution.weight, convolution.bias, padding=1
        )
    assert len(convolutions) == 2
    assert torch.allclose(block(x), x + added, atol=1e-6)
    with torch.no_grad():
        convolutions[-1].weight.zero_()
        if convolutions[-1].bias is not None:
            convolutions[-1].bias.zero_()
    assert torch.equal(block(x), x)


def test_biases_are_where_no_norm_is() -> None:
    assert sum(p.numel() for p in SumBlock(4).parameters()) == 2 * (9 * 16 + 4)
    assert sum(p.numel() for p in SumBlock(4, norm=True).parameters()) == 2 * (9 * 16 + 8)


def test_he_keeps_the_variance_of_leaky_relus() -> None:
    """Also of transposed convolutions, whose inputs torch would count as outputs."""
    torch.manual_seed(0)
    x = torch.nn.functional.leaky_relu(torch.randn(4, 64, 12, 12), 0.2)
    power = float(x.square().mean())
    for layer in (nn.Conv2d(64, 256, 3), nn.ConvTranspose2d(64, 16, 5, 1, 2)):
        start_he(layer)
        inner = layer(x).detach()[:, :, 4:-4, 4:-4]  # borders see fewer inputs
        assert float(inner.var()) == pytest.approx(power * 2 / 1.04, rel=0.2)
        assert layer.bias is not None and not layer.bias.any()


def test_blocks_without_norm_begin_smaller_the_more_there_are() -> None:
    deviations = []
    for number in (1, 16):
        torch.manual_seed(0)
        model = start_he(nn.Sequential(*(SumBlock(32) for _ in range(number))))
        last = [m for m in model.modules() if isinstance(m, nn.Conv2d)][-1]
        deviations.append(float(last.weight.detach().std()))
    assert deviations[0] / deviations[1] == pytest.approx(4, rel=0.05)


def test_planes_are_even_and_of_the_type() -> None:
    pictures = torch.rand(2, 3, 4, 5)
    joined = with_type_planes(pictures, torch.tensor([[1.0, 0.0], [0.25, 0.75]]))
    assert joined.shape == (2, 5, 4, 5)
    assert torch.equal(joined[:, :3], pictures)
    assert (joined[0, 3] == 1).all() and (joined[0, 4] == 0).all()
    assert (joined[1, 3] == 0.25).all() and (joined[1, 4] == 0.75).all()


def test_a_type_counts_as_much_as_all_latents() -> None:
    torch.manual_seed(0)
    dense = nn.Linear(64 + 3, 4000, bias=False)
    before = dense.weight.detach().clone()
    let_types_count(dense, 3)
    assert torch.equal(dense.weight[:, :64], before[:, :64])
    latent, types = torch.randn(500, 64), torch.eye(3)
    of_latents = (latent @ dense.weight[:, :64].T).detach().square().mean()
    of_types = (types @ dense.weight[:, 64:].T).detach().square().mean()
    assert float(of_types) == pytest.approx(float(of_latents), rel=0.1)
    let_types_count(dense, 0)
    assert torch.equal(dense.weight[:, :64], before[:, :64])
