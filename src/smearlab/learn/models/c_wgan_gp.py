"""C-WGAN-GP of the thesis: a generator of chosen types, a critic, and a classifier of its own.

Hazra (2022), section 3.5, Tables 10 to 12, for pictures of 128×128. Generator: latents and one-hot
type → dense layer to 64×32×32 → two residual blocks → 5×5 transposed convolution that doubles the
size → four blocks → another → two blocks → 5×5 transposed convolution to the picture. Critic and
classifier are alike: 5×5 convolution that halves the size, residual blocks 2, 4 and 4 with 2×2
average pooling after each group, dense layers of 128 and of 1 or the types. Each block has two 3×3
layers; leaky ReLU throughout.

Where tables and text leave it open or contradict each other:

- Table 10 gives the picture 64 channels; pictures have three, so the last layer has.
- The size of z is not said. With 88 (and eight types) the three networks have 9.7 million
  parameters, which is what Table 22 counts.
- No norm is named. The generator has batch norm, the critic none, as in WGAN-GP (Gulrajani et al.
  2017, section 4: a penalty on each picture's slope does not go with norms over a batch).
- Table 10 says "deconvolution" of stride 1 in the residual blocks: that is a convolution.
- Tables 11 and 12 name the input "(X, G(z, C))": real or generated pictures. Nothing of the type is
  told to the critic; the rivals' critics can be told it, by planes or by projection.
- A sigmoid brings pictures to [0, 1].

At 64×64 every side is half as long, and nothing else differs but the dense layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.checks import check_classes
from smearlab.learn.nn.picture_end import picture_sigmoid
from smearlab.learn.nn.residual_pictures import SLOPE, SumBlock, start_he
from smearlab.learn.nn.spectral import spectrally_normalised
from smearlab.learn.nn.strided_blocks import growing
from smearlab.learn.nn.type_planes import let_types_count, with_type_planes

Told = Literal["nothing", "planes", "projection"]


@dataclass(frozen=True)
class ResidualGeneratorConfig:
    """Sizes of the generator.

    Parameters
    ----------
    classes : int
        Two or more.
    size_px : int
        Side of the pictures, a multiple of 4.
    width : int
        Channels of all layers.
    latent_size : int
    blocks : tuple of int
        Residual blocks at a quarter, a half and the whole of the size; 0 leaves them out.

    Raises
    ------
    UsageError
        If a number lies outside its range.
    """

    classes: int = 8
    size_px: int = 128
    width: int = 64
    latent_size: int = 88
    blocks: tuple[int, int, int] = (2, 4, 2)

    def __post_init__(self) -> None:
        _check(self.classes, self.size_px, 4, self.width, self.blocks)
        if self.latent_size < 1:
            raise UsageError(f"latent_size must be at least 1; received {self.latent_size}")


@dataclass(frozen=True)
class ResidualCriticConfig:
    """Sizes of the critic, and of the classifier that is built like it.

    Parameters
    ----------
    classes : int
        Two or more.
    size_px : int
        Side of the pictures, a multiple of 16.
    width : int
        Channels of all convolutions.
    blocks : tuple of int
        Residual blocks at a half, a quarter and an eighth of the size.
    dense : int
        Values that the last layer sees.
    told : {"nothing", "planes", "projection"}
        How the critic learns the type: not at all; by a plane a type beside the colours (Mirza &
        Osindero 2014); by the inner product of its features with a vector a type (Miyato & Koyama
        2018).
    auxiliary : bool
        Whether it says the type as well (Odena et al. 2017).
    spectral : bool
        Whether all matrices are divided by their largest singular value.

    Raises
    ------
    UsageError
        If a number lies outside its range.
    UnknownNameError
        If there is no such way to tell the type.
    """

    classes: int = 8
    size_px: int = 128
    width: int = 64
    blocks: tuple[int, int, int] = (2, 4, 4)
    dense: int = 128
    told: Told = "nothing"
    auxiliary: bool = False
    spectral: bool = False

    def __post_init__(self) -> None:
        _check(self.classes, self.size_px, 16, self.width, self.blocks)
        if self.dense < 1:
            raise UsageError(f"dense must be at least 1; received {self.dense}")
        if self.told not in get_args(Told):
            raise UnknownNameError("way to tell the type", str(self.told), get_args(Told))


class ResidualGenerator(nn.Module):
    """Pictures of types out of latents; see the module's text.

    Parameters
    ----------
    config : ResidualGeneratorConfig, optional
        The thesis's sizes when left out.
    """

    def __init__(self, config: ResidualGeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ResidualGeneratorConfig()
        self.latent_size, self.classes = config.latent_size, config.classes
        width, self.first_px = config.width, config.size_px // 4
        self.dense = nn.Linear(config.latent_size + config.classes, width * self.first_px**2)
        layers: list[nn.Module] = []
        for group, number in enumerate(config.blocks):
            if group:
                layers += [*_rest(width), growing(width, width, 2)]
            layers += [SumBlock(width, norm=True) for _ in range(number)]
        self.layers = nn.Sequential(*layers, *_rest(width))
        self.head = growing(width, 3, 1)
        start_he(self)
        let_types_count(self.dense, config.classes)

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
        x: Tensor = self.dense(torch.cat([latent, types.to(latent.dtype)], 1))
        x = x.reshape(-1, self.config.width, self.first_px, self.first_px)
        return picture_sigmoid(self.head(self.layers(x)))


class _Trunk(nn.Module):
    """What critic and classifier share: pictures (N, C, S, S) → features (N, dense)."""

    def __init__(self, config: ResidualCriticConfig, planes: int = 0) -> None:
        super().__init__()
        width = config.width
        layers: list[nn.Module] = [nn.Conv2d(3 + planes, width, 5, 2, 2)]
        for number in config.blocks:
            layers += [SumBlock(width) for _ in range(number)]
            layers.append(nn.AvgPool2d(2))
        values = width * (config.size_px // 16) ** 2
        self.layers = nn.Sequential(
            *layers,
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(values, config.dense),
            nn.LeakyReLU(SLOPE),
        )
        start_he(self)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x))


class ResidualCritic(nn.Module):
    """A logit of a picture, and its type if that is asked; see the module's text.

    Parameters
    ----------
    config : ResidualCriticConfig, optional
        The thesis's sizes when left out.
    """

    def __init__(self, config: ResidualCriticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ResidualCriticConfig()
        self.trunk = _Trunk(config, config.classes if config.told == "planes" else 0)
        self.head = nn.Linear(config.dense, 1 + (config.classes if config.auxiliary else 0))
        self.embed = (
            nn.Linear(config.classes, config.dense, bias=False)
            if config.told == "projection"
            else None
        )
        if config.spectral:
            spectrally_normalised(self)

    def forward(self, pictures: Tensor, types: Tensor) -> Tensor:
        """Judge.

        Parameters
        ----------
        pictures : Tensor, shape (N, 3, S, S)
            sRGB in [0, 1].
        types : Tensor, shape (N, K)
            One-hot; not looked at if ``told`` is ``nothing``.

        Returns
        -------
        Tensor, shape (N, 1) or (N, 1 + K)
            The logit that a picture is real; after it, if ``auxiliary``, those of its type.
        """
        x = 2 * pictures - 1
        if self.config.told == "planes":
            x = with_type_planes(x, types)
        features = self.trunk(x)
        answer: Tensor = self.head(features)
        if self.embed is None:
            return answer
        fits = (self.embed(types.to(features.dtype)) * features).sum(1, keepdim=True)
        return torch.cat([answer[:, :1] + fits, answer[:, 1:]], 1)


class ResidualClassifier(nn.Module):
    """Types of pictures; see the module's text.

    Parameters
    ----------
    config : ResidualCriticConfig, optional
        The thesis's sizes when left out; what is said there of the critic alone is not looked at.
    """

    def __init__(self, config: ResidualCriticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ResidualCriticConfig()
        self.trunk = _Trunk(config)
        self.head = nn.Linear(config.dense, config.classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Type logits (N, K) of sRGB pictures (N, 3, S, S) in [0, 1]."""
        return cast(Tensor, self.head(self.trunk(2 * pictures - 1)))


def _rest(channels: int) -> list[nn.Module]:
    """What precedes a layer that is in no block."""
    return [nn.BatchNorm2d(channels), nn.LeakyReLU(SLOPE)]


def _check(
    classes: int, size_px: int, step_px: int, width: int, blocks: tuple[int, int, int]
) -> None:
    check_classes(classes)
    if size_px < step_px or size_px % step_px:
        raise UsageError(f"size_px must be a multiple of {step_px}; received {size_px}")
    if width < 1:
        raise UsageError(f"width must be at least 1; received {width}")
    if len(blocks) != 3 or min(blocks) < 0:
        raise UsageError(f"blocks takes three numbers, none below 0; received {blocks}")
