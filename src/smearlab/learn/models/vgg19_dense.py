"""VGG features under a dense head: the classifier of paper D.

Ferdousi et al. (2024), section 3.3 and Table 3: the convolutions of VGG19, a global average (512),
dense layers of 1,024, 512 and 256, and one unit a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes
from smearlab.learn.nn.normalise import Normalise
from smearlab.learn.nn.plain import VGG_GROUPS, dense, vgg_features, vgg_stage_starts


@dataclass(frozen=True)
class VGGDenseConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Four in the paper: 21,206,852 parameters.
    depth : {16, 19}
        Which VGG; the paper compares both.
    """

    classes: int = 4
    depth: int = 19

    def __post_init__(self) -> None:
        check_classes(self.classes)
        if self.depth not in VGG_GROUPS:
            raise UsageError(f"depth must be 16 or 19; received {self.depth}")


class VGGDense(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : VGGDenseConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: VGGDenseConfig | None = None) -> None:
        super().__init__()
        config = config or VGGDenseConfig()
        self.stage_starts = vgg_stage_starts(config.depth)
        self.normalise = Normalise()
        self.features = vgg_features(config.depth)
        self.head = nn.Sequential(*dense((512, 1024, 512, 256)), nn.Linear(256, config.classes))
        # Without batch norm and published weights, body and head must keep the signal's size as He
        # et al. (2015) found; scaled by what goes out, logits hardly follow from the picture.
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
                nn.init.zeros_(cast(Tensor, module.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1], S at least 32; 128 in the paper.

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.
        """
        return cast(Tensor, self.head(self.features(self.normalise(x)).mean((2, 3))))
