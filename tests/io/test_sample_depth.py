from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smearlab.io.sample_depth import to_uint8


def test_full_16_bit_is_divided_by_257() -> None:
    samples = np.arange(65536, dtype=np.uint16)
    scaled, notes = to_uint8(samples)
    # Rounded to nearest, in whole numbers: 257 is odd, so nothing lies half way.
    np.testing.assert_array_equal(scaled, (samples.astype(int) * 2 + 257) // 514)
    assert notes == ("16-bit samples, white at 65535",)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_camera_depths_are_recognised_by_their_largest_sample(bits: int) -> None:
    samples = np.array([0, 2 ** (bits - 1), 2**bits - 1], np.uint16)
    scaled, notes = to_uint8(samples)
    assert scaled.tolist()[::2] == [0, 255]
    assert scaled[1] in (127, 128)
    assert notes == (f"16-bit samples, white at {2**bits - 1}",)


def test_the_files_word_overrules_unless_samples_exceed_it() -> None:
    dim = np.array([0, 1000], np.uint16)
    assert to_uint8(dim)[0].tolist() == [0, 249]  # by itself: 10 bits
    assert to_uint8(dim, 12)[0].tolist() == [0, 62]
    assert to_uint8(np.array([0, 5000], np.uint16), 12)[1] == ("16-bit samples, white at 16383",)


def test_eight_bits_stay() -> None:
    samples = np.arange(256, dtype=np.uint8)
    scaled, notes = to_uint8(samples)
    assert scaled is samples
    assert notes == ()


def test_signed_samples() -> None:
    assert to_uint8(np.array([-5, 0, 32767], np.int16))[0].tolist() == [0, 0, 255]
    assert to_uint8(np.array([-5, 0, 127], np.int8))[0].tolist() == [0, 0, 255]
    assert to_uint8(np.array([-7, -3], np.int16))[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([0.0, 257.0, 65535.0], [0, 1, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 5e5, 1e6], [0, 128, 255]),
        ([np.nan, 0.0, 1.0], [0, 0, 255]),
        ([-np.inf, 0.5, np.inf], [0, 128, 255]),
        ([np.nan, np.nan, np.inf], [0, 0, 0]),
        ([-1.7e308, 0.0, 1.7e308], None),
    ],
)
def test_float_ranges(values: list[float], expected: list[int] | None) -> None:
    scaled, notes = to_uint8(np.array(values))
    if expected is not None:
        assert scaled.tolist() == expected
    assert len(notes) == 1


@given(
    hnp.arrays(
        st.sampled_from(["u2", "i2", "u4", "i4", "f4", "f8", "i1", "u8"]), hnp.array_shapes()
    )
)
def test_any_samples_keep_their_order(samples: np.ndarray) -> None:
    scaled, _ = to_uint8(samples)
    assert scaled.dtype == np.uint8
    assert scaled.shape == samples.shape
    if np.isfinite(samples.astype(float)).all():
        order = np.argsort(samples, axis=None, kind="stable")
        assert (np.diff(scaled.ravel()[order].astype(int)) >= 0).all()
