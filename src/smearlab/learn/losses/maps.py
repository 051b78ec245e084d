"""Losses of pixel maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_dice(probabilities: Tensor, target: Tensor, known: Tensor, eps: float = 1.0) -> Tensor:
    """1 − Dice overlap, mean over classes (Milletari et al. 2016, with plain sums).

    Parameters
    ----------
    probabilities, target : Tensor, shape (B, K, H, W)
        In [0, 1].
    known : Tensor, shape (B, 1, H, W)
        0 where nothing is known.
    eps : float
        Keeps absent classes from dividing 0 by 0: a class absent from both costs 0.

    Returns
    -------
    Tensor, shape ()
    """
    both = (probabilities * target * known).sum((0, 2, 3))
    either = ((probabilities + target) * known).sum((0, 2, 3))
    return (1 - (2 * both + eps) / (either + eps)).mean()


def class_map_loss(logits: Tensor, target: Tensor, ignore: int = 255) -> Tensor:
    """Cross-entropy plus soft Dice of the foreground classes.

    Parameters
    ----------
    logits : Tensor, shape (B, K, H, W)
        Class logits; class 0 is background.
    target : Tensor of int64, shape (B, H, W)
        Class numbers, ``ignore`` where nothing is known.
    ignore : int
        The value that costs nothing.

    Returns
    -------
    Tensor, shape ()
    """
    known = (target != ignore).unsqueeze(1)
    entropy = F.cross_entropy(logits, target, ignore_index=ignore, reduction="sum")
    wanted = F.one_hot(torch.where(target == ignore, 0, target), logits.shape[1])
    wanted = wanted.permute(0, 3, 1, 2).to(logits.dtype)
    dice = soft_dice(logits.softmax(1)[:, 1:], wanted[:, 1:], known.to(logits.dtype))
    return entropy / known.sum().clamp(min=1) + 0.5 * dice
