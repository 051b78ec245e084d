"""What a network costs: multiply–accumulate operations of one image."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def multiply_accumulates(model: nn.Module, input_px: int) -> int:
    """Multiply–accumulate operations for one image, in evaluation mode.

    Those of convolutions and matrix products, as torch counts them; norms, activations and pools
    are left out, as is usual. Nothing is computed: a copy without numbers is sent through.

    Parameters
    ----------
    model : Module
        Takes ``(1, 3, S, S)``. Not changed.
    input_px : int
        The side S.

    Returns
    -------
    int
        Half of the floating-point operations.
    """
    empty = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        empty(torch.zeros(1, 3, input_px, input_px, device="meta"))
    return int(counter.get_total_flops()) // 2
