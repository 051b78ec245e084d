"""A sheet of pictures side by side: a row a field, a column what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Longest side of a picture, and height of a line of words, px.
TILE_PX, WORDS_PX = 256, 22
_GAP_PX = 6
_GROUND, _INK = 32, (235, 235, 235)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, eq=False)
class SheetRow:
    """One field.

    Parameters
    ----------
    words : str
        Stand above the row; letters without accents only.
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        One a column, of any sizes.
    notes : sequence of str
        Stand above each picture; where all are empty, there is no line for them.
    """

    words: str
    pictures: Sequence[NDArray[np.uint8]]
    notes: Sequence[str]


def draw_contact_sheet(rows: Sequence[SheetRow], tile_px: int = TILE_PX) -> NDArray[np.uint8]:
    """Draw the sheet.

    Parameters
    ----------
    rows : sequence of SheetRow
        At least one; all with as many pictures, and a note for each.
    tile_px : int
        Longest side of a picture on the sheet.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB.

    Raises
    ------
    ValueError
        If there is no row, or rows or notes differ in number.
    """
    sizes = {len(row.pictures) for row in rows} | {len(row.notes) for row in rows}
    if len(sizes) != 1:
        raise ValueError(f"rows need as many pictures and notes each; received {sorted(sizes)}")
    return np.vstack([_row(row, tile_px) for row in rows])


def _row(row: SheetRow, tile_px: int) -> NDArray[np.uint8]:
    columns = [_tile(picture, tile_px) for picture in row.pictures]
    if any(row.notes):
        notes = [_words(note, tile_px) for note in row.notes]
        columns = [np.vstack(pair) for pair in zip(notes, columns, strict=True)]
    gap = np.full((columns[0].shape[0], _GAP_PX, 3), _GROUND, np.uint8)
    pictures = np.hstack([piece for column in columns for piece in (column, gap)][:-1])
    width = pictures.shape[1]
    below = np.full((_GAP_PX, width, 3), _GROUND, np.uint8)
    return np.vstack([_words(row.words, width), pictures, below])


def _tile(picture: NDArray[np.uint8], tile_px: int) -> NDArray[np.uint8]:
    """The picture at its proportions in the middle of a square."""
    height, width = picture.shape[:2]
    by = tile_px / max(height, width)
    size = (max(1, round(width * by)), max(1, round(height * by)))
    how = cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC
    small = cv2.resize(picture, size, interpolation=how)
    tile = np.full((tile_px, tile_px, 3), _GROUND, np.uint8)
    x, y = (tile_px - size[0]) // 2, (tile_px - size[1]) // 2
    tile[y : y + size[1], x : x + size[0]] = small
    return tile


def _words(text: str, width_px: int) -> NDArray[np.uint8]:
    line = np.full((WORDS_PX, width_px, 3), _GROUND, np.uint8)
    cv2.putText(line, text, (4, WORDS_PX - 7), _FONT, 0.45, _INK, 1, cv2.LINE_AA)
    return line
