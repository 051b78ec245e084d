from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from bad_files import picture
from smearlab.io.colour import to_srgb
from smearlab.io.images import read_field

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """sRGB with its red and blue primaries exchanged, so that the effect is known exactly."""
    profile = bytearray(SRGB)
    count = int.from_bytes(profile[128:132], "big")
    entries = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


def test_srgb_profile_changes_no_pixel() -> None:
    pixels, notes = to_srgb(picture(), SRGB)
    np.testing.assert_array_equal(pixels, np.asarray(picture()))
    assert notes == ()


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
def test_other_profile_is_converted_and_said(suffix: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (32, 32), (200, 100, 50))
    options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}
    image.save(tmp_path / f"a.{suffix}", icc_profile=swapped_profile(), **options.get(suffix, {}))
    field = read_field(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(field.pixels[0, 0].astype(int), [50, 100, 200], atol=3)
    assert len(field.notes) == 1
    assert field.notes[0].startswith("converted from the colour profile")


def test_profile_is_applied_below_the_transparency() -> None:
    image = Image.new("RGBA", (16, 16), (200, 100, 50, 51))
    pixels, _ = to_srgb(image, swapped_profile())
    # A fifth of (50, 100, 200) over four fifths of white.
    np.testing.assert_allclose(pixels[0, 0].astype(int), [214, 224, 244], atol=2)


@pytest.mark.parametrize("profile", [b"junk", SRGB[:200], b"\0" * 600])
def test_bad_profile_is_passed_over_and_said(profile: bytes) -> None:
    pixels, notes = to_srgb(picture(), profile)
    np.testing.assert_array_equal(pixels, np.asarray(picture()))
    assert notes == ("the embedded colour profile cannot be used; colours taken as sRGB",)


def test_profile_of_another_colour_model_is_passed_over() -> None:
    pixels, notes = to_srgb(picture().convert("CMYK"), SRGB)
    np.testing.assert_array_equal(pixels, np.asarray(picture()))
    assert "cannot be used" in notes[0]


def test_grey_under_a_colour_profile() -> None:
    grey = picture().convert("L")
    pixels, notes = to_srgb(grey, SRGB)
    np.testing.assert_array_equal(pixels, np.asarray(grey.convert("RGB")))
    assert notes == ()
    # Exchanged primaries leave grey alone, apart from the white point's rounding.
    pixels, _ = to_srgb(grey, swapped_profile())
    np.testing.assert_allclose(pixels.astype(int), np.asarray(grey.convert("RGB")), atol=2)


def test_lab() -> None:
    lab = ImageCms.profileToProfile(
        picture(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    pixels, _ = to_srgb(lab)
    error = np.abs(pixels.astype(int) - np.asarray(picture()))
    assert np.median(error) <= 2


def test_cmyk_as_pillow_gives_it(tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 128, 255, 51))
    image.save(tmp_path / "a.tif")
    pixels = read_field(tmp_path / "a.tif").pixels
    np.testing.assert_allclose(pixels[0, 0].astype(int), [204, 102, 0], atol=1)


def test_premultiplied_alpha() -> None:
    straight = Image.new("RGBA", (16, 16), (100, 60, 20, 128))
    pixels, _ = to_srgb(straight.convert("RGBa"))
    np.testing.assert_allclose(pixels[0, 0].astype(int), [177, 157, 137], atol=1)


def test_result_is_writable_and_its_own() -> None:
    image = picture()
    pixels, _ = to_srgb(image)
    pixels[:] = 0
    assert np.asarray(image).any()
    assert io.BytesIO(pixels).getbuffer().nbytes == 96 * 64 * 3
