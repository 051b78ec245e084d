"""SRGAN's networks: the paper's counts, what a pixel looks at, and where a fresh one begins."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.srgan import (
    SRGANDiscriminator,
    SRGANDiscriminatorConfig,
    SRGANGenerator,
    SRGANGeneratorConfig,
)
from smearlab.learn.nn.prelu_blocks import DoubledByRepetition

SMALL = {"width": 3, "up_width": 4, "blocks": 2}


def counted(model: nn.Module) -> int:
    """Parameters as the paper's tables have them: running means and variances among them."""
    buffers = (b.numel() for name, b in model.named_buffers() if "running" in name)
    return sum(p.numel() for p in model.parameters()) + sum(buffers)


def test_they_have_as_many_parameters_as_the_paper_says() -> None:
    with torch.device("meta"):
        generator, critic = SRGANGenerator(), SRGANDiscriminator()
        assert generator(torch.rand(1, 3, 32, 32)).shape == (1, 3, 128, 128)
        assert critic(torch.rand(1, 3, 128, 128)).shape == (1, 1)
        twice = SRGANGenerator(SRGANGeneratorConfig(factor=2))
        assert twice(torch.rand(1, 3, 20, 36)).shape == (1, 3, 40, 72)
    assert counted(generator) == 2_044_291
    assert counted(critic) == 38_249_281
    assert counted(generator) - counted(twice) == 590_080 + 256


@pytest.mark.parametrize("factor", [2, 4])
def test_a_pixel_looks_no_further_than_the_context(factor: int) -> None:
    torch.manual_seed(0)
    config = SRGANGeneratorConfig(factor=factor, **SMALL)
    model, side = SRGANGenerator(config).eval(), 48
    x = torch.rand(1, 3, side, side, requires_grad=True)
    for place in range(factor):  # of the pixels that one becomes
        x.grad = None
        model(x)[0, :, side // 2 * factor + place, side // 2 * factor].sum().backward()
        assert x.grad is not None
        rows = torch.nonzero(x.grad.abs().sum((0, 1, 3)))[:, 0] - side // 2
        reach = int(rows.abs().max())
        assert reach <= config.context_px
        assert reach >= config.context_px - 1
    assert SRGANGeneratorConfig().context_px == 40


def test_a_fresh_one_on_a_base_is_bicubic_interpolation() -> None:
    model = SRGANGenerator(SRGANGeneratorConfig(base="bicubic", **SMALL)).eval()
    x = torch.rand(1, 3, 7, 9)
    wanted = F.interpolate(x, scale_factor=4.0, mode="bicubic")
    assert torch.equal(model(x), wanted)
    plain = SRGANGenerator(SRGANGeneratorConfig(**SMALL)).eval()
    assert not torch.allclose(plain(x), wanted, atol=0.05)


def test_doubling_repeats_what_the_activation_gives() -> None:
    """The paper repeats first and then applies PReLU: the same numbers."""
    torch.manual_seed(0)
    block = DoubledByRepetition(2, 3)
    with torch.no_grad():
        block.act.weight.copy_(torch.tensor([-0.5, 0.0, 0.3]))
    x = torch.randn(1, 2, 5, 4)
    wanted = block.act(block.conv(x).repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert torch.equal(block(x), wanted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factor": 3}, "factor must be 2 or 4; received 3"),
        ({"blocks": 0}, "blocks must be at least 1; received 0"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SRGANGeneratorConfig(**given)  # type: ignore[arg-type]


def test_impossible_critics_and_bases_are_refused() -> None:
    with pytest.raises(UsageError, match="input_px must be a multiple of 16; received 40"):
        SRGANDiscriminatorConfig(40)
    with pytest.raises(UsageError, match="width must be at least 1; received 0"):
        SRGANDiscriminatorConfig(width=0)
    with pytest.raises(UnknownNameError, match="did you mean 'bicubic'"):
        SRGANGeneratorConfig(base="bicubik")  # type: ignore[arg-type]
