"""Focal loss of centre heat maps."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def centre_focal(
    logits: Tensor, target: Tensor, weight: Tensor, alpha: float = 2.0, beta: float = 4.0
) -> Tensor:
    """Penalty-reduced focal loss (Law & Deng 2018; Zhou et al. 2019, eq. 1).

    Parameters
    ----------
    logits : Tensor, shape (B, E, h, w)
        Heat logits.
    target : Tensor, shape (B, E, h, w)
        In [0, 1]; exactly 1 at centres.
    weight : Tensor, shape (B, E, h, w)
        0 where nothing is known.
    alpha, beta : float
        Focusing on hard examples; forgiving near centres.

    Returns
    -------
    Tensor, shape ()
        Sum over all steps ÷ number of centres (at least 1).
    """
    p = logits.sigmoid()
    centre = (target == 1).to(logits.dtype)
    hit = centre * (1 - p) ** alpha * F.softplus(-logits)
    miss = (1 - centre) * (1 - target) ** beta * p**alpha * F.softplus(logits)
    return ((hit + miss) * weight).sum() / (centre * weight).sum().clamp(min=1)
