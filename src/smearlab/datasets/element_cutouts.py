"""The cells of an element cut out of a picture: their own pixels, black elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from smearlab.elements.pictures import ElementPicture
from smearlab.instances.middle import BESIDE, COVERS, nearest_to_middle
from smearlab.segment.segmented_picture import own_pixels
from smearlab.types import Cell, Element, Field

#: A pixel is the element's if that is more probable than not.
_PROBABLE = 0.5


def cut_out(
    field: Field, pictures: Mapping[Element, ElementPicture], *, central: bool = False
) -> tuple[NDArray[np.uint8], int] | None:
    """The field's own pixels where elements are, black elsewhere.

    Parameters
    ----------
    field : Field
    pictures : mapping of str to ElementPicture
        What was found in it.
    central : bool
        Only the cell that the picture was taken of: the one that covers its middle, or else lies
        beside it. All others are left out.

    Returns
    -------
    pixels : ndarray of uint8, shape (H, W, 3)
    n_cells : int
        How many cells it shows.
    None
        In place of both, where there is no such cell.

    See Also
    --------
    sure_pixels : which pixels are a cell's.
    """
    mask = np.zeros(field.pixels.shape[:2], bool)
    n_cells = 0
    for picture in pictures.values():
        cells = picture.cells
        if central:
            middle = central_cell(cells, field.width_px, field.height_px)
            cells = () if middle is None else (middle,)
        mask |= sure_pixels(picture, cells)
        n_cells += len(cells)
    return (own_pixels(field.pixels, mask), n_cells) if n_cells else None


def central_cell(cells: Iterable[Cell], width_px: int, height_px: int) -> Cell | None:
    """The cell that a single-cell picture was taken of; None if none lies at its middle."""
    listed = tuple(cells)
    boxes = [cell.bbox for cell in listed]
    scores = [cell.detection_score for cell in listed]
    for within in (COVERS, BESIDE):
        place = nearest_to_middle(boxes, scores, width_px, height_px, within)
        if place is not None:
            return listed[place]
    return None


def sure_pixels(picture: ElementPicture, cells: Iterable[Cell]) -> NDArray[np.bool_]:
    """Which pixels are the cells', without the scraps of others that outlines take in.

    Of the pixels that a cell was given, those count that more probably than not are the element's;
    holes are filled, and of several pieces the largest stays. Where a red cell touches a large
    white one, the outline alone takes a sliver of it.

    Parameters
    ----------
    picture : ElementPicture
    cells : iterable of Cell
        Some of ``picture.cells``.

    Returns
    -------
    ndarray of bool, shape (H, W)
        A cell without any probable pixel keeps all that it was given.
    """
    mask = np.zeros(picture.labels.shape, bool)
    for cell in cells:
        given = picture.labels == cell.label
        probable = ndimage.binary_fill_holes(given & (picture.probability >= _PROBABLE))
        pieces, n_pieces = ndimage.label(probable)
        if n_pieces == 0:
            mask |= given
            continue
        sizes = np.bincount(pieces.ravel())
        mask |= pieces == 1 + int(sizes[1:].argmax())
    return mask
