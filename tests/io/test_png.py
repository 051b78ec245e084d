"""PNG at 16 bits a sample, and its checksums."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from bad_files import encoded, picture, png_of
from smearlab.errors import ImageError
from smearlab.io.images import read_field

RNG = np.random.default_rng(3)
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def deep_png(samples: np.ndarray, *more: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of samples (H, W, S), made without any image library."""
    height, width, n = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[n], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return png_of(header, zlib.compress(rows), *more)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4])
def test_all_sixteen_bits_count(n_samples: int, tmp_path: Path) -> None:
    samples = RNG.integers(0, 65536, (24, 20, n_samples), dtype=np.uint16)
    samples[0, 0] = 65535
    (tmp_path / "a.png").write_bytes(deep_png(samples))

    field = read_field(tmp_path / "a.png")

    eight = np.rint(samples / 257)
    colours = eight[..., :3] if n_samples >= 3 else np.repeat(eight[..., :1], 3, axis=2)
    if n_samples in (2, 4):
        alpha = eight[..., -1:] / 255
        colours = np.rint(alpha * colours + (1 - alpha) * 255)
    np.testing.assert_array_equal(field.pixels, colours)
    assert field.notes == ("16-bit samples, white at 65535",)


@pytest.mark.parametrize("n_samples", [1, 3])
def test_twelve_bits_in_sixteen(n_samples: int, tmp_path: Path) -> None:
    samples = RNG.integers(0, 4096, (24, 20, n_samples), dtype=np.uint16)
    samples[0, 0] = 4095
    (tmp_path / "a.png").write_bytes(deep_png(samples))
    field = read_field(tmp_path / "a.png")
    expected = np.broadcast_to(np.rint(samples * (255 / 4095)), (24, 20, 3))
    np.testing.assert_array_equal(field.pixels, expected)
    assert field.notes == ("16-bit samples, white at 4095",)


def test_significant_bits_of_the_file_are_used(tmp_path: Path) -> None:
    samples = np.full((16, 16, 3), 500, np.uint16)  # dark in 12 bits, half in 10
    (tmp_path / "a.png").write_bytes(deep_png(samples, (b"sBIT", bytes([12, 12, 12]))))
    field = read_field(tmp_path / "a.png")
    assert field.pixels[0, 0].tolist() == [31, 31, 31]
    (tmp_path / "a.png").write_bytes(deep_png(samples))
    assert read_field(tmp_path / "a.png").pixels[0, 0].tolist() == [125, 125, 125]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_fill_the_range(bits: int, tmp_path: Path) -> None:
    levels = 2**bits
    row = np.resize(np.arange(levels), 16)
    packed = np.packbits(
        np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :].ravel()
    ).tobytes()
    header = struct.pack(">IIBBBBB", 16, 16, bits, 0, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(png_of(header, zlib.compress((b"\0" + packed) * 16)))
    pixels = read_field(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(pixels[0, :, 0], row * 255 // (levels - 1))


def test_every_flipped_bit_of_the_pixels_is_noticed(tmp_path: Path) -> None:
    whole = encoded(picture(32, 24), "PNG")
    start = whole.index(b"IDAT") + 4
    end = whole.index(b"IEND") - 8
    for place in range(start, end, 97):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        (tmp_path / "a.png").write_bytes(damaged)
        with pytest.raises(ImageError):
            read_field(tmp_path / "a.png")


def test_a_lost_end_mark_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(picture(), "PNG")[:-12])
    field = read_field(tmp_path / "a.png")
    np.testing.assert_array_equal(field.pixels, np.asarray(picture()))
    assert field.notes == ("the file is cut after its last pixel",)


def test_junk_in_text_chunks_does_no_harm(tmp_path: Path) -> None:
    samples = RNG.integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    junk = (b"iCCP", b"bad\0\0" + zlib.compress(b"no profile"))
    (tmp_path / "a.png").write_bytes(deep_png(samples, junk))
    field = read_field(tmp_path / "a.png")
    np.testing.assert_array_equal(field.pixels, np.rint(samples / 257))
    assert "the embedded colour profile cannot be used; colours taken as sRGB" in field.notes
