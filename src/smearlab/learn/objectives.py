"""What each kind of model is trained for: losses put together, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from smearlab.datasets.box_masks import IGNORE
from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.losses.boxes import side_giou
from smearlab.learn.losses.classification import cross_entropy, focal, multiclass_hinge
from smearlab.learn.losses.heat import centre_focal
from smearlab.learn.losses.maps import class_map_loss
from smearlab.learn.losses.pixels import bce, bce_dice, l1, l2

ClassificationLoss = Literal["cross_entropy", "hinge", "focal"]


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
    """A loss of types, for samples with ``pixels`` and ``target``.

    Parameters
    ----------
    label_smoothing : float
        Of the cross-entropy, in [0, 1).
    loss : {"cross_entropy", "hinge", "focal"}
        See :mod:`smearlab.learn.losses.classification`.
    class_weights : tuple of float, optional
        One above 0 for each class, in their order;
        :func:`~smearlab.learn.losses.classification.balanced_weights` makes them of counts.
    gamma : float
        Focusing of the focal loss, at least 0.
    margin : float
        Of the hinge loss, above 0.

    Raises
    ------
    UnknownNameError
        If there is no such loss.
    UsageError
        If a value lies outside its range, or belongs to another loss; when called, if a sample's
        class is none of the network's.
    """

    label_smoothing: float = 0.0
    loss: ClassificationLoss = "cross_entropy"
    class_weights: tuple[float, ...] | None = None
    gamma: float = 2.0
    margin: float = 1.0

    def __post_init__(self) -> None:
        if self.loss not in get_args(ClassificationLoss):
            raise UnknownNameError("loss", str(self.loss), get_args(ClassificationLoss))
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(
                f"label_smoothing must lie within [0, 1); received {self.label_smoothing}"
            )
        if self.label_smoothing and self.loss != "cross_entropy":
            raise UsageError(
                f"label_smoothing belongs to cross_entropy, the loss is {self.loss}: leave it 0"
            )
        if self.gamma < 0 or self.margin <= 0:
            raise UsageError(
                f"gamma must be at least 0 and margin above 0; received {self.gamma}, {self.margin}"
            )
        if self.class_weights is not None and not all(w > 0 for w in self.class_weights):
            raise UsageError(f"class_weights must be above 0; received {self.class_weights}")

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss and accuracy of a batch."""
        target = batch["target"]
        lowest, highest = (int(bound) for bound in target.aminmax())
        logits = model(image_batch(batch["pixels"])).float()
        classes = logits.shape[1]
        if lowest < 0 or highest >= classes:
            wrong = lowest if lowest < 0 else highest
            raise UsageError(
                f"a sample has the class number {wrong}, and the network has {classes} classes, 0 "
                f"to {classes - 1}: build it for the classes of the data, or leave that class out"
            )
        right = (logits.argmax(1) == target).float().mean()
        return {"loss": self._loss(logits, target), "accuracy": right}

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        weights = None
        if self.class_weights is not None:
            if len(self.class_weights) != logits.shape[1]:
                raise UsageError(
                    f"there are {len(self.class_weights)} class_weights, and the network has "
                    f"{logits.shape[1]} classes: give one for each"
                )
            weights = logits.new_tensor(self.class_weights)
        if self.loss == "hinge":
            return multiclass_hinge(logits, target, self.margin, weights)
        if self.loss == "focal":
            return focal(logits, target, self.gamma, weights)
        return cross_entropy(logits, target, self.label_smoothing, weights)


def foreground(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Binary cross-entropy of cell against background (paper A), unknown pixels left out."""
    logits = model(image_batch(batch["pixels"])).float()[:, 0]
    target = batch["element_map"]
    return {"loss": bce(logits, target > 0, target != IGNORE)}


@dataclass(frozen=True)
class ElementForeground:
    """Cross-entropy and Dice of one element, for samples of :mod:`smearlab.learn.element_samples`.

    Parameters
    ----------
    dice : float
        What Dice counts beside the cross-entropy, at least 0.

    Raises
    ------
    UsageError
        If it is negative.
    """

    dice: float = 1.0

    def __post_init__(self) -> None:
        if not self.dice >= 0:
            raise UsageError(f"dice must be at least 0; received {self.dice}")

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss of a batch, unknown pixels left out."""
        logits = model(image_batch(batch["pixels"]))
        mask, known = (batch[key].unsqueeze(1).float() for key in ("mask", "known"))
        return {"loss": bce_dice(logits, mask, known, self.dice)}


def upscaling_batch(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Small pictures and large ones as floats (B, 3, H, W) in [0, 1].

    Parameters
    ----------
    batch : mapping of str to Tensor
        ``pixels`` and ``target``, uint8 (B, H, W, 3).

    Raises
    ------
    UsageError
        If one is missing.
    """
    missing = {"pixels", "target"} - batch.keys()
    if missing:
        raise UsageError(
            f"enlarging is learned from samples with pixels and target; "
            f"{', '.join(sorted(missing))} is missing, there is {', '.join(batch)}"
        )
    return {name: image_batch(batch[name]) for name in ("pixels", "target")}


@dataclass(frozen=True)
class Upscaling:
    """Difference of pixels between an enlarged picture and its target: what SRResNet learns by.

    Parameters
    ----------
    loss : {"mse", "l1"}
        Mean squared or mean absolute difference, of values in [0, 1].

    Raises
    ------
    UnknownNameError
        If there is no such loss.
    """

    loss: Literal["mse", "l1"] = "mse"

    def __post_init__(self) -> None:
        if self.loss not in ("mse", "l1"):
            raise UnknownNameError("loss of pixels", str(self.loss), ("mse", "l1"))

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss of a batch with ``pixels`` and ``target``."""
        pictures = upscaling_batch(batch)
        found, target = model(pictures["pixels"]).float(), pictures["target"]
        return {"loss": l1(found, target) if self.loss == "l1" else l2(found, target)}
