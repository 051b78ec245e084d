"""SENet-154-GE of the thesis: squeeze-and-excitation and gather-excite on a ResNeXt.

Hazra (2022), section 3.7 and Figures 38 and 39. SENet-154 (Hu, Shen & Sun 2018) is tapped after its
first and its last stage. The element-wise product of both goes through squeeze-and-excitation, the
last one also through gather-excite; both answers are added, and the last stage's features to that.
An average over places, dropout and one unit a class follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.backbones import BackboneConfig, library_network
from smearlab.learn.models.checks import check_classes, check_dropout
from smearlab.learn.nn.attention import GatherExcite, SqueezeExcite
from smearlab.learn.nn.normalise import Normalise


@dataclass(frozen=True)
class SENet154GEConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Twelve in the thesis: 114,164,476 parameters.
    backbone : str
        timm's name of a squeeze-and-excitation network with four stages; smaller ones are for
        trials.
    gather_steps : int
        Halvings of gather-excite, 0 to leave it out; the thesis speaks of a pair.
    dropout : float
        Before the last layer.
    """

    classes: int = 12
    backbone: str = "legacy_senet154"
    gather_steps: int = 2
    dropout: float = 0.2

    def __post_init__(self) -> None:
        check_classes(self.classes)
        check_dropout(self.dropout)
        if not self.backbone.startswith("legacy_se"):
            raise UsageError(
                f"backbone must be one of timm's legacy_se… networks; received {self.backbone!r}"
            )
        if self.gather_steps < 0:
            raise UsageError(f"gather_steps must be at least 0; received {self.gather_steps}")


class FusionHead(nn.Module):
    """From the features of the first and the last stage to logits.

    Parameters
    ----------
    first, last : int
        Channels of the two stages.
    config : SENet154GEConfig
    """

    def __init__(self, first: int, last: int, config: SENet154GEConfig) -> None:
        super().__init__()
        # The thesis does not say how the stages are made alike; a projection as ResNets use it.
        self.match = nn.Sequential(nn.Conv2d(first, last, 1, bias=False), nn.BatchNorm2d(last))
        self.squeeze_excite = SqueezeExcite(last)
        steps = config.gather_steps
        self.gather_excite = GatherExcite(last, steps) if steps else None
        self.classify = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(last, config.classes))

    def forward(self, first: Tensor, last: Tensor) -> Tensor:
        """``(B, C1, 8 h, 8 w)`` and ``(B, C4, h, w)`` → logits ``(B, K)``."""
        fused = self.match(F.avg_pool2d(first, 8)) * last
        attended = self.squeeze_excite(fused)
        if self.gather_excite is not None:
            attended = attended + self.gather_excite(last)
        return cast(Tensor, self.classify((attended + last).mean((2, 3))))


class SENet154GE(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : SENet154GEConfig, optional
        The thesis' sizes when left out.
    """

    #: Input sides must be multiples of this: the first stage is eight times the last one's size.
    stride = 32
    #: Where stages of their own learning rate begin.
    stage_starts: ClassVar[tuple[str, ...]] = tuple(f"network.layer{n}" for n in range(1, 5))

    def __init__(self, config: SENet154GEConfig | None = None) -> None:
        super().__init__()
        config = config or SENet154GEConfig()
        self.normalise = Normalise()
        body = BackboneConfig("timm", config.backbone, 224, "last_linear", ())
        self.network = network = cast(Any, library_network(body, num_classes=0))
        first, last = (network.feature_info[n]["num_chs"] for n in (1, 4))
        self.head = FusionHead(first, last, config)

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1]; S a multiple of 32.

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.

        Raises
        ------
        UsageError
            If a side is no multiple of 32.
        """
        if not torch.onnx.is_in_onnx_export() and any(side % self.stride for side in x.shape[2:]):
            raise UsageError(
                f"SENet-154-GE takes images whose sides are multiples of {self.stride}; received "
                f"{' × '.join(str(side) for side in x.shape[2:])} px"
            )
        network = self.network
        first = network.layer1(network.pool0(network.layer0(self.normalise(x))))
        last = network.layer4(network.layer3(network.layer2(first)))
        return cast(Tensor, self.head(first, last))
