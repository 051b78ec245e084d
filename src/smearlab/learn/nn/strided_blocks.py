"""Blocks that halve, double or keep the size: 4×4 convolutions, and a transposed one of 5×5."""

from __future__ import annotations

from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UnknownNameError
from smearlab.learn.nn.picture_norm import PictureNorm, Statistics

#: ``batch``: see :class:`smearlab.learn.nn.picture_norm.PictureNorm`; ``instance``: every picture
#: by its own statistics, always (CycleGAN).
Norm = Literal["none", "batch", "instance"]
_SLOPE = 0.2


def norm_of(norm: Norm, channels: int, statistics: Statistics = "own") -> nn.Module | None:
    """The layer that a block normalises with; None for none.

    Parameters
    ----------
    norm : {"none", "batch", "instance"}
    channels : int
    statistics : {"own", "running"}
        Of batch norms.

    Raises
    ------
    UnknownNameError
        If there is no such norm.
    """
    if norm not in get_args(Norm):
        raise UnknownNameError("norm", str(norm), get_args(Norm))
    if norm == "none":
        return None
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return PictureNorm(channels, statistics)


class Down(nn.Sequential):
    """4×4 convolution, norm, leaky ReLU.

    The convolution has a bias only if no norm follows and it is asked for.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    norm : {"none", "batch", "instance"}
    stride : int
        2 halves the size; 1 makes it one pixel smaller.
    bias : bool
        Whether a convolution without norm has a bias.
    statistics : {"own", "running"}
        See :class:`smearlab.learn.nn.picture_norm.PictureNorm`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        norm: Norm = "batch",
        stride: int = 2,
        bias: bool = False,
        statistics: Statistics = "own",
    ) -> None:
        between = norm_of(norm, channels_out, statistics)
        has_bias = bias and between is None
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 4, stride, 1, bias=has_bias),
            *([] if between is None else [between]),
            nn.LeakyReLU(_SLOPE, inplace=True),
        )


class Up(nn.Module):
    """4×4 transposed convolution that doubles the size, norm, dropout, ReLU.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    norm : {"none", "batch", "instance"}
    dropout : float
        Share of values dropped, in [0, 1).
    statistics : {"own", "running"}
        See :class:`smearlab.learn.nn.picture_norm.PictureNorm`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        norm: Norm = "batch",
        dropout: float = 0.0,
        statistics: Statistics = "own",
    ) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(channels_in, channels_out, 4, 2, 1, bias=norm == "none")
        self.norm = norm_of(norm, channels_out, statistics) or nn.Identity()
        self.dropout = dropout

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Double the size.

        Parameters
        ----------
        x : Tensor, shape (B, channels_in, H, W)
        keep : Tensor, shape (B, channels_out, 2 H, 2 W), optional
            What values are multiplied with in the place of dropout's chance.

        Returns
        -------
        Tensor, shape (B, channels_out, 2 H, 2 W)
        """
        x = cast(Tensor, self.norm(self.conv(x)))
        if keep is not None:
            x = x * keep
        elif self.dropout:
            x = F.dropout(x, self.dropout, self.training)
        return torch.relu(x)


def growing(channels_in: int, channels_out: int, stride: int) -> nn.ConvTranspose2d:
    """A 5×5 transposed convolution that multiplies the size.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    stride : int
        2 doubles the size, 1 keeps it.
    """
    return nn.ConvTranspose2d(channels_in, channels_out, 5, stride, 2, output_padding=stride - 1)
