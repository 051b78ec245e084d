"""W-Net's border crop, to the pixel; and the same middle for pictures of other sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.preprocess.central_square import border_crop, square_window


def numbered(height: int, width: int) -> np.ndarray:
    """Red counts rows, green columns."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = (np.arange(height) // 2)[:, None]
    pixels[..., 1] = np.arange(width) // 2
    return pixels


def test_the_borders_are_those_of_the_paper() -> None:
    """360 wide and 361 high: 80 off the top, 81 off the bottom, 80 off either side."""
    assert square_window(360, 361, 200) == (80, 80, 360 - 80, 361 - 81)
    pixels = numbered(361, 360)
    whole = border_crop(pixels, 200, 200)
    np.testing.assert_array_equal(whole, pixels[80:-81, 80:-80])


def test_200_px_become_128() -> None:
    pixels = numbered(361, 360)
    small = border_crop(pixels)
    assert small.shape == (128, 128, 3)
    assert small.dtype == np.uint8
    inside = pixels[80:-81, 80:-80].reshape(-1, 3)
    assert small.reshape(-1, 3).mean(0) == pytest.approx(inside.mean(0), abs=0.6)
    assert small[0, 0, :2].tolist() == pytest.approx((40, 40), abs=1)
    assert small[-1, -1, :2].tolist() == pytest.approx((139, 139), abs=1)


@pytest.mark.parametrize("size", [(360, 363), (360, 360), (366, 369)])
def test_whole_pictures_and_their_centres_show_the_same(size: tuple[int, int]) -> None:
    """Sets are passed on whole and as 224×224 centres; both must give one picture."""
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    x0, y0, x1, y1 = square_window(*size, 224)
    np.testing.assert_array_equal(border_crop(pixels), border_crop(pixels[y0:y1, x0:x1]))


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_square_lies_in_the_middle(width: int, height: int, data: st.DataObject) -> None:
    side = data.draw(st.integers(1, min(width, height)))
    x0, y0, x1, y1 = square_window(width, height, side)
    assert (x1 - x0, y1 - y0) == (side, side)
    assert 0 <= (width - x1) - x0 <= 1
    assert 0 <= (height - y1) - y0 <= 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"crop_px": 201}, "a square of 201 px cannot be cut from 240×200 px"),
        ({"crop_px": 0}, "a square of 0 px cannot be cut"),
        ({"size_px": 0}, "size_px must be at least 1; received 0"),
    ],
)
def test_impossible_crops_are_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        border_crop(numbered(200, 240), **given)
