"""Overlap loss of boxes given as distances from a common point."""

from __future__ import annotations

import torch
from torch import Tensor


def side_giou(sides: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """1 − generalised IoU (Rezatofighi et al. 2019) of boxes around the same point.

    Parameters
    ----------
    sides, target : Tensor, shape (B, 4, h, w)
        Distances to left, top, right, bottom. Predicted ones are > 0; true ones may be
        negative where the point lies outside its box, as long as the box has an area.
    weight : Tensor, shape (B, h, w)
        0 where there is no cell.

    Returns
    -------
    Tensor, shape ()
        Weighted mean.
    """
    left, top, right, bottom = sides.unbind(1)
    t_left, t_top, t_right, t_bottom = target.unbind(1)
    width = (torch.minimum(left, t_left) + torch.minimum(right, t_right)).clamp(min=0)
    height = (torch.minimum(top, t_top) + torch.minimum(bottom, t_bottom)).clamp(min=0)
    inter = width * height
    union = (left + right) * (top + bottom) + (t_left + t_right) * (t_top + t_bottom) - inter
    hull = (torch.maximum(left, t_left) + torch.maximum(right, t_right)) * (
        torch.maximum(top, t_top) + torch.maximum(bottom, t_bottom)
    )
    eps = 1e-6
    giou = inter / (union + eps) - (hull - union) / (hull + eps)
    return ((1 - giou) * weight).sum() / weight.sum().clamp(min=1)
