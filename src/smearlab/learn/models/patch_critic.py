"""PatchGAN that judges a picture by itself: CycleGAN's, and W-CycleGAN-GP's without sigmoid.

Zhu et al. (2017), appendix 7.2: C64, C128, C256, C512, 4×4 convolutions with leaky ReLU, the first
three with stride 2, then one to a logit for each patch of 70 px; instance norm but in the first.
The critic of W-CycleGAN-GP (Hazra 2022, section 3.4 and Figure 25) is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast, get_args

from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.nn.initialise import start_normal

Says = Literal["patches", "mean"]
_SLOPE = 0.2


@dataclass(frozen=True)
class PatchCriticConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels of the blocks, two or more; the last one keeps the size. The paper's: 2,764,737
        parameters.
    says : {"patches", "mean"}
        A logit for each patch, or one for the picture: their mean, which is what a penalty on the
        slope of a Wasserstein critic is for.
    norm : bool
        Whether all blocks but the first have instance norm. It takes away what all of a picture
        has in common, and so most of a cast.
    channels_in : int
        Of all pictures that are judged together, at least 1; 6 for pairs.

    Raises
    ------
    UsageError
        If a number is not positive.
    UnknownNameError
        If there is no such answer.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    says: Says = "patches"
    norm: bool = True
    channels_in: int = 3

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise UsageError(f"widths needs two or more positive numbers; received {self.widths}")
        if self.says not in get_args(Says):
            raise UnknownNameError("answer of a critic", str(self.says), get_args(Says))
        if self.channels_in < 1:
            raise UsageError(f"channels_in must be at least 1; received {self.channels_in}")

    @property
    def least_px(self) -> int:
        """Sides of pictures are at least that: something must be left to judge."""
        return int(2 ** (len(self.widths) - 1) * 3)


class PatchCritic(nn.Module):
    """Logits of patches; see the module's text.

    Parameters
    ----------
    config : PatchCriticConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: PatchCriticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PatchCriticConfig()
        widths, layers = config.widths, list[nn.Module]()
        strides = [*(2 for _ in widths[1:-1]), 1]
        layers += [nn.Conv2d(config.channels_in, widths[0], 4, 2, 1), nn.LeakyReLU(_SLOPE)]
        for (a, b), stride in zip(pairwise(widths), strides, strict=True):
            norm = [nn.InstanceNorm2d(b)] if config.norm else []
            layers += [nn.Conv2d(a, b, 4, stride, 1), *norm, nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))
        start_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """sRGB ``(B, C, H, W)`` in [0, 1] → logits ``(B, 1, H/8 − 2, W/8 − 2)``, or ``(B,)``."""
        logits = cast(Tensor, self.layers(2 * x - 1))
        return logits if self.config.says == "patches" else logits.mean((1, 2, 3))
