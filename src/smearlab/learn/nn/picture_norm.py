"""Batch norm for networks that learn from one picture at a time."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UnknownNameError

Statistics = Literal["own", "running"]


class PictureNorm(nn.Module):
    """Batch norm whose evaluation may look at the picture itself.

    In training it is batch norm. In evaluation pix2pix normalises each picture by its own mean and
    variance, as it did in training with a batch of one (Isola et al. 2017, section 3.3).

    A channel with one value, the 1×1 bottleneck with a batch of one, has no variance: batch norm
    would answer its shift whatever comes in. Such values are normalised by the running
    statistics, which they are added to first, so that no answer leaves ±√((1 − m) / m) times
    the scale with the momentum m.

    Parameters
    ----------
    channels : int
    statistics : {"own", "running"}
        By which a picture is normalised in evaluation.
    momentum : float
        Share of what is new in the running statistics.
    eps : float
        Added to variances.

    Raises
    ------
    UnknownNameError
        If there is no such kind of statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        channels: int,
        statistics: Statistics = "own",
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        if statistics not in get_args(Statistics):
            raise UnknownNameError("kind of statistics", str(statistics), get_args(Statistics))
        self.statistics: Statistics = statistics
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same."""
        one_value = x.shape[2] * x.shape[3] == 1
        if not self.training and self.statistics == "own" and not one_value:
            return F.instance_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)
        if self.training and not (one_value and x.shape[0] == 1):
            return F.batch_norm(
                x,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                True,
                self.momentum,
                self.eps,
            )
        if self.training:
            self._add(x.detach().float().flatten())
        # Copies: a second forward before the backward changes the statistics in place.
        mean, variance = self.running_mean.clone(), self.running_var.clone()
        return F.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)

    def _add(self, values: Tensor) -> None:
        """One value a channel into the running statistics."""
        apart = values - self.running_mean
        self.running_mean.add_(apart, alpha=self.momentum)
        self.running_var.lerp_(apart * apart, self.momentum)


def use_statistics(model: nn.Module, statistics: Statistics) -> bool:
    """Let all :class:`PictureNorm` of a network go by other statistics in evaluation.

    Parameters
    ----------
    model : Module
        Changed in place; its weights are not.
    statistics : {"own", "running"}

    Returns
    -------
    bool
        Whether it has any.
    """
    norms = [module for module in model.modules() if isinstance(module, PictureNorm)]
    for norm in norms:
        norm.statistics = statistics
    return bool(norms)
