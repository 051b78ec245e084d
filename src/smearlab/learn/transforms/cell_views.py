"""Random views of single cells: turned, shifted, scaled, recoloured."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.transforms.colour import camera_jitter, stain_jitter


@dataclass(frozen=True)
class CellViewConfig:
    """How views are drawn.

    Parameters
    ----------
    input_px : int
        Side of the view.
    context : float
        Side of the square over the longer side of the cell's box.
    patch_context : float
        The same for the patches that views are cut from.
    turn : float
        Largest rotation in degrees, either way.
    shift : float
        Largest shift, share of the box.
    zoom : float
        σ of the logarithm of the scale.
    stretch : float
        σ of the logarithm of the aspect ratio.
    shear : float
        Largest shear.
    colour, stain_share : float
        Strength of colour changes, 0 switches them off; share of views with another stain.

    Raises
    ------
    UsageError
        If a size is not above 0, or a strength is negative.
    """

    input_px: int = 96
    context: float = 1.3
    patch_context: float = 2.0
    turn: float = 180.0
    shift: float = 0.08
    zoom: float = 0.12
    stretch: float = 0.05
    shear: float = 0.0
    colour: float = 0.6
    stain_share: float = 0.4

    def __post_init__(self) -> None:
        for name in ("input_px", "context", "patch_context"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} must be above 0; received {getattr(self, name)}")
        for name in ("turn", "shift", "zoom", "stretch", "shear", "colour", "stain_share"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")


def draw_cell_view(
    patch: NDArray[np.uint8], config: CellViewConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One random view of a cell.

    Parameters
    ----------
    patch : ndarray of uint8, shape (P, P, 3)
        The cell in the middle; P px span ``patch_context`` boxes.
    config : CellViewConfig
    rng : Generator

    Returns
    -------
    ndarray of uint8, shape (input_px, input_px, 3)
    """
    box = patch.shape[0] / config.patch_context
    scale = config.input_px / (config.context * box) * float(np.exp(rng.normal(0, config.zoom)))
    stretch = float(np.exp(rng.normal(0, config.stretch)))
    angle = np.deg2rad(rng.uniform(-config.turn, config.turn))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.uniform(-config.shear, config.shear)], [0, 1]])
    linear = turn @ shear @ np.diag([stretch, 1 / stretch]) * scale
    if rng.random() < 0.5:
        linear = linear @ np.diag([-1.0, 1.0])
    middle = np.full(2, (patch.shape[0] - 1) / 2) + rng.uniform(-1, 1, 2) * config.shift * box
    offset = (config.input_px - 1) / 2 - linear @ middle
    warped = cv2.warpAffine(
        patch,
        np.column_stack([linear, offset]),
        (config.input_px, config.input_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    view = np.asarray(warped, np.uint8)
    if config.colour > 0:
        if rng.random() < config.stain_share:
            view = stain_jitter(view, rng, config.colour)
        view = camera_jitter(view, rng, config.colour)
    return view
