"""Both ways between two stains in one module, and their two critics in another.

A batch of both stains is one tensor: its first half is of stain A, its second of stain B. So the
adversarial loop, its penalties and its averages take two generators and two critics for one of
each: all of them work picture by picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn

from smearlab.learn.models.patch_critic import PatchCritic, PatchCriticConfig
from smearlab.learn.models.stain_resnet import StainResNet, StainResNetConfig
from smearlab.learn.models.stain_unet import StainUNet, StainUNetConfig
from smearlab.learn.models.stainnet import StainNet, StainNetConfig
from smearlab.learn.nn.settling_norm import following, settling_norms
from smearlab.registry import look_up

StainConfig = StainUNetConfig | StainResNetConfig | StainNetConfig
Way = Literal["a_to_b", "b_to_a"]
WAYS: tuple[Way, ...] = get_args(Way)

#: Networks by the name of their configuration.
_NETWORKS: Mapping[str, tuple[type[Any], type[nn.Module]]] = {
    "StainUNetConfig": (StainUNetConfig, StainUNet),
    "StainResNetConfig": (StainResNetConfig, StainResNet),
    "StainNetConfig": (StainNetConfig, StainNet),
}


def build_stain_network(config: StainConfig) -> nn.Module:
    """The network of a configuration, with fresh weights."""
    return _NETWORKS[type(config).__name__][1](config)


def kept_stain_config(config: StainConfig) -> dict[str, Any]:
    """A configuration as ``config.json`` keeps it: its values, and its name as ``kind``."""
    return {"kind": type(config).__name__, **asdict(config)}


def stain_config_of(kept: Mapping[str, Any]) -> StainConfig:
    """The configuration that :func:`kept_stain_config` kept.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    UsageError
        If a value lies outside its range.
    """
    kind = look_up("kind of stain network", _NETWORKS, str(kept["kind"]))[0]
    names = {field.name for field in fields(kind)}
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if name in names
    }
    return cast(StainConfig, kind(**values))


@dataclass
class Settling:
    """When instance norms go over to their running statistics.

    Parameters
    ----------
    after : int or None
        Passes in training; None for never.
    """

    after: int | None = None


class StainWays(nn.Module):
    """One way or both; the first pass of a step is counted, and in time the norms settle.

    Parameters
    ----------
    ways : mapping of {"a_to_b", "b_to_a"} to Module
        Networks from stain to stain, float (N, 3, H, W) in [0, 1].
    """

    passes: Tensor

    def __init__(self, ways: Mapping[Way, nn.Module]) -> None:
        super().__init__()
        self.ways = nn.ModuleDict({str(name): network for name, network in ways.items()})
        self.settling = Settling()
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))

    def way(self, name: Way) -> nn.Module:
        """The network of one way."""
        return self.ways[name]

    def forward(self, x: Tensor) -> Tensor:
        """Give real pictures the other stain; counted in training.

        Parameters
        ----------
        x : Tensor, shape (N, 3, H, W)
            Of stain A with one way; with both the first half of it, and the second of stain B.

        Returns
        -------
        Tensor, shape (N, 3, H, W)
        """
        if self.training:
            self.passes += 1
            after = self.settling.after
            settled = after is not None and int(self.passes) > after
            for norm in settling_norms(self):
                norm.settled = settled
        with following(self):
            return self.across(x)

    def across(self, x: Tensor, *, back: bool = False) -> Tensor:
        """The same without counting: for pictures that are not real ones of their stain.

        Parameters
        ----------
        x : Tensor, shape (N, 3, H, W)
        back : bool
            Whether the first half is of stain B and the second of stain A.
        """
        if len(self.ways) == 1:
            return cast(Tensor, next(iter(self.ways.values()))(x))
        first, second = torch.chunk(x, 2)
        there, other = WAYS[::-1] if back else WAYS
        return torch.cat([self.ways[there](first), self.ways[other](second)])


class StainCritics(nn.Module):
    """A critic for each stain.

    Parameters
    ----------
    config : PatchCriticConfig, optional
        Of both.
    """

    def __init__(self, config: PatchCriticConfig | None = None) -> None:
        super().__init__()
        self.of_b, self.of_a = PatchCritic(config), PatchCritic(config)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of pictures, of which the first half shall be of stain B, the second of A."""
        first, second = torch.chunk(x, 2)
        return torch.cat([self.of_b(first), self.of_a(second)])


class PairCritic(nn.Module):
    """A critic of pictures beside what they were made of: pix2pix.

    Parameters
    ----------
    config : PatchCriticConfig, optional
        Of six channels.
    """

    def __init__(self, config: PatchCriticConfig | None = None) -> None:
        super().__init__()
        self.critic = PatchCritic(config or PatchCriticConfig(channels_in=6))

    def forward(self, picture: Tensor, judged: Tensor) -> Tensor:
        """Two pictures of shape ``(N, 3, H, W)`` → logits."""
        return cast(Tensor, self.critic(torch.cat([picture, judged], 1)))
