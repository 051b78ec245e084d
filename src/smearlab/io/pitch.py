"""How many micrometres a pixel is, as files say it, and whether that can be true of a microscope.

Print resolutions (72, 96, 300 dpi) are written by every camera and mean nothing here: they give
85–350 µm a pixel and fall outside :data:`PLAUSIBLE_UM`.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping

from smearlab.io import exif

#: Pixel pitches that a light microscope can give, µm.
PLAUSIBLE_UM = (0.01, 5.0)

#: Micrometres in one unit, by the number that TIFF and EXIF use.
_UM_IN_RESOLUTION_UNIT = {2: 25_400.0, 3: 10_000.0}

_UM_IN = {
    "nm": 1e-3,
    "nanometer": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,  # Greek mu, not the micro sign
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "inch": 25_400.0,
    "in": 25_400.0,
    "m": 1e6,
}


def plausible(x_um: float, y_um: float) -> float | None:
    """The pitch of square pixels within :data:`PLAUSIBLE_UM`, else None.

    Parameters
    ----------
    x_um, y_um : float
        Width and height of a pixel, µm. They may differ by one percent.
    """
    low, high = PLAUSIBLE_UM
    if not (math.isfinite(x_um) and math.isfinite(y_um) and low <= x_um <= high):
        return None
    if abs(x_um - y_um) > 0.01 * x_um:
        return None
    return x_um if x_um == y_um else (x_um + y_um) / 2


def from_density(x: float, y: float, *, unit: int) -> float | None:
    """Pitch from pixels per unit.

    Parameters
    ----------
    x, y : float
        Pixels in one unit.
    unit : int
        2 inch, 3 centimetre, as in TIFF and EXIF; anything else is no length.

    Returns
    -------
    float or None
        µm per px; None without a unit or where implausible.
    """
    length_um = _UM_IN_RESOLUTION_UNIT.get(unit)
    if length_um is None or not (x > 0 and y > 0):
        return None
    return plausible(length_um / x, length_um / y)


def from_tags(tags: Mapping[int, float]) -> float | None:
    """Pitch from the resolution tags of EXIF or TIFF; see :func:`from_density`."""
    x = tags.get(exif.X_RESOLUTION, 0)
    unit = int(tags.get(exif.RESOLUTION_UNIT, 2))  # inch is the standard's default
    return from_density(x, tags.get(exif.Y_RESOLUTION, x), unit=unit)


def from_description(text: str, tags: Mapping[int, float]) -> float | None:
    """Pitch from what OME or ImageJ write into a TIFF's description.

    Parameters
    ----------
    text : str
        OME-XML (``PhysicalSizeX``) or ImageJ's list (``unit=micron``, the number being in the
        resolution tags).
    tags : mapping of int to float
        The resolution tags.

    Returns
    -------
    float or None
        µm per px, None where nothing is said or it is implausible.
    """
    pixels = _ome_pixels(text)
    if pixels:
        x = _attribute_um(pixels, "PhysicalSizeX")
        return plausible(x, _attribute_um(pixels, "PhysicalSizeY", x))
    unit = re.search(r"^unit=(.+?)\s*$", text, re.MULTILINE)
    if text.startswith("ImageJ=") and unit:
        length_um = _UM_IN.get(unit[1].replace("\\u00B5", "µ").lower())
        x = tags.get(exif.X_RESOLUTION, 0)
        y = tags.get(exif.Y_RESOLUTION, x)
        return plausible(length_um / x, length_um / y) if length_um and x > 0 and y > 0 else None
    return None


def significant_bits(text: str) -> int | None:
    """How many bits of each sample OME-XML says are used; None where it says nothing."""
    found = re.search(r'\bSignificantBits="(\d{1,2})"', _ome_pixels(text))
    return int(found[1]) if found else None


def _ome_pixels(text: str) -> str:
    """The first ``<Pixels …>`` tag of OME-XML; matched, not parsed, so nothing can expand."""
    if "<OME" not in text[:4096]:
        return ""
    found = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", text)
    return html.unescape(found[0]) if found else ""


def _attribute_um(tag: str, name: str, default: float = math.nan) -> float:
    """A length attribute with its ``…Unit`` in µm; the unit is µm where it is not given."""
    value = re.search(rf'\b{name}="([^"]*)"', tag)
    unit = re.search(rf'\b{name}Unit="([^"]*)"', tag)
    if not value:
        return default
    try:
        return float(value[1]) * _UM_IN.get(unit[1] if unit else "µm", math.nan)
    except ValueError:
        return math.nan
