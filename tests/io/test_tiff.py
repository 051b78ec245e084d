"""The dialects of TIFF that microscopes and their programs write."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from bad_files import deflated_tiff, picture
from smearlab.errors import ImageError
from smearlab.io.images import read_field

RNG = np.random.default_rng(5)
EIGHT = np.asarray(picture())
DEEP = RNG.integers(0, 65536, (64, 96, 3), dtype=np.uint16)
DEEP[0, 0] = 65535
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {},
    "one row a strip": {"rowsperstrip": 1},
    "tiles": {"tile": (32, 16)},
    "planar": {"planarconfig": "separate"},
    "planar tiles": {"planarconfig": "separate", "tile": (16, 32)},
    "deflate": {"compression": "zlib"},
    "deflate, predicted": {"compression": "zlib", "predictor": True},
    "deflate, predicted tiles": {"compression": "zlib", "predictor": True, "tile": (32, 32)},
    "planar deflate": {"planarconfig": "separate", "compression": "zlib", "rowsperstrip": 7},
    "big-endian": {"byteorder": ">"},
    "big-endian deflate": {"byteorder": ">", "compression": "zlib", "predictor": True},
    "BigTIFF": {"bigtiff": True},
}


def write(file: Path, pixels: np.ndarray, **options: Any) -> None:
    """Write RGB pixels (H, W, 3) as tifffile wants them."""
    if options.get("planarconfig") == "separate":
        pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(file, pixels, photometric="rgb", **options)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_eight_bit_layouts(layout: str, tmp_path: Path) -> None:
    write(tmp_path / "a.tif", EIGHT, **LAYOUTS[layout])
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, EIGHT)
    assert field.notes == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sixteen_bit_layouts(layout: str, tmp_path: Path) -> None:
    write(tmp_path / "a.tif", DEEP, **LAYOUTS[layout])
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, np.rint(DEEP / 257))
    assert field.notes == ("16-bit samples, white at 65535",)


@pytest.mark.parametrize(
    "compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_deflate"]
)
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "RGBA"])
def test_compressions_of_libtiff(compression: str, mode: str, tmp_path: Path) -> None:
    image = picture().convert(mode)
    image.save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(
        read_field(tmp_path / "a.tif").pixels, np.asarray(image.convert("RGB"))
    )


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_inside_tiff(mode: str, tmp_path: Path) -> None:
    smooth = picture().resize((12, 8)).resize((96, 64), Image.Resampling.BICUBIC).convert(mode)
    smooth.save(tmp_path / "a.tif", compression="jpeg", quality=95)
    error = read_field(tmp_path / "a.tif").pixels.astype(int) - np.asarray(smooth.convert("RGB"))
    assert np.abs(error).mean() < 2


def lzw_codes(data: bytes) -> bytes:
    """TIFF's LZW in its simplest form: clear codes often enough that codes stay 9 bits wide."""
    codes = []
    for start in range(0, len(data), 200):
        codes += [256, *data[start : start + 200]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def lzw_tiff(
    samples: np.ndarray, order: str, *, planar: bool, predicted: bool, tile: int | None
) -> bytes:
    """A 16-bit LZW TIFF made by hand: neither Pillow nor tifffile writes one."""
    height, width, n = samples.shape
    planes = np.moveaxis(samples, -1, 0)[..., None] if planar else samples[None]
    pieces = []
    for plane in planes:
        rows, columns = (tile, tile) if tile else (10, width)
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                piece = plane[y : y + rows, x : x + columns].copy()
                if tile:
                    piece = np.pad(
                        piece,
                        [(0, tile - piece.shape[0]), (0, tile - piece.shape[1]), (0, 0)],
                    )
                if predicted:
                    piece[:, 1:] -= piece[:, :-1].copy()
                pieces.append(lzw_codes(piece.astype(order + "u2").tobytes()))
    offsets = np.cumsum([8, *map(len, pieces)]).tolist()
    body = b"".join(pieces)
    body += b"\0" * (len(body) % 2)
    entries: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [16] * n),
        (259, "H", [5]),
        (262, "H", [2 if n == 3 else 1]),
        (277, "H", [n]),
        (284, "H", [2 if planar else 1]),
        (317, "H", [2 if predicted else 1]),
    ]
    if tile:
        entries += [(322, "I", [tile]), (323, "I", [tile])]
        entries += [(324, "I", offsets[:-1]), (325, "I", [len(p) for p in pieces])]
    else:
        entries += [(273, "I", offsets[:-1]), (278, "I", [10])]
        entries += [(279, "I", [len(p) for p in pieces])]
    at = 8 + len(body)
    table, tail = struct.pack(order + "H", len(entries)), b""
    tail_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, values in sorted(entries):
        packed = struct.pack(f"{order}{len(values)}{kind}", *values)
        value = packed.ljust(4, b"\0")
        if len(packed) > 4:
            value, tail = struct.pack(order + "I", tail_at + len(tail)), tail + packed
        table += struct.pack(order + "HHI", tag, 3 if kind == "H" else 4, len(values)) + value
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return head + body + table + bytes(4) + tail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("predicted", [False, True])
@pytest.mark.parametrize("tile", [None, 32])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_sixteen_bit_lzw(
    order: str, planar: bool, predicted: bool, tile: int | None, n_samples: int, tmp_path: Path
) -> None:
    samples = DEEP[:40, :50, :n_samples].copy()
    (tmp_path / "a.tif").write_bytes(
        lzw_tiff(samples, order, planar=planar, predicted=predicted, tile=tile)
    )
    expected = np.broadcast_to(np.rint(samples / 257), (40, 50, 3))
    np.testing.assert_array_equal(read_field(tmp_path / "a.tif").pixels, expected)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_white_may_be_zero(photometric: str, kind: str, tmp_path: Path) -> None:
    top = np.iinfo(kind).max
    grey = np.tile(np.linspace(0, top, 32).astype(kind), (16, 1))
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric=photometric)
    seen = np.rint(grey / (top / 255)).astype(int)
    expected = 255 - seen if photometric == "miniswhite" else seen
    np.testing.assert_array_equal(read_field(tmp_path / "a.tif").pixels[..., 1], expected)


@pytest.mark.parametrize("kind", ["f4", "f8", "f2"])
def test_floats(kind: str, tmp_path: Path) -> None:
    samples = RNG.random((24, 32, 3)).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb")
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_allclose(field.pixels, samples.astype(float) * 255, atol=0.5001)
    assert field.notes == ("floating-point samples, black at 0, white at 1",)


@pytest.mark.parametrize("kind", ["u4", "i2", "i4", "i1"])
def test_other_integers(kind: str, tmp_path: Path) -> None:
    top = np.iinfo(kind).max
    samples = np.tile(np.linspace(0, top, 32).astype(kind), (16, 1))
    tifffile.imwrite(tmp_path / "a.tif", samples)
    expected = np.rint(samples * (255 / top))
    np.testing.assert_allclose(read_field(tmp_path / "a.tif").pixels[..., 0], expected, atol=1)


@pytest.mark.parametrize(("extra", "premultiplied"), [("unassalpha", False), ("assocalpha", True)])
def test_sixteen_bit_alpha(extra: str, premultiplied: bool, tmp_path: Path) -> None:
    samples = np.full((16, 16, 4), 65535, np.uint16)
    samples[..., 3] = 51 * 257
    samples[..., 1] = 0
    if premultiplied:
        samples[..., [0, 2]] = 51 * 257
        samples[8, 8] = 65535
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=[extra])
    pixels = read_field(tmp_path / "a.tif").pixels
    np.testing.assert_allclose(pixels[0, 0].astype(int), [255, 204, 255], atol=1)


def test_extra_channels_are_ignored_and_said(tmp_path: Path) -> None:
    samples = np.concatenate([DEEP, DEEP[..., :2]], axis=2)
    tifffile.imwrite(
        tmp_path / "a.tif", samples, photometric="rgb", extrasamples=["unspecified"] * 2
    )
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, np.rint(DEEP / 257))
    assert "2 extra channels ignored" in field.notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_orientation(orientation: int, tmp_path: Path) -> None:
    eight = np.repeat(EIGHT[:40, :56, :1], 3, axis=2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(eight).save(tmp_path / "eight.png", exif=exif)
    tifffile.imwrite(
        tmp_path / "a.tif",
        eight[..., 0].astype(np.uint16) * 257,
        extratags=[(0x0112, "H", 1, orientation, True)],
    )
    # The largest sample of the noise is under 255, but needs all 16 bits.
    np.testing.assert_array_equal(
        read_field(tmp_path / "a.tif").pixels, read_field(tmp_path / "eight.png").pixels
    )


def test_first_page_is_read_and_said(tmp_path: Path) -> None:
    stack = np.stack([EIGHT, 255 - EIGHT, EIGHT // 2])
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb")
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, EIGHT)
    assert field.notes == ("page 1 of 3",)


@pytest.mark.parametrize("samples", [EIGHT, DEEP], ids=["8-bit", "16-bit"])
@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}], ids=["ImageJ", "OME"])
def test_three_channel_pages_are_one_picture(
    samples: np.ndarray, options: dict[str, bool], tmp_path: Path
) -> None:
    pages = np.ascontiguousarray(np.moveaxis(samples, -1, 0))
    tifffile.imwrite(
        tmp_path / "a.tif", pages, photometric="minisblack", metadata={"axes": "CYX"}, **options
    )
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, np.rint(samples / (samples.max() / 255)))
    assert field.notes[0] == "three pages joined as red, green and blue"


def test_three_unrelated_pages_are_not_joined(tmp_path: Path) -> None:
    pages = np.ascontiguousarray(np.moveaxis(EIGHT, -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    field = read_field(tmp_path / "a.tif")
    np.testing.assert_array_equal(field.pixels, np.repeat(pages[0][..., None], 3, axis=2))
    assert field.notes == ("page 1 of 3",)


def test_pitch_and_depth_of_ome(tmp_path: Path) -> None:
    dim = np.full((32, 32), 1000, np.uint16)
    metadata = {
        "axes": "YX",
        "PhysicalSizeX": 65.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 65.0,
        "PhysicalSizeYUnit": "nm",
        "SignificantBits": 12,
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", dim, ome=True, metadata=metadata)
    field = read_field(tmp_path / "a.ome.tif")
    assert field.um_per_px == pytest.approx(0.065)
    assert field.pixels[0, 0, 0] == 62
    assert field.name == "a"


def test_pitch_of_imagej(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", EIGHT[..., 0], imagej=True, resolution=(8, 8), metadata={"unit": "um"}
    )
    assert read_field(tmp_path / "a.tif").um_per_px == pytest.approx(0.125)


@pytest.mark.parametrize(("largest", "expected"), [(4095, 62), (1000, 249), (3000, 249)])
def test_max_sample_value_counts_only_at_the_end_of_a_bit_range(
    largest: int, expected: int, tmp_path: Path
) -> None:
    samples = np.full((16, 16), 1000, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", samples, extratags=[(281, "H", 1, largest, True)])
    assert read_field(tmp_path / "a.tif").pixels[0, 0, 0] == expected


def test_lost_strips_are_an_error_wherever_the_file_is_cut(tmp_path: Path) -> None:
    whole = deflated_tiff()
    for length in range(len(whole) // 2, len(whole), 211):
        (tmp_path / "a.tif").write_bytes(whole[:length])
        with pytest.raises(ImageError, match=f"truncated: .* the file ends at {length:,};"):
            read_field(tmp_path / "a.tif")


def test_missing_strip_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", EIGHT, compression="zlib", rowsperstrip=8)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        counts = tiff.pages.first.tags["StripByteCounts"]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    size = counts.valuebytecount // counts.count
    data[counts.valueoffset : counts.valueoffset + size] = bytes(size)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="strip or tile is missing"):
        read_field(tmp_path / "a.tif")


def test_planes_beyond_a_picture_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((32, 32, 40), np.uint8), planarconfig="contig")
    with pytest.raises(ImageError, match="40 samples a pixel"):
        read_field(tmp_path / "a.tif")
