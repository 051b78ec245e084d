"""U-Net of paper A: foreground of a smear field.

Mondal et al. (2024), BloodCell-Net, section 3.3 and Figure 5: four encoder blocks of two 3×3
convolutions with ReLU and 2×2 max-pooling, a middle block, four decoder blocks of nearest
up-sampling, concatenation and two convolutions, a 1×1 convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels of the encoder blocks, then of the middle block. The paper's: 31,378,945
        parameters.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise UsageError(f"widths needs two or more positive numbers; received {self.widths}")

    @property
    def stride(self) -> int:
        """Sides of pictures must be multiples of this."""
        return int(2 ** (len(self.widths) - 1))


def _twice(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """Foreground logits of a field; see the module's text.

    Parameters
    ----------
    config : UNetConfig, optional
        The paper's sizes when left out.
    """

    #: Field sides must be multiples of this.
    stride = 16

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        widths = (config or UNetConfig()).widths
        inputs = (3, *widths[:-1])
        self.encoder = nn.ModuleList(_twice(a, b) for a, b in zip(inputs, widths, strict=True))
        self.decoder = nn.ModuleList(
            _twice(below + beside, beside)
            for below, beside in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(cast(Tensor, module.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, H, W)
            sRGB in [0, 1]; H and W multiples of 16.

        Returns
        -------
        Tensor, shape (B, 1, H, W)
            Logits that a pixel belongs to a cell.
        """
        kept = []
        for block in self.encoder[:-1]:
            x = block(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.encoder[-1](x)
        for block in self.decoder:
            x = torch.cat([F.interpolate(x, scale_factor=2.0), kept.pop()], dim=1)
            x = block(x)
        return cast(Tensor, self.head(x))
