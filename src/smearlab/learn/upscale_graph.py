"""Networks that make pictures larger, as their bundles have them: bytes in, bytes out."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from smearlab.learn.export import BundleGraph
from smearlab.learn.objectives import image_batch


class UpscaleGraph(BundleGraph):
    """Pictures of any size, enlarged and rounded to bytes."""

    outputs = ("upscaled",)
    dynamic: ClassVar[dict[int, str]] = {0: "pictures", 1: "height", 2: "width"}

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(N, H, W, 3)`` → uint8 ``(N, f H, f W, 3)``."""
        made = self.model(image_batch(pixels)).float().clamp(0, 1)
        # Rounded by adding a half: what is exactly between two levels goes up everywhere.
        levels = torch.floor(made * 255 + 0.5).to(torch.uint8)
        return (levels.permute(0, 2, 3, 1),)
