"""Blocks of FastGAN's generator: gated linear units from a vector to larger and larger maps."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.learn.nn.typed_norm import TypedBatchNorm


class _Gated(nn.Module):
    """Batch norm and gated linear unit: half of the channels say how much of the others passes.

    Dauphin et al. (2017). With types, the norm is told them.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.norm: nn.Module = (
            TypedBatchNorm(2 * channels, classes) if classes else nn.BatchNorm2d(2 * channels)
        )

    def gate(self, x: Tensor, types: Tensor | None) -> Tensor:
        """``(B, 2 channels, H, W)`` → ``(B, channels, H, W)``."""
        return F.glu(cast(Tensor, self.norm(x, types) if self.classes else self.norm(x)), dim=1)


class GatedStart(_Gated):
    """Fully connected layer, 4×4 transposed convolution, batch norm, gated linear unit.

    Parameters
    ----------
    size : int
        Of the vector.
    hidden : int
        What the fully connected layer makes of it.
    channels : int
        Of the 4×4 map.
    classes : int
        Types that the norm is told; 0 for none.
    """

    def __init__(self, size: int, hidden: int, channels: int, classes: int = 0) -> None:
        super().__init__(channels, classes)
        self.linear = nn.Linear(size, hidden)
        self.conv = nn.ConvTranspose2d(hidden, 2 * channels, 4, bias=False)

    def forward(self, vector: Tensor, types: Tensor | None = None) -> Tensor:
        """``(B, size)``, and types ``(B, classes)`` if there are any → ``(B, channels, 4, 4)``."""
        return self.gate(self.conv(self.linear(vector)[:, :, None, None]), types)


class GatedUp(_Gated):
    """Nearest up-sampling ×2, 3×3 convolution, batch norm, gated linear unit.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    classes : int
        Types that the norm is told; 0 for none.
    """

    def __init__(self, channels_in: int, channels_out: int, classes: int = 0) -> None:
        super().__init__(channels_out, classes)
        self.conv = nn.Conv2d(channels_in, 2 * channels_out, 3, padding=1, bias=False)

    def forward(self, x: Tensor, types: Tensor | None = None) -> Tensor:
        """``(B, channels_in, H, W)`` → ``(B, channels_out, 2 H, 2 W)``; types as at the start."""
        larger = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.gate(self.conv(larger), types)
