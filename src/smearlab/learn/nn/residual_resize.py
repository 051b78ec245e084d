"""Residual blocks that keep, double or halve the size of a map."""

from __future__ import annotations

from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UnknownNameError

Norm = Literal["none", "batch", "instance"]
Resize = Literal["none", "up", "down"]


def _norm_of(norm: Norm, channels: int) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels, affine=True) if norm == "instance" else nn.Identity()


class ResidualResize(nn.Module):
    """Norm, ReLU, 3×3 convolution, and again, beside a 1×1 convolution (He et al. 2016b).

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    norm : {"none", "batch", "instance"}
    resize : {"none", "up", "down"}
        ``up`` doubles the size by nearest neighbours before the first convolution, ``down`` halves
        it by averages after the second.
    raw : bool
        The block takes pictures: neither norm nor ReLU comes before its first convolution.

    Raises
    ------
    UnknownNameError
        If a word is none of these.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        norm: Norm = "batch",
        resize: Resize = "none",
        raw: bool = False,
    ) -> None:
        super().__init__()
        for kind, word, known in (
            ("norm", norm, get_args(Norm)),
            ("resize", resize, get_args(Resize)),
        ):
            if word not in known:
                raise UnknownNameError(kind, str(word), known)
        self.resize, bias = resize, norm == "none"
        self.before = (
            nn.Identity() if raw else nn.Sequential(_norm_of(norm, channels_in), nn.ReLU())
        )
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias)
        self.between = nn.Sequential(_norm_of(norm, channels_out), nn.ReLU())
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.shortcut = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Conv2d(channels_in, channels_out, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels_in, H, W)`` → ``(B, channels_out, H', W')``."""
        inner = self.before(x)
        if self.resize == "up":
            inner = F.interpolate(inner, scale_factor=2.0, mode="nearest")
        inner = self.second(self.between(self.first(inner)))
        # A 1×1 convolution and nearest neighbours may change places: this order is the cheaper.
        beside = self.shortcut(x)
        if self.resize == "up":
            beside = F.interpolate(beside, scale_factor=2.0, mode="nearest")
        both: Tensor = inner + beside
        return F.avg_pool2d(both, 2) if self.resize == "down" else both
