"""What a segmented picture says of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.segment.segmented_picture import CERTAIN, PRESENT, own_pixels, probability_of


@pytest.mark.parametrize(
    ("colour", "probability"),
    [
        ((0, 0, 0), 0),
        ((0.15, 0, 0), 0.5),
        ((0, 0.075, 0.02), 0.25),
        ((0.1, 0.1, 0.3), 1),
        ((1, 1, 1), 1),
    ],
)
def test_the_brightest_channel_decides(colour: tuple[float, ...], probability: float) -> None:
    assert probability_of(np.array([[colour]])) == pytest.approx(probability, abs=1e-6)


def test_the_threshold_is_one_half() -> None:
    assert (PRESENT, CERTAIN) == (0.15, 0.3)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_it_is_a_probability(colour: list[float]) -> None:
    found = probability_of(np.array(colour))
    assert found.dtype == np.float32
    assert 0 <= found <= 1
    assert (found > 0.5) == (np.float32(max(colour)) > np.float32(PRESENT))


def test_own_pixels_are_black_elsewhere() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) + 1
    mask = np.array([[True, False, False, True], [False] * 4])
    found = own_pixels(pixels, mask)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[mask], pixels[mask])
    assert not found[~mask].any()
