"""Generator of W-CycleGAN-GP: a U-Net that gives a picture another stain.

Hazra (2022), section 3.4 and Figure 24: 4×4 convolutions with stride 2, leaky ReLU and instance
norm, as many transposed ones back up, each joined with the encoder block of its size; no batch
norm. The text gives neither widths nor depth. Instance norm is
:class:`smearlab.learn.nn.settling_norm.SettlingNorm`, so that fields can be cut into tiles.

Transposed convolutions make neighbours with different weights, which shows as a mesh; maps that are
resized have none (Odena et al. 2016, "Deconvolution and checkerboard artifacts"). Here they are
convolved before, where they are small, and the last one is joined with the picture itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.picture_end import picture_tanh
from smearlab.learn.nn.settling_norm import SettlingNorm

Base = Literal["none", "input"]
Up = Literal["transposed", "resized"]
_SLOPE = 0.2


@dataclass(frozen=True)
class StainUNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels of the encoder blocks, two or more.
    base : {"none", "input"}
        What the answer is added to: nothing, or the picture itself, from which a fresh network
        then hardly differs.
    up : {"transposed", "resized"}
        How maps become larger: by transposed convolutions, the thesis's; or bilinearly after 3×3
        ones, which leaves no mesh.

    Raises
    ------
    UsageError
        If there are fewer than two widths, or one is not positive.
    UnknownNameError
        If there is no such base, or way up.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)
    base: Base = "none"
    up: Up = "transposed"

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise UsageError(f"widths needs two or more positive numbers; received {self.widths}")
        if self.base not in get_args(Base):
            raise UnknownNameError("base", str(self.base), get_args(Base))
        if self.up not in get_args(Up):
            raise UnknownNameError("way up", str(self.up), get_args(Up))

    @property
    def multiple_px(self) -> int:
        """Sides of pictures must be multiples of this."""
        return int(2 ** len(self.widths))

    @property
    def context_px(self) -> int:
        """No pixel of the answer depends on what is further away than that."""
        # Up: a pixel looks 1 + r/2 coarse ones far, below 2 at any depth; resized, 2 + r/2, at
        # most 4. Down: 2 r + 2.
        reach = 2 if self.up == "transposed" else 4
        for _ in self.widths:
            reach = 2 * reach + 2
        return reach


class StainUNet(nn.Module):
    """A picture in another stain; see the module's text.

    Parameters
    ----------
    config : StainUNetConfig, optional
    """

    def __init__(self, config: StainUNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StainUNetConfig()
        widths = config.widths
        self.encoder = nn.ModuleList(
            [_down(3, widths[0], norm=False), *(_down(a, b) for a, b in pairwise(widths))]
        )
        blocks, below = [], widths[-1]
        for width in widths[-2::-1]:
            blocks.append(_up(below, width, config.up))
            below = 2 * width  # joined with the encoder block of that size
        self.decoder = nn.ModuleList(blocks)
        self.head: nn.Module = nn.ConvTranspose2d(below, 3, 4, 2, 1)
        self.finish: nn.Module | None = None
        if config.up == "resized":
            few = max(1, widths[0] // 4)
            self.head = nn.Sequential(
                _conv(below, few), nn.LeakyReLU(_SLOPE, inplace=True), _twice()
            )
            self.finish = _conv(few + 3, 3)
        start_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give another stain.

        Parameters
        ----------
        x : Tensor, shape (B, 3, H, W)
            sRGB in [0, 1]; sides are multiples of ``multiple_px``.

        Returns
        -------
        Tensor, shape (B, 3, H, W)
            sRGB, in [0, 1]; on the base of the input it may leave that range in training, where
            there would be no slope at its ends.
        """
        y = shown = 2 * x - 1
        kept = []
        for block in self.encoder:
            y = block(y)
            kept.append(y)
        kept.pop()
        for block in self.decoder:
            y = torch.cat([block(y), kept.pop()], dim=1)
        y = self.head(y)
        y = picture_tanh(y if self.finish is None else self.finish(torch.cat([y, shown], dim=1)))
        if self.config.base == "none":
            return (y + 1) / 2
        return x + y if self.training else (x + y).clamp(0, 1)


def _down(channels_in: int, channels_out: int, *, norm: bool = True) -> nn.Sequential:
    """Half the size."""
    conv = nn.Conv2d(channels_in, channels_out, 4, 2, 1, padding_mode="reflect")
    between = [SettlingNorm(channels_out)] if norm else []
    return nn.Sequential(conv, *between, nn.LeakyReLU(_SLOPE, inplace=True))


def _up(channels_in: int, channels_out: int, how: Up) -> nn.Sequential:
    """Twice the size."""
    between = [SettlingNorm(channels_out), nn.LeakyReLU(_SLOPE, inplace=True)]
    if how == "resized":
        return nn.Sequential(_conv(channels_in, channels_out), *between, _twice())
    return nn.Sequential(nn.ConvTranspose2d(channels_in, channels_out, 4, 2, 1), *between)


def _conv(channels_in: int, channels_out: int) -> nn.Conv2d:
    # The smallest map may be one pixel, which has nothing to reflect.
    return nn.Conv2d(channels_in, channels_out, 3, padding=1, padding_mode="replicate")


def _twice() -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode="bilinear")
