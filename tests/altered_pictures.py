"""Fields that merely look alike, and copies of pictures as archives make them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulator import SmearConfig

Pixels = NDArray[np.uint8]
#: One nucleated cell of one type amid red cells, one stain: no two alike, all much alike.
LOOK_ALIKE = SmearConfig(
    height_px=180, width_px=240, rbc_diameter_px=42, n_wbc=1, wbc_types=("lymphocyte",)
)


def turned(pixels: Pixels, turn: int) -> Pixels:
    """One of the eight turns and mirrorings."""
    quarter = np.rot90(pixels, turn % 4)
    return np.ascontiguousarray(quarter[:, ::-1] if turn >= 4 else quarter)


def compressed(pixels: Pixels, quality: int = 70) -> Pixels:
    """Through JPEG and back."""
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), dtype=np.uint8)


def altered(pixels: Pixels, seed: int) -> Pixels:
    """Cropped by up to 10 % a side, turned, mirrored, rescaled, relit and compressed."""
    rng = np.random.default_rng(seed)
    height, width = (int(n * rng.uniform(0.9, 1)) for n in pixels.shape[:2])
    top = int(rng.integers(pixels.shape[0] - height + 1))
    left = int(rng.integers(pixels.shape[1] - width + 1))
    part = turned(pixels[top : top + height, left : left + width], int(rng.integers(8)))
    scale = rng.uniform(0.6, 1.5)
    part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    lit = 255 * (part / 255) ** rng.uniform(0.7, 1.4) * rng.uniform(0.8, 1.15)
    return compressed(np.clip(lit, 0, 255).astype(np.uint8), int(rng.integers(40, 91)))


def augmented(pixels: Pixels, angle: float, shift: float) -> Pixels:
    """Squeezed to 128 × 128, turned by any angle and shifted, with black corners."""
    small = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA)
    lay = cv2.getRotationMatrix2D((64, 64), angle, 1)
    lay[:, 2] += 128 * shift
    return np.asarray(cv2.warpAffine(small, lay, (128, 128)), dtype=np.uint8)
