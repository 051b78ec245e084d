"""Parts of plain convolutional networks: no batch norm, no shortcuts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

#: Convolutions in each of the five groups of VGG, by number of weight layers; the original paper's
#: configurations D and E (Simonyan & Zisserman 2015, Table 1).
VGG_GROUPS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_VGG_WIDTHS = (64, 128, 256, 512, 512)


def conv_pool(channels_in: int, channels_out: int, dropout: float = 0.0) -> nn.Sequential:
    """3×3 convolution that keeps the size, ReLU, 2×2 max-pooling, dropout.

    The maximum is taken before ReLU: the same numbers for a quarter of the work.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    dropout : float
        Share of numbers dropped, in [0, 1); 0 leaves the layer out.
    """
    layers = [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []))


def dense(widths: Sequence[int], dropout: float = 0.0) -> nn.Sequential:
    """Fully connected layers, each with ReLU and dropout.

    Parameters
    ----------
    widths : sequence of int
        Width of the input, then of each layer.
    dropout : float
        See :func:`conv_pool`.
    """
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers)


def vgg_features(depth: int) -> nn.Sequential:
    """The convolutions and pools of VGG; the output is 1/32 of the input's size.

    The layers are numbered as in torchvision, so that its weight files fit.

    Parameters
    ----------
    depth : {16, 19}
        Weight layers of the whole VGG, its three dense layers included.

    Returns
    -------
    Sequential
        ``(B, 3, H, W)`` → ``(B, 512, H // 32, W // 32)``.
    """
    layers: list[nn.Module] = []
    channels = 3
    for number, width in zip(VGG_GROUPS[depth], _VGG_WIDTHS, strict=True):
        for _ in range(number):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def vgg_stage_starts(depth: int) -> tuple[str, ...]:
    """Names of the first convolutions of groups 2 to 5 inside ``features``.

    Parameters
    ----------
    depth : {16, 19}
        See :func:`vgg_features`.
    """
    starts, index = [], 0
    for number in VGG_GROUPS[depth][:-1]:
        index += 2 * number + 1
        starts.append(f"features.{index}")
    return tuple(starts)
