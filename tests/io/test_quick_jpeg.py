"""Plain JPEG pictures fast, all others carefully: what is seen must not hang on which it was."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import ImageError
from smearlab.io.images import read_field
from smearlab.io.quick_jpeg import plain_size, read_reduced


@pytest.fixture(scope="module")
def smear() -> Image.Image:
    config = SmearConfig(height_px=163, width_px=180, rbc_diameter_px=40, n_wbc=1)
    return Image.fromarray(simulate_field(1, config).field.pixels)


def coded(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **{"quality": 95, **options})
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def other_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_plain_picture_is_what_the_careful_reader_sees(
    smear: Image.Image, tmp_path: Path, subsampling: int
) -> None:
    path = tmp_path / "cell.jpg"
    path.write_bytes(coded(smear, subsampling=subsampling))
    assert plain_size(path.read_bytes()) == (180, 163)
    picture = read_reduced(path)
    assert (picture.width_px, picture.height_px, picture.reduction) == (180, 163, 1)
    careful = read_field(path).pixels
    assert np.abs(picture.pixels.astype(int) - careful).max() <= 2


@pytest.mark.parametrize(
    ("enough", "part", "reduction"),
    [(None, None, 1), (163, None, 1), (81, None, 2), (82, None, 1), (40, None, 4), (20, None, 8),
     (1, None, 8), (50, 100, 2), (51, 100, 1), (500, None, 1)],
)  # fmt: skip
def test_no_more_is_decoded_than_is_enough(
    smear: Image.Image, tmp_path: Path, enough: int | None, part: int | None, reduction: int
) -> None:
    path = tmp_path / "cell.jpg"
    path.write_bytes(coded(smear))
    picture = read_reduced(path, enough, part)
    assert picture.reduction == reduction
    assert (picture.width_px, picture.height_px) == (180, 163)
    assert picture.pixels.shape == (-(-163 // reduction), -(-180 // reduction), 3)
    # Each pixel is the average of those it stands for.
    whole = read_field(path).pixels[:160, :176]
    averaged = cv2.resize(whole, (176 // reduction, 160 // reduction), interpolation=cv2.INTER_AREA)
    part_of = picture.pixels[: averaged.shape[0], : averaged.shape[1]]
    assert np.abs(part_of.astype(int) - averaged).mean() < 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [("turned", {"exif": exif(6)}), ("profiled", {"icc_profile": other_profile()})],
)
def test_what_asks_for_care_gets_it(
    smear: Image.Image, tmp_path: Path, kind: str, options: dict[str, bytes]
) -> None:
    path = tmp_path / f"{kind}.jpg"
    path.write_bytes(coded(smear, **options))
    assert plain_size(path.read_bytes()) is None
    picture = read_reduced(path, 10)
    assert picture.reduction == 1
    np.testing.assert_array_equal(picture.pixels, read_field(path).pixels)
    if kind == "turned":
        assert (picture.width_px, picture.height_px) == (163, 180)


def test_an_upright_exif_picture_is_plain(smear: Image.Image) -> None:
    assert plain_size(coded(smear, exif=exif(1))) == (180, 163)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colour_models_are_not_plain(smear: Image.Image, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "other.jpg"
    path.write_bytes(coded(smear.convert(mode)))
    assert plain_size(path.read_bytes()) is None
    np.testing.assert_array_equal(read_reduced(path).pixels, read_field(path).pixels)


def test_other_formats_are_read_whatever_their_suffix(smear: Image.Image, tmp_path: Path) -> None:
    smear.save(tmp_path / "cell.png")
    (tmp_path / "cell.png").rename(tmp_path / "cell.jpg")
    np.testing.assert_array_equal(read_reduced(tmp_path / "cell.jpg", 8).pixels, np.asarray(smear))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("missing", None, "there is no such file"),
        ("empty", lambda data: b"", "the file is empty"),
        ("cut", lambda data: data[: len(data) // 2], "truncated or damaged JPEG data"),
        ("zeros", lambda data: data[: len(data) // 2] + bytes(999), "bytes are zeros"),
        ("text", lambda data: b"not a picture at all", "not a JPEG"),
    ],
)
def test_damage_is_an_error_that_names_the_file(
    smear: Image.Image, tmp_path: Path, name: str, damage: object, message: str
) -> None:
    path = tmp_path / f"{name}.jpg"
    if damage is not None:
        path.write_bytes(damage(coded(smear)))  # type: ignore[operator]
    with pytest.raises(ImageError, match=message) as raised:
        read_reduced(path, 32)
    assert str(path) in str(raised.value)


def test_headers_cut_anywhere_are_not_plain(smear: Image.Image) -> None:
    data = coded(smear)
    for length in range(data.index(b"\xff\xda") + 2):
        assert plain_size(data[:length] + b"\xff\xd9") is None
    assert plain_size(b"\xff\xd8" + bytes(60) + b"\xff\xd9") is None
