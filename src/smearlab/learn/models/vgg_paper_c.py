"""VGG as paper C has it: 16 convolutions and three dense layers.

Jung et al. (2021), section 3.4; the network is configuration E of Simonyan & Zisserman (2015) with
the paper's 128×128 images, so 4×4×512 numbers enter the dense layers: 70,384,709 parameters for
five classes. The 121,796,165 that the paper states cannot be derived from its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from torch import Tensor, nn

from smearlab.learn.models.checks import check_classes, check_dropout, check_side
from smearlab.learn.nn.initialise import start_xavier
from smearlab.learn.nn.normalise import OwnNormalise
from smearlab.learn.nn.plain import dense, vgg_features, vgg_stage_starts


@dataclass(frozen=True)
class VGGPaperCConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Five in the paper.
    input_px : int
        Side of the images; 224 gives the 139,590,725 parameters of the original.
    dropout : float
        After the first two dense layers.
    """

    classes: int = 5
    input_px: int = 128
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        check_side(self.input_px, 32)


class VGGPaperC(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : VGGPaperCConfig, optional
        The paper's sizes when left out.
    """

    #: Where stages of their own learning rate begin.
    stage_starts: ClassVar[tuple[str, ...]] = (*vgg_stage_starts(19), "dense")

    def __init__(self, config: VGGPaperCConfig | None = None) -> None:
        super().__init__()
        config = config or VGGPaperCConfig()
        self.normalise = OwnNormalise()
        self.features = vgg_features(19)
        self.dense = dense((512 * (config.input_px // 32) ** 2, 4096, 4096), config.dropout)
        self.head = nn.Linear(4096, config.classes)
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
        return cast(Tensor, self.head(self.dense(self.features(self.normalise(x)).flatten(1))))
