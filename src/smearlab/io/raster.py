"""A decoded picture before its colours are settled, and the readers of JPEG, BMP and WebP."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from smearlab.io import exif, pitch

MIN_SIDE_PX = 16


class Unreadable(Exception):
    """Why a file cannot be read; becomes an ``ImageError`` that also names the file.

    Parameters
    ----------
    reason, remedy : str
        What is wrong and what the user can do.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")


@dataclass(frozen=True, eq=False)
class Raster:
    """A picture as its file stores it, 8 bits a sample.

    Parameters
    ----------
    image : PIL.Image.Image
        Loaded; any mode of 8 bits a sample.
    icc_profile : bytes or None
        The embedded colour profile.
    orientation : int
        EXIF orientation 1–8 that is still to be applied.
    um_per_px : float or None
        What the file says of its pixel pitch, where that is plausible.
    notes : tuple of str
        What the reader had to decide.
    """

    image: Image.Image
    icc_profile: bytes | None = None
    orientation: int = 1
    um_per_px: float | None = None
    notes: tuple[str, ...] = ()


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too small to show a cell or too large to be a field.

    Called on the header, before any pixel is decoded or memory for it taken.

    Raises
    ------
    Unreadable
        If a side is under 16 px or the area over ``max_pixels``.
    """
    if width < MIN_SIDE_PX or height < MIN_SIDE_PX:
        raise Unreadable(
            f"the picture is {width}×{height} px, a field has at least {MIN_SIDE_PX} px a side",
            "export the field again at full size",
        )
    if width * height > max_pixels:
        raise Unreadable(
            f"the picture claims {width}×{height} px, more than {max_pixels:,} px in all, "
            "as decompression bombs do",
            "cut it into fields, or raise max_pixels if the file can be trusted",
        )


def page_note(n_pages: int, what: str = "page") -> tuple[str, ...]:
    """Say that only the first of several pages was read."""
    return (f"{what} 1 of {n_pages}",) if n_pages > 1 else ()


def read_jpeg(data: bytes, max_pixels: int) -> Raster:
    """Decode a JPEG file of any colour model that libjpeg knows.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_pixels : int
        See :func:`check_size`.

    Returns
    -------
    Raster
        Mode L, RGB or CMYK.

    Raises
    ------
    Unreadable
        If the size is refused or the file is padded with zeros after a lost end.
    Exception
        Whatever Pillow raises on damaged data.
    """
    image = JpegImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    content = data.rstrip(b"\0")
    if len(content) < len(data) and not content.endswith(b"\xff\xd9"):
        # A preallocated file whose copy stopped: libjpeg would paint the missing part grey.
        raise Unreadable(
            f"truncated: its last {len(data) - len(content):,} bytes are zeros",
            "copy it again from its source",
        )
    image.load()
    tags = exif.first_directory(image.info.get("exif", b""))
    density = image.info.get("jfif_density", (0, 0))
    found = pitch.from_density(*density, unit=image.info.get("jfif_unit", 0) + 1)
    return Raster(
        image,
        image.info.get("icc_profile"),
        exif.orientation(tags),
        found or pitch.from_tags(tags),
    )


def read_webp(data: bytes, max_pixels: int) -> Raster:
    """Decode a WebP file, of an animation the first frame; see :func:`read_jpeg`."""
    promised = int.from_bytes(data[4:8], "little") + 8
    if len(data) < promised:
        raise Unreadable(
            f"truncated: it holds {len(data):,} of {promised:,} bytes",
            "copy it again from its source",
        )
    check_size(*_webp_size(data), max_pixels)
    image = WebPImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    n_frames = image.n_frames
    image.load()
    tags = exif.first_directory(image.info.get("exif", b""))
    return Raster(
        image,
        image.info.get("icc_profile"),
        exif.orientation(tags),
        pitch.from_tags(tags),
        page_note(n_frames, "frame"),
    )


def read_bmp(data: bytes, max_pixels: int) -> Raster:
    """Decode a Windows bitmap; see :func:`read_jpeg`."""
    image = BmpImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    dpi = image.info.get("dpi", (0, 0))
    image.load()
    return Raster(image, um_per_px=pitch.from_density(*dpi, unit=2))


def _webp_size(data: bytes) -> tuple[int, int]:
    """Canvas size from the first chunk; Pillow's decoder takes its memory while opening."""
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (
        int.from_bytes(data[26:28], "little") & 0x3FFF,
        int.from_bytes(data[28:30], "little") & 0x3FFF,
    )
