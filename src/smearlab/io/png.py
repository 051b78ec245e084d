"""PNG: every chunk checked, 16-bit samples kept until they are scaled."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from smearlab.io import exif, pitch
from smearlab.io.raster import Raster, Unreadable, check_size, page_note
from smearlab.io.sample_depth import to_uint8

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _GREY_ALPHA = 0, 4


def read_png(data: bytes, max_pixels: int) -> Raster:
    """Decode a PNG file of any colour type and depth.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_pixels : int
        See :func:`smearlab.io.raster.check_size`.

    Returns
    -------
    Raster
        Any 8-bit mode; 16-bit samples are scaled by :func:`smearlab.io.sample_depth.to_uint8`.

    Raises
    ------
    Unreadable
        If the size is refused or a checksum is wrong.
    Exception
        Whatever Pillow raises on damaged data.
    """
    image = PngImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    chunks = _chunks(data)
    n_frames = getattr(image, "n_frames", 1)
    image.load()
    notes = page_note(n_frames, "frame")
    if b"IEND" not in chunks:
        notes += ("the file is cut after its last pixel",)
    picture: Image.Image = image
    if data[24] == 16:  # IHDR's bit depth
        samples = np.asarray(image) if data[25] == _GREY else _deep_samples(data, chunks)
        scaled, depth_notes = to_uint8(samples.astype(np.uint16), _significant_bits(data, chunks))
        picture, notes = Image.fromarray(scaled), notes + depth_notes
    tags = exif.first_directory(image.info.get("exif", b""))
    density = image.info.get("dpi", (0, 0))
    return Raster(
        picture,
        image.info.get("icc_profile"),
        exif.orientation(tags),
        pitch.from_density(*density, unit=2) or pitch.from_tags(tags),
        notes,
    )


def _chunks(data: bytes) -> dict[bytes, list[tuple[int, int]]]:
    """Where the content of each chunk lies, by kind; checksums of critical chunks are verified.

    Pillow does not check the pixels' own checksum, and flipped bits need not upset zlib.
    """
    chunks: dict[bytes, list[tuple[int, int]]] = {}
    position = len(_SIGNATURE)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            break  # Pillow decides whether a pixel is missing
        is_critical = not kind[0] & 0x20
        if is_critical and zlib.crc32(memoryview(data)[position + 4 : end]) != int.from_bytes(
            data[end : end + 4], "big"
        ):
            raise Unreadable(
                f"damaged: the checksum of its {kind.decode('latin-1')!r} chunk is wrong",
                "copy it again from its source",
            )
        chunks.setdefault(kind, []).append((start, end))
        position = end + 4
        if kind == b"IEND":
            break
    return chunks


def _significant_bits(data: bytes, chunks: dict[bytes, list[tuple[int, int]]]) -> int | None:
    """Bits in use of the colour samples, from the sBIT chunk."""
    if b"sBIT" not in chunks:
        return None
    start, end = chunks[b"sBIT"][0]
    n_colours = 1 if data[25] in (_GREY, _GREY_ALPHA) else 3
    return max(data[start : min(end, start + n_colours)], default=0) or None


def _deep_samples(data: bytes, chunks: dict[bytes, list[tuple[int, int]]]) -> NDArray[Any]:
    """All 16 bits of a colour or grey-with-alpha picture, (H, W, 3 or 4); Pillow keeps eight.

    OpenCV gets only the chunks that carry pixels, after Pillow has found them sound: it prints
    to stderr about the others, and lets damaged pixels pass.
    """
    import cv2

    parts = [_SIGNATURE]
    for kind in (b"IHDR", b"IDAT", b"IEND"):
        for start, end in chunks.get(kind, []):
            parts.append(data[start - 8 : end + 4])
    decoded = cv2.imdecode(np.frombuffer(b"".join(parts), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise Unreadable(
            "its 16-bit samples cannot be decoded", "save it as an 8-bit PNG or as a TIFF"
        )
    order = [2, 1, 0, 3][: decoded.shape[2]]  # OpenCV: blue first
    return decoded[:, :, order]
