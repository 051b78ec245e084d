"""Networks from stain to stain: golden sizes, how far they look, both ways in one module."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.patch_critic import PatchCritic, PatchCriticConfig
from smearlab.learn.models.stain_resnet import StainResNet, StainResNetConfig
from smearlab.learn.models.stain_unet import StainUNet, StainUNetConfig
from smearlab.learn.models.stain_ways import (
    PairCritic,
    StainConfig,
    StainCritics,
    StainWays,
    build_stain_network,
    kept_stain_config,
    stain_config_of,
)
from smearlab.learn.models.stainnet import StainNet, StainNetConfig
from smearlab.learn.nn.settling_norm import settling_norms
from smearlab.learn.train.checkpoints import parameter_count

SMALL: tuple[StainConfig, ...] = (
    StainUNetConfig((2, 3), base="input"),
    StainUNetConfig((2, 3, 4)),
    StainUNetConfig((2, 3, 4), up="resized"),
    StainResNetConfig(2, 2),
    StainNetConfig(4),
)


def woken(network: nn.Module) -> nn.Module:
    """Settled, with weights that let slopes through; in training no end of the range stops them."""
    torch.manual_seed(1)
    for weight in network.parameters():
        nn.init.normal_(weight, 0.0, 0.15)
    for norm in settling_norms(network):
        norm.settled = True
    return network.double().train()


def unet_numbers(widths: tuple[int, ...]) -> int:
    """4×4 kernels with biases: down, up to each width but the last from twice of it, the head."""
    down = sum(16 * a * b + b for a, b in zip((3, *widths), widths, strict=False))
    total, below = down, widths[-1]
    for width in widths[-2::-1]:
        total, below = total + 16 * below * width + width, 2 * width
    return total + 16 * below * 3 + 3


@pytest.mark.parametrize(
    ("build", "numbers"),
    [
        (lambda: StainUNet(), 29_241_731),
        (lambda: StainUNet(StainUNetConfig((32, 64, 128, 256))), 1_545_411),
        (lambda: StainResNet(), 11_378_179),
        (lambda: StainResNet(StainResNetConfig(blocks=6)), 7_837_699),
        (lambda: StainNet(), 1_283),
        (lambda: PatchCritic(), 2_764_737),
        (lambda: PatchCritic(PatchCriticConfig(channels_in=6)), 2_767_809),
        (lambda: StainCritics(), 2 * 2_764_737),
    ],
)
def test_golden_sizes(build: Any, numbers: int) -> None:
    with torch.device("meta"):
        assert parameter_count(build()) == numbers


def test_the_unet_is_as_large_as_its_layers() -> None:
    assert unet_numbers(StainUNetConfig().widths) == 29_241_731
    assert unet_numbers((32, 64, 128, 256)) == 1_545_411


@pytest.mark.parametrize("up", ["transposed", "resized"])
def test_resized_maps_leave_no_mesh(up: Any) -> None:
    """One colour gives one colour."""
    network = woken(StainUNet(StainUNetConfig((4, 8, 8), base="input", up=up)))
    x = torch.full((1, 3, 48, 48), 0.6, dtype=torch.float64)
    spread = float(network(x).detach()[..., 8:-8, 8:-8].std((2, 3)).max())
    assert spread < 1e-12 if up == "resized" else spread > 1e-3


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_a_picture_gives_one_of_its_size(config: StainConfig) -> None:
    network = build_stain_network(config).eval()
    step = config.multiple_px
    x = torch.rand(2, 3, 3 * step, 4 * step)
    with torch.no_grad():
        made = network(x)
        assert made.shape == x.shape
        assert made.min() >= 0 and made.max() <= 1
        torch.testing.assert_close(network(x[1:]), made[1:])


def test_on_the_base_of_the_input_a_fresh_network_changes_little() -> None:
    torch.manual_seed(0)
    network, x = StainUNet(StainUNetConfig((4, 8), base="input")), torch.rand(2, 3, 16, 16)
    for mode in (True, False):
        off = (network.train(mode)(x) - x).abs().detach()
        assert 0 < off.mean() < 0.05


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_nothing_further_than_the_context_is_looked_at(config: StainConfig) -> None:
    """The slope of one pixel of the answer is 0 beyond it, and not far within."""
    network = woken(build_stain_network(config))
    step, reach = config.multiple_px, config.context_px
    side = -(-(2 * reach + 3) // step) * step + 2 * step
    x = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    found = 0
    for at in range(side // 2, side // 2 + min(step, 4)):  # each place in a step looks elsewhere
        (slope,) = torch.autograd.grad(network(x)[0, :, at, at].sum(), x)
        rows = slope.abs().sum((0, 1, 3)).nonzero().flatten()
        assert len(rows)
        found = max(found, at - int(rows[0]), int(rows[-1]) - at)
    assert found <= reach
    assert found >= reach // 2, "the context is not much larger than it must be"


def test_a_critic_says_patches_or_their_mean() -> None:
    torch.manual_seed(0)
    critic = PatchCritic(PatchCriticConfig((2, 3, 4, 5)))
    x = torch.rand(2, 3, 64, 64)
    patches = critic(x)
    assert patches.shape == (2, 1, 6, 6)
    critic.config = PatchCriticConfig((2, 3, 4, 5), says="mean")
    torch.testing.assert_close(critic(x), patches.mean((1, 2, 3)))
    assert critic(x[..., :24, :24]).shape == (2,) and critic.config.least_px == 24


def test_norm_hides_a_cast_from_a_critic() -> None:
    """Why it can be left out: behind the first block nothing of it is left but its slope."""
    torch.manual_seed(0)
    x = torch.rand(1, 3, 64, 64) / 4
    moved = {}
    for norm in (True, False):
        critic = PatchCritic(PatchCriticConfig((8, 8, 8, 8), norm=norm))
        answers = critic(torch.cat([x, x + 0.25])).detach()[..., 2:4, 2:4]
        moved[norm] = float((answers[0] - answers[1]).abs().mean() / answers.std())
    assert moved[False] > moved[True]


class Add(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.by


def test_both_ways_take_their_halves() -> None:
    ways = StainWays({"a_to_b": Add(1.0), "b_to_a": Add(10.0)})
    x = torch.zeros(4, 3, 2, 2)
    assert ways(x)[:, 0, 0, 0].tolist() == [1, 1, 10, 10]
    assert ways.across(x, back=True)[:, 0, 0, 0].tolist() == [10, 10, 1, 1]
    assert StainWays({"b_to_a": Add(10.0)})(x)[:, 0, 0, 0].tolist() == [10] * 4
    assert isinstance(ways.way("b_to_a"), Add)


def test_norms_settle_after_so_many_passes_and_averages_do_not_count() -> None:
    ways = StainWays({"a_to_b": StainUNet(StainUNetConfig((2, 3)))})
    ways.settling.after = 2
    x = torch.rand(1, 3, 8, 8)
    norm = ways.way("a_to_b").decoder[0][1]  # type: ignore[index,union-attr]
    seen = []
    for _ in range(3):
        ways(x)
        ways.across(x)  # counts for nothing
        seen.append(norm.settled)
    assert seen == [False, False, True]
    ways.eval()(x)
    assert int(ways.passes) == 3
    again = StainWays({"a_to_b": StainUNet(StainUNetConfig((2, 3)))})
    again.load_state_dict(ways.state_dict())
    assert int(again.passes) == 3, "a run that is taken up again knows it"


def test_critics_judge_their_halves_and_pairs_both() -> None:
    config = PatchCriticConfig((2, 3, 4, 5), says="mean")
    critics, x = StainCritics(config), torch.rand(4, 3, 24, 24)
    wanted = torch.cat([critics.of_b(x[:2]), critics.of_a(x[2:])])
    torch.testing.assert_close(critics(x), wanted)
    pair = PairCritic(PatchCriticConfig((2, 3), channels_in=6))
    assert pair(x, x).shape[:2] == (4, 1)


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_a_configuration_is_kept(config: StainConfig) -> None:
    assert stain_config_of(kept_stain_config(config)) == config


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=r"widths needs two or more .* received \(4,\)"):
        StainUNetConfig((4,))
    with pytest.raises(UnknownNameError, match=r"base 'inputs'.*did you mean 'input'"):
        StainUNetConfig((4, 4), base="inputs")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="way up"):
        StainUNetConfig((4, 4), up="nearest")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="blocks must be at least 1; received 0"):
        StainResNetConfig(blocks=0)
    with pytest.raises(UsageError, match="width must be at least 1; received 0"):
        StainNetConfig(0)
    with pytest.raises(UnknownNameError, match="answer of a critic 'average'"):
        PatchCriticConfig(says="average")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="channels_in must be at least 1; received 0"):
        PatchCriticConfig(channels_in=0)
    with pytest.raises(UnknownNameError, match="kind of stain network 'StainUnetConfig'"):
        stain_config_of({"kind": "StainUnetConfig"})
