"""Compact residual classifier of single cells: the one that ships.

Residual blocks at strides 2, 4, 8 and 16, global average, one linear layer. In evaluation mode
the logits are averaged over the crop's quarter turns, so a turned cell gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes, check_dropout
from smearlab.learn.nn.blocks import ConvNorm, stage
from smearlab.learn.nn.ways import lain


@dataclass(frozen=True)
class CellTypesConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Number of types.
    widths : tuple of int
        Channels of the stem and of the four stages.
    blocks : tuple of int
        Residual blocks of the four stages.
    dropout : float
        Before the linear layer.
    turns : int
        Quarter turns averaged in evaluation mode: 1, 2 or 4.
    """

    classes: int = 9
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    dropout: float = 0.2
    turns: int = 4

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        if len(self.widths) != len(self.blocks) + 1:
            raise UsageError(
                "widths needs one number more than blocks (the stem's); received "
                f"{self.widths} and {self.blocks}"
            )
        if self.turns not in (1, 2, 4):
            raise UsageError(f"turns must be 1, 2 or 4; received {self.turns}")


class CellTypes(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : CellTypesConfig, optional
        What ships, when left out.
    """

    def __init__(self, config: CellTypesConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CellTypesConfig()
        stages = [
            stage(a, b, n)
            for a, b, n in zip(config.widths, config.widths[1:], config.blocks, strict=False)
        ]
        self.features = nn.Sequential(ConvNorm(3, config.widths[0]), *stages)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.widths[-1], config.classes)
        )

    def _logits(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.features((x - 0.5) * 4).mean((2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1].

        Returns
        -------
        Tensor, shape (B, classes)
            Logits; in evaluation mode the mean over ``turns`` quarter turns.
        """
        if self.training or self.config.turns == 1:
            return self._logits(x)
        step = 4 // self.config.turns
        turned = torch.cat([lain(x, q) for q in range(0, 4, step)])
        return self._logits(turned).reshape(self.config.turns, x.shape[0], -1).mean(0)
