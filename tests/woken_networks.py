"""Fresh networks made to behave like trained ones: every number moves, nothing saturates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smearlab.learn.train.transfer import head_of


def coloured_noise(number: int, side: int, seed: int = 0) -> Tensor:
    """Images ``(N, 3, S, S)`` in [0, 1] that differ in colour as a whole and pixel by pixel."""
    chance = torch.Generator().manual_seed(seed)
    colours = torch.rand(number, 3, 1, 1, generator=chance)
    return (colours + torch.rand(number, 3, side, side, generator=chance)) / 2


def woken(model: nn.Module, side: int) -> nn.Module:
    """The network in evaluation mode: norms fitted to images, logits that differ between images.

    Without this, blocks that begin as the identity hide behind their zeros, and answers that are
    the same for every image would compare well whatever is wrong.
    """
    torch.manual_seed(4)
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.momentum = 1.0
            module.train()
    images = coloured_noise(8, side)
    with torch.no_grad():
        model(images)
        logits = model.eval()(images)
        last = [m for m in head_of(model).modules() if isinstance(m, nn.Linear)][-1]
        last.weight /= logits.std(0).mean()
        last.bias -= model(images).mean(0)
    return model
