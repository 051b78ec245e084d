"""Whole fields at a network's fixed size, turned and shifted a little (paper A)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.transforms.affine_ranges import PAPER_A, AffineRanges
from smearlab.preprocess.contrast import equalise


@dataclass(frozen=True)
class WholeViewConfig:
    """Paper A's augmentation.

    Parameters
    ----------
    size : int
        Side of the view, px, a multiple of 16; the field is squeezed to it.
    turn : float
        Largest rotation in degrees, either way.
    shift : float
        Largest share of the side, either way.
    shear, zoom : float
        Largest share, from 0 up.
    clip_limit : float
        Of CLAHE; 0 leaves the contrast.

    Raises
    ------
    UsageError
        If ``size`` is no multiple of 16, or another value is negative.
    """

    size: int = 256
    turn: float = PAPER_A.turn[1]
    shift: float = PAPER_A.shift[1]
    shear: float = PAPER_A.shear[1]
    zoom: float = PAPER_A.zoom[1] - 1
    clip_limit: float = 2.0

    def __post_init__(self) -> None:
        if self.size < 16 or self.size % 16:
            raise UsageError(f"size must be a multiple of 16; received {self.size}")
        for name in ("turn", "shift", "shear", "zoom", "clip_limit"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")

    @property
    def ranges(self) -> AffineRanges:
        """What is drawn."""
        return AffineRanges(
            (-self.turn, self.turn),
            (-self.shift, self.shift),
            (0.0, self.shear),
            (1.0, 1 + self.zoom),
            PAPER_A.mirrored,
        )


def draw_whole_view(
    pixels: NDArray[np.uint8],
    element_map: NDArray[np.uint8],
    config: WholeViewConfig,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.uint8]]:
    """One random view of a field and of its map; nearest fill beyond the edge.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    element_map : ndarray of uint8, shape (H, W)
    config : WholeViewConfig
    rng : Generator

    Returns
    -------
    dict
        ``pixels`` (S, S, 3) and ``element_map`` (S, S), uint8.
    """
    size = config.size
    small = np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    marks = np.asarray(
        cv2.resize(element_map, (size, size), interpolation=cv2.INTER_NEAREST), np.uint8
    )
    if config.clip_limit > 0:
        small = equalise(small, clip_limit=config.clip_limit)
    affine = config.ranges.draw(rng)
    matrix = affine.matrix((0, 0, size, size), (size, size))
    return {
        "pixels": _warp(small, matrix, cv2.INTER_LINEAR),
        "element_map": _warp(marks, matrix, cv2.INTER_NEAREST),
    }


def _warp(square: NDArray[np.uint8], matrix: NDArray[np.float64], flags: int) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(
        np.ascontiguousarray(square),
        matrix,
        square.shape[:2],
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)
