"""Dropout that ends before the training does."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.dropout import _DropoutNd


def end_dropout(model: nn.Module) -> None:
    """Let every layer of dropout pass all that comes in, in training, too.

    Where maps are max-pooled after dropout, the largest of values of which some are dropped and
    the others raised is larger on average than that of the values themselves: a network that
    learned with dropout meets smaller maps in use than it knows. A last part of the training
    without dropout brings both together.

    Parameters
    ----------
    model : Module
        Its layers of dropout have the rate 0 afterwards.

    References
    ----------
    Rennie, Goel and Thomas (2014), "Annealed dropout training of deep networks", lower the rate
    bit by bit down to 0.
    """
    for module in model.modules():
        if isinstance(module, _DropoutNd):
            module.p = 0.0
