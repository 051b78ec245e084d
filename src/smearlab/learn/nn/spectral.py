"""Spectral normalisation: a network whose layers cannot stretch what they are given."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def spectrally_normalised(model: nn.Module) -> nn.Module:
    """Divide the matrix of every convolution and linear layer by its largest singular value.

    Miyato et al. (2018): the value is followed by one power iteration a forward pass in training.

    Parameters
    ----------
    model : Module
        Changed in place.

    Returns
    -------
    Module
        The same.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(module)
    return model
