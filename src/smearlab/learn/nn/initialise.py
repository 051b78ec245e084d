"""Ways to begin: first values of a network's weights."""

from __future__ import annotations

from torch import nn


def start_xavier(model: nn.Module) -> nn.Module:
    """Draw kernels and matrices from Xavier's uniform distribution; biases begin at zero.

    Glorot & Bengio (2010), equation 16: bounds ± √(6 / (inputs + outputs)), where a convolution's
    inputs and outputs count every position of its kernel.

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
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def start_normal(model: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw kernels from a normal distribution about zero; biases begin at zero.

    As DCGAN and pix2pix begin (Isola et al. 2017, appendix 6.2). Scales of norms stay 1.

    Parameters
    ----------
    model : Module
        Changed in place.
    std : float
        Standard deviation, above 0.

    Returns
    -------
    Module
        The same.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
