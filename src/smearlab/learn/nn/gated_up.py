"""Blocks of FastGAN's generator: gated linear units from a vector to larger and larger maps."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn


class GatedStart(nn.Module):
    """Fully connected layer, 4×4 transposed convolution, batch norm, gated linear unit.

    Parameters
    ----------
    size : int
        Of the vector.
    hidden : int
        What the fully connected layer makes of it.
    channels : int
        Of the 4×4 map.
    """

    def __init__(self, size: int, hidden: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, hidden)
        self.conv = nn.ConvTranspose2d(hidden, 2 * channels, 4, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, vector: Tensor) -> Tensor:
        """``(B, size)`` → ``(B, channels, 4, 4)``."""
        pixel = self.linear(vector)[:, :, None, None]
        return F.glu(cast(Tensor, self.norm(self.conv(pixel))), dim=1)


class GatedUp(nn.Module):
    """Nearest up-sampling ×2, 3×3 convolution, batch norm, gated linear unit.

    Half of the convolution's channels say how much of the other half passes (Dauphin et al. 2017).

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 2 * channels_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels_in, H, W)`` → ``(B, channels_out, 2 H, 2 W)``."""
        larger = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.glu(cast(Tensor, self.norm(self.conv(larger))), dim=1)
