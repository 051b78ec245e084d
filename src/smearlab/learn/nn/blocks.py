"""Convolutional blocks shared by the models."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, ReLU.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    kernel : int
        Odd kernel size; "same" padding.
    stride : int
        1 or 2.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions around an identity (He et al. 2016, basic block).

    The second batch norm starts at zero, so a fresh block is the identity (of what is not
    negative: a ReLU ends it).

    Parameters
    ----------
    channels : int
        In and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same."""
        return torch.relu(x + self.second(self.first(x)))


def stage(channels_in: int, channels_out: int, blocks: int) -> nn.Sequential:
    """Halve the resolution, then residual blocks.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels before and after.
    blocks : int
        How many residual blocks; 0 gives the halving alone.
    """
    return nn.Sequential(
        ConvNorm(channels_in, channels_out, stride=2),
        *(ResidualBlock(channels_out) for _ in range(blocks)),
    )
