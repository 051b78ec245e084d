"""StainNet: a curve of colours, learned from another network's answers.

Kang et al. (2021), "StainNet: a fast and robust stain normalization network", section 2.2: three
1×1 convolutions with ReLU between them. A pixel's answer depends on that pixel alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from smearlab.errors import UsageError


@dataclass(frozen=True)
class StainNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    width : int
        Channels between the convolutions, at least 1. The paper's: 1,283 parameters.

    Raises
    ------
    UsageError
        If it is below 1.
    """

    width: int = 32

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"width must be at least 1; received {self.width}")

    @property
    def multiple_px(self) -> int:
        """Sides of pictures may be any."""
        return 1

    @property
    def context_px(self) -> int:
        """Nothing but a pixel itself is looked at."""
        return 0


class StainNet(nn.Module):
    """A picture in another stain; see the module's text.

    Parameters
    ----------
    config : StainNetConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: StainNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StainNetConfig()
        n = config.width
        self.layers = nn.Sequential(
            nn.Conv2d(3, n, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(n, n, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(n, 3, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """sRGB ``(B, 3, H, W)`` in [0, 1] → the same; its ends are left a little in training."""
        y = (cast(Tensor, self.layers(2 * x - 1)) + 1) / 2
        return y if self.training else y.clamp(0, 1)
