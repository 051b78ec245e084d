"""What a validation says, as far as every process must know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from lightning.fabric import Fabric
from torch import nn

#: Takes the averaged model in evaluation mode; returns named figures.
Validate = Callable[[nn.Module], Mapping[str, float]]


def validated(fabric: Fabric, validate: Validate, model: nn.Module) -> dict[str, float]:
    """Validate in the first process, and tell the others the loss.

    Parameters
    ----------
    fabric : Fabric
    validate : callable
        See :data:`Validate`; called without gradients.
    model : Module
        Put into evaluation mode.

    Returns
    -------
    dict of str to float
        In the other processes ``"loss"`` alone, if it is there.
    """
    figures: dict[str, float] = {}
    told = torch.zeros(2, dtype=torch.float64, device=fabric.device)  # is there a loss, which
    if fabric.is_global_zero:
        with torch.no_grad():
            found = validate(model.eval())
        figures = {name: float(value) for name, value in found.items()}
        if "loss" in figures:
            told.copy_(torch.tensor([1.0, figures["loss"]], dtype=told.dtype))
    there, loss = fabric.broadcast(told).tolist()
    return {**figures, "loss": loss} if there else figures
