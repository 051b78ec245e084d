"""Blocks of few-shot generators: skip excitation, gated units, residual blocks that resize."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from smearlab.errors import UnknownNameError
from smearlab.learn.nn.gated_up import GatedStart, GatedUp
from smearlab.learn.nn.residual_resize import ResidualResize
from smearlab.learn.nn.skip_excitation import SkipExcitation
from smearlab.learn.nn.typed_norm import TypedBatchNorm


def test_a_coarse_map_weighs_the_channels_of_a_fine_one() -> None:
    torch.manual_seed(0)
    block = SkipExcitation(5, 3)
    low, high = torch.randn(2, 5, 8, 8), torch.randn(2, 3, 32, 32)
    found = block(low, high)
    ratio = (found / high).detach()
    assert torch.allclose(ratio, ratio.mean((2, 3), keepdim=True).expand_as(ratio), atol=1e-5)
    assert bool(((ratio > 0) & (ratio < 1)).all())
    wide, narrow = block.weigh[0].weight, block.weigh[2].weight
    pooled = F.adaptive_avg_pool2d(low, 4)
    one = F.leaky_relu(torch.einsum("bcij,ocij->bo", pooled, wide), 0.2)
    wanted = torch.sigmoid(one @ narrow[:, :, 0, 0].T)
    assert torch.allclose(ratio[:, :, 0, 0], wanted, atol=1e-5)


def test_half_of_the_channels_are_gates() -> None:
    torch.manual_seed(0)
    up = GatedUp(4, 3).eval()
    x = torch.randn(2, 4, 5, 5)
    both = up.norm(up.conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    assert torch.allclose(up(x), both[:, :3] * torch.sigmoid(both[:, 3:]), atol=1e-6)
    assert GatedStart(6, 5, 7)(torch.randn(2, 6)).shape == (2, 7, 4, 4)


@pytest.mark.parametrize(("resize", "side"), [("none", 8), ("up", 16), ("down", 4)])
@pytest.mark.parametrize("norm", ["none", "batch", "instance"])
def test_residual_blocks_resize(resize: str, side: int, norm: str) -> None:
    block = ResidualResize(3, 5, norm, resize)  # type: ignore[arg-type]
    assert block(torch.randn(2, 3, 8, 8)).shape == (2, 5, side, side)


def test_without_its_convolutions_a_block_is_its_shortcut() -> None:
    block = ResidualResize(3, 3, "none", "down")
    for conv in (block.first, block.second):
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
    x = torch.randn(2, 3, 4, 4)
    assert torch.allclose(block(x), F.avg_pool2d(x, 2))
    block.resize = "up"
    assert torch.allclose(block(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_a_raw_block_sees_what_a_relu_would_hide() -> None:
    torch.manual_seed(0)
    dark = -torch.rand(1, 3, 4, 4)
    raw, usual = ResidualResize(3, 3, "none", raw=True), ResidualResize(3, 3, "none")
    usual.load_state_dict(raw.state_dict())
    inside = usual(dark) - dark
    assert torch.allclose(inside, (usual(2 * dark) - 2 * dark))  # the ReLU made zeros of both
    assert not torch.allclose(raw(dark) - dark, raw(2 * dark) - 2 * dark)


def test_unknown_words_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown norm 'bach'; did you mean 'batch'"):
        ResidualResize(3, 3, "bach")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="unknown resize 'dwn'; did you mean 'down'"):
        ResidualResize(3, 3, "batch", "dwn")  # type: ignore[arg-type]


def test_a_norm_that_is_told_the_type_has_a_scale_and_a_shift_of_each() -> None:
    torch.manual_seed(0)
    norm = TypedBatchNorm(3, 2)
    x, types = torch.randn(6, 3, 4, 4), torch.eye(2)[[0, 0, 0, 1, 1, 1]]
    plain = F.batch_norm(x, None, None, training=True)
    assert torch.allclose(norm(x, types), plain, atol=1e-6)  # before anything is learnt
    with torch.no_grad():
        norm.of_type.weight[:3, 1], norm.of_type.weight[3:, 1] = 1.0, 0.5
    found = norm(x, types).detach()
    assert torch.allclose(found[:3], plain[:3], atol=1e-6)
    assert torch.allclose(found[3:], 2 * plain[3:] + 0.5, atol=1e-6)


def test_gated_blocks_tell_their_norms_the_type() -> None:
    torch.manual_seed(0)
    for block, x in (
        (GatedStart(6, 5, 7, 2), torch.randn(4, 6)),
        (GatedUp(3, 4, 2), torch.randn(4, 3, 2, 2)),
    ):
        torch.nn.init.normal_(block.norm.of_type.weight)  # type: ignore[union-attr]
        types = torch.eye(2)[[0, 0, 1, 1]]
        found, other = block(x, types), block(x, types.flip(1))
        assert found.shape[1] == block.conv.out_channels // 2
        assert not torch.allclose(found, other)
