"""Skip-layer excitation: a coarse map decides which channels of a fine one count."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_POOLED_PX, _SLOPE = 4, 0.2


class SkipExcitation(nn.Module):
    """Channel-wise product of a fine map with weights that a coarse map gives.

    Liu et al. (2021), equation 3; Hazra (2022), equation 45 and Figure 32: the coarse map is pooled
    to 4×4, a 4×4 convolution makes one pixel of it, LeakyReLU, 1×1 convolution, sigmoid. Unlike in
    a residual connection, the two maps need be alike neither in size nor in channels.

    Parameters
    ----------
    channels_low, channels_high : int
        Of the coarse and of the fine map.
    """

    def __init__(self, channels_low: int, channels_high: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Conv2d(channels_low, channels_high, _POOLED_PX, bias=False),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Conv2d(channels_high, channels_high, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Weigh the channels of ``high``.

        Parameters
        ----------
        low : Tensor, shape (B, channels_low, h, w)
            Sides are multiples of 4: graphs that are exported pool evenly.
        high : Tensor, shape (B, channels_high, H, W)

        Returns
        -------
        Tensor, shape (B, channels_high, H, W)
        """
        pooled = F.avg_pool2d(low, low.shape[-1] // _POOLED_PX)
        weights: Tensor = self.weigh(pooled)
        return high * weights
