"""All features of a cell picture: regions first, then shape, colour, texture and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classical.colour import COLOUR_FEATURES, colour_features
from smearlab.learn.classical.feature import Feature, Group
from smearlab.learn.classical.regions import find_regions
from smearlab.learn.classical.shape import SHAPE_FEATURES, shape_features
from smearlab.learn.classical.texture import (
    GRADIENT_FEATURES,
    TEXTURE_FEATURES,
    gradient_features,
    texture_features,
)
from smearlab.preprocess.central_square import W_NET_CROP_PX

#: To be raised whenever a feature is measured differently: kept values of others are not used.
FEATURE_VERSION = 1
#: Every column, in its order.
FEATURES: tuple[Feature, ...] = (
    *SHAPE_FEATURES,
    *COLOUR_FEATURES,
    *TEXTURE_FEATURES,
    *GRADIENT_FEATURES,
)
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class FeatureConfig:
    """Which part of a picture is measured, and which features are used.

    Parameters
    ----------
    size_px : int
        Side at which everything is measured; a multiple of 4, at least 32.
    crop_px : int or None
        Side of the middle square of the picture; None takes all of it, squeezed to a square.
    groups : tuple of str
        Of :data:`GROUPS`, at least one. Gradients are measured but not used unless named: cells
        lie at any angle, and every classifier is better without them (docs/classical.md).

    Raises
    ------
    UsageError
        If a size is out of range or ``groups`` is empty.
    UnknownNameError
        If a group is unknown.
    """

    size_px: int = 128
    crop_px: int | None = W_NET_CROP_PX
    groups: tuple[Group, ...] = ("shape", "colour", "texture")

    def __post_init__(self) -> None:
        if self.size_px < 32 or self.size_px % 4:
            raise UsageError(
                f"size_px must be a multiple of 4 and at least 32; received {self.size_px}"
            )
        if self.crop_px is not None and self.crop_px < 1:
            raise UsageError(f"crop_px must be at least 1 or None; received {self.crop_px}")
        if not self.groups:
            raise UsageError(f"groups must name at least one of {', '.join(GROUPS)}")
        for group in self.groups:
            if group not in GROUPS:
                raise UnknownNameError("group of features", group, GROUPS)


def measure(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All features of one picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        sRGB, the cell in the middle; S is a multiple of 4.

    Returns
    -------
    ndarray of float32, shape (F,)
        In the order of :data:`FEATURES`; NaN where a feature is undefined.

    Raises
    ------
    UsageError
        If the picture is no square of such a side.
    """
    height, width = pixels.shape[:2]
    if height != width or height % 4 or height < 32:
        raise UsageError(
            "features are measured on squares whose side is a multiple of 4, at least 32 px; "
            f"received {width}×{height}"
        )
    regions = find_regions(pixels)
    found = (
        shape_features(regions),
        colour_features(pixels, regions),
        texture_features(pixels, regions),
        gradient_features(pixels),
    )
    return np.concatenate(found).astype(np.float32)


def columns_of(groups: Sequence[Group]) -> NDArray[np.intp]:
    """Numbers of the columns of some groups, in their order."""
    return np.flatnonzero([feature.group in groups for feature in FEATURES])
