"""Label pictures from outlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from smearlab.instances.polygons import fill_polygon, polygon_area
from smearlab.types import Cell, Labels


def paint_labels(cells: Iterable[Cell], width_px: int, height_px: int) -> Labels:
    """Each cell's label over its outline; every cell keeps at least a pixel.

    Parameters
    ----------
    cells : iterable of Cell
        Of one field. Smaller ones are painted over larger ones: a platelet on a red cell is seen.
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    Labels
        Shape (height_px, width_px).
    """
    listed = tuple(cells)
    array, _ = paint_polygons(
        [cell.contour for cell in listed], [cell.label for cell in listed], width_px, height_px
    )
    return Labels(array)


def paint_polygons(
    polygons: Sequence[NDArray[np.float32]], labels: Sequence[int], width_px: int, height_px: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Paint polygons, larger ones first.

    Parameters
    ----------
    polygons : sequence of ndarray, shape (N, 2)
        (x, y) px of the field.
    labels : sequence of int
        One for each polygon, all different, > 0.
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    array : ndarray of int32, shape (height_px, width_px)
    areas : ndarray of int64
        Pixels that each polygon has in the end; at least 1, as one that others hide is given a
        pixel of the largest of them, unless that has no more than one itself.
    """
    array = np.zeros((height_px, width_px), np.int32)
    areas = np.zeros(len(polygons), np.int64)
    filled = [fill_polygon(corners, width_px, height_px) for corners in polygons]
    sizes = [-abs(polygon_area(corners)) for corners in polygons]
    for n in np.argsort(sizes, kind="stable").tolist():
        rows, columns, inside = filled[n]
        array[rows, columns][inside] = labels[n]
    for n, (rows, columns, _) in enumerate(filled):
        areas[n] = np.count_nonzero(array[rows, columns] == labels[n])
    place = {label: n for n, label in enumerate(labels)}
    for n in np.flatnonzero(areas == 0).tolist():
        rows, columns, inside = filled[n]
        ys, xs = np.nonzero(inside)
        over = [place[label] for label in array[rows, columns][ys, xs].tolist()]
        at = int(np.argmax(areas[over]))
        if areas[over[at]] > 1:
            array[rows, columns][ys[at], xs[at]] = labels[n]
            areas[over[at]] -= 1
            areas[n] = 1
    return array, areas
