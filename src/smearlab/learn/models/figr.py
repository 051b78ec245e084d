"""The two networks of FIGR: residual blocks from noise to a picture, from a picture to a logit.

Clouâtre & Demers (2019), "FIGR: Few-shot image generation with Reptile": a generator and a critic
of residual blocks, trained as a Wasserstein game with gradient penalty, whose weights are moved by
Reptile. There is no encoder; a batch norm in the critic would not go with the penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.nn.picture_end import picture_sigmoid
from smearlab.learn.nn.residual_resize import ResidualResize


@dataclass(frozen=True)
class FIGRConfig:
    """Sizes of the networks.

    Parameters
    ----------
    size_px : int
        Side of a picture: 8, 16, 32, 64, 128 or 256.
    width : int
        Channels of the finest map; coarser ones have twice as many each, eight times at most.
    noise : int
        Length of the noise vector, at least 1.

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    size_px: int = 64
    width: int = 32
    noise: int = 128

    def __post_init__(self) -> None:
        if self.size_px not in (8, 16, 32, 64, 128, 256):
            raise UsageError(
                f"size_px must be one of 8, 16, 32, 64, 128, 256; received {self.size_px}"
            )
        for name in ("width", "noise"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; received {getattr(self, name)}")

    @property
    def classes(self) -> int:
        """Types that one network makes: one."""
        return 1

    @property
    def latent_size(self) -> int:
        """Numbers that a picture follows from."""
        return self.noise

    @property
    def channels(self) -> list[int]:
        """Of the maps from the finest to that of 4²."""
        doublings = (self.size_px // 4).bit_length() - 1
        return [self.width * min(8, 1 << n) for n in range(doublings + 1)]


class FIGRGenerator(nn.Module):
    """Pictures of noise.

    Parameters
    ----------
    config : FIGRConfig, optional
    """

    def __init__(self, config: FIGRConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FIGRConfig()
        self.latent_size, self.classes = config.latent_size, config.classes
        channels = config.channels[::-1]
        self.start = nn.Linear(config.noise, 16 * channels[0])
        self.blocks = nn.Sequential(
            *(ResidualResize(a, b, "instance", "up") for a, b in pairwise(channels))
        )
        self.end = nn.Sequential(
            nn.InstanceNorm2d(channels[-1], affine=True),
            nn.ReLU(),
            nn.Conv2d(channels[-1], 3, 3, padding=1),
        )

    def make(self, noise: Tensor, pictures: Tensor | None = None) -> Tensor:
        """``(N, noise)`` → ``(N, 3, S, S)`` in [0, 1]; pictures are not looked at."""
        x = self.start(noise).reshape(-1, self.config.channels[-1], 4, 4)
        return picture_sigmoid(self.end(self.blocks(x)))

    def forward(self, latent: Tensor, types: Tensor | None = None) -> Tensor:
        """The same, of a generator of one type, which is not looked at."""
        return self.make(latent)


class FIGRCritic(nn.Module):
    """Tells real pictures from generated ones.

    Parameters
    ----------
    config : FIGRConfig, optional
    """

    def __init__(self, config: FIGRConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FIGRConfig()
        channels = config.channels
        self.blocks = nn.Sequential(
            ResidualResize(3, channels[0], "none", "down", raw=True),
            *(ResidualResize(a, b, "none", "down") for a, b in pairwise(channels[:-1])),
        )
        self.last = ResidualResize(channels[-2], channels[-1], "none")
        self.head = nn.Linear(channels[-1], 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        """``(B, 3, S, S)`` in [0, 1] → logits (B, 1), high for real; and nothing rebuilt."""
        maps = self.last(self.blocks(2 * pictures - 1))
        return cast(Tensor, self.head(torch.relu(maps).mean((2, 3)))), None
