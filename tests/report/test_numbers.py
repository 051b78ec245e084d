"""How numbers are written."""

from __future__ import annotations

import math

import pytest

from smearlab.report.numbers import decimal, integer, interval, percent, ratio
from smearlab.types import Share


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (integer(0), "0"),
        (integer(1234567), "1\u202f234\u202f567"),
        (percent(0.625), "62.5\u202f%"),
        (percent(0.2, 0), "20\u202f%"),
        (percent(math.nan), "–"),
        (interval(Share(8, 0.8, 0.44390, 0.97479)), "44.4–97.5"),
        (interval(Share(0, math.nan, math.nan, math.nan)), "–"),
        (ratio(0.04214), "0.0421"),
        (ratio(6.25), "6.25"),
        (ratio(12.0), "12"),
        (ratio(99.97), "100"),
        (ratio(1234.4), "1\u202f234"),
        (ratio(0.0), "0"),
        (ratio(math.nan), "–"),
        (decimal(0.456), "0.46"),
        (decimal(math.nan), "–"),
    ],
)
def test_as_written(written: str, expected: str) -> None:
    assert written == expected
