"""What is measured of every cell: size, form, colour and texture, with units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.instances.shape import axes, eccentricity, solidity
from smearlab.instances.texture import TEXTURES, grey_levels, load_co_occurrence, texture
from smearlab.types import Cell

#: Below this a spread is rounding, and its skewness means nothing.
_EVEN = 1e-4


class Statistic(NamedTuple):
    """One figure of a cell.

    Parameters
    ----------
    name : str
        Without unit.
    unit : str
        "px" and "px²" are also given in µm and µm² where the pixel pitch is known; "" for a pure
        number.
    digits : int
        After the point, in tables.
    """

    name: str
    unit: str
    digits: int


#: Colour channels and their units: sRGB 0–255; hue as an angle, saturation and value in [0, 1];
#: CIE L*a*b* (D65).
CHANNELS: tuple[tuple[str, str], ...] = (
    ("red", ""),
    ("green", ""),
    ("blue", ""),
    ("hue", "deg"),
    ("saturation", ""),
    ("value", ""),
    ("lab_l", ""),
    ("lab_a", ""),
    ("lab_b", ""),
)
#: All figures, in the order of tables.
STATISTICS: tuple[Statistic, ...] = (
    Statistic("area", "px²", 1),
    Statistic("perimeter", "px", 2),
    Statistic("equivalent_diameter", "px", 2),
    Statistic("major_axis", "px", 2),
    Statistic("minor_axis", "px", 2),
    Statistic("eccentricity", "", 4),
    Statistic("solidity", "", 4),
    Statistic("circularity", "", 4),
    *(
        Statistic(f"{channel}_{moment}", unit if moment != "skewness" else "", 4)
        for channel, unit in CHANNELS
        for moment in ("mean", "sd", "skewness")
    ),
    *(Statistic(f"glcm_{name.lower()}", "", 5) for name in TEXTURES),
)


def measure_cells(
    pixels: NDArray[np.uint8], labels: NDArray[np.int32], cells: Sequence[Cell]
) -> list[dict[str, float]]:
    """Measure :data:`STATISTICS` of some cells of a field.

    Area, perimeter, equivalent diameter and circularity are those of the cell's contour
    (:class:`smearlab.types.Cell`), the same as ``smearlab analyze`` gives; all else is measured on
    the pixels that carry its label.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    labels : ndarray of int32, shape (H, W)
        0 is background.
    cells : sequence of Cell
        Of that field.

    Returns
    -------
    list of dict of str to float
        For each cell, name → figure; NaN where it is undefined.
    """
    found = []
    for cell in cells:
        x0, y0, x1, y1 = _window(cell, labels.shape)
        mask = labels[y0:y1, x0:x1] == cell.label
        crop = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        major, minor = axes(mask)
        found.append(
            {
                "area": cell.area_px,
                "perimeter": cell.perimeter_px,
                "equivalent_diameter": cell.equivalent_diameter_px,
                "major_axis": major,
                "minor_axis": minor,
                "eccentricity": eccentricity(major, minor),
                "solidity": solidity(mask),
                "circularity": cell.circularity,
                **colour_moments(crop[mask]),
                **{
                    f"glcm_{name.lower()}": figure
                    for name, figure in texture(grey_levels(crop), mask).items()
                },
            }
        )
    return found


def make_ready() -> None:
    """Import what :func:`measure_cells` needs, before several threads ask for it at once."""
    load_co_occurrence()
    _load_rgb2lab()


def _load_rgb2lab() -> Callable[..., Any]:
    from skimage.color import rgb2lab

    return rgb2lab  # type: ignore[no-any-return]


def _window(cell: Cell, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Box that holds every pixel of a cell: its bbox, and what the contour reaches beyond it."""
    low = np.floor(cell.contour.min(axis=0)).astype(int)
    high = np.ceil(cell.contour.max(axis=0)).astype(int)
    x0, y0, x1, y1 = cell.bbox
    return (
        max(0, min(x0, int(low[0]))),
        max(0, min(y0, int(low[1]))),
        min(shape[1], max(x1, int(high[0]))),
        min(shape[0], max(y1, int(high[1]))),
    )


def colour_moments(colours: NDArray[np.uint8]) -> dict[str, float]:
    """Mean, standard deviation and skewness of every channel of :data:`CHANNELS`.

    The standard deviation has the divisor n; skewness is the third standardised moment, NaN of an
    even colour. Hue is an angle, and grey has none: its mean is the direction of the mean vector
    of the coloured pixels, in [0°, 360°), and the other moments are those of the deviations from
    it, in [-180°, 180°).

    Parameters
    ----------
    colours : ndarray of uint8, shape (N, 3)
        sRGB of the cell's pixels.

    Returns
    -------
    dict of str to float
        ``<channel>_<moment>`` → figure; NaN without a pixel.
    """
    if not len(colours):
        moments = ("mean", "sd", "skewness")
        return {f"{channel}_{moment}": math.nan for channel, _ in CHANNELS for moment in moments}
    light = colours[None].astype(np.float32) / np.float32(255)
    hsv = np.asarray(cv2.cvtColor(light, cv2.COLOR_RGB2HSV)[0], np.float64)
    lab = np.asarray(_load_rgb2lab()(colours), np.float64)  # OpenCV's is off by up to 0.2
    columns = np.hstack([colours.astype(np.float64), hsv, lab]).T
    figures = {}
    for (channel, _), values in zip(CHANNELS, columns, strict=True):
        mean, deviations = _centred(values)
        if channel == "hue":
            mean, deviations = _centred_angles(values[hsv[:, 1] > 0])
        spread = float(np.sqrt((deviations**2).mean())) if len(deviations) else math.nan
        third = float((deviations**3).mean()) if len(deviations) else math.nan
        figures[f"{channel}_mean"] = mean
        figures[f"{channel}_sd"] = spread
        figures[f"{channel}_skewness"] = third / spread**3 if spread > _EVEN else math.nan
    return figures


def _centred(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    mean = float(values.mean())
    return mean, values - mean


def _centred_angles(degrees: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Mean direction and deviations from it; NaN and nothing where there is no direction."""
    if not len(degrees):
        return math.nan, degrees
    radians = np.deg2rad(degrees)
    mean = math.degrees(math.atan2(np.sin(radians).mean(), np.cos(radians).mean())) % 360
    return mean, (degrees - mean + 180) % 360 - 180
