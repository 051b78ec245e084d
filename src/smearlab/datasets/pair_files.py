"""What a pair is: a picture and where one element lies in it; and the files it is read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import FieldFile
from smearlab.errors import AnnotationError, UnknownNameError
from smearlab.segment.segmented_picture import own_pixels
from smearlab.types import ELEMENTS, Element

Truth = Literal["mask", "boxes", "simulated"]
TRUTHS: tuple[Truth, ...] = get_args(Truth)
PairPart = Literal["train", "val", "test"]
PAIR_PARTS: tuple[PairPart, ...] = get_args(PairPart)
PairSource = Literal["bccd_masks", "boxes", "all_idb1", "bbbc041seg", "simulated"]
#: How the target of each source came about.
TRUTH_OF_SOURCE: Mapping[PairSource, Truth] = {
    "bccd_masks": "mask",
    "boxes": "boxes",
    "all_idb1": "mask",
    "bbbc041seg": "mask",
    "simulated": "simulated",
}


@dataclass(frozen=True)
class PairFile:
    """Where one pair lies, before it is read.

    Parameters
    ----------
    name : str
        Unique among the pairs of a data folder.
    element : {"RBC", "WBC", "PLT"}
        What the target shows.
    source : {"bccd_masks", "boxes", "all_idb1", "bbbc041seg", "simulated"}
        How the target is read or made.
    origin, group : str
        Archive; the place of a smear that all copies and overlapping pictures share.
    part : {"train", "val", "test"}
        ``train`` is learnt from, ``val`` chooses, ``test`` is reported.
    image, target : Path or None
        The picture; the file of its target, where there is one.
    boxed : FieldFile or None
        The picture's boxes, where there are any.
    red_target : Path or None
        Target of the red cells in the same picture: it tells their diameter.
    seed : int or None
        Of a simulated pair.
    """

    name: str
    element: Element
    source: PairSource
    origin: str
    group: str
    part: PairPart
    image: Path | None = None
    target: Path | None = None
    boxed: FieldFile | None = None
    red_target: Path | None = None
    seed: int | None = None

    @property
    def truth(self) -> Truth:
        """How the target came about: drawn by people, made from boxes, or simulated."""
        return TRUTH_OF_SOURCE[self.source]


@dataclass(frozen=True, eq=False)
class ElementPair:
    """A picture and where one element lies in it.

    Parameters
    ----------
    name, group : str
        As those of the :class:`PairFile`.
    element : {"RBC", "WBC", "PLT"}
        What the target shows.
    part : {"train", "val", "test"}
    truth : {"mask", "boxes", "simulated"}
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    target : ndarray of bool, shape (H, W)
        True on the element.
    diameter_px : float
        Diameter of the red cells of the field; NaN where nothing tells it.
    unknown : ndarray of bool, shape (H, W)
        True where nothing is claimed: what looks like a cell and lies in no box. Never true
        where the target is.
    objects : ndarray of int32, shape (H, W), or None
        Which cell each pixel of the target belongs to, 0 elsewhere; None where only boxes, or
        only the area of all cells, are known.
    boxes : ndarray of float32, shape (N, 4), or None
        Boxes of the element, ``(x0, y0, x1, y1)`` px; None where there are none.

    Raises
    ------
    AnnotationError
        If picture and target differ in size.
    """

    name: str
    element: Element
    group: str
    part: PairPart
    truth: Truth
    pixels: NDArray[np.uint8]
    target: NDArray[np.bool_]
    diameter_px: float
    unknown: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    objects: NDArray[np.int32] | None = None
    boxes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.target.shape != self.pixels.shape[:2]:
            raise AnnotationError(
                f"the target of {self.name} has {_size(self.target)} px, its picture "
                f"{_size(self.pixels)}; both must be of one size"
            )
        if self.unknown.size == 0:
            object.__setattr__(self, "unknown", np.zeros(self.target.shape, np.bool_))

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The target picture: the field's own pixels on the element, black elsewhere."""
        return own_pixels(self.pixels, self.target)


def _size(array: NDArray[np.generic]) -> str:
    return f"{array.shape[1]} × {array.shape[0]}"


def element_named(name: str) -> Element:
    """The element of that name, in capitals or not.

    Raises
    ------
    UnknownNameError
        If there is none.

    Examples
    --------
    >>> element_named("wbc")
    'WBC'
    """
    for element in ELEMENTS:
        if element == name.upper():
            return element
    raise UnknownNameError("element", name, ELEMENTS)
