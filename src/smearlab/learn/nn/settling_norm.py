"""Instance norm whose statistics settle, so that a trained network looks only at what is near.

Instance norm divides by statistics of the whole picture: what it answers for a cell hangs on the
rest of the field, and fields cut into tiles show seams. Here a mean of these statistics is kept
while they are used, and takes their place in evaluation, and from some pass on in training as well:
what is learned last is learned as it will be used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SettlingNorm(nn.Module):
    """Normalise each channel of each picture; see the module's text.

    Parameters
    ----------
    channels : int
    momentum : float
        Share of what is new in the running statistics, in (0, 1].
    eps : float
        Added to variances.

    Attributes
    ----------
    settled : bool
        Whether the running statistics are used in training, too; they stay as they are then.
    following : bool
        Whether a pass in training counts for the running statistics; see :func:`following`.
    own : bool
        Whether pictures go by their own statistics in every mode; see :func:`own_statistics`.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.02, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.settled = self.following = self.own = False
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same."""
        if not self.own and (self.settled or not self.training):
            mean, variance = self.running_mean, self.running_var
            return F.batch_norm(x, mean, variance, eps=self.eps)
        if self.following and self.training and not self.own:
            self._follow(x.detach().float())
        return F.instance_norm(x, eps=self.eps)

    def _follow(self, x: Tensor) -> None:
        """Into the running statistics: means over the pictures of a batch."""
        variance, mean = torch.var_mean(x, (2, 3), unbiased=False)
        self.running_mean.lerp_(mean.mean(0), self.momentum)
        self.running_var.lerp_(variance.mean(0), self.momentum)


def settling_norms(model: nn.Module) -> list[SettlingNorm]:
    """All of a network, in order."""
    return [module for module in model.modules() if isinstance(module, SettlingNorm)]


@contextmanager
def following(model: nn.Module) -> Iterator[None]:
    """Within, passes in training count for the running statistics.

    Parameters
    ----------
    model : Module
        Given pictures as it will be given them later: real ones.
    """
    with _switched(model, "following"):
        yield


@contextmanager
def own_statistics(model: nn.Module) -> Iterator[None]:
    """Within, each picture is normalised by its own statistics, whatever the mode.

    Parameters
    ----------
    model : Module
    """
    with _switched(model, "own"):
        yield


@contextmanager
def _switched(model: nn.Module, name: str) -> Iterator[None]:
    norms = settling_norms(model)
    for norm in norms:
        setattr(norm, name, True)
    try:
        yield
    finally:
        for norm in norms:
            setattr(norm, name, False)
