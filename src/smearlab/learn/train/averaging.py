"""The exponential average of the weights, which is what a training ends with."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_of(model: nn.Module, decay: float) -> AveragedModel:
    """An average that begins with the weights after the first step.

    Parameters
    ----------
    model : Module
        Its structure and buffers are copied.
    decay : float
        In [0, 1). At first it is less, (1 + n) / (10 + n) after n steps, so that the fresh weights
        are soon forgotten.
    """
    return AveragedModel(model, multi_avg_fn=partial(_average, decay=decay), use_buffers=True)


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """A state dict that does not follow the model any more."""
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def _average(old: list[Tensor], new: list[Tensor], n: Tensor | int, *, decay: float) -> None:
    """Move the average towards the weights; counters are taken as they are."""
    if not new[0].is_floating_point():
        torch._foreach_copy_(old, new)
        return
    keep = min(decay, (1 + int(n)) / (10 + int(n)))
    torch._foreach_lerp_(old, new, 1 - keep)
