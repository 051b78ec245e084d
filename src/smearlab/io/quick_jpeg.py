"""Plain JPEG pictures read fast, and no larger than they are needed: for training.

Only a JPEG that asks for nothing special is read here: three components, upright, no colour
profile, whole to its end marker. Everything else goes through
:func:`smearlab.io.images.read_field`, which knows orientation, profiles and damage.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.io import exif
from smearlab.io.images import read_field
from smearlab.io.raster import MIN_SIDE_PX

# Optional: the same bytes as OpenCV's, in four fifths of the time.
_simplejpeg: Any = import_module("simplejpeg") if find_spec("simplejpeg") else None

_START, _END = b"\xff\xd8", b"\xff\xd9"
_APP1, _APP2, _SCAN = 0xE1, 0xE2, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LARGEST_PX = 50_000_000  # what claims more is looked at before it is decoded
# Older OpenCV gives BGR only, and exchanging the channels is a pass of its own.
_READS_RGB = hasattr(cv2, "IMREAD_COLOR_RGB")
_REDUCED = {
    1: cv2.IMREAD_COLOR_RGB if _READS_RGB else cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, eq=False)
class Reduced:
    """A picture, perhaps at a fraction of its size.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (ceil(H / reduction), ceil(W / reduction), 3 or 4)
        sRGB; a fourth channel says nothing.
    width_px, height_px : int
        Size of the whole picture.
    reduction : int
        1, 2, 4 or 8: how many of its pixels became one, along each side.
    """

    pixels: NDArray[np.uint8]
    width_px: int
    height_px: int
    reduction: int = 1


def read_reduced(
    path: Path, enough_px: int | None = None, part_px: int | None = None, *, padded: bool = False
) -> Reduced:
    """Read a picture at the smallest size that still shows enough.

    Parameters
    ----------
    path : Path
        The file.
    enough_px : int, optional
        Wanted side, px, of the part that is used; the whole size is read when left out.
    part_px : int, optional
        Side, px of the whole picture, of the part that is used; its shorter side when left out.
    padded : bool
        Whether there may be a fourth channel, where that costs nothing: OpenCV warps four channels
        faster than three.

    Returns
    -------
    Reduced
        The part is at least ``enough_px`` wide in it, if it is in the file.

    Raises
    ------
    ImageError
        If the file cannot be read; names it and the reason.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return _whole(path)  # its message is the better one
    size = plain_size(data)
    if size is None or min(size) < MIN_SIDE_PX or size[0] * size[1] > _LARGEST_PX:
        return _whole(path)
    width, height = size
    reduction = 1
    if enough_px is not None:
        part = part_px or min(width, height)
        reduction = next(n for n in (8, 4, 2, 1) if part >= n * enough_px or n == 1)
    pixels = _decoded(data, reduction, padded)
    return _whole(path) if pixels is None else Reduced(pixels, width, height, reduction)


def _decoded(data: bytes, reduction: int, padded: bool) -> NDArray[np.uint8] | None:
    """sRGB pixels; None if they cannot be decoded."""
    if _simplejpeg and reduction == 1:
        # It refuses what is damaged only a little: OpenCV decides, as where it is alone.
        with contextlib.suppress(ValueError):
            whole = _simplejpeg.decode_jpeg(data, "RGBA" if padded else "RGB")
            return np.asarray(whole, np.uint8)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[reduction])
    if pixels is None:
        return None
    if reduction > 1 or not _READS_RGB:
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
    return np.asarray(pixels, np.uint8)


def _whole(path: Path) -> Reduced:
    pixels = read_field(path).pixels
    return Reduced(pixels, pixels.shape[1], pixels.shape[0])


def plain_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a plain JPEG; None for what needs the careful reader.

    Parameters
    ----------
    data : bytes
        The whole file.
    """
    if not data.startswith(_START) or not data.endswith(_END):
        return None
    size, place = None, 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        kind, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + length]
        if kind == _SCAN:
            return size
        if kind in _FRAMES and len(body) >= 6:
            if body[0] != 8 or body[5] != 3:
                return None
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        elif kind == _APP2 and body.startswith(b"ICC_PROFILE\0"):
            return None
        elif kind == _APP1 and body.startswith(b"Exif\0\0"):
            if exif.orientation(exif.first_directory(body)) != 1:
                return None
        elif length < 2:
            return None
        place += 2 + length
    return None
