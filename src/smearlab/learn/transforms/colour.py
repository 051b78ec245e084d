"""Colour, blur and noise: what other stains, lamps, lenses and cameras do to a smear."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def stain_jitter(
    pixels: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0
) -> NDArray[np.uint8]:
    """Another stain: mixes the optical densities of the three channels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    rng : Generator
        Source of the draws.
    strength : float
        0 changes nothing but the rounding (by one grey level); 1 goes from pale to heavily
        stained and turns hues by tens of degrees. The lamp stays at 60 grey levels or more.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    light, density = _light_and_density(pixels)
    gain = np.exp(rng.normal(0, 0.28 * strength, 3) + rng.normal(0, 0.25 * strength))
    mix = np.diag(gain) + rng.normal(0, 0.12 * strength, (3, 3))
    lamp = light * np.exp(rng.normal(0, 0.07 * strength, 3) + rng.normal(0, 0.06 * strength))
    out = (lamp.clip(60, 255) + 4) * np.exp(-(density @ mix.T.astype(np.float32))) - 4
    return np.asarray(out.clip(0, 255), dtype=np.uint8)


def dark_cells(
    pixels: NDArray[np.uint8], cells: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Old or overstained smears: some cells as dark as nuclei, of any hue, and blotched.

    Makes a network tell cells apart by their form where it would go by their colour.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    cells : ndarray of bool, shape (H, W)
        True inside the cells to be changed.
    rng : Generator
        Source of the draws.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Optical densities of the chosen pixels multiplied by 1.4–5, uneven among the channels.
    """
    height, width = cells.shape
    soft = cv2.GaussianBlur(cells.astype(np.float32), (0, 0), 1.2)[..., None]
    coarse = rng.normal(0, 1, (height // 8 + 2, width // 8 + 2)).astype(np.float32)
    blotches = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    gain = np.exp(rng.uniform(np.log(1.4), np.log(5.0)) + rng.normal(0, 0.25, 3))
    uneven = np.exp(rng.uniform(0, 0.35) * blotches)
    light, density = _light_and_density(pixels)
    # Red cells absorb blue and green light; where they look blue, they absorb red as well.
    grey = density.mean(axis=2, keepdims=True)
    share = float(rng.uniform(0, 1))
    mixed = (density * (1 - share) + grey * share) * gain.astype(np.float32) * uneven
    out = (light + 4) * np.exp(-mixed.astype(np.float32)) - 4
    return np.asarray((pixels * (1 - soft) + out * soft).clip(0, 255), dtype=np.uint8)


def camera_jitter(
    pixels: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0
) -> NDArray[np.uint8]:
    """Another camera: gamma, saturation, hue, shading, blur, noise and JPEG, each sometimes.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    rng : Generator
        Source of the draws.
    strength : float
        Of gamma, saturation and hue, and how often a picture goes grey or swaps channels.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    out = pixels
    if rng.random() < 0.6:
        gamma, gain = np.exp(rng.normal(0, 0.2 * strength)), np.exp(rng.normal(0, 0.1 * strength))
        table = (np.arange(256) / 255.0) ** gamma * gain * 255
        out = np.asarray(cv2.LUT(out, table.clip(0, 255).astype(np.uint8)), np.uint8)
    if rng.random() < 0.5:
        hsv = cv2.cvtColor(out, cv2.COLOR_RGB2HSV_FULL).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + round(rng.normal(0, 10 * strength))) % 256
        hsv[..., 1] = (hsv[..., 1] * np.exp(rng.normal(0, 0.3 * strength))).clip(0, 255)
        out = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB_FULL), np.uint8)
    if rng.random() < 0.04 * strength:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
        out = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    elif rng.random() < 0.05 * strength:
        out = out[..., rng.permutation(3)]
    if rng.random() < 0.3:
        out = _shade(out, rng)
    if rng.random() < 0.3:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.5))), np.uint8)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 8), out.shape).astype(np.float32)
        out = (out + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))]
        coded = cv2.imencode(".jpg", out, quality)[1]
        out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(out)


def _light_and_density(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Grey levels of the background, shape (3,), and optical densities against it, (H, W, 3)."""
    light = np.quantile(pixels[::8, ::8].reshape(-1, 3), 0.95, axis=0).clip(32)
    density = -np.log((pixels.astype(np.float32) + 4) / (light.astype(np.float32) + 4))
    return light, density


def _shade(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uneven light: a gradient across the field, up to 30 %."""
    height, width = pixels.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    ramp = (
        np.cos(angle) * np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        + np.sin(angle) * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    )
    return np.asarray((pixels * (1 - depth * (ramp[..., None] + 1) / 2)).clip(0, 255), np.uint8)
