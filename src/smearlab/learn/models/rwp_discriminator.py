"""Discriminator of RWP-GAN: is a segmented picture drawn by people or generated, patch by patch?

Khan et al. (2024), section III.A.2 and Figure 3: the PatchGAN of pix2pix. Picture and segmented
picture together go through three 4×4 convolutions with stride 2, one with stride 1, and one to a
logit for each of 30×30 patches of 70 px. Blocks but the first have batch norm; only the last
convolution has a bias: so the counts are those of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.spectral import spectrally_normalised
from smearlab.learn.nn.strided_blocks import Down, Norm


@dataclass(frozen=True)
class RWPDiscriminatorConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels of the blocks, two or more; the last one keeps the size. The paper's: 2,768,641
        trainable parameters and 1,792 running means and variances.
    channels_in : int
        Of all pictures that are judged together.
    norm : {"none", "batch", "instance"}
    spectral : bool
        Whether the matrices of the convolutions are divided by their largest singular value.

    Raises
    ------
    UsageError
        If a number is not positive.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    channels_in: int = 6
    norm: Norm = "batch"
    spectral: bool = False

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise UsageError(f"widths needs two or more positive numbers; received {self.widths}")
        if self.channels_in < 1:
            raise UsageError(f"channels_in must be at least 1; received {self.channels_in}")


class RWPDiscriminator(nn.Module):
    """Logits of patches; see the module's text.

    Parameters
    ----------
    config : RWPDiscriminatorConfig, optional
        The paper's sizes when left out, without spectral normalisation.
    """

    def __init__(self, config: RWPDiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RWPDiscriminatorConfig()
        widths = config.widths
        strides = [*(2 for _ in widths[1:-1]), 1]
        self.blocks = nn.Sequential(
            Down(config.channels_in, widths[0], "none"),
            *(
                Down(a, b, config.norm, stride)
                for (a, b), stride in zip(pairwise(widths), strides, strict=True)
            ),
        )
        self.head = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        start_normal(self)
        if config.spectral:
            spectrally_normalised(self)

    def forward(self, picture: Tensor, judged: Tensor) -> Tensor:
        """Judge.

        Parameters
        ----------
        picture : Tensor, shape (B, C, H, W)
            sRGB in [0, 1]: what was segmented.
        judged : Tensor, shape (B, C', H, W)
            sRGB in [0, 1]: its target, or what was generated. C + C' = ``channels_in``.

        Returns
        -------
        Tensor, shape (B, 1, H / 8 − 2, W / 8 − 2)
            Logits that the patch was drawn by people; 30×30 of 256×256.
        """
        both = 2 * torch.cat([picture, judged], dim=1) - 1
        return cast(Tensor, self.head(self.blocks(both)))
