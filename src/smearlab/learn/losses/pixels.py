"""Losses of pictures against pictures, and of one logit a pixel."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from smearlab.learn.losses.maps import soft_dice


def l1(found: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of all values (Khan et al. 2024, eq. 2).

    Parameters
    ----------
    found, target : Tensor
        Of one shape.

    Returns
    -------
    Tensor, shape ()
        float32.
    """
    return F.l1_loss(found.float(), target.float())


def l1_within(found: Tensor, target: Tensor, where: Tensor) -> Tensor:
    """Mean absolute difference over a part of the pixels.

    Parameters
    ----------
    found, target : Tensor, shape (B, C, H, W)
    where : Tensor, shape (B, 1, H, W)
        True, or 1, where the difference counts.

    Returns
    -------
    Tensor, shape ()
        float32; 0 where nothing counts.
    """
    apart = (found.float() - target.float()).abs().mean(1, keepdim=True)
    return (apart * where).sum() / where.sum().clamp(min=1)


def l2(found: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of all values.

    Parameters
    ----------
    found, target : Tensor
        Of one shape.

    Returns
    -------
    Tensor, shape ()
        float32.
    """
    return F.mse_loss(found.float(), target.float())


def bce(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, a mean over the pixels that are known.

    Parameters
    ----------
    logits, target : Tensor
        Of one shape; targets lie in [0, 1].
    known : Tensor, optional
        Of the same shape, 0 where nothing is known.

    Returns
    -------
    Tensor, shape ()
        float32; 0 where nothing is known.
    """
    logits, target = logits.float(), target.float()
    known = target.new_ones(target.shape) if known is None else known.float()
    entropy = F.binary_cross_entropy_with_logits(logits, target, known, reduction="sum")
    return entropy / known.sum().clamp(min=1)


def bce_dice(
    logits: Tensor, target: Tensor, known: Tensor | None = None, dice_weight: float = 1.0
) -> Tensor:
    """Binary cross-entropy (:func:`bce`) plus soft Dice of one foreground class.

    Parameters
    ----------
    logits, target : Tensor, shape (B, 1, H, W)
        Targets lie in [0, 1].
    known : Tensor, shape (B, 1, H, W), optional
        0 where nothing is known.
    dice_weight : float
        Of the Dice term, which is :func:`~smearlab.learn.losses.maps.soft_dice`; the weight of the
        cross-entropy is 1.

    Returns
    -------
    Tensor, shape ()
        float32; 0 where nothing is known.
    """
    target = target.float()
    known = target.new_ones(target.shape) if known is None else known.float()
    dice = soft_dice(logits.float().sigmoid(), target, known)
    return bce(logits, target, known) + dice_weight * dice
