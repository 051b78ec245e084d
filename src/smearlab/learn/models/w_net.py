"""W-Net of paper C: a shallow classifier of white cells.

Jung et al. (2021), section 2.3 and Table 3: three 3×3 convolutions (16, 32, 64) with ReLU, 2×2
max-pooling and dropout, a dense layer of 1,024 with ReLU and dropout, a dense layer a class. With
the multi-class hinge loss instead of cross-entropy it is W-Net-SVM. Pictures are normalised; the
paper does not say how. Here each is by its own mean and deviation, without which dropout on the
bright ground lets the answers of training and of use differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from smearlab.learn.models.checks import check_classes, check_dropout, check_side
from smearlab.learn.nn.initialise import start_xavier
from smearlab.learn.nn.normalise import OwnNormalise
from smearlab.learn.nn.plain import conv_pool, dense


@dataclass(frozen=True)
class WNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Five in the paper: 16,806,949 parameters.
    input_px : int
        Side of the images.
    dropout : float
        Share that is dropped. The paper's p = 0.6 is that of Srivastava et al. 2014, whom it cites
        for it: there p is the share that is kept.
    """

    classes: int = 5
    input_px: int = 128
    dropout: float = 0.4

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        check_side(self.input_px, 8)


class WNet(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : WNetConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: WNetConfig | None = None) -> None:
        super().__init__()
        config = config or WNetConfig()
        self.normalise = OwnNormalise()
        self.features = nn.Sequential(
            conv_pool(3, 16, config.dropout),
            conv_pool(16, 32, config.dropout),
            conv_pool(32, 64, config.dropout),
            nn.Flatten(),
            dense((64 * (config.input_px // 8) ** 2, 1024), config.dropout),
        )
        self.head = nn.Linear(1024, config.classes)
        start_xavier(self)

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
        return cast(Tensor, self.head(self.features(self.normalise(x))))
