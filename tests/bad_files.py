"""A folder of pictures that cannot be read, each for a reason of its own."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image


def write_bad_files(folder: Path) -> dict[str, str]:
    """Write the corpus of bad files.

    Parameters
    ----------
    folder : Path
        Where to; made if missing.

    Returns
    -------
    dict of str to str
        File name → a piece of the reason that the error must give.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, (data, reason) in _corpus().items():
        (folder / name).write_bytes(data)
        written[name] = reason
    return written


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """A small colour picture with detail everywhere, so that every byte of a file counts."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, width)[None, :, None]
    return Image.fromarray(((noise.astype(float) + ramp) / 2).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_of(header: bytes, pixels: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG file from the content of its chunks."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    chunks = [(b"IHDR", header), *more, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in chunks)


def deflated_tiff() -> bytes:
    """A compressed TIFF whose directory comes first, so that cutting it loses pixels only."""
    file = io.BytesIO()
    tifffile.imwrite(
        file, np.asarray(picture()), photometric="rgb", compression="zlib", rowsperstrip=8
    )
    return file.getvalue()


def _corpus() -> dict[str, tuple[bytes, str]]:
    jpeg = encoded(picture(), "JPEG", quality=90)
    png = encoded(picture(), "PNG")
    tiff = encoded(picture(), "TIFF")
    webp = encoded(picture(), "WEBP", lossless=True)
    bmp = encoded(picture(), "BMP")
    deflated = deflated_tiff()
    jpeg_tiff = encoded(picture(), "TIFF", compression="jpeg")
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 0x10
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return {
        "empty.jpg": (b"", "empty"),
        "empty.tif": (b"", "empty"),
        "text.png": (b"Slide 7, ward 3, looks fine.\n", "no picture"),
        "web page.jpg": (b"<!DOCTYPE html><html>404</html>", "web page"),
        "animation.png": (encoded(picture().convert("P"), "GIF"), "GIF"),
        "zeros.jpg": (bytes(4096), "zeros"),
        "letters.bmp": (b"BMW", "BMP"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "header only.jpg": (jpeg[:12], "truncated"),
        "zero padded.jpg": (jpeg[: len(jpeg) // 2].ljust(len(jpeg), b"\0"), "truncated"),
        "half.png": (png[: len(png) // 2], "truncated"),
        "flipped bit.png": (bytes(flipped), "checksum"),
        "half.tif": (tiff[: len(tiff) // 2], "truncated"),
        "half deflated.tiff": (deflated[: len(deflated) // 2], "truncated"),
        # libtiff would print about this one.
        "scrambled.tif": (jpeg_tiff[:8] + b"\xaa" * 400 + jpeg_tiff[408:], "damaged"),
        "half.webp": (webp[: len(webp) // 2], "truncated"),
        "half.bmp": (bmp[: len(bmp) // 2], "truncated"),
        "one pixel.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "1×1"),
        "one pixel.jpg": (encoded(Image.new("RGB", (1, 1)), "JPEG"), "1×1"),
        "narrow.tif": (encoded(Image.new("L", (15, 200)), "TIFF"), "15×200"),
        "bomb.png": (png_of(huge, zlib.compress(bytes(1_000_000))), "60000×60000"),
        "bomb.tif": (_tiff_claiming(60_000, 60_000), "60000×60000"),
        "bomb.bmp": (
            bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:],
            "60000×60000",
        ),
        "bomb.webp": (_webp_claiming(16_384, 16_384), "16384×16384"),
        "bomb.jpg": (_jpeg_claiming(jpeg, 60_000, 60_000), "60000×60000"),
    }


def _tiff_claiming(width: int, height: int) -> bytes:
    """A TIFF directory without the pixels that it promises."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, width * height % 2**32),
    ]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)


def _webp_claiming(width: int, height: int) -> bytes:
    """A WebP file with an extended header of any size before a small picture."""
    small = encoded(picture(), "WEBP", lossless=True)[12:]
    header = struct.pack("<BxxxBBBBBB", 0, *_three(width - 1), *_three(height - 1))
    body = b"WEBPVP8X" + struct.pack("<I", len(header)) + header + small
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _jpeg_claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG file with another size in its frame header."""
    frame = jpeg.index(b"\xff\xc0")
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]
