"""Views for super-resolution: a large picture, and the small one that a coarser camera gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.low_resolution import lower
from smearlab.learn.transforms.picture_views import PictureViewConfig

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class UpscaleViewConfig:
    """How pairs are made.

    Parameters
    ----------
    high_px : int
        Side of the large picture; 128 in the paper, whose small one has 32.
    patch_px : int or None
        Side of the part of it that is learned from, at most ``high_px``; None for the whole.
    crop_px : int or None
        Side of the middle square of a file's picture that is shown; None shows it whole.
    turned : bool
        Whether a sample is one of the eight turned and mirrored versions, drawn anew; nothing is
        interpolated.
    sigma_px : float or None
        Of the blur before pixels are left out, px of the large picture; see
        :func:`~smearlab.learn.transforms.low_resolution.lower`.

    Raises
    ------
    UsageError
        If a number lies outside its range.
    """

    high_px: int = 128
    patch_px: int | None = None
    crop_px: int | None = None
    turned: bool = True
    sigma_px: float | None = None

    def __post_init__(self) -> None:
        if self.high_px < 1 or not 1 <= self.learned_px <= self.high_px:
            raise UsageError(
                "high_px must be at least 1 and patch_px lie within 1 and high_px; received "
                f"{self.high_px} and {self.patch_px}"
            )
        if self.sigma_px is not None and not self.sigma_px > 0:
            raise UsageError(f"sigma_px must be above 0 or None; received {self.sigma_px}")

    @property
    def learned_px(self) -> int:
        """Side of the large pictures that are learned from."""
        return self.high_px if self.patch_px is None else self.patch_px

    @property
    def picture(self) -> PictureViewConfig:
        """How the whole large picture is cut from its file."""
        return PictureViewConfig(self.high_px, self.crop_px, AffineRanges())

    def refuse_factor(self, factor: int) -> None:
        """Both sides are multiples of the factor.

        Raises
        ------
        UsageError
            If one is not.
        """
        for name, side in (("high_px", self.high_px), ("patch_px", self.learned_px)):
            if side % factor:
                raise UsageError(
                    f"{name} must be a multiple of the factor, {factor}; received {side}"
                )


def lowered(
    high: NDArray[np.uint8], factor: int, sigma_px: float | None = None
) -> NDArray[np.uint8]:
    """A picture as a coarser camera would give it; see the transform of the same name.

    Parameters
    ----------
    high : ndarray of uint8, shape (H, W, 3)
    factor, sigma_px
        See :func:`smearlab.learn.transforms.low_resolution.lower`.

    Returns
    -------
    ndarray of uint8, shape (H / factor, W / factor, 3)
    """
    planes = torch.from_numpy(np.ascontiguousarray(high)).permute(2, 0, 1)
    low = lower(planes, factor, sigma_px).permute(1, 2, 0)
    return np.ascontiguousarray(low.numpy())


def draw_pair(
    high: NDArray[np.uint8], config: UpscaleViewConfig, factor: int, rng: np.random.Generator
) -> Pair:
    """A small picture and its large one, in one random place and position.

    Parameters
    ----------
    high : ndarray of uint8, shape (high_px, high_px, 3)
    config : UpscaleViewConfig
    factor : int
    rng : Generator
        All chance comes from it.

    Returns
    -------
    low : ndarray of uint8, shape (learned_px / factor, learned_px / factor, 3)
    high : ndarray of uint8, shape (learned_px, learned_px, 3)
    """
    # Made small as a whole first: the edge of a part must not look like that of a picture.
    low = lowered(high, factor, config.sigma_px)
    side = config.learned_px // factor
    y, x = (int(n) for n in rng.integers(0, low.shape[0] - side + 1, 2))
    pair = (
        low[y : y + side, x : x + side],
        high[factor * y : factor * (y + side), factor * x : factor * (x + side)],
    )
    if not config.turned:
        return pair
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    turned = (np.rot90(one[:, ::-1] if mirrored else one, turns) for one in pair)
    small, large = (np.ascontiguousarray(one) for one in turned)
    return small, large
