"""Few-shot GAN: an encoder, a light generator and a critic that are adapted to a few pictures.

Hazra (2022), section 3.6, Figures 31 to 34; the generator after FastGAN (Liu et al. 2021). The
encoder makes a vector of a picture: four residual blocks, a max-pool after each of the first
three, fully connected. The generator makes a picture of that vector and of noise: fully connected,
transposed convolution to 4×4, then up-sampling blocks with gated linear units. Skip-layer
excitation lets maps of 8² and 16² weigh the channels of those of 128² and 256². The critic has
three 3×3 convolutions, each with a 4×4 convolution behind it, with spectral normalisation, one 3×3
convolution and a fully connected layer.

The thesis prints neither channels nor strides, and 5.8 million parameters in all. At 256 px there
are 6,754,644 here: 855,584 of the encoder, 4,451,251 of the generator, 1,447,809 of the critic.
Means over 4×4 parts of the map go into the encoder's last layer: flattened, that layer alone would
have 16.8 million; means over all of it say nothing of where the cell's parts lie. The critic's
strides are those of Miyato et al. (2018), Table 3, whose layers it has: 3×3 convolutions keep the
size, 4×4 ones halve it, to 8×8; pictures above 64 px take more of these. A 3×3 convolution that
strides sees some pixels more often than others, and what learns from it draws a mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.fast_generator import FastGenerator, check_size
from smearlab.learn.nn.gated_up import GatedUp
from smearlab.learn.nn.picture_end import PictureSigmoid
from smearlab.learn.nn.residual_resize import ResidualResize
from smearlab.learn.nn.spectral import spectrally_normalised

#: Side of the critic's map from which it rebuilds a picture of four times that side.
_TOLD_PX = 8
#: Side of the map of means from which the encoder tells a vector.
_SEEN_PX = 4
_SLOPE, _SHARPNESS = 0.2, 10.0


@dataclass(frozen=True)
class FewShotConfig:
    """Sizes of the networks.

    Parameters
    ----------
    size_px : int
        Side of a picture: 16, 32, 64, 128 or 256.
    width : int
        Channels of the generator's map of 128², and of the first layers of the others; at least 2.
    features : int
        Length of the encoder's vector; 0 for a generator of noise alone, FastGAN's.
    noise : int
        Length of the noise vector, at least 1.
    rebuilds : bool
        Whether the critic also tells what it saw, in 32 px, from its map of 8² (FastGAN).
    shots : int
        Pictures that a generator with an encoder keeps, once it is adapted to them.

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    size_px: int = 256
    width: int = 32
    features: int = 128
    noise: int = 128
    rebuilds: bool = False
    shots: int = 0

    def __post_init__(self) -> None:
        check_size(self.size_px)
        for name, least in (("width", 2), ("features", 0), ("noise", 1), ("shots", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}; received {getattr(self, name)}")
        if self.rebuilds and self.size_px < 8 * _TOLD_PX:
            raise UsageError(
                f"a critic that rebuilds pictures needs size_px of at least {8 * _TOLD_PX}; "
                f"received {self.size_px}"
            )
        if self.shots and not self.features:
            raise UsageError(
                f"only a generator with features keeps shots; features is 0, shots {self.shots}"
            )

    @property
    def classes(self) -> int:
        """Types that one network makes: one."""
        return 1

    @property
    def latent_size(self) -> int:
        """Numbers that a picture follows from."""
        return self.noise + self.shots


class PictureEncoder(nn.Module):
    """What a picture shows, as a vector.

    Parameters
    ----------
    config : FewShotConfig
    """

    def __init__(self, config: FewShotConfig) -> None:
        super().__init__()
        w = config.width
        self.blocks = nn.Sequential(
            ResidualResize(3, w, raw=True),
            nn.MaxPool2d(2),
            ResidualResize(w, 2 * w),
            nn.MaxPool2d(2),
            ResidualResize(2 * w, 4 * w),
            nn.MaxPool2d(2),
            ResidualResize(4 * w, 4 * w),
        )
        self.head = nn.Linear(4 * w * _SEEN_PX**2, config.features)

    def forward(self, pictures: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [0, 1] → ``(B, features)``."""
        maps = self.blocks(2 * pictures - 1)
        seen = F.adaptive_avg_pool2d(torch.relu(maps), _SEEN_PX)
        return cast(Tensor, self.head(seen.flatten(1)))


class FewShotGenerator(nn.Module):
    """Encoder and generator together: pictures that resemble others, or of noise alone.

    As a generator of cells it makes them of a latent: noise, then a number for each of the
    ``shots`` pictures that it was adapted to. The softmax of ten times these numbers says how their
    vectors are mixed: mostly one of them, now and then two, and what lies between two latents
    leads smoothly from one to the other.

    Parameters
    ----------
    config : FewShotConfig, optional
        That of 256 px when left out.
    """

    shots: Tensor

    def __init__(self, config: FewShotConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FewShotConfig()
        self.latent_size, self.classes = config.latent_size, config.classes
        self.decoder = FastGenerator(config.size_px, config.width, config.features + config.noise)
        self.encoder = PictureEncoder(config) if config.features else None
        # Vectors of the shots, (shots, features); taken when the network goes into evaluation mode.
        # No buffer: it follows from the weights, and averages of weights must not average it.
        self.encoded = torch.zeros(0)
        if config.shots:
            side = config.size_px
            self.register_buffer(
                "shots", torch.zeros(config.shots, 3, side, side, dtype=torch.uint8)
            )

    def train(self, mode: bool = True) -> FewShotGenerator:
        """As every module; the shots are encoded when it is put into evaluation mode."""
        super().train(mode)
        if not mode and self.encoder is not None and self.config.shots:
            with torch.no_grad():
                self.encoded = self.encoder(self.shots.float() / 255)
        return self

    def make(self, noise: Tensor, pictures: Tensor | None = None) -> Tensor:
        """Make pictures while learning.

        Parameters
        ----------
        noise : Tensor, shape (m · B, noise)
            The first B vectors go with the pictures in order, and so do the next B.
        pictures : Tensor, shape (B, 3, S, S), optional
            In [0, 1]: what is encoded, once. Not looked at without an encoder.

        Returns
        -------
        Tensor, shape (m · B, 3, S, S)
            In [0, 1].
        """
        if self.encoder is None or pictures is None:
            return cast(Tensor, self.decoder(noise))
        features = self.encoder(pictures)
        again = features.repeat(len(noise) // len(pictures), 1)
        return cast(Tensor, self.decoder(torch.cat([again, noise], 1)))

    def forward(self, latent: Tensor, types: Tensor | None = None) -> Tensor:
        """Make pictures of latents, in evaluation mode.

        Parameters
        ----------
        latent : Tensor, shape (N, latent_size)
            Standard normal numbers.
        types : Tensor, optional
            Not looked at: there is one type.

        Returns
        -------
        Tensor, shape (N, 3, S, S)
            sRGB in [0, 1].
        """
        noise = latent[:, : self.config.noise]
        if self.encoder is None:
            return cast(Tensor, self.decoder(noise))
        shares = torch.softmax(_SHARPNESS * latent[:, self.config.noise :], dim=1)
        return cast(Tensor, self.decoder(torch.cat([shares @ self.encoded, noise], 1)))


class FewShotCritic(nn.Module):
    """Tells real pictures from generated ones; see the module's text.

    Beside an encoder the last two layers are not spectrally normalised, as the thesis has it: where
    made pictures stay close to those that were encoded, a critic whose logits are bounded cannot
    tell them apart by any margin. Without one all layers are (Miyato et al. 2018).

    Parameters
    ----------
    config : FewShotConfig, optional
        That of 256 px when left out.
    """

    def __init__(self, config: FewShotConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FewShotConfig()
        w, side = config.width, config.size_px
        layers = []
        for at, kept, halved in ((3, w, 2 * w), (2 * w, 2 * w, 4 * w), (4 * w, 4 * w, 4 * w)):
            layers += [nn.Conv2d(at, kept, 3, 1, 1), nn.Conv2d(kept, halved, 4, 2, 1)]
            side //= 2
        while side > _TOLD_PX:
            layers.append(nn.Conv2d(4 * w, 4 * w, 4, 2, 1))
            side //= 2
        self.layers = nn.ModuleList(layers)
        self.last = nn.Conv2d(4 * w, 8 * w, 3, padding=1)
        self.head = nn.Linear(8 * w * side * side, 1)
        spectrally_normalised(self.layers if config.features else self)
        self.rebuild = (
            nn.Sequential(
                GatedUp(4 * w, 2 * w),
                GatedUp(2 * w, w),
                nn.Conv2d(w, 3, 3, padding=1),
                PictureSigmoid(),
            )
            if config.rebuilds
            else None
        )

    def lower_layers(self, count: int) -> list[nn.Module]:
        """The first ``count`` convolutions, those next to the picture.

        Raises
        ------
        UsageError
            If there are not so many.
        """
        if not 0 <= count <= len(self.layers):
            raise UsageError(
                f"this critic has {len(self.layers)} lower layers; received {count} to freeze"
            )
        return list(self.layers[:count])

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        """Judge.

        Parameters
        ----------
        pictures : Tensor, shape (B, 3, S, S)
            In [0, 1].

        Returns
        -------
        logits : Tensor, shape (B, 1)
            High for real.
        rebuilt : Tensor, shape (B, 3, 32, 32), or None
            The picture as the critic's map tells it, in [0, 1].
        """
        x = 2 * pictures - 1
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
        rebuilt = None if self.rebuild is None else self.rebuild(x)
        x = F.leaky_relu(self.last(x), _SLOPE)
        return cast(Tensor, self.head(x.flatten(1))), rebuilt
