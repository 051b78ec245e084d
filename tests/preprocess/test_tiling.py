"""Tiles cover a field once, start on the stride's grid and see enough of what is around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.preprocess.tiling import PAD_VALUE, pad_to_multiple, plan_tiles

STRIDES = st.sampled_from((1, 4, 16, 32))


@given(
    stride=STRIDES,
    columns=st.integers(1, 40),
    rows=st.integers(1, 40),
    tile_px=st.integers(1, 300),
    overlap_px=st.integers(0, 200),
    context_px=st.integers(0, 200),
)
def test_tiles_cover_a_field_exactly_once(
    stride: int, columns: int, rows: int, tile_px: int, overlap_px: int, context_px: int
) -> None:
    width, height = columns * stride, rows * stride
    times = np.zeros((height, width), int)
    for tile in plan_tiles(
        width,
        height,
        tile_px=tile_px,
        overlap_px=overlap_px,
        stride=stride,
        context_px=context_px,
    ):
        x0, y0, x1, y1 = tile.core
        wx0, wy0, wx1, wy1 = tile.window
        times[y0:y1, x0:x1] += 1
        assert all(value % stride == 0 for value in (*tile.core, *tile.window))
        assert x1 - x0 < tile_px + stride
        assert y1 - y0 < tile_px + stride
        around = max(overlap_px, context_px)
        assert wx0 == 0 or x0 - wx0 >= around
        assert wy0 == 0 or y0 - wy0 >= around
        assert wx1 == width or wx1 - x1 >= around
        assert wy1 == height or wy1 - y1 >= around
        assert wx0 <= x0 < x1 <= wx1 <= width
        assert wy0 <= y0 < y1 <= wy1 <= height
    assert (times == 1).all()


@pytest.mark.parametrize(("tile_px", "overlap_px"), [(0, 0), (-5, 0), (64, -1)])
def test_sizes_that_cannot_be_are_refused(tile_px: int, overlap_px: int) -> None:
    tiles = plan_tiles(64, 64, tile_px=tile_px, overlap_px=overlap_px, stride=16, context_px=16)
    with pytest.raises(UsageError, match=rf"received {tile_px} and {overlap_px}"):
        next(tiles)


@given(height=st.integers(1, 70), width=st.integers(1, 70), multiple=st.integers(1, 33))
def test_padding_adds_grey_at_the_right_and_the_bottom(
    height: int, width: int, multiple: int
) -> None:
    pixels = np.arange(height * width * 3).reshape(height, width, 3).astype(np.uint8)
    padded = pad_to_multiple(pixels, multiple)
    assert padded.shape[0] % multiple == padded.shape[1] % multiple == 0
    assert 0 <= padded.shape[0] - height < multiple
    assert 0 <= padded.shape[1] - width < multiple
    np.testing.assert_array_equal(padded[:height, :width], pixels)
    assert (padded[height:] == PAD_VALUE).all()
    assert (padded[:, width:] == PAD_VALUE).all()
