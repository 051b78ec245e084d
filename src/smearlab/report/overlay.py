"""Pictures to check the cells against: contours over the field, and single cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.count.summary import element_of
from smearlab.report.palette import CODE_OF_TYPE, HALO, RGB, ink_on, rgb_of
from smearlab.types import UNIDENTIFIED, Cell, Field

#: Sub-pixel bits of the drawn points: sixteenths of a pixel.
_SHIFT = 4
#: Length of the dashes and gaps of a cell cut by the edge, px per px of line width.
_DASH, _GAP = 5.0, 4.5
#: Opacity of the dark halo under a contour.
_HALO_STRENGTH = 0.65
#: Share of the cell's size that a thumbnail shows around it.
_CONTEXT = 0.3
#: Most platelets, and most doubtful red cells or platelets, that one field gives to the gallery.
_MANY = 12


def draw_overlay(field: Field, cells: Iterable[Cell]) -> NDArray[np.uint8]:
    """Draw every cell's contour in the colour of its type.

    Contours have a dark halo, so they are seen on any ground; those of cells cut by the edge of
    the field are dashed. All but erythrocytes carry the code of their type.

    Parameters
    ----------
    field : Field
        Its pixels are not changed.
    cells : iterable of Cell
        Cells of that field; later ones lie on top.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB, the same size as the field.
    """
    canvas = np.array(field.pixels, dtype=np.uint8, order="C")
    # 1 px on the common 640 × 480, thicker on pictures that will be shown reduced.
    width = max(1, round(min(field.height_px, field.width_px) / 600))
    drawn = list(cells)
    shade = canvas.copy()
    for cell in drawn:
        draw_lines(shade, [fixed_points(cell.contour)], True, HALO, 2 * _thickness(cell, width) + 1)
    cv2.addWeighted(shade, _HALO_STRENGTH, canvas, 1 - _HALO_STRENGTH, 0, dst=canvas)
    for cell in drawn:
        thick = _thickness(cell, width)
        colour = rgb_of(cell.type)
        if cell.touches_border:
            dashes = _dashes(cell.contour, _DASH * thick, _GAP * thick)
            draw_lines(canvas, [fixed_points(dash) for dash in dashes], False, colour, thick)
        else:
            draw_lines(canvas, [fixed_points(cell.contour)], True, colour, thick)
    for cell in drawn:
        if cell.type != "erythrocyte":
            _draw_code(canvas, cell, width)
    return canvas


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of a picture, packed lightly: an overlay must not take longer than the cells it shows.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.

    Returns
    -------
    bytes
        A whole PNG file.
    """
    return _encode(
        ".png", pixels, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
    )


def thumbnail(field: Field, cell: Cell, size: int = 72) -> bytes:
    """JPEG of one cell with some of its surroundings.

    Parameters
    ----------
    field : Field
        The field of the cell.
    cell : Cell
        The cell in the middle; it fills about three quarters of the picture.
    size : int
        Side of the square picture, px.

    Returns
    -------
    bytes
        A whole JPEG file. Beyond the edge of the field its last row or column is repeated.

    Raises
    ------
    ValueError
        If ``size`` is less than 1.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 px; received {size}")
    x0, y0, x1, y1 = cell.bbox
    side = max(4, math.ceil(max(x1 - x0, y1 - y0) * (1 + _CONTEXT)))
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    columns = np.clip(np.arange(left, left + side), 0, field.width_px - 1)
    rows = np.clip(np.arange(top, top + side), 0, field.height_px - 1)
    crop = field.pixels[rows[:, None], columns[None, :]]
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(crop, (size, size), interpolation=method), dtype=np.uint8)
    return _encode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, 85])


def thumbnails(field: Field, cells: Iterable[Cell], size: int = 72) -> dict[int, bytes]:
    """Pictures of the cells of one field that a reviewer wants to see.

    These are all nucleated cells; of the platelets the twelve least confident; of the
    erythrocytes the least, the middle and the most confident; and of the unidentified red cells
    and platelets the twelve least confident.

    Parameters
    ----------
    field : Field
        The field.
    cells : iterable of Cell
        Its cells.
    size : int
        Side of the pictures, px; those of nucleated cells, whose chromatin and granules must be
        seen, are half as large again.

    Returns
    -------
    dict of int to bytes
        Cell label → JPEG, in label order.
    """
    return {
        cell.label: thumbnail(field, cell, size * 3 // 2 if element_of(cell) == "WBC" else size)
        for cell in _worth_a_picture(cells)
    }


def _worth_a_picture(cells: Iterable[Cell]) -> list[Cell]:
    groups: dict[str, list[Cell]] = {"nucleated": [], "RBC": [], "PLT": [], UNIDENTIFIED: []}
    for cell in cells:
        element = element_of(cell)
        doubtful = cell.type == UNIDENTIFIED
        groups["nucleated" if element == "WBC" else UNIDENTIFIED if doubtful else element].append(
            cell
        )
    red = _least_confident_first(groups["RBC"])
    few = {0, len(red) // 2, len(red) - 1}
    chosen = [
        *groups["nucleated"],
        *_least_confident_first(groups["PLT"])[:_MANY],
        *_least_confident_first(groups[UNIDENTIFIED])[:_MANY],
        *(cell for rank, cell in enumerate(red) if rank in few),
    ]
    return sorted(chosen, key=lambda cell: cell.label)


def _least_confident_first(cells: Sequence[Cell]) -> list[Cell]:
    return sorted(
        cells,
        key=lambda cell: (
            -1.0 if math.isnan(cell.confidence) else cell.confidence,
            cell.label,
        ),
    )


def _thickness(cell: Cell, width: int) -> int:
    """Erythrocytes are many: theirs are the thinnest lines."""
    return width if cell.type == "erythrocyte" else width + 1


def draw_lines(
    canvas: NDArray[np.uint8], lines: list[NDArray[np.int32]], closed: bool, colour: RGB, px: int
) -> None:
    """Draw smooth lines into a picture.

    Parameters
    ----------
    canvas : ndarray of uint8, shape (H, W, 3)
        Is changed.
    lines : list of ndarray of int32
        See :func:`fixed_points`.
    closed : bool
        Whether the last point is joined to the first.
    colour : tuple of int
        sRGB.
    px : int
        Width, px.
    """
    cv2.polylines(canvas, lines, closed, colour, px, cv2.LINE_AA, _SHIFT)


def fixed_points(points: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.int32]:
    """Points (x, y), shape (N, 2), as :func:`draw_lines` takes them: in sixteenths of a pixel."""
    fixed: NDArray[np.int32] = np.rint(points * 2**_SHIFT).astype(np.int32)
    return fixed.reshape(-1, 1, 2)


def _dashes(
    contour: NDArray[np.float32], dash_px: float, gap_px: float
) -> list[NDArray[np.float64]]:
    """Cut a closed polygon into open pieces of equal length along its outline."""
    closed = np.concatenate([contour, contour[:1]]).astype(np.float64)
    steps = np.hypot(*np.diff(closed, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] <= 0:
        return [closed]
    starts = np.arange(0, along[-1], dash_px + gap_px)
    # Five points a dash follow any outline closely enough.
    at = np.minimum(starts[:, None] + np.linspace(0, dash_px, 5), along[-1])
    x, y = np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])
    return list(np.stack([x, y], axis=-1))


def _draw_code(canvas: NDArray[np.uint8], cell: Cell, width: int) -> None:
    """A small tag in the type's colour, above the cell or inside its top where there is no room."""
    code, scale = CODE_OF_TYPE[cell.type], 0.44 * (0.75 + 0.25 * width)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, width // 2)
    (text_w, text_h), _ = cv2.getTextSize(code, font, scale, thick)
    pad = 1 + width
    high, wide = text_h + 2 * pad, text_w + 2 * pad
    x0, y0, x1, _ = cell.bbox
    left = max(0, min((x0 + x1 - wide) // 2, canvas.shape[1] - wide))
    top = max(0, min(y0 - high - width, canvas.shape[0] - high))
    corner = (left + wide - 1, top + high - 1)
    cv2.rectangle(canvas, (left, top), corner, rgb_of(cell.type), cv2.FILLED)
    cv2.rectangle(canvas, (left, top), corner, HALO, 1)
    cv2.putText(
        canvas,
        code,
        (left + pad, top + pad + text_h - 1),
        font,
        scale,
        ink_on(cell.type),
        thick,
        cv2.LINE_AA,
    )


def _encode(suffix: str, pixels: NDArray[np.uint8], options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a picture of shape {pixels.shape} cannot be encoded as {suffix}")
    return data.tobytes()
