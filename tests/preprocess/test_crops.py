"""Crops show the cell in the middle, at the right size, with the field's rim carried on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.preprocess.crops import crop_cell


def smooth_field(height: int = 300, width: int = 400) -> np.ndarray:
    """Broad waves: the same at any sensible resolution."""
    y, x = np.mgrid[:height, :width] + 0.5
    waves = [np.sin(x / 41 + k) * np.cos(y / 37 - k) for k in range(3)]
    return (128 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def value_at(field: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same waves between pixels and, at the rim, beyond the field."""
    x = x.clip(0.5, field.shape[1] - 0.5)
    y = y.clip(0.5, field.shape[0] - 0.5)
    waves = [np.sin(x / 41 + k) * np.cos(y / 37 - k) for k in range(3)]
    return 128 + 100 * np.stack(waves, axis=-1)


@given(
    x0=st.floats(-20, 360),
    y0=st.floats(-20, 260),
    width=st.floats(3, 160),
    height=st.floats(3, 160),
    size=st.integers(8, 96),
    context=st.sampled_from((1.0, 1.3, 2.0)),
)
def test_a_crop_is_the_square_around_the_box(
    x0: float, y0: float, width: float, height: float, size: int, context: float
) -> None:
    """Enlarged or shrunk, inside or across the edge: within a few grey levels of the truth."""
    field = smooth_field()
    crop = crop_cell(field, (x0, y0, x0 + width, y0 + height), size, context)
    assert crop.shape == (size, size, 3)
    side = max(width, height) * context
    at = (np.arange(size) + 0.5) / size * side - side / 2
    x, y = np.meshgrid(x0 + width / 2 + at, y0 + height / 2 + at)
    step = side / size  # px of the field: averaging over more blurs even broad waves
    assert np.abs(crop - value_at(field, x, y)).max() < 4 + 3 * step


def test_shrinking_by_area_agrees_with_shrinking_directly() -> None:
    field = smooth_field()
    by_area = crop_cell(field, (100, 80, 200, 180), 60, 1.0)  # scale 0.6
    directly = crop_cell(field, (100, 80, 200, 180), 75, 1.0)  # scale 0.75
    again = cv2.resize(directly, (60, 60), interpolation=cv2.INTER_LINEAR)
    assert np.abs(by_area.astype(int) - again).mean() < 1.5


def test_fine_patterns_do_not_alias() -> None:
    """Stripes of a pixel's width become grey, not broad stripes."""
    field = np.zeros((200, 200, 3), np.uint8)
    field[:, ::2] = 255
    crop = crop_cell(field, (30, 30, 170, 170), 40, 1.0)
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 128).max() < 40


def test_a_single_pixel_lands_where_it_should() -> None:
    field = np.zeros((40, 40, 3), np.uint8)
    field[17, 22] = 255
    crop = crop_cell(field, (18, 13, 26, 21), 8, 1.0)  # scale 1, starts at (18, 13)
    assert np.argwhere(crop[..., 0] > 0).tolist() == [[4, 4]]


@pytest.mark.parametrize("size", [5, 9, 20, 64, 81])
def test_the_middle_stays_the_middle(size: int) -> None:
    """Enlarged or shrunk: the centre of mass is that of the box, to a tenth of a pixel."""
    field = np.zeros((60, 60, 3), np.uint8)
    field[25:28, 31:34] = 255
    crop = crop_cell(field, (22, 16, 43, 37), size, 1.0)[..., 0].astype(float)
    y, x = np.mgrid[:size, :size] + 0.5
    centre = ((crop * x).sum() / crop.sum(), (crop * y).sum() / crop.sum())
    assert centre == pytest.approx((size / 2, size / 2), abs=0.1)


def test_beyond_the_edge_the_last_pixels_are_repeated() -> None:
    field = smooth_field()
    crop = crop_cell(field, (-30, 100, 30, 160), 60, 1.0)
    np.testing.assert_array_equal(crop[:, :29], np.repeat(crop[:, :1], 29, axis=1))
    np.testing.assert_allclose(crop[:, 0].astype(int), field[100:160, 0], atol=1)


@pytest.mark.parametrize("box", [(-900, -900, -700, -700), (500, 400, 900, 800)])
def test_a_box_outside_the_field_shows_its_corner(box: tuple[int, int, int, int]) -> None:
    field = smooth_field()
    crop = crop_cell(field, box, 16, 1.0)
    corner = field[0, 0] if box[0] < 0 else field[-1, -1]
    assert np.abs(crop.astype(int) - corner).max() <= 1


@pytest.mark.parametrize(
    ("box", "size", "context", "said"),
    [
        ((5, 5, 5, 9), 8, 1.0, r"\(5, 5, 5, 9\)"),
        ((5, 9, 8, 5), 8, 1.0, "x0 < x1 and y0 < y1"),
        ((5, 5, float("nan"), 9), 8, 1.0, "finite"),
        ((5, 5, 8, 9), 0, 1.0, "received 0 and 1.0"),
        ((5, 5, 8, 9), 8, 0.0, "received 8 and 0.0"),
    ],
)
def test_what_cannot_be_cropped_is_said(
    box: tuple[float, ...], size: int, context: float, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        crop_cell(smooth_field(), box, size, context)
