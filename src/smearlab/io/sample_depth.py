"""Samples of more than 8 bits brought to the 8 that a screen shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bit depths that cameras have. Deeper samples than 8 bits come in 16 or 32.
_CAMERA_BITS = (8, 10, 12, 14, 16, 24, 32)


def to_uint8(
    samples: NDArray[Any], significant_bits: int | None = None
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Scale samples to 0–255 by the range that they were recorded in.

    Integers: white is ``2**bits - 1``, where ``bits`` is what the file says
    (``significant_bits``: OME ``SignificantBits``, PNG ``sBIT``, TIFF ``MaxSampleValue``) if all
    samples fit into it, else the smallest of 8, 10, 12, 14, 16, 24, 32 that holds the largest
    sample. Full 16-bit data are therefore divided by 257, and 12-bit data in a 16-bit file by
    4095 / 255. All channels share one scale, so colours keep their hue. Negative samples are
    black.

    Floats: 0–1, 0–255 or 0–65535, the smallest that holds the largest sample; data that fit none
    are stretched from their least to their largest value. NaN is black.

    Parameters
    ----------
    samples : ndarray, any shape, integer or float
        Recorded values.
    significant_bits : int or None
        Bits in use, where the file says.

    Returns
    -------
    ndarray of uint8, same shape
        Rounded to nearest.
    tuple of str
        What was decided, for the field's notes.
    """
    if samples.dtype == np.uint8:
        return samples, ()
    if np.issubdtype(samples.dtype, np.floating):
        return _from_float(samples)
    return _from_integer(samples, significant_bits)


def _from_integer(
    samples: NDArray[Any], significant_bits: int | None
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    largest = int(samples.max())
    bits = significant_bits or 0
    if not (bits > 0 and largest < 2**bits):
        bits = next((b for b in _CAMERA_BITS if largest < 2**b), 64)
    # A signed type ends at half of its bits' range.
    white = min(2**bits - 1, int(np.iinfo(samples.dtype).max))
    note = f"{samples.dtype.itemsize * 8}-bit samples, white at {white}"
    return _scaled(samples, 0.0, float(white)), (note,)


def _from_float(samples: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    finite = samples[np.isfinite(samples)]
    if finite.size == 0:
        return np.zeros(samples.shape, np.uint8), ("no finite sample, shown black",)
    black, largest = min(0.0, float(finite.min())), float(finite.max())
    white = next((w for w in (1.0, 255.0, 65535.0) if largest <= w), largest)
    if black < 0 or largest > 65535:
        black, white = float(finite.min()), largest
    note = f"floating-point samples, black at {black:g}, white at {white:g}"
    if finite.size < samples.size:
        samples = np.nan_to_num(samples, nan=black, posinf=white, neginf=black)
        note += ", NaN and infinity clipped"
    return _scaled(samples, black, white), (note,)


def _scaled(samples: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Linear from black → 0 to white → 255, rounded to nearest and clipped."""
    kind = np.float32 if samples.dtype.itemsize <= 2 else np.float64
    with np.errstate(all="ignore"):  # a range near the largest float overflows; clipped below
        values: NDArray[Any] = samples.astype(kind)
        values -= kind(black)
        values *= kind(255.0 / (white - black) if white > black else 0.0)
        values += kind(0.5)
        np.nan_to_num(values, copy=False)
        return values.clip(0, 255).astype(np.uint8)
