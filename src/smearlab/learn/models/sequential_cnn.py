"""Sequential CNN: the plain baseline of the thesis.

Hazra (2022), section 4.4, compares a "sequential CNN" with SENet-154-GE and does not describe it.
This one is what that name usually means: convolution and pooling in turn, then two dense layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes, check_dropout, check_side
from smearlab.learn.nn.plain import conv_pool, dense


@dataclass(frozen=True)
class SequentialCNNConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Twelve in the thesis.
    input_px : int
        Side of the images.
    widths : tuple of int
        Channels of the convolutions, each followed by a pool.
    units : int
        Of the dense layer.
    dropout : float
        After the dense layer.
    """

    classes: int = 12
    input_px: int = 128
    widths: tuple[int, ...] = (32, 64, 128, 128)
    units: int = 256
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        if not self.widths or min(*self.widths, self.units) < 1:
            raise UsageError(
                "widths needs positive numbers and units must be one; received "
                f"{self.widths}, {self.units}"
            )
        check_side(self.input_px, 2 ** len(self.widths))


class SequentialCNN(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : SequentialCNNConfig, optional
        The sizes above when left out.
    """

    def __init__(self, config: SequentialCNNConfig | None = None) -> None:
        super().__init__()
        config = config or SequentialCNNConfig()
        side = config.input_px // 2 ** len(config.widths)
        self.features = nn.Sequential(
            *(conv_pool(a, b) for a, b in pairwise((3, *config.widths))),
            nn.Flatten(),
            dense((config.widths[-1] * side**2, config.units), config.dropout),
        )
        self.head = nn.Linear(config.units, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1], S = ``input_px``.

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.
        """
        return cast(Tensor, self.head(self.features(x)))
