"""Networks that segment one element, as their bundles have them: a probability and a picture."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.export import BundleGraph
from smearlab.learn.models.rwp_discriminator import RWPDiscriminator, RWPDiscriminatorConfig
from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.models.unet import UNet, UNetConfig
from smearlab.learn.objectives import image_batch
from smearlab.segment.segmented_picture import CERTAIN


class GeneratedGraph(BundleGraph):
    """A generator of segmented pictures; a pixel is the element's where the picture is bright."""

    outputs = ("classes", "segmented")
    dynamic: ClassVar[dict[int, str]] = {}

    def forward(self, pixels: Tensor, keep: Tensor | None = None) -> tuple[Tensor, ...]:
        """uint8 ``(N, S, S, 3)`` → probabilities ``(N, S, S, 2)``, picture ``(N, S, S, 3)``.

        ``keep`` are factors of dropout, see :class:`smearlab.learn.models.rwp_generator`.
        """
        made = self.model(image_batch(pixels), keep)
        element = (made.amax(1) / CERTAIN).clamp(0, 1)
        return torch.stack([1 - element, element], dim=-1), made.permute(0, 2, 3, 1)


class MaskedGraph(BundleGraph):
    """A foreground network; the picture is that which was given where the mask is."""

    outputs = ("classes", "segmented")
    dynamic: ClassVar[dict[int, str]] = {}

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(N, S, S, 3)`` → probabilities ``(N, S, S, 2)``, picture ``(N, S, S, 3)``."""
        x = image_batch(pixels)
        element = self.model(x).sigmoid()
        shown = (x * (element > 0.5)).permute(0, 2, 3, 1)
        element = element[:, 0]
        return torch.stack([1 - element, element], dim=-1), shown


def build_network(config: RWPGeneratorConfig | UNetConfig) -> nn.Module:
    """The network of a configuration, with fresh weights."""
    return UNet(config) if isinstance(config, UNetConfig) else RWPGenerator(config)


def build_critic(config: RWPDiscriminatorConfig | None) -> nn.Module:
    """The critic of a configuration, with fresh weights.

    Raises
    ------
    UsageError
        If there is none.
    """
    if config is None:
        raise UsageError("this recipe has no critic: it learns without an opponent")
    return RWPDiscriminator(config)


def graph_of(model: nn.Module) -> BundleGraph:
    """A generator or a foreground network as its bundle has it."""
    return MaskedGraph(model) if isinstance(model, UNet) else GeneratedGraph(model)
