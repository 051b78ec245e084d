"""From what a simulated smear absorbs to the picture that a camera would take of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_config import SmearConfig
from smearlab.datasets.simulated_looks import Look
from smearlab.datasets.simulated_shapes import Floats, grain


def expose(
    rng: np.random.Generator, density: Floats, look: Look, config: SmearConfig
) -> NDArray[np.uint8]:
    """Light the smear, then blur, grain and compress the picture.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    density : ndarray of float32, shape (H, W, 3)
        Optical density over the empty ground, natural logarithm; below 0 where light is added.
    look : Look
        Gives the ground's colour.
    config : SmearConfig
        Focus, noise, light and compression.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB.
    """
    shape = density.shape[:2]
    light = 1 + 0.006 * grain(rng, shape, max(shape) / 6)
    light -= np.float32(config.illumination) * _slope(rng, shape)
    # channel by channel: three values at a time are slow to multiply
    picture: Floats = np.asarray(cv2.exp(-density), np.float32)
    picture *= cv2.merge([light * np.float32(channel) for channel in look.background])
    picture = _out_of_focus(rng, picture, config)
    if config.noise > 0:
        grains = rng.standard_normal(picture.shape, dtype=np.float32)
        grains *= np.float32(config.noise)
        grains += picture
        picture = grains
    pixels = np.asarray(cv2.convertScaleAbs(np.maximum(picture, 0)), np.uint8)
    return pixels if config.jpeg_quality is None else _compress(pixels, config.jpeg_quality)


def _slope(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """An even slope in any direction, from 0 in one corner to 1 in another, shape (H, W)."""
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32)
    y = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)[:, None]
    slope = np.float32(math.cos(angle)) * x + np.float32(math.sin(angle)) * y
    return np.asarray(slope / np.ptp(slope) + 0.5, np.float32)


def _out_of_focus(rng: np.random.Generator, picture: Floats, config: SmearConfig) -> Floats:
    """The optical blur; between its best and its worst place the two pictures are mixed."""
    best, worst = config.blur_px, config.blur_px + config.uneven_focus_px
    sharp = cv2.GaussianBlur(picture, (0, 0), best) if best > 0 else picture
    if config.uneven_focus_px == 0:
        return np.asarray(sharp, np.float32)
    far = _slope(rng, (picture.shape[0], picture.shape[1]))[..., None]
    blurred = cv2.GaussianBlur(picture, (0, 0), worst)
    return np.asarray(sharp + (blurred - sharp) * far, np.float32)


def _compress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture as it comes back from a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
