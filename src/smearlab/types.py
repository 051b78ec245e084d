"""The words everybody uses: fields, maps, labels, cells and counts.

All are frozen. Image arrays are ``(H, W, …)``; points and boxes are ``(x, y)`` in pixels of the
upright field, x to the right, y down. Lengths carry ``_px`` or ``_um`` in their names.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Element = Literal["RBC", "WBC", "PLT"]
#: The three formed elements: red cells, nucleated (white) cells, platelets.
ELEMENTS: tuple[Element, ...] = ("RBC", "WBC", "PLT")
#: What people call them, in the plural.
ELEMENT_NAMES: Mapping[Element, str] = {
    "RBC": "red cells",
    "WBC": "white cells",
    "PLT": "platelets",
}

UNIDENTIFIED = "unidentified"
#: The five mature leukocytes and the immature granulocytes: what a differential counts.
LEUKOCYTE_TYPES = (
    "neutrophil",
    "eosinophil",
    "basophil",
    "lymphocyte",
    "monocyte",
    "immature granulocyte",
)
#: Every type a cell can be given, in the order of all tables. ``unidentified`` is the honest
#: answer of a classifier whose confidence is below its bundle's threshold.
CELL_TYPES = ("erythrocyte", "platelet", *LEUKOCYTE_TYPES, "erythroblast", UNIDENTIFIED)

#: The element that a type belongs to. Erythroblasts are nucleated, and boxed as WBC by the
#: public box sets. ``unidentified`` is missing on purpose: it keeps the element it was found as.
ELEMENT_OF_TYPE: Mapping[str, Element] = {
    "erythrocyte": "RBC",
    "platelet": "PLT",
    **dict.fromkeys(LEUKOCYTE_TYPES, "WBC"),
    "erythroblast": "WBC",
}

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Field:
    """One picture of a smear, upright, as a person sees it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB, 0–255.
    name : str
        Unique within one analysis; used for file names and in every table.
    um_per_px : float or None
        Pixel pitch in micrometres, None when unknown (never guessed).
    source : str
        Where it was read from, as the user wrote it.
    notes : tuple of str
        What the reader had to decide, e.g. "page 1 of 3".
    """

    pixels: NDArray[np.uint8]
    name: str
    um_per_px: float | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def height_px(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width_px(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, eq=False)
class ClassMap:
    """What each pixel is, as probabilities.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (H, W, K)
        Sums to 1 over K.
    classes : tuple of str
        K names; the first is ``"background"``.
    """

    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Labels:
    """Which cell each pixel belongs to.

    Parameters
    ----------
    array : ndarray of int32, shape (H, W)
        0 is background; every other value is one cell.
    """

    array: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of one field.

    Parameters
    ----------
    field : str
        Name of the field.
    label : int
        Its value in the field's :class:`Labels`; from 1.
    contour : ndarray of float32, shape (N, 2)
        Closed polygon of (x, y) px, N ≥ 3, first point not repeated.
    bbox : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open: ``x1 - x0`` is the width. Where a cell lies under
        another, the box may reach beyond the visible contour.
    area_px : float
        Visible area, px².
    touches_border : bool
        Whether the cell is cut by the edge of the field.
    element : {"RBC", "WBC", "PLT"}
        What it was found as.
    detection_score : float
        In [0, 1]: how sure the segmenter is that a cell is there.
    type : str
        One of :data:`CELL_TYPES`.
    probabilities : mapping of str to float
        Type → probability; sums to 1; without ``unidentified``.
    confidence : float
        In [0, 1]: probability of the most probable type.
    """

    field: str
    label: int
    contour: NDArray[np.float32]
    bbox: Box
    area_px: float
    touches_border: bool
    element: Element
    detection_score: float
    type: str
    probabilities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    confidence: float = math.nan

    @property
    def centroid(self) -> tuple[float, float]:
        """Centre (x, y) px of the contour's polygon."""
        x, y = self.contour[:, 0].astype(float), self.contour[:, 1].astype(float)
        xn, yn = np.roll(x, -1), np.roll(y, -1)
        cross = x * yn - xn * y
        twice_area = float(cross.sum())
        if abs(twice_area) < 1e-9:  # a line or a point
            return float(x.mean()), float(y.mean())
        return (
            float(((x + xn) * cross).sum() / (3 * twice_area)),
            float(((y + yn) * cross).sum() / (3 * twice_area)),
        )

    @property
    def perimeter_px(self) -> float:
        """Length of the closed contour, px."""
        step = np.diff(self.contour, axis=0, append=self.contour[:1]).astype(float)
        return float(np.hypot(step[:, 0], step[:, 1]).sum())

    @property
    def equivalent_diameter_px(self) -> float:
        """Diameter of the disc of equal area, px."""
        return math.sqrt(4 * self.area_px / math.pi)

    @property
    def circularity(self) -> float:
        """4π·area / perimeter², 1 for a disc; NaN for a contour without length."""
        perimeter = self.perimeter_px
        return min(1.0, 4 * math.pi * self.area_px / perimeter**2) if perimeter else math.nan


@dataclass(frozen=True)
class Share:
    """A count out of a total, with its interval.

    Parameters
    ----------
    n : int
        How many.
    fraction : float
        ``n`` / total, NaN when the total is 0.
    low, high : float
        95 % Clopper–Pearson interval of the fraction, NaN when the total is 0.
    """

    n: int
    fraction: float
    low: float
    high: float


@dataclass(frozen=True)
class Counts:
    """What was counted, in one field or pooled over many.

    Parameters
    ----------
    n_fields : int
        How many fields were pooled.
    types : mapping of str to Share
        Every name of :data:`CELL_TYPES` → its share of all cells.
    differential : mapping of str to Share
        Every name of :data:`LEUKOCYTE_TYPES` → its share of the identified leukocytes.
    elements : mapping of str to float
        RBC, WBC, PLT → number of cells, NaN for those that were not looked for. WBC are all
        nucleated cells, erythroblasts and unidentified ones included.
    rbc_per_wbc, plt_per_wbc : float
        Ratios; NaN when there is no WBC, or one of both was not looked for.
    """

    n_fields: int
    types: Mapping[str, Share]
    differential: Mapping[str, Share]
    elements: Mapping[str, float]
    rbc_per_wbc: float
    plt_per_wbc: float

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        """Elements, and types of them, that the segmenter cannot see: their numbers mean nothing.

        Names of :data:`ELEMENTS` come first, then those of :data:`CELL_TYPES`.
        """
        missed = tuple(name for name in ELEMENTS if math.isnan(self.elements[name]))
        types = tuple(name for name in CELL_TYPES if ELEMENT_OF_TYPE.get(name) in missed)
        return (*missed, *types)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain numbers; None for NaN, which JSON has not, and what was not counted."""
        missed = self.not_looked_for

        def plain(value: float) -> float | None:
            return None if math.isnan(value) else value

        def share(name: str, value: Share) -> dict[str, Any]:
            return {
                "n": None if name in missed else value.n,
                "fraction": plain(value.fraction),
                "low": plain(value.low),
                "high": plain(value.high),
            }

        return {
            "n_fields": self.n_fields,
            "types": {name: share(name, value) for name, value in self.types.items()},
            "differential": {name: share(name, value) for name, value in self.differential.items()},
            **{name: None if name in missed else int(self.elements[name]) for name in ELEMENTS},
            "rbc_per_wbc": plain(self.rbc_per_wbc),
            "plt_per_wbc": plain(self.plt_per_wbc),
        }
