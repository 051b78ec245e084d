"""Residual blocks of networks that make or judge pictures: the sum is never cut off."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn

#: Slope of leaky ReLUs.
SLOPE = 0.2


class SumBlock(nn.Module):
    """Two 3×3 convolutions, each after a leaky ReLU, around an identity (He et al. 2016b).

    A transposed convolution of stride 1 is a convolution with its kernel turned, so that the block
    stands for one of "deconvolutional layers", too.

    Parameters
    ----------
    channels : int
        In and out.
    norm : bool
        Whether batch norm precedes each leaky ReLU; convolutions have biases where it does not.
    """

    def __init__(self, channels: int, *, norm: bool = False) -> None:
        super().__init__()
        self.norm = norm
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels)] if norm else []
            layers += [nn.LeakyReLU(SLOPE), nn.Conv2d(channels, channels, 3, 1, 1, bias=not norm)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` → the same."""
        added: Tensor = self.layers(x)
        return x + added


def start_he(model: nn.Module) -> nn.Module:
    """Draw kernels and matrices so that leaky ReLUs keep the variance; biases begin at zero.

    He et al. (2015), equation 15, with the inputs of a transposed convolution counted as those of
    one. Blocks without norm add less the more there are, so that their sum does not grow: the last
    weights of each are divided by the root of their number.

    Parameters
    ----------
    model : Module
        Changed in place.

    Returns
    -------
    Module
        The same.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            turned = isinstance(module, nn.ConvTranspose2d)
            mode: Literal["fan_in", "fan_out"] = "fan_out" if turned else "fan_in"
            nn.init.kaiming_normal_(module.weight, SLOPE, mode, "leaky_relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    blocks = [module for module in model.modules() if isinstance(module, SumBlock)]
    with torch.no_grad():
        for block in blocks:
            if not block.norm:
                cast(nn.Conv2d, block.layers[-1]).weight.mul_(len(blocks) ** -0.5)
    return model
