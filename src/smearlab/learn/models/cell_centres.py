"""Cell-centre network: where cells lie, how far they reach, what each pixel is.

A small residual encoder (strides 2, 4, 8, 16) and a decoder back to stride 4. Three heads:
centre heat for each element, distances to the four sides of the box, both at stride 4 (after
CenterNet, Zhou et al. 2019, arXiv:1904.07850, and TTFNet, Liu et al. 2020, arXiv:1909.00700), and
pixel classes at stride 2. Only local operations, so a tile with enough context around it gives
the same numbers as the whole field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.nn.blocks import ConvNorm, stage


@dataclass(frozen=True)
class CellCentresConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels at strides 2, 4, 8 and 16.
    blocks : tuple of int
        Residual blocks at strides 4, 8 and 16.
    head : int
        Channels of the decoder at stride 4.
    elements : int
        Number of heat channels; pixel classes are one more (background).
    """

    widths: tuple[int, int, int, int] = (32, 64, 128, 224)
    blocks: tuple[int, int, int] = (1, 2, 2)
    head: int = 64
    elements: int = 3

    def __post_init__(self) -> None:
        if len(self.widths) != 4 or len(self.blocks) != 3 or min(self.widths) < 1:
            raise UsageError(
                f"widths needs four positive numbers and blocks three; received {self.widths}, "
                f"{self.blocks}"
            )


class CellCentres(nn.Module):
    """The network; see the module's text.

    Parameters
    ----------
    config : CellCentresConfig, optional
        What ships, when left out.
    """

    #: Field sides must be multiples of this.
    stride = 16
    #: Pixels per step of the heat and box maps.
    grid = 4
    #: Box distances are predicted as exp(x) × this many px.
    reach = 16.0

    def __init__(self, config: CellCentresConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CellCentresConfig()
        w2, w4, w8, w16 = config.widths
        b4, b8, b16 = config.blocks
        self.stem = ConvNorm(3, w2, stride=2)
        self.down4 = stage(w2, w4, b4)
        self.down8 = stage(w4, w8, b8)
        self.down16 = stage(w8, w16, b16)
        self.lateral16 = ConvNorm(w16, w8, kernel=1)
        self.merge8 = ConvNorm(w8, w8)
        self.lateral8 = ConvNorm(w8, config.head, kernel=1)
        self.lateral4 = ConvNorm(w4, config.head, kernel=1)
        self.merge4 = ConvNorm(config.head, config.head)
        self.centre_branch = ConvNorm(config.head, config.head)
        self.heat = nn.Conv2d(config.head, config.elements, 1)
        self.sides = nn.Conv2d(config.head, 4, 1)
        self.map_branch = ConvNorm(config.head, config.head)
        self.classes = nn.Conv2d(config.head, 4 * (config.elements + 1), 1)
        nn.init.constant_(
            cast(Tensor, self.heat.bias), -math.log(99)
        )  # 1 % of pixels are centres at first
        nn.init.normal_(self.heat.weight, std=0.01)
        nn.init.normal_(self.sides.weight, std=0.01)
        nn.init.zeros_(cast(Tensor, self.sides.bias))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, H, W)
            sRGB in [0, 1]; H and W multiples of 16.

        Returns
        -------
        heat : Tensor, shape (B, E, H/4, W/4)
            Logits that a cell's centre lies here.
        sides : Tensor, shape (B, 4, H/4, W/4)
            Distances in px from the cell's centre step to left, top, right, bottom; > 0.
        classes : Tensor, shape (B, E + 1, H/2, W/2)
            Logits: background, then the elements.
        """
        x2 = self.stem((x - 0.5) * 4)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        y8 = self.merge8(x8 + F.interpolate(self.lateral16(x16), scale_factor=2.0))
        y4 = self.merge4(self.lateral4(x4) + F.interpolate(self.lateral8(y8), scale_factor=2.0))
        centre = self.centre_branch(y4)
        sides = torch.exp(self.sides(centre).float().clamp(-4, 4)) * self.reach
        classes = F.pixel_shuffle(self.classes(self.map_branch(y4)), 2)
        return self.heat(centre).float(), sides, classes.float()
