"""The stored pieces (strips, tiles) of a TIFF page: are they there, and what is in them."""

from __future__ import annotations

import io
import os
import struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from smearlab.io.raster import Unreadable

_NO_PREDICTOR, _HORIZONTAL = 1, 2
_SHORT, _LONG = 3, 4


def check_segments(page: Any, file: BinaryIO) -> None:
    """Refuse a page whose strips or tiles do not all lie within the file.

    Parameters
    ----------
    page : tifffile.TiffPage
        The page.
    file : binary file object
        Its file.

    Raises
    ------
    Unreadable
        If a strip or tile is missing or reaches beyond the end of the file.
    """
    size = os.fstat(file.fileno()).st_size
    offsets, counts = page.dataoffsets, page.databytecounts
    if not offsets or len(offsets) != len(counts):
        raise Unreadable("damaged: its directory names no pixels", "copy it again from its source")
    for offset, count in zip(offsets, counts, strict=True):
        if offset + count > size:
            raise Unreadable(
                f"truncated: pixels are said to lie up to byte {offset + count:,}, "
                f"the file ends at {size:,}",
                "copy it again from its source",
            )
        if count <= 0 or offset <= 0:
            raise Unreadable("damaged: a strip or tile is missing", "copy it again from its source")


def unpack(file: BinaryIO, page: Any) -> NDArray[Any]:
    """Decompress the samples of a page with a codec that libtiff has and tifffile lacks (LZW).

    libtiff, as Pillow exposes it, gives eight bits of a 16-bit colour picture. So the compressed
    strips are put under a new directory that calls them an 8-bit grey picture, as many pixels wide
    as a row has bytes; its pixels are the bytes of the samples.

    Parameters
    ----------
    file : binary file object
        The page's file.
    page : tifffile.TiffPage
        Of 8, 16 or 32 bits a sample.

    Returns
    -------
    ndarray, shape (H, W, S)
        The samples, with the horizontal predictor undone.

    Raises
    ------
    Unreadable
        If the samples are packed in another number of bits, or use another predictor.
    """
    if page.bitspersample not in (8, 16, 32) or page.predictor not in (_NO_PREDICTOR, _HORIZONTAL):
        raise Unreadable(
            f"{page.bitspersample}-bit samples with predictor {int(page.predictor)} and "
            f"compression {int(page.compression)} are not read",
            "save it uncompressed, with 8 or 16 bits a sample",
        )
    file.seek(0)
    content = file.read()
    # Stored apart (planar configuration 2), each sample is a picture of its own.
    n_planes = page.samplesperpixel if int(page.planarconfig) == 2 else 1
    n_segments = len(page.dataoffsets) // n_planes
    planes = [
        _plane(content, page, slice(i * n_segments, (i + 1) * n_segments), n_planes)
        for i in range(n_planes)
    ]
    return np.concatenate(planes, axis=2)


def _plane(content: bytes, page: Any, segments: slice, n_planes: int) -> NDArray[Any]:
    """The samples of one stored plane, shape (H, W, S / n_planes)."""
    n_samples = page.samplesperpixel // n_planes
    tile_width = page.tilewidth if page.is_tiled else page.imagewidth
    n_across = -(-page.imagewidth // tile_width)
    row_bytes = tile_width * n_samples * page.bitspersample // 8
    image = TiffImageFile(io.BytesIO(_as_grey_bytes(content, page, segments, row_bytes, n_across)))
    image.load()
    unsigned = np.dtype(f"u{page.dtype.itemsize}")
    stored = np.array(image).view(unsigned.newbyteorder(page.parent.byteorder))
    values = stored.reshape(page.imagelength, n_across, tile_width, n_samples).astype(unsigned)
    if page.predictor == _HORIZONTAL:  # each row of each tile holds differences, modulo 2^bits
        np.cumsum(values, axis=2, dtype=unsigned, out=values)
    width = n_across * tile_width
    samples = values.view(page.dtype).reshape(page.imagelength, width, n_samples)
    return np.asarray(samples[:, : page.imagewidth])


def _as_grey_bytes(
    content: bytes, page: Any, segments: slice, row_bytes: int, n_across: int
) -> bytes:
    """The same strips under a directory that calls them one 8-bit grey picture."""
    offsets, counts = page.dataoffsets[segments], page.databytecounts[segments]
    entries: list[tuple[int, int, list[int]]] = [
        (256, _LONG, [row_bytes * n_across]),  # ImageWidth
        (257, _LONG, [page.imagelength]),
        (258, _SHORT, [8]),  # BitsPerSample
        (259, _SHORT, [int(page.compression)]),
        (262, _SHORT, [1]),  # black is zero
        (266, _SHORT, [int(page.fillorder)]),
        (277, _SHORT, [1]),  # SamplesPerPixel
    ]
    if page.is_tiled:
        entries += [
            (322, _LONG, [row_bytes]),
            (323, _LONG, [page.tilelength]),
            (324, _LONG, list(offsets)),
            (325, _LONG, list(counts)),
        ]
    else:
        entries += [
            (273, _LONG, list(offsets)),
            (278, _LONG, [page.rowsperstrip]),
            (279, _LONG, list(counts)),
        ]
    padding = b"\0" * (len(content) % 2)
    directory_at = len(content) + len(padding)
    header = b"II*\0" + struct.pack("<I", directory_at)
    return header + content[8:] + padding + _directory(sorted(entries), directory_at)


def _directory(entries: list[tuple[int, int, list[int]]], at: int) -> bytes:
    """A little-endian TIFF directory that starts at byte ``at``."""
    table = struct.pack("<H", len(entries))
    overflow = b""
    overflow_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        packed = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(packed) > 4:
            value = struct.pack("<I", overflow_at + len(overflow))
            overflow += packed
        else:
            value = packed.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, len(values)) + value
    return table + struct.pack("<I", 0) + overflow
