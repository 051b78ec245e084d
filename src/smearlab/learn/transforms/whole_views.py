"""Whole fields at a network's fixed size, turned and shifted a little (paper A)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.preprocess.contrast import equalise


@dataclass(frozen=True)
class WholeViewConfig:
    """Paper A's augmentation.

    Parameters
    ----------
    size : int
        Side of the view, px; the field is squeezed to it.
    turn : float
        Largest rotation in degrees, either way.
    shift, shear, zoom : float
        Largest share, either way.
    clip_limit : float
        Of CLAHE; 0 leaves the contrast.
    """

    size: int = 256
    turn: float = 20.0
    shift: float = 0.05
    shear: float = 0.05
    zoom: float = 0.05
    clip_limit: float = 2.0


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
    marks = cv2.resize(element_map, (size, size), interpolation=cv2.INTER_NEAREST)
    if config.clip_limit > 0:
        small = equalise(small, clip_limit=config.clip_limit)
    angle = rng.uniform(-config.turn, config.turn)
    zoom = 1 + rng.uniform(-config.zoom, config.zoom)
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), angle, zoom)
    matrix[0, 1] += rng.uniform(-config.shear, config.shear)
    matrix[:, 2] += rng.uniform(-config.shift, config.shift, 2) * size
    if rng.random() < 0.5:
        small, marks = small[:, ::-1], marks[:, ::-1]
    border = {"borderMode": cv2.BORDER_REPLICATE}
    out = cv2.warpAffine(np.ascontiguousarray(small), matrix, (size, size), flags=1, **border)
    mapped = cv2.warpAffine(np.ascontiguousarray(marks), matrix, (size, size), flags=0, **border)
    return {"pixels": np.asarray(out, np.uint8), "element_map": np.asarray(mapped, np.uint8)}
