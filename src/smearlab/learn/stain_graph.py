"""Networks from stain to stain, as their bundles have them: bytes in, bytes out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from smearlab.learn.upscale_graph import UpscaleGraph

_AT_ONCE = 16
Pictures = NDArray[np.uint8]


class StainGraph(UpscaleGraph):
    """Pictures in another stain, rounded to bytes; the contract of the kind ``stain``."""

    outputs = ("normalised",)


def restained(network: nn.Module, pictures: Pictures) -> Pictures:
    """A network's answers, as its bundle would give them.

    Parameters
    ----------
    network : Module
        Of one way, in evaluation mode, on any device.
    pictures : ndarray of uint8, shape (N, H, W, 3)
        At least one.

    Returns
    -------
    ndarray of uint8, shape (N, H, W, 3)
    """
    graph, device = StainGraph(network), next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _AT_ONCE):
            (made,) = graph(torch.from_numpy(pictures[start : start + _AT_ONCE]).to(device))
            parts.append(made.cpu().numpy())
    return np.asarray(np.concatenate(parts), np.uint8)
