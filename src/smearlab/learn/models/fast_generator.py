"""FastGAN's generator (Liu et al. 2021): of a vector alone, or of latents and a type.

A fully connected layer and a transposed convolution make a map of 4×4, blocks of gated linear units
double it up to the picture, with fewer channels the larger it gets; skip-layer excitation lets maps
of 4² to 16² weigh the channels of those that are sixteen times as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes
from smearlab.learn.nn.gated_up import GatedStart, GatedUp
from smearlab.learn.nn.picture_end import picture_sigmoid
from smearlab.learn.nn.skip_excitation import SkipExcitation

#: Channels of the maps by their side, in widths (Liu et al. 2021, as published).
_MULTIPLES = {4: 16.0, 8: 8.0, 16: 4.0, 32: 2.0, 64: 2.0, 128: 1.0, 256: 0.5}
#: A map excites the one that is so many times as large.
_LEAP = 16


def check_size(size_px: int) -> None:
    """Refuse a side that the generator does not make.

    Raises
    ------
    UsageError
        If it is none of 16, 32, 64, 128 and 256.
    """
    sizes = [size for size in _MULTIPLES if size >= 16]
    if size_px not in sizes:
        raise UsageError(f"size_px must be one of {', '.join(map(str, sizes))}; received {size_px}")


class FastGenerator(nn.Module):
    """Pictures of vectors; see the module's text.

    Parameters
    ----------
    size_px : int
        Side of a picture, see :func:`check_size`.
    width : int
        Channels of the map of 128².
    vector : int
        Length of the vector.
    classes : int
        Types that all norms are told; 0 for none.
    """

    def __init__(self, size_px: int, width: int, vector: int, classes: int = 0) -> None:
        super().__init__()
        sides = [side for side in _MULTIPLES if side <= size_px]
        channels = {side: max(1, round(_MULTIPLES[side] * width)) for side in sides}
        self.start = GatedStart(vector, 2 * width, channels[4], classes)
        self.ups = nn.ModuleList(
            GatedUp(channels[low], channels[high], classes) for low, high in pairwise(sides)
        )
        # The two finest maps are excited, as far as there is one to excite them.
        self.skips = nn.ModuleDict(
            {
                str(side): SkipExcitation(channels[side // _LEAP], channels[side])
                for side in sides[-2:]
                if side // _LEAP in channels
            }
        )
        self.to_picture = nn.Conv2d(channels[size_px], 3, 3, padding=1)

    def forward(self, vector: Tensor, types: Tensor | None = None) -> Tensor:
        """``(B, vector)``, and types ``(B, classes)`` if told → ``(B, 3, S, S)`` in [0, 1]."""
        x = self.start(vector, types)
        maps = {4: x}
        for n, up in enumerate(self.ups):
            side = 8 << n
            x = up(x, types)
            if str(side) in self.skips:
                x = self.skips[str(side)](maps[side // _LEAP], x)
            maps[side] = x
        return picture_sigmoid(self.to_picture(x))


@dataclass(frozen=True)
class TypedFastConfig:
    """Sizes of a generator of chosen types.

    Parameters
    ----------
    classes : int
        Two or more.
    size_px : int
        Side of the pictures: 16, 32, 64, 128 or 256.
    width : int
        Channels of the map of 128²; at least 2.
    latent_size : int
        At least 1.

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    classes: int = 8
    size_px: int = 64
    width: int = 16
    latent_size: int = 88

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_size(self.size_px)
        for name, least in (("width", 2), ("latent_size", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}; received {getattr(self, name)}")


class TypedFastGenerator(nn.Module):
    """Pictures of types out of latents: the type is joined to them, and told to all norms.

    Parameters
    ----------
    config : TypedFastConfig, optional
        Eight types, 64 px when left out.
    """

    def __init__(self, config: TypedFastConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TypedFastConfig()
        self.latent_size, self.classes = config.latent_size, config.classes
        self.decoder = FastGenerator(
            config.size_px, config.width, config.latent_size + config.classes, config.classes
        )

    def forward(self, latent: Tensor, types: Tensor) -> Tensor:
        """Generate.

        Parameters
        ----------
        latent : Tensor, shape (N, Z)
            Standard normal.
        types : Tensor, shape (N, K)
            One-hot.

        Returns
        -------
        Tensor, shape (N, 3, S, S)
            sRGB in [0, 1].
        """
        types = types.to(latent.dtype)
        return cast(Tensor, self.decoder(torch.cat([latent, types], 1), types))
