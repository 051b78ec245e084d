"""SRGAN of paper D: a small picture in, one of two or four times its sides out; and its critic.

Ferdousi et al. (2024), section 3.1, Figures 3 and 4, Tables 1 and 2, after Ledig et al. (2017).
The tables count running means and variances of batch norms as parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.nn.prelu_blocks import DoubledByRepetition, PReLUResidual

Base = Literal["none", "bicubic"]
#: Doublings of each factor.
DOUBLINGS = {2: 1, 4: 2}
_SLOPE = 0.2


@dataclass(frozen=True)
class SRGANGeneratorConfig:
    """Sizes of the generator.

    Parameters
    ----------
    factor : {2, 4}
        How many pixels one becomes, along each side; 4 in the paper.
    width, up_width : int
        Channels of the residual blocks, and of those that double the size. The paper's with 16
        blocks: 2,044,291 parameters, 4,224 running means and variances among them.
    blocks : int
        Residual blocks, at least 1.
    base : {"none", "bicubic"}
        What the network's answer is added to: nothing, as in the paper, or the picture enlarged
        by bicubic interpolation, from which a fresh network then does not differ.

    Raises
    ------
    UsageError
        If a number lies outside its range.
    UnknownNameError
        If there is no such base.
    """

    factor: int = 4
    width: int = 64
    up_width: int = 256
    blocks: int = 16
    base: Base = "none"

    def __post_init__(self) -> None:
        if self.factor not in DOUBLINGS:
            raise UsageError(f"factor must be 2 or 4; received {self.factor}")
        for name in ("width", "up_width", "blocks"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; received {getattr(self, name)}")
        if self.base not in get_args(Base):
            raise UnknownNameError("base", str(self.base), get_args(Base))

    @property
    def context_px(self) -> int:
        """How far a pixel of the answer looks around, px of the small picture; 40 in the paper."""
        reach = 4  # the last convolution, px of the large picture
        for _ in range(DOUBLINGS[self.factor]):
            reach = -(-reach // 2) + 1
        return reach + 1 + 2 * self.blocks + 4


class SRGANGenerator(nn.Module):
    """A picture of ``factor`` times the sides; fully convolutional; see the module's text.

    Trained by the difference of pixels alone it is SRResNet.

    Parameters
    ----------
    config : SRGANGeneratorConfig, optional
        The paper's when left out.
    """

    def __init__(self, config: SRGANGeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SRGANGeneratorConfig()
        width, up_width = config.width, config.up_width
        self.stem = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU(width))
        self.blocks = nn.Sequential(*(PReLUResidual(width) for _ in range(config.blocks)))
        self.after = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        ups = [width, *(up_width for _ in range(DOUBLINGS[config.factor]))]
        self.up = nn.Sequential(*(DoubledByRepetition(a, b) for a, b in pairwise(ups)))
        self.head = nn.Conv2d(up_width, 3, 9, padding=4)
        if config.base != "none":
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(cast(Tensor, self.head.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge.

        Parameters
        ----------
        x : Tensor, shape (B, 3, H, W)
            sRGB in [0, 1].

        Returns
        -------
        Tensor, shape (B, 3, factor · H, factor · W)
            sRGB, about [0, 1]: nothing bounds it.
        """
        early = self.stem(2 * x - 1)
        features = early + self.after(self.blocks(early))
        answer = cast(Tensor, self.head(self.up(features))) / 2
        if self.config.base == "none":
            return answer + 0.5
        by = float(self.config.factor)
        return answer + F.interpolate(x, scale_factor=by, mode="bicubic", align_corners=False)


@dataclass(frozen=True)
class SRGANDiscriminatorConfig:
    """Sizes of the discriminator.

    Parameters
    ----------
    input_px : int
        Side of the pictures that it judges, a multiple of 16.
    width : int
        Channels of the first block; those of the others are 1, 2, 4 and 8 times as many.
    dense : int
        Units before the last. The paper's with 128 px: 38,249,281 parameters, 3,712 running means
        and variances among them.

    Raises
    ------
    UsageError
        If a number lies outside its range.
    """

    input_px: int = 128
    width: int = 64
    dense: int = 1024

    def __post_init__(self) -> None:
        if self.input_px < 16 or self.input_px % 16:
            raise UsageError(f"input_px must be a multiple of 16; received {self.input_px}")
        for name in ("width", "dense"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; received {getattr(self, name)}")


class SRGANDiscriminator(nn.Module):
    """One logit a picture: was it taken by a microscope?

    Parameters
    ----------
    config : SRGANDiscriminatorConfig, optional
        The paper's when left out.
    """

    def __init__(self, config: SRGANDiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SRGANDiscriminatorConfig()
        layers: list[nn.Module] = [
            nn.Conv2d(3, config.width, 3, padding=1),
            nn.LeakyReLU(_SLOPE, inplace=True),
        ]
        channels = config.width
        # Channels over the first block's, and stride.
        for times, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
            layers += [
                nn.Conv2d(channels, times * config.width, 3, stride, 1),
                nn.BatchNorm2d(times * config.width),
                nn.LeakyReLU(_SLOPE, inplace=True),
            ]
            channels = times * config.width
        self.features = nn.Sequential(*layers)
        side = config.input_px // 16
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * side * side, config.dense),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Linear(config.dense, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Judge.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB in [0, 1], S = ``input_px``.

        Returns
        -------
        Tensor, shape (B, 1)
            Logits, high for real; the paper's sigmoid is in the loss.
        """
        return cast(Tensor, self.head(self.features(2 * x - 1)))
