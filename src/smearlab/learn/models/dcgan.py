"""DCGAN of paper C: white cells out of noise, one type a network, or all types in one.

Jung et al. (2021), section 3.7. The text names layers and two totals only; sizes follow from those.

Generator, 2,780,099 parameters: a dense layer from 100 latents to 8×8×256, batch norm over each of
its 16,384 values, then six 5×5 transposed convolutions (128, 64, 32, 16, 8, 3), each but the last
with batch norm and ReLU. Four of the six double the size. The paper does not say which: here the
first four, so that the last two smooth what the others have doubled. Dropout follows the dense
block; the place is not said either. A sigmoid ends it.

Discriminator, 69,878,401 parameters: six 5×5 convolutions (64 to 2048) with leaky ReLU (0.2) and
dropout, a dense layer to a logit; its sigmoid is in the loss. The first five halve the size.

The conditional variant joins the type, one-hot, to the latents, and shows it to the discriminator
as one even plane a type beside the picture (Mirza & Osindero 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_dropout
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.picture_end import PictureSigmoid
from smearlab.learn.nn.picture_norm import PictureNorm, Statistics
from smearlab.learn.nn.strided_blocks import growing
from smearlab.learn.nn.type_planes import let_types_count, with_type_planes

#: Sides that the generator's dense layer begins with and the discriminator's ends with, px.
_FIRST_PX, _LAST_PX = 8, 4
_SLOPE = 0.2


@dataclass(frozen=True)
class DCGANGeneratorConfig:
    """Sizes of the generator.

    Parameters
    ----------
    classes : int
        1: the types are not looked at. More: they are joined to the latents.
    size_px : int
        Side of the pictures, 8 times a power of two.
    latent_size : int
        At least 1.
    widths : tuple of int
        Channels of the dense layer and of all convolutions but the last.
    dropout : float
        Share that is dropped after the dense block, in [0, 1). The paper's 0.6 is read as the
        share that is kept, as W-Net's is.
    statistics : {"own", "running"}
        What batch norms go by in evaluation, see
        :class:`smearlab.learn.nn.picture_norm.PictureNorm`: ``own`` suits the paper's batch of
        one, ``running`` larger ones.

    Raises
    ------
    UsageError
        If a number lies outside its range, or there are too few convolutions for the size.
    """

    classes: int = 1
    size_px: int = 128
    latent_size: int = 100
    widths: tuple[int, ...] = (256, 128, 64, 32, 16, 8)
    dropout: float = 0.4
    statistics: Statistics = "own"

    def __post_init__(self) -> None:
        _check(self.classes, self.widths)
        if self.latent_size < 1:
            raise UsageError(f"latent_size must be at least 1; received {self.latent_size}")
        check_dropout(self.dropout)
        _halvings(self.size_px, _FIRST_PX, len(self.widths))


@dataclass(frozen=True)
class DCGANDiscriminatorConfig:
    """Sizes of the discriminator.

    Parameters
    ----------
    classes : int
        1: the types are not looked at. More: each has a plane beside the picture.
    size_px : int
        Side of the pictures, 4 times a power of two.
    widths : tuple of int
        Channels of the convolutions.
    dropout : float
        Share that is dropped after each, in [0, 1).

    Raises
    ------
    UsageError
        If a number lies outside its range, or there are too few convolutions for the size.
    """

    classes: int = 1
    size_px: int = 128
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    dropout: float = 0.4

    def __post_init__(self) -> None:
        _check(self.classes, self.widths)
        check_dropout(self.dropout)
        _halvings(self.size_px, _LAST_PX, len(self.widths))


class DCGANGenerator(nn.Module):
    """Pictures out of latents; see the module's text.

    Parameters
    ----------
    config : DCGANGeneratorConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: DCGANGeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DCGANGeneratorConfig()
        self.latent_size, self.classes = config.latent_size, config.classes
        told = config.classes if config.classes > 1 else 0
        first = config.widths[0] * _FIRST_PX**2
        self.dense = nn.Linear(config.latent_size + told, first)
        self.dense_norm = PictureNorm(first, config.statistics)
        self.dropout = nn.Dropout(config.dropout)
        doublings = _halvings(config.size_px, _FIRST_PX, len(config.widths))
        layers: list[nn.Module] = []
        for n, (a, b) in enumerate(pairwise((*config.widths, 3))):
            layers.append(growing(a, b, 2 if n < doublings else 1))
            if n + 1 < len(config.widths):
                layers += [PictureNorm(b, config.statistics), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, PictureSigmoid())
        start_normal(self)
        let_types_count(self.dense, told)

    def forward(self, latent: Tensor, types: Tensor) -> Tensor:
        """Generate.

        Parameters
        ----------
        latent : Tensor, shape (N, Z)
            Standard normal.
        types : Tensor, shape (N, K)
            One-hot; not looked at where K is 1.

        Returns
        -------
        Tensor, shape (N, 3, S, S)
            sRGB in [0, 1].
        """
        if self.classes > 1:
            latent = torch.cat([latent, types.to(latent.dtype)], 1)
        x = self.dense_norm(self.dense(latent)[:, :, None, None])
        x = self.dropout(torch.relu(x))
        return cast(Tensor, self.layers(x.reshape(-1, self.config.widths[0], _FIRST_PX, _FIRST_PX)))


class DCGANDiscriminator(nn.Module):
    """A logit of a picture; see the module's text.

    Parameters
    ----------
    config : DCGANDiscriminatorConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: DCGANDiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DCGANDiscriminatorConfig()
        halvings = _halvings(config.size_px, _LAST_PX, len(config.widths))
        told = config.classes if config.classes > 1 else 0
        layers: list[nn.Module] = []
        for n, (a, b) in enumerate(pairwise((3 + told, *config.widths))):
            layers += [
                nn.Conv2d(a, b, 5, 2 if n < halvings else 1, 2),
                nn.LeakyReLU(_SLOPE, inplace=True),
                nn.Dropout(config.dropout),
            ]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(config.widths[-1] * _LAST_PX**2, 1)
        start_normal(self)

    def forward(self, pictures: Tensor, types: Tensor) -> Tensor:
        """Judge.

        Parameters
        ----------
        pictures : Tensor, shape (N, 3, S, S)
            sRGB in [0, 1].
        types : Tensor, shape (N, K)
            One-hot; not looked at where K is 1.

        Returns
        -------
        Tensor, shape (N, 1)
            Logits that pictures are real.
        """
        x = 2 * pictures - 1
        if self.config.classes > 1:
            x = with_type_planes(x, types)
        return cast(Tensor, self.head(self.layers(x)))


def _check(classes: int, widths: tuple[int, ...]) -> None:
    if classes < 1:
        raise UsageError(f"classes must be at least 1; received {classes}")
    if not widths or min(widths) < 1:
        raise UsageError(f"widths needs one or more positive numbers; received {widths}")


def _halvings(size_px: int, least_px: int, layers: int) -> int:
    """How often a side is halved down to the least one."""
    times = max(0, (size_px // least_px).bit_length() - 1)
    if size_px != least_px << times or times > layers:
        raise UsageError(
            f"size_px must be {least_px} times a power of two, at most {least_px << layers} with "
            f"{layers} widths; received {size_px}"
        )
    return times
