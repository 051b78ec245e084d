"""Every usual picture file comes out as the upright sRGB picture that a person sees."""

from __future__ import annotations

import io
import itertools
import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from bad_files import encoded, picture
from smearlab.errors import UsageError
from smearlab.io.images import read_field

LOSSLESS = {
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "tif": ("TIFF", {}),
    "tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "TIF": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "webp": ("WEBP", {"lossless": True, "exact": True}),
}
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]
#: What a format cannot store, or stores as something else.
ABSENT = {("BMP", "LA"), ("BMP", "RGBA"), ("BMP", "CMYK"), ("BMP", "I;16"), ("PNG", "CMYK")} | {
    ("WEBP", mode) for mode in ("1", "LA", "P", "CMYK", "I;16", "L")
}


def in_mode(mode: str) -> Image.Image:
    """The test picture in a mode, transparent modes with every alpha from 0 to 255."""
    image = picture()
    if mode == "I;16":
        wide = np.asarray(image.convert("L")).astype(np.uint16) * 257
        wide[0, 0] = 65535
        return Image.fromarray(wide)
    if mode in ("LA", "RGBA"):
        image = image.convert(mode)
        ramp = np.resize(np.arange(256, dtype=np.uint8), (image.height, image.width))
        image.putalpha(Image.fromarray(ramp))
        return image
    return image.convert(mode)


def as_seen(image: Image.Image) -> np.ndarray:
    """What a person sees, worked out another way than the reader does."""
    if image.mode == "I;16":
        grey = np.rint(np.asarray(image) / 257).astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if image.mode in ("LA", "RGBA"):
        colours = np.asarray(image.convert("RGBA")).astype(float)
        alpha = colours[..., 3:] / 255
        return np.rint(alpha * colours[..., :3] + (1 - alpha) * 255).astype(np.uint8)
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(s, m) for s, m in itertools.product(LOSSLESS, MODES) if (LOSSLESS[s][0], m) not in ABSENT],
)
def test_lossless_formats_are_pixel_exact(suffix: str, mode: str, tmp_path: Path) -> None:
    kind, options = LOSSLESS[suffix]
    image = in_mode(mode)
    file = tmp_path / f"field 7.{suffix}"
    image.save(file, kind, **options)

    field = read_field(file)

    assert field.pixels.dtype == np.uint8
    assert field.pixels.flags.writeable
    assert field.pixels.flags.c_contiguous
    np.testing.assert_array_equal(field.pixels, as_seen(image))
    assert (field.name, field.source, field.um_per_px) == ("field 7", str(file), None)
    assert field.notes == (("16-bit samples, white at 65535",) if mode == "I;16" else ())


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_is_close(mode: str, progressive: bool, tmp_path: Path) -> None:
    # Smooth, as JPEG is made for; Pillow writes CMYK the inverted way that Adobe does.
    image = picture().resize((12, 8)).resize((96, 64), Image.Resampling.BICUBIC).convert(mode)
    image.save(tmp_path / "a.jpg", quality=95, progressive=progressive)

    field = read_field(tmp_path / "a.jpg")

    error = np.abs(field.pixels.astype(int) - as_seen(image).astype(int))
    assert error.mean() < 2
    assert error.max() < 24
    assert field.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_exif_orientation_is_applied(orientation: int, suffix: str, tmp_path: Path) -> None:
    image = picture(40, 24)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"webp": {"lossless": True}, "jpg": {"quality": 95}}.get(suffix, {})
    image.save(tmp_path / f"a.{suffix}", exif=exif, **options)
    with Image.open(tmp_path / f"a.{suffix}") as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))

    np.testing.assert_array_equal(read_field(tmp_path / f"a.{suffix}").pixels, expected)


def test_every_orientation_looks_different(tmp_path: Path) -> None:
    seen = set()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture(32, 32).save(tmp_path / "a.png", exif=exif)
        seen.add(read_field(tmp_path / "a.png").pixels.tobytes())
    assert len(seen) == 8


def test_palette_with_transparency_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (32, 16))
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 0, 90])
    image.putdata([0] * 256 + [1] * 128 + [2] * 128)
    image.save(tmp_path / "a.png", transparency=bytes([255, 0, 51]))  # 51 of 255 is a fifth

    pixels = read_field(tmp_path / "a.png").pixels

    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[8, 0].tolist() == [255, 255, 255]
    assert pixels[12, 0].tolist() == [204, 204, 222]


def test_transparent_colour_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (1, 2, 3))
    image.putpixel((5, 5), (9, 9, 9))
    image.save(tmp_path / "a.png", transparency=(1, 2, 3))
    pixels = read_field(tmp_path / "a.png").pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[5, 5].tolist() == [9, 9, 9]


def test_empty_alpha_channel_is_ignored_and_said(tmp_path: Path) -> None:
    image = picture()
    image.putalpha(0)
    image.save(tmp_path / "a.png")
    field = read_field(tmp_path / "a.png")
    np.testing.assert_array_equal(field.pixels, np.asarray(picture()))
    assert field.notes == ("empty alpha channel ignored",)


@pytest.mark.parametrize(
    ("kind", "name", "note"),
    [
        ("JPEG", "a.png", "JPEG data in a file named '.png'"),
        ("PNG", "a.JPG", "PNG data in a file named '.JPG'"),
        ("TIFF", "a", "TIFF data, no suffix"),
        ("WEBP", "a.bmp", "WebP data in a file named '.bmp'"),
    ],
)
def test_the_suffix_is_not_trusted(kind: str, name: str, note: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(encoded(picture(), kind))
    field = read_field(tmp_path / name)
    assert field.pixels.shape == (64, 96, 3)
    assert field.notes == (note,)


@pytest.mark.parametrize("tail", [bytes(5000), b"a maker's trailer", b"\xff\xd9"])
def test_what_stands_behind_a_jpeg_is_passed_over(tail: bytes, tmp_path: Path) -> None:
    whole = encoded(picture(), "JPEG")
    (tmp_path / "a.jpg").write_bytes(whole)
    expected = read_field(tmp_path / "a.jpg").pixels
    (tmp_path / "a.jpg").write_bytes(whole + tail)
    field = read_field(tmp_path / "a.jpg")
    np.testing.assert_array_equal(field.pixels, expected)
    assert field.notes == ()


def test_first_frame_of_an_animation_is_read_and_said(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime")]
    for suffix in ("png", "webp"):
        file = tmp_path / f"a.{suffix}"
        frames[0].save(file, save_all=True, append_images=frames[1:], lossless=True, duration=100)
        field = read_field(file)
        assert field.pixels[0, 0].tolist() == [255, 0, 0]
        assert field.notes == ("frame 1 of 2",)


def test_pitch_argument_overrules_the_file(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png", dpi=(254_000, 254_000))
    assert read_field(tmp_path / "a.png").um_per_px == pytest.approx(0.1, rel=1e-4)
    assert read_field(tmp_path / "a.png", um_per_px=0.25).um_per_px == 0.25


@pytest.mark.parametrize(
    ("suffix", "options", "expected"),
    [
        ("jpg", {"dpi": (50_800, 50_800)}, 0.5),
        ("jpg", {"dpi": (72, 72)}, None),
        ("jpg", {}, None),
        ("png", {"dpi": (96, 96)}, None),
        ("png", {"dpi": (254_000, 127_000)}, None),  # pixels are not square
        ("bmp", {"dpi": (254_000, 254_000)}, 0.1),
        ("bmp", {"dpi": (300, 300)}, None),
        ("tif", {"dpi": (254_000, 254_000)}, 0.1),
        ("tif", {"dpi": (300, 300)}, None),
        ("tif", {"resolution_unit": 3, "x_resolution": 40_000, "y_resolution": 40_000}, 0.25),
        ("tif", {"resolution_unit": 1, "x_resolution": 40_000, "y_resolution": 40_000}, None),
    ],
)
def test_pitch_of_the_file(
    suffix: str, options: dict[str, object], expected: float | None, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{suffix}"
    picture().save(file, **options)
    found = read_field(file).um_per_px
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-3))


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png"])
def test_pitch_from_exif(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 20_000.0, 20_000.0, 3
    picture().save(tmp_path / f"a.{suffix}", exif=exif)
    assert read_field(tmp_path / f"a.{suffix}").um_per_px == pytest.approx(0.5)


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
def test_impossible_pitch_is_refused(value: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="um_per_px"):
        read_field(tmp_path / "a.png", um_per_px=value)


def test_max_pixels_is_inclusive_and_checked(tmp_path: Path) -> None:
    picture(20, 20).save(tmp_path / "a.png")
    assert read_field(tmp_path / "a.png", max_pixels=400).width_px == 20
    with pytest.raises(UsageError, match="max_pixels"):
        read_field(tmp_path / "a.png", max_pixels=0)


def test_name_is_given_or_made(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    assert read_field(str(tmp_path / "a.png")).name == "a"
    assert read_field(tmp_path / "a.png", name="ward 3").name == "ward 3"


def test_many_threads_read_the_same_as_one(tmp_path: Path) -> None:
    files = []
    for i, (kind, options) in enumerate(LOSSLESS.values()):
        files.append(tmp_path / f"{i}.x")
        picture(64 + i, 48).save(files[-1], kind, **options)
    damaged = tmp_path / "exif.jpg"  # Pillow would warn about this one
    picture().save(damaged, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(60)))
    alone = [read_field(file).pixels.tobytes() for file in (*files, damaged)]
    filters = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda f: read_field(f).pixels.tobytes(), [*files, damaged] * 20))
    assert together == alone * 20
    assert warnings.filters == filters


def test_reading_prints_nothing_and_imports_little(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.jpg")
    code = (
        "import sys; from smearlab.io.images import read_field; read_field(sys.argv[1]);"
        "print([m for m in ('tifffile', 'cv2', 'torch', 'scipy', 'skimage') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, tmp_path / "a.jpg"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


@pytest.mark.parametrize(
    "part", ["fields/bccd/images", "fields/txl_pbc/images/val", "fields/bbbc041seg/images"]
)
def test_real_fields_are_read_as_pillow_shows_them(
    part: str, data_part: Callable[[str], Path]
) -> None:
    files = sorted(data_part(part).iterdir())
    for file in files[:: max(1, len(files) // 12)]:
        with Image.open(io.BytesIO(file.read_bytes())) as image:
            expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        field = read_field(file)
        np.testing.assert_array_equal(field.pixels, expected, err_msg=str(file))
        assert field.um_per_px is None
