"""Tiles with context: as much of a field at a time as memory allows, with the same result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError

#: Grey that fields are padded with; the networks see it as zero.
PAD_VALUE = 128


@dataclass(frozen=True)
class Tile:
    """One tile of a padded field; all px.

    Parameters
    ----------
    core : tuple of int
        ``(x0, y0, x1, y1)`` half-open: the part this tile answers for.
    window : tuple of int
        The core and the context around it.
    """

    core: tuple[int, int, int, int]
    window: tuple[int, int, int, int]


def pad_to_multiple(pixels: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """Pad at the right and the bottom with grey, so that both sides are multiples."""
    height, width = pixels.shape[:2]
    bottom, right = -height % multiple, -width % multiple
    if not bottom and not right:
        return pixels
    pads = ((0, bottom), (0, right), (0, 0))
    return np.pad(pixels, pads, constant_values=PAD_VALUE)


def plan_tiles(
    width_px: int, height_px: int, *, tile_px: int, overlap_px: int, stride: int, context_px: int
) -> Iterator[Tile]:
    """Cores that cover a field without gap or overlap, each with context around it.

    Windows start at multiples of the network's stride, and the context is never less than what
    the network looks at, so stitched cores equal the answer for the whole field.

    Parameters
    ----------
    width_px, height_px : int
        Size of the padded field, multiples of ``stride``.
    tile_px : int
        Wanted side of a core; rounded up to a multiple of ``stride``.
    overlap_px : int
        Wanted context on each side; raised to ``context_px`` where it is less.
    stride, context_px : int
        From the bundle's card.

    Raises
    ------
    UsageError
        If ``tile_px`` is below 1 or ``overlap_px`` below 0.
    """
    if tile_px < 1 or overlap_px < 0:
        raise UsageError(
            f"tile_px must be at least 1 and overlap_px at least 0; received {tile_px} and "
            f"{overlap_px}"
        )
    core = -(-tile_px // stride) * stride
    context = -(-max(overlap_px, context_px) // stride) * stride
    for y0 in range(0, height_px, core):
        for x0 in range(0, width_px, core):
            x1, y1 = min(x0 + core, width_px), min(y0 + core, height_px)
            window = (
                max(0, x0 - context),
                max(0, y0 - context),
                min(width_px, x1 + context),
                min(height_px, y1 + context),
            )
            yield Tile((x0, y0, x1, y1), window)
