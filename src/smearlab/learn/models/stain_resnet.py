"""Generator of CycleGAN: residual blocks between two halvings and two doublings.

Zhu et al. (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
networks", section 4 and appendix 7.2: c7s1-64, d128, d256, nine times R256 (six at 128 px), u128,
u64, c7s1-3; instance norm and ReLU, edges reflected. Instance norm is
:class:`smearlab.learn.nn.settling_norm.SettlingNorm`, so that fields can be cut into tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.picture_end import picture_tanh
from smearlab.learn.nn.settling_norm import SettlingNorm


@dataclass(frozen=True)
class StainResNetConfig:
    """Sizes of the network.

    Parameters
    ----------
    width : int
        Channels of the first convolution; they double twice. At least 1. The paper's: 11,378,179
        parameters with nine blocks, 7,837,699 with six.
    blocks : int
        Residual blocks; at least 1.

    Raises
    ------
    UsageError
        If a number is below 1.
    """

    width: int = 64
    blocks: int = 9

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise UsageError(f"{name} must be at least 1; received {value}")

    @property
    def multiple_px(self) -> int:
        """Sides of pictures must be multiples of this."""
        return 4

    @property
    def context_px(self) -> int:
        """No pixel of the answer depends on what is further away than that."""
        # In quarters of the size: two convolutions a block, one in each doubling and before it.
        return 3 + 4 * (2 * self.blocks) + 2 * (1 + 2) + 3 + 3


class StainResNet(nn.Module):
    """A picture in another stain; see the module's text.

    Parameters
    ----------
    config : StainResNetConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: StainResNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StainResNetConfig()
        n = config.width
        self.layers = nn.Sequential(
            *_flat(3, n, 7),
            *_resized(nn.Conv2d(n, 2 * n, 3, 2, 1), 2 * n),
            *_resized(nn.Conv2d(2 * n, 4 * n, 3, 2, 1), 4 * n),
            *(_Residual(4 * n) for _ in range(config.blocks)),
            *_resized(nn.ConvTranspose2d(4 * n, 2 * n, 3, 2, 1, output_padding=1), 2 * n),
            *_resized(nn.ConvTranspose2d(2 * n, n, 3, 2, 1, output_padding=1), n),
            nn.ReflectionPad2d(3),
            nn.Conv2d(n, 3, 7),
        )
        start_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """sRGB in [0, 1], ``(B, 3, H, W)`` with sides that are multiples of 4 → the same."""
        return (picture_tanh(self.layers(2 * x - 1)) + 1) / 2


class _Residual(nn.Module):
    """Two 3×3 convolutions around an identity; no ReLU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_flat(channels, channels, 3))
        self.second = nn.Sequential(*_flat(channels, channels, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.second(self.first(x))
        return x + added


def _flat(channels_in: int, channels_out: int, kernel: int) -> list[nn.Module]:
    """A convolution that keeps the size, instance norm, ReLU."""
    conv = nn.Conv2d(channels_in, channels_out, kernel)
    return [nn.ReflectionPad2d(kernel // 2), *_resized(conv, channels_out)]


def _resized(conv: nn.Module, channels: int) -> list[nn.Module]:
    return [conv, SettlingNorm(channels), nn.ReLU(inplace=True)]
