"""Views of pictures: the middle at its scale, however the file was decoded."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import UnknownNameError, UsageError
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.transforms.affine_ranges import PAPER_D, Affine, AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig, cut_view, draw_picture_view
from smearlab.preprocess.central_square import border_crop
from smearlab.preprocess.contrast import equalise

STILL = PictureViewConfig(ranges=AffineRanges())


def whole(pixels: NDArray[np.uint8]) -> Reduced:
    return Reduced(pixels, pixels.shape[1], pixels.shape[0])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def smear() -> NDArray[np.uint8]:
    config = SmearConfig(height_px=361, width_px=360, rbc_diameter_px=76, n_wbc=1)
    return simulate_field(3, config).field.pixels


def test_without_changes_it_is_the_border_crop(smear: NDArray[np.uint8]) -> None:
    view = draw_picture_view(whole(smear), STILL, rng())
    assert view.shape == (128, 128, 3)
    assert view.dtype == np.uint8
    difference = np.abs(view.astype(int) - border_crop(smear))
    assert difference.mean() < 2
    full = draw_picture_view(whole(smear), replace(STILL, size_px=200), rng())
    np.testing.assert_array_equal(full, smear[80:280, 80:280])


@pytest.mark.parametrize("reduction", [2, 4])
def test_reduced_pictures_show_the_same_place(smear: NDArray[np.uint8], reduction: int) -> None:
    smooth = np.asarray(cv2.GaussianBlur(smear, (0, 0), 4), np.uint8)
    padded = np.pad(smooth, ((0, -361 % reduction), (0, -360 % reduction), (0, 0)), mode="edge")
    size = (padded.shape[1] // reduction, padded.shape[0] // reduction)
    small = np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.uint8)
    affine = PAPER_D.draw(rng(7))
    window = (80, 80, 280, 280)
    full = cut_view(whole(smooth), window, 48, affine)
    reduced = cut_view(Reduced(small, 360, 361, reduction), window, 48, affine)
    assert np.abs(full.astype(int) - reduced).mean() < 1
    moved = cut_view(whole(smooth), (84, 80, 284, 280), 48, affine)
    assert np.abs(moved.astype(int) - reduced).mean() > 2


def test_much_smaller_views_do_not_alias() -> None:
    stripes = np.zeros((360, 360, 3), np.uint8)
    stripes[:, ::2] = 255
    view = draw_picture_view(whole(stripes), replace(STILL, crop_px=None, size_px=60), rng())
    assert np.abs(view[2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_surroundings_come_into_view_and_edges_are_repeated() -> None:
    pixels = np.full((100, 100, 3), 10, np.uint8)
    pixels[:, 70:] = 200
    shown = cut_view(whole(pixels), (20, 20, 60, 60), 40, Affine(shift=(-0.5, 0)))
    assert shown[20, 0, 0] == 10  # column 40 of the picture
    assert shown[20, 35, 0] == 200  # column 75, outside the window
    beyond = cut_view(whole(pixels), (60, 60, 100, 100), 40, Affine(shift=(-0.5, 0)))
    assert (beyond[:, 20:] == 200).all()


def test_a_whole_picture_is_squeezed(smear: NDArray[np.uint8]) -> None:
    wide = smear[:180]
    view = draw_picture_view(whole(wide), replace(STILL, crop_px=None), rng())
    expected = cv2.resize(wide, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(view.astype(int) - expected).mean() < 3


def test_contrast_and_colour_come_after(smear: NDArray[np.uint8]) -> None:
    plain = draw_picture_view(whole(smear), STILL, rng())
    equal = draw_picture_view(whole(smear), replace(STILL, clip_limit=2.0), rng())
    np.testing.assert_array_equal(equal, equalise(plain, 2.0))
    coloured = draw_picture_view(whole(smear), replace(STILL, colour=1.0), rng())
    assert np.abs(coloured.astype(int) - plain).mean() > 3


def test_a_view_follows_from_its_generator(smear: NDArray[np.uint8]) -> None:
    config = PictureViewConfig(colour=0.5)
    one, same, other = (draw_picture_view(whole(smear), config, rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_too_small_a_picture_is_refused(smear: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="a square of 200 px cannot be cut from 199×300 px"):
        draw_picture_view(whole(smear[:300, :199]), STILL, rng())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 0}, "size_px must be at least 1; received 0"),
        ({"crop_px": 0}, "crop_px must be at least 1; received 0"),
        ({"colour": -1.0}, "colour must be at least 0; received -1.0"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PictureViewConfig(**given)  # type: ignore[arg-type]


def with_nucleus(x: int, y: int, scale: int = 1) -> NDArray[np.uint8]:
    pixels = np.full((128 * scale, 128 * scale, 3), (235, 220, 205), np.uint8)
    cv2.circle(pixels, (30 * scale, 30 * scale), 9 * scale, (205, 165, 160), cv2.FILLED)
    cv2.circle(pixels, (x * scale, y * scale), 12 * scale, (85, 45, 120), cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), scale), np.uint8)


@pytest.mark.parametrize("reduction", [1, 2])
def test_views_about_the_nucleus_follow_it(reduction: int) -> None:
    config = PictureViewConfig(64, 64 * reduction, AffineRanges(), centre="nucleus")
    pixels = with_nucleus(90, 80)
    picture = Reduced(pixels, 128 * reduction, 128 * reduction, reduction)
    view = draw_picture_view(picture, config, rng()).astype(int)
    assert np.abs(view[31:33, 31:33] - (85, 45, 120)).max() <= 3
    rows, columns = np.nonzero(view[..., 1] < 130)
    assert abs(rows.mean() - 32) <= 1
    assert abs(columns.mean() - 32) <= 1
    middle = draw_picture_view(picture, replace(config, centre="middle"), rng()).astype(int)
    np.testing.assert_array_equal(middle, pixels[32:96, 32:96])


def test_other_squares_keep_the_centre_and_the_whole_has_none() -> None:
    config = PictureViewConfig(64, 80, centre="nucleus")
    assert config.of_crop(100) == replace(config, crop_px=100)
    assert config.of_crop(0) == replace(config, crop_px=None, centre="middle")


def test_centres_are_checked() -> None:
    with pytest.raises(UnknownNameError, match=r"'cell'.*middle, nucleus"):
        PictureViewConfig(centre="cell")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="needs crop_px"):
        PictureViewConfig(64, None, centre="nucleus")
