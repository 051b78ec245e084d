"""Loss of pictures by what a fixed network sees in them (Ledig et al. 2017, equation 5)."""

from __future__ import annotations

from torch import Tensor

from smearlab.learn.losses.pixels import l2


def content(found: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of features.

    Parameters
    ----------
    found, target : Tensor
        Feature maps of one shape; no gradient goes to the target.

    Returns
    -------
    Tensor, shape ()
        float32.
    """
    return l2(found, target.detach())
