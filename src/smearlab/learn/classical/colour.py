"""Moments of hue, saturation and value in nucleus and cytoplasm."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.learn.classical.feature import Feature
from smearlab.learn.classical.regions import Regions

PARTS = ("nucleus", "cytoplasm")
#: Fewer pixels give no moments.
LEAST_PIXELS = 16


def _moments_of(part: str) -> tuple[Feature, ...]:
    """Nine features of one part."""
    absent = f"; NaN where the {part} has fewer than {LEAST_PIXELS} px"
    hue = (
        # Hue is an angle: red lies at both ends of its scale, and eosin is red.
        Feature(f"{part}_hue_cos", "colour", "1", -1, 1, f"mean cosine of the hue{absent}"),
        Feature(f"{part}_hue_sin", "colour", "1", -1, 1, f"mean sine of the hue{absent}"),
        Feature(f"{part}_hue_spread", "colour", "1", 0, 1, f"circular variance of the hue{absent}"),
    )
    rest = tuple(
        feature
        for channel in ("saturation", "value")
        for feature in (
            Feature(f"{part}_{channel}_mean", "colour", "1", 0, 1, f"mean{absent}"),
            Feature(f"{part}_{channel}_sd", "colour", "1", 0, 0.5, f"standard deviation{absent}"),
            Feature(f"{part}_{channel}_skewness", "colour", "1", -256, 256, "third standardised "
                    f"moment{absent}, or is even"),
        )
    )  # fmt: skip
    return (*hue, *rest)


COLOUR_FEATURES: tuple[Feature, ...] = tuple(f for part in PARTS for f in _moments_of(part))


def colour_features(pixels: NDArray[np.uint8], regions: Regions) -> NDArray[np.float64]:
    """Measure :data:`COLOUR_FEATURES`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        sRGB.
    regions : Regions
        Of that picture.

    Returns
    -------
    ndarray of float64, shape (18,)
    """
    light = pixels.astype(np.float32) / np.float32(255)
    hsv = np.asarray(cv2.cvtColor(light, cv2.COLOR_RGB2HSV), np.float64)  # H in degrees
    return np.concatenate([_moments(hsv[getattr(regions, part)]) for part in PARTS])


def _moments(hsv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nine numbers of (N, 3) colours; NaN of too few."""
    if len(hsv) < LEAST_PIXELS:
        return np.full(9, math.nan)
    angle = np.deg2rad(hsv[:, 0])
    cosine, sine = float(np.cos(angle).mean()), float(np.sin(angle).mean())
    moments = [cosine, sine, 1 - min(1.0, math.hypot(cosine, sine))]
    for channel in (hsv[:, 1], hsv[:, 2]):
        mean, spread = float(channel.mean()), float(channel.std())
        # Of an even colour only rounding is left, whose skewness means nothing.
        third = float(((channel - mean) ** 3).mean())
        moments += [mean, spread, third / spread**3 if spread > 1e-6 else math.nan]
    return np.array(moments)
