"""Batch norm whose scale and shift follow from the type."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class TypedBatchNorm(nn.Module):
    """Conditional batch norm (de Vries et al. 2017; in a GAN, Miyato & Koyama 2018).

    The statistics are those of all types together. Every type begins with a scale of 1 and a shift
    of 0.

    Parameters
    ----------
    channels : int
    classes : int
        Types, at least 1.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.of_type = nn.Linear(classes, 2 * channels)
        nn.init.zeros_(self.of_type.weight)
        with torch.no_grad():
            self.of_type.bias.copy_(torch.arange(2 * channels) < channels)

    def forward(self, x: Tensor, types: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        x : Tensor, shape (B, channels, H, W)
        types : Tensor, shape (B, classes)
            One-hot, or shares.

        Returns
        -------
        Tensor, shape (B, channels, H, W)
        """
        scale, shift = self.of_type(types.to(x.dtype))[:, :, None, None].chunk(2, 1)
        return cast(Tensor, self.norm(x) * scale + shift)
