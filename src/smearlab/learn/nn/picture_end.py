"""How a generator ends: its picture, in 32 bits in every arithmetic.

In bf16 the numbers next to 1 are 1/256 apart. The slope of a tanh or a sigmoid follows from its own
answer, so a pixel that is nearly black (tanh) or white (both) would have none, and never change
again.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def picture_tanh(x: Tensor) -> Tensor:
    """Any number to (-1, 1).

    Parameters
    ----------
    x : Tensor
        Of any arithmetic.

    Returns
    -------
    Tensor
        float32.
    """
    return torch.tanh(x.float())


def picture_sigmoid(x: Tensor) -> Tensor:
    """Any number to (0, 1).

    Parameters
    ----------
    x : Tensor
        Of any arithmetic.

    Returns
    -------
    Tensor
        float32.
    """
    return torch.sigmoid(x.float())


class PictureSigmoid(nn.Module):
    """:func:`picture_sigmoid` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Any number to (0, 1), float32."""
        return picture_sigmoid(x)
