"""Modules that weigh feature maps by what they see as a whole."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """A weight in (0, 1) for each channel, computed from all channels' means.

    Hu, Shen & Sun (2018), Squeeze-and-excitation networks, equations 2 to 4.

    Parameters
    ----------
    channels : int
        In and out.
    reduction : int
        The middle layer has ``channels / reduction`` units, at least one.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        middle = max(1, channels // reduction)
        self.weigh = nn.Sequential(
            nn.Linear(channels, middle), nn.ReLU(), nn.Linear(middle, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same, each channel scaled."""
        weights: Tensor = self.weigh(x.mean((2, 3)))
        return x * weights[:, :, None, None]


class GatherExcite(nn.Module):
    """A weight in (0, 1) for each channel and place, computed from the same channel around it.

    Hu et al. (2018), Gather-excite: exploiting feature context in convolutional neural networks,
    the form with parameters (GE-θ): strided depthwise convolutions gather; their answer, brought
    back to the input's size by repetition, excites.

    Parameters
    ----------
    channels : int
        In and out.
    steps : int
        Depthwise 3×3 convolutions of stride 2, each with batch norm: the extent is 2 to this power.
    """

    def __init__(self, channels: int, steps: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(steps):
            layers += [nn.ReLU()] if number else []
            layers += [
                nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False),
                nn.BatchNorm2d(channels),
            ]
        self.gather = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same, each number scaled."""
        gathered = F.interpolate(self.gather(x), size=x.shape[2:], mode="nearest")
        return x * torch.sigmoid(gathered)
