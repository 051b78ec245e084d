"""What each kind of model is trained for: losses put together, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.datasets.box_masks import IGNORE
from smearlab.learn.losses.boxes import side_giou
from smearlab.learn.losses.heat import centre_focal
from smearlab.learn.losses.maps import class_map_loss


def image_batch(pixels: Tensor) -> Tensor:
    """uint8 ``(B, H, W, 3)`` → float ``(B, 3, H, W)`` in [0, 1], channels last in memory."""
    return (pixels.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)


def cell_centres(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Heat + 2 · boxes + pixel classes, for samples of ``centre_targets``."""
    heat, sides, classes = model(image_batch(batch["pixels"]))
    parts = {
        "heat": centre_focal(heat, batch["heat"], batch["heat_weight"]),
        "box": side_giou(sides, batch["sides"], batch["sides_weight"]),
        "map": class_map_loss(classes, batch["classes"].long()),
    }
    return {"loss": parts["heat"] + 2 * parts["box"] + parts["map"], **parts}


@dataclass(frozen=True)
class Classification:
    """Cross-entropy of types, for samples with ``pixels`` and ``target``.

    Parameters
    ----------
    label_smoothing : float
        In [0, 1).
    """

    label_smoothing: float = 0.0

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss and accuracy of a batch."""
        logits = model(image_batch(batch["pixels"])).float()
        loss = F.cross_entropy(logits, batch["target"], label_smoothing=self.label_smoothing)
        right = (logits.argmax(1) == batch["target"]).float().mean()
        return {"loss": loss, "accuracy": right}


def foreground(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Binary cross-entropy of cell against background (paper A), unknown pixels left out."""
    logits = model(image_batch(batch["pixels"])).float()[:, 0]
    target = batch["element_map"]
    known = (target != IGNORE).float()
    loss = F.binary_cross_entropy_with_logits(logits, (target > 0).float(), known, reduction="sum")
    return {"loss": loss / known.sum().clamp(min=1)}
