"""Types shown to a network: a plane for each beside the colours, or numbers beside latents."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def with_type_planes(pictures: Tensor, types: Tensor) -> Tensor:
    """Join one even plane a type to pictures (Mirza & Osindero 2014).

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    types : Tensor, shape (N, K)
        One-hot, or shares.

    Returns
    -------
    Tensor, shape (N, C + K, H, W)
    """
    height, width = pictures.shape[2:]
    planes = types.to(pictures.dtype)[:, :, None, None].expand(-1, -1, height, width)
    return torch.cat([pictures, planes], 1)


def let_types_count(dense: nn.Linear, classes: int) -> None:
    """Give a one-hot type as much say at first as all latents that it is joined to.

    One number of a hundred would hardly change a picture, and it takes long until it does.

    Parameters
    ----------
    dense : Linear
        Its last inputs are the types; their weights are multiplied by the root of the number of
        the others.
    classes : int
        Types; 0 changes nothing.
    """
    others = dense.in_features - classes
    with torch.no_grad():
        dense.weight[:, others:].mul_(others**0.5)
