"""Reading masks that people drew: foreground, nucleus and cytoplasm, or one value a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from smearlab.errors import AnnotationError
from smearlab.io.hush import hushed

MaskKind = Literal["binary", "nucleus", "instances"]
MASK_KINDS: tuple[MaskKind, ...] = get_args(MaskKind)
#: The greys of masks that tell cytoplasm (128) from nucleus (255).
_NUCLEUS_GREYS = {0, 128, 255}
#: A grey mask is a binary one with soft or JPEG-worn edges, not a map of instances, if its
#: greatest value is at least 128 and this share of what is not nearly black is nearly white.
_WHITE_SHARE = 0.5


def read_mask(path: Path) -> NDArray[np.int64]:
    """One number a pixel: its grey, palette index, or colour.

    Parameters
    ----------
    path : Path
        PNG, TIFF, BMP … of 1, 8, 16 or 32 bits, grey, palette or colour; an alpha channel is
        left out. The first page of several.

    Returns
    -------
    ndarray of int64, shape (H, W)
        At least 0; colours as ``65536·R + 256·G + B``, greys that are stored as colours as the
        grey.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or holds fractions or negative numbers.
    """
    try:
        with hushed():
            pixels = _read_pixels(path)
    except Exception as problem:
        # Strangers' bytes through several codecs: the kinds of exception are theirs.
        reason = " ".join(str(problem).split())[:160] or type(problem).__name__
        raise AnnotationError(f"mask {path} cannot be read: {reason}") from problem
    if pixels.size == 0 or pixels.ndim not in (2, 3):
        raise AnnotationError(f"mask {path} has the shape {pixels.shape}; it must be one picture")
    if not (np.issubdtype(pixels.dtype, np.integer) or pixels.dtype == np.bool_):
        whole = np.issubdtype(pixels.dtype, np.floating) and bool((pixels == pixels.round()).all())
        if not whole:
            raise AnnotationError(f"mask {path} holds fractions; write one whole number a cell")
    values = pixels.astype(np.int64)
    if values.min() < 0:
        raise AnnotationError(f"mask {path} holds {values.min()}; labels start at 0 (background)")
    if values.ndim == 2:
        return values
    if values.shape[2] == 2:  # grey and alpha
        return values[..., 0]
    red, green, blue = values[..., 0], values[..., 1], values[..., 2]
    if (red == green).all() and (green == blue).all():
        return red
    return 65536 * red + 256 * green + blue


def _read_pixels(path: Path) -> NDArray[Any]:
    """(H, W) or (H, W, C) as stored."""
    if path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as tiff:
            pixels: NDArray[Any] = np.asarray(tiff.pages[0].asarray())
        if pixels.ndim == 3 and pixels.shape[0] in (3, 4) and pixels.shape[2] > 4:
            return np.moveaxis(pixels, 0, 2)  # planes first
        return pixels
    with Image.open(path) as picture:
        if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            return np.asarray(picture.convert("RGB"))
        return np.asarray(picture)


def guess_kind(values: NDArray[np.int64]) -> MaskKind:
    """What a mask's values mean.

    Parameters
    ----------
    values : ndarray of int64, shape (H, W)
        From :func:`read_mask`.

    Returns
    -------
    {"binary", "nucleus", "instances"}
        ``"binary"`` for one value beside 0, and for a grey that is mostly black or white (soft
        edges); ``"nucleus"`` for the greys 128 and 255 together; ``"instances"`` otherwise.
    """
    present = np.unique(values[values > 0])
    if present.size <= 1:
        return "binary"
    if set(present.tolist()) <= _NUCLEUS_GREYS:
        return "nucleus"
    top = int(present[-1])
    if not 128 <= top <= 255 or present.size == 2:
        return "instances"
    inked = values[values > 0.1 * top]
    return "binary" if (inked >= 0.9 * top).mean() >= _WHITE_SHARE else "instances"


def mask_instances(values: NDArray[np.int64], kind: MaskKind) -> NDArray[np.int32]:
    """One label a cell.

    Connected means 4-connected: public masks part touching cells by a gap of one pixel, across
    the corners of which 8-connected components would leak.

    Parameters
    ----------
    values : ndarray of int64, shape (H, W)
        From :func:`read_mask`.
    kind : {"binary", "nucleus", "instances"}
        ``"binary"``: components of what lies above half of the greatest value. ``"nucleus"``:
        components of all that is not 0. ``"instances"``: every value but 0 is one cell.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 is background.

    Raises
    ------
    ValueError
        If ``kind`` is none of the three.
    """
    if kind not in MASK_KINDS:
        raise ValueError(f"mask kind must be one of {', '.join(MASK_KINDS)}; received {kind!r}")
    if kind == "instances":
        present, index = np.unique(values, return_inverse=True)
        consecutive = index.reshape(values.shape).astype(np.int32)
        return consecutive if present[0] == 0 else consecutive + np.int32(1)
    foreground = values > 0 if kind == "nucleus" else 2 * values > max(int(values.max()), 1)
    return np.asarray(ndimage.label(foreground)[0], dtype=np.int32)  # 4-connected
