"""The pictures of a page: what was answered worst, read from where the data lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import ImageError
from smearlab.io.images import read_field
from smearlab.report.run_page import WrongPicture

#: Longer side of a picture on the page, px.
SIDE_PX = 224


def read_wrong(
    rows: Sequence[Mapping[str, Any]],
    data: Path,
    maps: Sequence[NDArray[np.uint8] | None] | None = None,
) -> list[WrongPicture]:
    """Read pictures that were answered wrongly; one that cannot be read is listed without.

    Parameters
    ----------
    rows : sequence of mapping
        ``most_wrong`` of :func:`smearlab.evaluation.run_figures.evaluate_run`.
    data : Path
        Folder that their paths start from.
    maps : sequence of ndarray of uint8, shape (S, S, 3), or None, optional
        What the network looked at, one a row.
    """
    drawn = maps if maps is not None else [None] * len(rows)
    return [
        WrongPicture(
            path=row["path"],
            true=row["true"],
            answer=row["answer"],
            confidence=row["confidence"],
            true_probability=row["true_probability"],
            jpeg=_read(data / row["path"]),
            map_jpeg=None if seen is None else _jpeg(seen),
        )
        for row, seen in zip(rows, drawn, strict=True)
    ]


def _read(path: Path) -> bytes | None:
    try:
        return _jpeg(read_field(path).pixels)
    except ImageError:
        return None


def _jpeg(pixels: NDArray[np.uint8]) -> bytes | None:
    """A JPEG whose longer side is :data:`SIDE_PX`."""
    height, width = pixels.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, size, interpolation=how)
    bgr = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes() if done else None
