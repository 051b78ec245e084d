"""Colour normalisation as the first layer, so that it travels with the network into its bundle."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Mean and standard deviation of ImageNet's red, green and blue: most published weights expect it.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: What the weights of the Inception family expect: [0, 1] → [-1, 1].
SYMMETRIC = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

#: Mean and standard deviation, each of red, green and blue.
Colours = tuple[tuple[float, float, float], tuple[float, float, float]]
_LEAST_DEVIATION = 1e-3  # of [0, 1]: a quarter of a grey level


class Normalise(nn.Module):
    """Subtract a mean and divide by a standard deviation, channel by channel.

    Nothing of it is in a state dict: it is part of the architecture.

    Parameters
    ----------
    colours : (mean, std)
        Each three numbers for sRGB in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(self, colours: Colours = IMAGENET) -> None:
        super().__init__()
        for name, values in zip(("mean", "std"), colours, strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, H, W)`` → the same."""
        return (x - self.mean) / self.std


class OwnNormalise(nn.Module):
    """Subtract a picture's own mean and divide by its own standard deviation.

    Over all pixels and channels together, so that hues stay apart and lamps and cameras count less.
    A picture of one even colour becomes zero.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, H, W)`` → the same."""
        centred = x - x.mean((1, 2, 3), keepdim=True)
        deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
        return centred / deviation.clamp(min=_LEAST_DEVIATION)
