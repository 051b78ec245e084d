"""Blocks of networks that make pictures larger: parametric ReLUs that are shared over space."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn


class PReLUResidual(nn.Module):
    """Convolution, batch norm, parametric ReLU, convolution, batch norm, added to the input.

    Ledig et al. (2017), Figure 4, after Gross and Wilber: nothing follows the sum. Convolutions
    are 3×3 with bias.

    Parameters
    ----------
    channels : int
        In and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same."""
        return x + cast(Tensor, self.layers(x))


class DoubledByRepetition(nn.Module):
    """3×3 convolution, every number repeated in a square of two, parametric ReLU.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.act = nn.PReLU(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → ``(B, C', 2 H, 2 W)``."""
        # Repetition and a function of single numbers may change places: a quarter of the work.
        return F.interpolate(self.act(self.conv(x)), scale_factor=2.0, mode="nearest")
