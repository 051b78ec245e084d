"""The ways a square picture can lie: a cell on a slide has no up, and no left."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


def lain(x: Tensor, way: int) -> Tensor:
    """Pictures turned, and mirrored, by transpositions and flips, which ONNX knows.

    Parameters
    ----------
    x : Tensor, shape (N, C, S, S)
    way : int
        0 to 3: so many quarter turns; 4 to 7: the same of the mirrored picture.

    Returns
    -------
    Tensor, shape (N, C, S, S)
        The same tensor for way 0.
    """
    if way >= 4:
        x = torch.flip(x, [3])
    if way % 2:
        x = x.transpose(2, 3)
    flipped = {0: [], 1: [2], 2: [2, 3], 3: [3]}[way % 4]
    return torch.flip(x, flipped) if flipped else x


class OverWays(nn.Module):
    """A classifier that in use answers with the mean over the eight ways a picture can lie.

    It learns as the classifier itself does. Its answer to a turned or mirrored picture is the same.

    Parameters
    ----------
    network : Module
        Takes ``(N, 3, S, S)``, gives logits ``(N, K)``; has a ``head``.
    """

    WAYS = 8

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        starts = getattr(network, "stage_starts", None)
        if starts is None:
            children = cast(nn.Module, network.features).named_children()
            starts = tuple(f"features.{name}" for name, _ in children)
        self.stage_starts = tuple(f"network.{start}" for start in starts)

    @property
    def head(self) -> nn.Module:
        """The network's last layer, which knows the classes."""
        return cast(nn.Module, self.network.head)

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (N, 3, S, S)
            sRGB crops in [0, 1].

        Returns
        -------
        Tensor, shape (N, K)
            Logits; in evaluation mode the mean over the ways.
        """
        if self.training:
            return cast(Tensor, self.network(x))
        every = torch.cat([lain(x, way) for way in range(self.WAYS)])
        answers: Tensor = self.network(every)
        return answers.reshape(self.WAYS, x.shape[0], -1).mean(0)


def one_way(model: nn.Module) -> nn.Module:
    """The network inside :class:`OverWays`, which answers for a picture as it lies; else itself."""
    return model.network if isinstance(model, OverWays) else model
