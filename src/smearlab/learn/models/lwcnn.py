"""LWCNN of paper A: the light classifier of single cells.

Mondal et al. (2024), BloodCell-Net, section 3.5: four valid 3×3 convolutions with ReLU and 2×2
max-pooling on 64×64 crops, dropout after the 2nd, 3rd and 4th pool, a dense layer of 256.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from smearlab.learn.models.checks import check_classes, check_dropout, check_side


@dataclass(frozen=True)
class LWCNNConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Nine in the paper: 653,129 parameters.
    input_px : int
        Side of the crops.
    dropout : float
        The paper gives no rate.
    """

    classes: int = 9
    input_px: int = 64
    dropout: float = 0.25

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        check_side(self.input_px, 46)


class LWCNN(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : LWCNNConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: LWCNNConfig | None = None) -> None:
        super().__init__()
        config = config or LWCNNConfig()
        layers: list[nn.Module] = []
        channels, side = 3, config.input_px
        for number, width in enumerate((32, 64, 128, 256)):
            layers += [nn.Conv2d(channels, width, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
            if number:
                layers.append(nn.Dropout(config.dropout))
            channels, side = width, (side - 2) // 2
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * side * side, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(256, config.classes),
        )

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
