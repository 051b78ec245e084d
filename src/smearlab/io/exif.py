"""The two things a camera says that a reader needs: which way is up, and the resolution.

Pillow's own EXIF reader warns about damaged directories and reads the whole of them; this one
reads the plain numbers of the first directory and never fails.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 0x0112
X_RESOLUTION = 0x011A
Y_RESOLUTION = 0x011B
RESOLUTION_UNIT = 0x0128

_SHORT, _LONG, _RATIONAL = 3, 4, 5


def first_directory(block: bytes) -> dict[int, float]:
    """Single numbers in the first directory of an EXIF block.

    Parameters
    ----------
    block : bytes
        The block as JPEG, PNG and WebP carry it, with or without its ``Exif`` prefix.

    Returns
    -------
    dict of int to float
        Tag → value, for unsigned integers and rationals. Of a damaged block, what can be read.
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    tags: dict[int, float] = {}
    if order is None:
        return tags
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (n_entries,) = struct.unpack_from(order + "H", block, start)
        for entry in range(start + 2, start + 2 + 12 * n_entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
            if count != 1:
                continue
            if kind == _SHORT:
                (tags[tag],) = struct.unpack_from(order + "H", block, entry + 8)
            elif kind == _LONG:
                (tags[tag],) = struct.unpack_from(order + "I", block, entry + 8)
            elif kind == _RATIONAL:
                (where,) = struct.unpack_from(order + "I", block, entry + 8)
                numerator, denominator = struct.unpack_from(order + "II", block, where)
                if denominator:
                    tags[tag] = numerator / denominator
    except struct.error:
        pass  # cut short: what came before holds
    return tags


def orientation(tags: dict[int, float]) -> int:
    """The orientation 1–8 that the tags give; 1 (upright) when they give none or nonsense."""
    value = tags.get(ORIENTATION, 1)
    return int(value) if value in range(1, 9) else 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn and mirror a stored picture as its EXIF orientation asks.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, C)
        As stored.
    orientation : int
        1–8, EXIF 2.3 tag 0x0112.

    Returns
    -------
    ndarray, shape (H, W, C) or, for 5–8, (W, H, C)
        Contiguous.
    """
    if orientation in (3, 4, 6, 7):
        pixels = pixels[::-1]
    if orientation in (2, 3, 7, 8):
        pixels = pixels[:, ::-1]
    if orientation >= 5:  # the stored rows are columns
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels)
