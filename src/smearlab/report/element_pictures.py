"""Pictures of segmented elements: all on one field, and how sure the network is of each pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.report.overlay import draw_lines, fixed_points
from smearlab.report.palette import HALO, RGB, rgb_of_element
from smearlab.types import ELEMENT_NAMES, ELEMENTS, Cell, Element, Field

#: What is left of colour and of brightness where there is no element.
_COLOUR_LEFT, _LIGHT_LEFT = 0.25, 0.55
#: Share of the element's colour that is laid over its pixels.
_TINT = 0.08
#: Standard deviation that is drawn brightest: that of a probability that is 0 or 1 by chance.
MOST_SPREAD = 0.5
_INK: RGB = (235, 235, 235)
_OUTLINE: RGB = (130, 130, 130)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_elements(
    field: Field,
    masks: Mapping[Element, NDArray[np.bool_]],
    cells: Mapping[Element, Sequence[Cell]],
) -> NDArray[np.uint8]:
    """All elements on one picture: the field dimmed, each element tinted and outlined in a colour.

    Parameters
    ----------
    field : Field
        Its pixels are not changed.
    masks : mapping of str to ndarray of bool, shape (H, W)
        Where each element is. Platelets lie above white cells, these above red cells.
    cells : mapping of str to sequence of Cell
        Their contours are drawn.

    Returns
    -------
    ndarray of uint8, shape (H + h, W, 3)
        The field, and below it a legend with the name, the colour and the number of each element.
    """
    shown = [element for element in ELEMENTS if element in masks]
    canvas = _dimmed(field.pixels)
    for element in shown:
        mask = masks[element]
        colour = np.array(rgb_of_element(element), np.float32)
        own = field.pixels[mask].astype(np.float32)
        canvas[mask] = np.rint(own + _TINT * (colour - own)).astype(np.uint8)
    width = max(1, round(min(field.height_px, field.width_px) / 400))
    for element in shown:
        lines = [fixed_points(cell.contour) for cell in cells[element]]
        draw_lines(canvas, lines, True, HALO, width + 2)
    for element in shown:
        lines = [fixed_points(cell.contour) for cell in cells[element]]
        draw_lines(canvas, lines, True, rgb_of_element(element), width)
    entries = [
        (rgb_of_element(element), f"{ELEMENT_NAMES[element]}: {len(cells[element])}")
        for element in shown
    ]
    return np.vstack([canvas, _legend(entries, field.width_px)])


def draw_spread(
    spread: NDArray[np.float32], n_draws: int, cells: Sequence[Cell] = ()
) -> NDArray[np.uint8]:
    """A map of how much the answer depends on the noise, with its scale below.

    Parameters
    ----------
    spread : ndarray of float32, shape (H, W)
        Standard deviation of the probability over the draws.
    n_draws : int
        How many there were.
    cells : sequence of Cell
        Their contours are drawn, so that one sees where one is.

    Returns
    -------
    ndarray of uint8, shape (H + h, W, 3)
        Dark where all draws agree, bright from :data:`MOST_SPREAD` on.
    """
    drawn = _heat(spread / MOST_SPREAD)
    lines = [fixed_points(cell.contour) for cell in cells]
    draw_lines(drawn, lines, True, _OUTLINE, max(1, round(min(spread.shape) / 600)))
    width = spread.shape[1]
    bar_px = max(4, width // 40)
    ramp = np.linspace(0, 1, width, dtype=np.float32)
    bar = _heat(np.repeat(ramp[None], bar_px, axis=0))
    words = [(None, f"0 to {MOST_SPREAD}: standard deviation over {n_draws} draws")]
    return np.vstack([drawn, bar, _legend(words, width)])


def _dimmed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    pale = _LIGHT_LEFT * (grey + _COLOUR_LEFT * (pixels - grey))
    return np.rint(pale).clip(0, 255).astype(np.uint8)


def _heat(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shares in [0, 1] in colours of rising lightness."""
    level = np.rint(share.clip(0, 1) * 255).astype(np.uint8)
    coloured = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def _legend(entries: Sequence[tuple[RGB | None, str]], width_px: int) -> NDArray[np.uint8]:
    """A dark strip with a swatch and words for each entry; broken into lines where it is narrow."""
    scale = float(np.clip(width_px / 1000, 0.42, 3.0))
    thick = max(1, round(scale * 1.3))
    sizes = [cv2.getTextSize(words, _FONT, scale, thick)[0] for _, words in entries]
    high = max((size[1] for size in sizes), default=0)
    pad = max(3, high // 2)
    line_px = high + 2 * pad
    places, x, row = [], pad, 0
    for (colour, _), (text_w, _) in zip(entries, sizes, strict=True):
        wide = text_w + (high + pad if colour else 0) + 3 * pad
        if x > pad and x + wide > width_px:
            x, row = pad, row + 1
        places.append((x, row))
        x += wide
    strip = np.full((line_px * (row + 1), width_px, 3), HALO, np.uint8)
    for (colour, words), (left, line) in zip(entries, places, strict=True):
        base = line * line_px + pad + high
        if colour:
            cv2.rectangle(strip, (left, base - high), (left + high, base), colour, cv2.FILLED)
            left += high + pad
        cv2.putText(strip, words, (left, base), _FONT, scale, _INK, thick, cv2.LINE_AA)
    return strip
