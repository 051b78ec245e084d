"""What is known of one element in one field: where it is, how sure, and its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.types import Cell, Element

#: Share of an element's pixels that another network may claim, too, before it is said.
_MUCH_SHARED = 0.05


@dataclass(frozen=True, eq=False)
class ElementPicture:
    """One element of one field; all arrays have the field's own size.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    probability : ndarray of float32, shape (H, W)
        That a pixel is the element's, as the network says; the mean over the draws of noise.
    mask : ndarray of bool, shape (H, W)
        Pixels of the element's cells: more probable than not, pale centres filled, specks left
        out.
    segmented : ndarray of uint8, shape (H, W, 3)
        The field's own pixels inside the mask, black elsewhere.
    spread : ndarray of float32, shape (H, W), or None
        Standard deviation of the probability over the draws (divisor n - 1), in [0, 0.71]; None
        with less than two draws.
    labels : ndarray of int32, shape (H, W)
        0 outside the mask, else the label of the cell.
    cells : tuple of Cell
        Touching ones are split; their labels are unique in the field.
    generated : ndarray of uint8, shape (H, W, 3), or None
        The picture that the network itself has drawn; None where it draws none.
    """

    element: Element
    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    segmented: NDArray[np.uint8]
    spread: NDArray[np.float32] | None
    labels: NDArray[np.int32]
    cells: tuple[Cell, ...]
    generated: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class ElementPictures(Mapping[Element, ElementPicture]):
    """The elements of one field.

    Parameters
    ----------
    pictures : mapping of str to ElementPicture
        In the order of :data:`~smearlab.types.ELEMENTS`.
    notes : tuple of str
        What had to be decided, for the user.
    """

    pictures: Mapping[Element, ElementPicture]
    notes: tuple[str, ...] = ()

    def __getitem__(self, element: Element) -> ElementPicture:
        return self.pictures[element]

    def __iter__(self) -> Iterator[Element]:
        return iter(self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)


def shared_notes(pictures: Mapping[Element, ElementPicture]) -> list[str]:
    """What to tell where two networks claim the same pixels.

    Parameters
    ----------
    pictures : mapping of str to ElementPicture
        Of one field.

    Returns
    -------
    list of str
    """
    notes = []
    names = list(pictures)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            both = int(np.count_nonzero(pictures[one].mask & pictures[other].mask))
            sizes = {e: int(np.count_nonzero(pictures[e].mask)) for e in (one, other)}
            least = min(sizes, key=sizes.__getitem__)
            if both > _MUCH_SHARED * sizes[least] > 0:
                rest = other if least == one else one
                share = 100 * both / sizes[least]
                notes.append(f"{share:.0f} % of the {least} pixels are taken for {rest}, too")
    return notes
