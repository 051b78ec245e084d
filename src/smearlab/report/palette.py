"""One colour and one short code for every type, the same in overlays, charts and galleries.

The ten colours lie at least 11 CIEDE2000 units apart from each other, for normal vision and for
complete protanopia, deuteranopia and tritanopia (Machado et al. 2009), and above lightness 37, so
that each stands out from the dark halo it is drawn on. Colour is never the only sign: overlays
carry the codes, charts and tables the names.

References
----------
Machado, G. M., Oliveira, M. M. & Fernandes, L. A. F. (2009). A physiologically-based model for
simulation of color vision deficiency. IEEE TVCG 15, 1291–1298. doi:10.1109/TVCG.2009.113
"""

from __future__ import annotations

from collections.abc import Mapping

RGB = tuple[int, int, int]

#: Type → "#rrggbb" in sRGB.
HEX_OF_TYPE: Mapping[str, str] = {
    "erythrocyte": "#ffffff",
    "platelet": "#00a98f",
    "neutrophil": "#2fd6ff",
    "eosinophil": "#e08a00",
    "basophil": "#4a3fd0",
    "lymphocyte": "#9fe08c",
    "monocyte": "#a488ff",
    "immature granulocyte": "#7b5100",
    "erythroblast": "#e0336a",
    "unidentified": "#fff000",
}

#: Element → "#rrggbb", where cells have no type: colours of three types that lie far apart.
HEX_OF_ELEMENT: Mapping[str, str] = {
    "RBC": HEX_OF_TYPE["eosinophil"],
    "WBC": HEX_OF_TYPE["neutrophil"],
    "PLT": HEX_OF_TYPE["unidentified"],
}

#: Type → the letters written beside a cell.
CODE_OF_TYPE: Mapping[str, str] = {
    "erythrocyte": "RBC",
    "platelet": "PLT",
    "neutrophil": "NEU",
    "eosinophil": "EO",
    "basophil": "BA",
    "lymphocyte": "LY",
    "monocyte": "MO",
    "immature granulocyte": "IG",
    "erythroblast": "ERB",
    "unidentified": "?",
}

#: Drawn under every contour, so that it is seen on light and on dark grounds.
HALO: RGB = (24, 20, 28)


def rgb_of(name: str) -> RGB:
    """Colour of a type.

    Parameters
    ----------
    name : str
        One of :data:`smearlab.types.CELL_TYPES`.

    Returns
    -------
    tuple of int
        sRGB, 0–255.
    """
    return _rgb(HEX_OF_TYPE[name])


def rgb_of_element(element: str) -> RGB:
    """Colour of an element, sRGB 0–255.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}

    Returns
    -------
    tuple of int
    """
    return _rgb(HEX_OF_ELEMENT[element])


def _rgb(value: str) -> RGB:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def ink_on(name: str) -> RGB:
    """Black or white, whichever is read better on the colour of a type.

    Parameters
    ----------
    name : str
        One of :data:`smearlab.types.CELL_TYPES`.

    Returns
    -------
    tuple of int
        sRGB, 0–255; its WCAG contrast with the colour is at least 4.5.
    """
    # Black and white contrast equally with a relative luminance of 0.179.
    return (0, 0, 0) if relative_luminance(rgb_of(name)) > 0.179 else (255, 255, 255)


def relative_luminance(colour: RGB) -> float:
    """Relative luminance of an sRGB colour, in [0, 1], as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _unit(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _unit(colour: RGB) -> tuple[float, float, float]:
    return colour[0] / 255, colour[1] / 255, colour[2] / 255
