from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from smearlab.io import exif


def block(order: str, *entries: tuple[int, int, bytes], tail: bytes = b"") -> bytes:
    """An EXIF block with one directory."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    table = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        table += struct.pack(order + "HHI", tag, kind, 1) + value.ljust(4, b"\0")
    return b"Exif\0\0" + head + struct.pack(order + "I", 8) + table + bytes(4) + tail


@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_the_first_directory(order: str) -> None:
    where = 8 + 2 + 3 * 12 + 4
    found = exif.first_directory(
        block(
            order,
            (exif.ORIENTATION, 3, struct.pack(order + "H", 6)),
            (0x0100, 4, struct.pack(order + "I", 70_000)),
            (exif.X_RESOLUTION, 5, struct.pack(order + "I", where)),
            tail=struct.pack(order + "II", 300, 4),
        )
    )
    assert found == {exif.ORIENTATION: 6, 0x0100: 70_000, exif.X_RESOLUTION: 75.0}


def test_reads_what_pillow_writes() -> None:
    written = Image.Exif()
    written[exif.ORIENTATION] = 5
    written[exif.X_RESOLUTION] = 1234.5
    found = exif.first_directory(written.tobytes())
    assert found == {exif.ORIENTATION: 5, exif.X_RESOLUTION: 1234.5}


@given(st.binary(max_size=200))
def test_never_fails(data: bytes) -> None:
    for block_ in (data, b"Exif\0\0II*\0" + data):
        assert exif.orientation(exif.first_directory(block_)) in range(1, 9)


def test_division_by_zero_is_no_resolution() -> None:
    where = struct.pack("<I", 8 + 2 + 12 + 4)
    found = exif.first_directory(block("<", (exif.X_RESOLUTION, 5, where), tail=bytes(8)))
    assert found == {}


@pytest.mark.parametrize("value", [0, 9, 65535, 2.5])
def test_nonsense_is_upright(value: float) -> None:
    assert exif.orientation({exif.ORIENTATION: value}) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_agrees_with_pillow(orientation: int) -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    image = Image.fromarray(pixels)
    image.getexif()[exif.ORIENTATION] = orientation
    turned = exif.upright(pixels, orientation)
    np.testing.assert_array_equal(turned, np.asarray(ImageOps.exif_transpose(image)))
    assert turned.flags.c_contiguous
