"""Overlapping tiles of one size, blended: for networks that see no further than one tile.

A network with a bottleneck answers for a whole tile at once, so its answer near the edge of a tile
differs from what it would say of the same place in the middle of another. Where tiles overlap,
their answers are averaged with weights that fall towards the edge, so no seam is left. Beyond its
border a field goes on as its mirror image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

#: Tile (1, T, T, 3) → named answers (1, T/m, T/m, C).
Answer = Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float32]]]


def blended(
    pixels: NDArray[np.uint8],
    answer: Answer,
    *,
    tile_px: int,
    overlap_px: int,
    step: int = 1,
    tiles: Iterable[tuple[int, int]] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """The answer for a picture of any size, from tiles of one size.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        H and W from 1 on.
    answer : callable
        Run on each tile, uint8 of shape (1, tile_px, tile_px, 3).
    tile_px : int
        Side of a tile.
    overlap_px : int
        How far neighbours overlap; above 0 and below ``tile_px``.
    step : int
        Pixels per step of the answers; divides ``tile_px`` and ``overlap_px``.
    tiles : iterable of (int, int), optional
        Upper left corners (x, y) of the tiles, px; by default :func:`blend_corners`. Their order
        does not matter.

    Returns
    -------
    dict of str to ndarray of float32, shape (ceil(H / step), ceil(W / step), C)
        Of every pixel the mean over the tiles that show it, weighted by :func:`blend_weights`.
    """
    height, width = pixels.shape[:2]
    size = (-(-height // step), -(-width // step))
    edge = blend_weights(tile_px // step, overlap_px // step)
    weights = edge[:, None] * edge
    total = np.zeros(size)
    sums: dict[str, NDArray[np.float64]] = {}
    corners = tiles or blend_corners(width, height, tile_px, overlap_px, step)
    for x0, y0 in corners:
        rows, columns = mirrored(y0, tile_px, height), mirrored(x0, tile_px, width)
        found = answer(np.ascontiguousarray(pixels[rows[:, None], columns][None]))
        whole, part = _shared(x0 // step, y0 // step, tile_px // step, size)
        total[whole] += weights[part]
        for name, value in found.items():
            if name not in sums:
                sums[name] = np.zeros((*size, value.shape[-1]))
            sums[name][whole] += value[0][part] * weights[part][..., None]
    return {name: (value / total[..., None]).astype(np.float32) for name, value in sums.items()}


def blend_corners(
    width_px: int, height_px: int, tile_px: int, overlap_px: int, step: int = 1
) -> Iterator[tuple[int, int]]:
    """Upper left corners of overlapping tiles that cover a picture, the excess shared evenly.

    Parameters
    ----------
    width_px, height_px : int
        Size of the picture.
    tile_px, overlap_px, step : int
        See :func:`blended`; corners are multiples of ``step``.

    Yields
    ------
    x, y : int
        px; negative where the tile begins beyond the border. Every pixel is at least half the
        overlap away from the edge of some tile, but for rounding to ``step``.
    """
    rows = list(_starts(height_px, tile_px, overlap_px, step))
    for x0 in _starts(width_px, tile_px, overlap_px, step):
        yield from ((x0, y0) for y0 in rows)


def _starts(length: int, tile: int, overlap: int, step: int) -> Iterator[int]:
    stride = tile - overlap
    count = -(-length // stride)
    margin = overlap // 2 + (count * stride - length) // 2
    return (n * stride - margin // step * step for n in range(count))


def blend_weights(tile: int, overlap: int) -> NDArray[np.float64]:
    """Weights along one side of a tile: 1 in the middle, sin² over the overlap to 0 at its edges.

    The weights of two neighbours sum to 1 where they overlap (sin² + cos²), as long as no third
    one lies there.

    Parameters
    ----------
    tile, overlap : int
        Steps; ``overlap`` from 1 on and below ``tile``.

    Returns
    -------
    ndarray of float64, shape (tile,)
        Above 0.
    """
    rise = np.sin(np.pi / 2 * (np.arange(tile) + 0.5).clip(max=overlap) / overlap) ** 2
    return np.asarray(np.minimum(rise, rise[::-1]), np.float64)


def mirrored(start: int, length: int, size: int) -> NDArray[np.intp]:
    """Which pixels of a side a stretch shows that may reach beyond it: mirrored at the border.

    Parameters
    ----------
    start : int
        First place; may be negative.
    length : int
        How many places.
    size : int
        Length of the side, from 1 on. The border pixel itself is not repeated.

    Returns
    -------
    ndarray of int, shape (length,)

    Examples
    --------
    >>> mirrored(-2, 7, 4).tolist()
    [2, 1, 0, 1, 2, 3, 2]
    """
    period = max(1, 2 * (size - 1))
    place = np.arange(start, start + length) % period
    return np.minimum(place, period - place) if size > 1 else np.zeros(length, np.intp)


def _shared(
    x0: int, y0: int, side: int, size: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the picture that a tile shows, and the part of the tile that shows it; steps."""
    top, left = max(0, y0), max(0, x0)
    bottom, right = min(size[0], y0 + side), min(size[1], x0 + side)
    return (
        (slice(top, bottom), slice(left, right)),
        (slice(top - y0, bottom - y0), slice(left - x0, right - x0)),
    )
