"""AlexNet as paper C has it.

Krizhevsky, Sutskever & Hinton (2012), on one device: convolutions are not split in two groups. The
parameters that paper C counts (46,767,493 for five classes) follow from 224×224 images of which the
first convolution and the pools take no padding, so that 5×5×256 numbers enter the dense layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from smearlab.learn.models.checks import check_classes, check_dropout, check_side
from smearlab.learn.nn.initialise import start_xavier
from smearlab.learn.nn.normalise import OwnNormalise
from smearlab.learn.nn.plain import dense


@dataclass(frozen=True)
class AlexNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Five in paper C.
    input_px : int
        Side of the images.
    dropout : float
        After the dense layers.
    """

    classes: int = 5
    input_px: int = 224
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        check_side(self.input_px, 67)


class AlexNet(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : AlexNetConfig, optional
        Paper C's sizes when left out.
    """

    def __init__(self, config: AlexNetConfig | None = None) -> None:
        super().__init__()
        config = config or AlexNetConfig()
        side = (config.input_px - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        self.normalise = OwnNormalise()
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 96, 11, stride=4), *_end(normed=True)),
            nn.Sequential(nn.Conv2d(96, 256, 5, padding=2), *_end(normed=True)),
            nn.Sequential(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), *_end(normed=False)),
            nn.Flatten(),
            dense((256 * side**2, 4096, 4096), config.dropout),
        )
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
        return cast(Tensor, self.head(self.features(self.normalise(x))))


def _end(normed: bool) -> list[nn.Module]:
    """ReLU, response normalisation of section 3.3, overlapping pooling of section 3.4."""
    # torch divides alpha by the five channels; the paper's 1e-4 is not divided.
    norm = [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)] if normed else []
    return [nn.ReLU(), *norm, nn.MaxPool2d(3, 2)]
