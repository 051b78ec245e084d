"""Generator of RWP-GAN: a picture in, one blood element of it on black out.

Khan et al. (2024), section III.A.1 and Figure 2: the U-Net of pix2pix. Eight 4×4 convolutions
with stride 2 down to 1×1, seven transposed ones back up, each joined with the encoder block of its
size, dropout in the first three, and a last transposed convolution with tanh. All encoder blocks
but the first and all decoder blocks have batch norm, and only the last convolution has a bias: so
the counts are those of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_dropout
from smearlab.learn.nn.initialise import start_normal
from smearlab.learn.nn.picture_end import picture_tanh
from smearlab.learn.nn.picture_norm import Statistics
from smearlab.learn.nn.strided_blocks import Down, Norm, Up


@dataclass(frozen=True)
class RWPGeneratorConfig:
    """Sizes of the network.

    Parameters
    ----------
    widths : tuple of int
        Channels of the encoder blocks, two or more. The paper's: 54,414,979 trainable parameters
        and 10,880 running means and variances.
    input_px : int
        Side of the pictures; halved by every encoder block without remainder.
    dropout : float
        In [0, 1).
    dropped_blocks : int
        So many decoder blocks have dropout, from the bottleneck up.
    norm : {"none", "batch", "instance"}
    statistics : {"own", "running"}
        What batch norms go by in evaluation, see
        :class:`smearlab.learn.nn.picture_norm.PictureNorm`: ``own`` suits a batch of one,
        ``running`` larger ones.

    Raises
    ------
    UsageError
        If a number lies outside its range, or the side cannot be halved so often.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512, 512, 512)
    input_px: int = 256
    dropout: float = 0.5
    dropped_blocks: int = 3
    norm: Norm = "batch"
    statistics: Statistics = "own"

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise UsageError(f"widths needs two or more positive numbers; received {self.widths}")
        step = 2 ** len(self.widths)
        if self.input_px < step or self.input_px % step:
            raise UsageError(
                f"input_px must be a multiple of {step} for {len(self.widths)} encoder blocks; "
                f"received {self.input_px}"
            )
        check_dropout(self.dropout)
        if not 0 <= self.dropped_blocks < len(self.widths):
            raise UsageError(
                f"dropped_blocks must lie within 0 and {len(self.widths) - 1}, the decoder blocks; "
                f"received {self.dropped_blocks}"
            )

    @property
    def keep_shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Channels, height and width of each block that has dropout."""
        smallest = self.input_px >> len(self.widths)
        shapes = []
        for block, width in enumerate(self.widths[-2::-1][: self.dropped_blocks]):
            side = smallest << (block + 1)
            shapes.append((width, side, side))
        return tuple(shapes)

    @property
    def keep_size(self) -> int:
        """Values that dropout decides about, of one picture."""
        return sum(prod(shape) for shape in self.keep_shapes)


class RWPGenerator(nn.Module):
    """A picture to its element on black; see the module's text.

    Parameters
    ----------
    config : RWPGeneratorConfig, optional
        The paper's sizes when left out.
    """

    def __init__(self, config: RWPGeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RWPGeneratorConfig()
        widths, norm, own = config.widths, config.norm, config.statistics
        self.encoder = nn.ModuleList(
            [
                Down(3, widths[0], "none"),
                *(Down(a, b, norm, statistics=own) for a, b in pairwise(widths)),
            ]
        )
        blocks, below = [], widths[-1]
        for n, width in enumerate(widths[-2::-1]):
            dropout = config.dropout if n < config.dropped_blocks else 0.0
            blocks.append(Up(below, width, norm, dropout, own))
            below = 2 * width  # joined with the encoder block of that size
        self.decoder = nn.ModuleList(blocks)
        self.head = nn.ConvTranspose2d(below, 3, 4, 2, 1)
        start_normal(self)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Generate.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB in [0, 1], S = ``input_px``.
        keep : Tensor, shape (B, ``keep_size``), optional
            Factors of dropout in the place of chance: 0 or 1 / (1 − dropout), or 1 everywhere for
            none. Left out, there is dropout in training and none in evaluation.

        Returns
        -------
        Tensor, shape (B, 3, S, S)
            sRGB in [0, 1].
        """
        x = 2 * x - 1
        kept = []
        for block in self.encoder:
            x = block(x)
            kept.append(x)
        kept.pop()
        factors = self._factors(keep)
        for block in self.decoder:
            x = torch.cat([block(x, next(factors, None)), kept.pop()], dim=1)
        return (picture_tanh(self.head(x)) + 1) / 2

    def _factors(self, keep: Tensor | None) -> Iterator[Tensor]:
        """The factors of each block, shape (B, C, h, w)."""
        if keep is None:
            return
        start = 0
        for shape in self.config.keep_shapes:
            size = prod(shape)
            yield keep[:, start : start + size].reshape(-1, *shape)
            start += size
