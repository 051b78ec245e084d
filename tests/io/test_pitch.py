from __future__ import annotations

import math

import pytest

from smearlab.io import pitch
from smearlab.io.exif import RESOLUTION_UNIT, X_RESOLUTION, Y_RESOLUTION


@pytest.mark.parametrize("dpi", [1, 72, 96, 150, 300, 600, 1200, 4800])
def test_print_resolutions_are_refused(dpi: float) -> None:
    assert pitch.from_density(dpi, dpi, unit=2) is None


def test_plausible_range_is_inclusive() -> None:
    assert pitch.plausible(0.01, 0.01) == 0.01
    assert pitch.plausible(5, 5) == 5
    assert pitch.plausible(0.0099, 0.0099) is None
    assert pitch.plausible(5.01, 5.01) is None
    assert pitch.plausible(math.nan, math.nan) is None
    assert pitch.plausible(math.inf, math.inf) is None


def test_pixels_must_be_square_within_a_percent() -> None:
    assert pitch.plausible(0.1, 0.1005) == pytest.approx(0.10025)
    assert pitch.plausible(0.1, 0.102) is None


@pytest.mark.parametrize(
    ("x", "y", "unit", "expected"),
    [
        (254_000, 254_000, 2, 0.1),
        (100_000, 100_000, 3, 0.1),
        (100_000, 100_000, 1, None),
        (0, 0, 2, None),
        (-5, -5, 2, None),
    ],
)
def test_density(x: float, y: float, unit: int, expected: float | None) -> None:
    found = pitch.from_density(x, y, unit=unit)
    assert found == (None if expected is None else pytest.approx(expected))


def test_tags_default_to_inches() -> None:
    tags = {X_RESOLUTION: 254_000.0, Y_RESOLUTION: 254_000.0}
    assert pitch.from_tags(tags) == pytest.approx(0.1)
    assert pitch.from_tags(tags | {RESOLUTION_UNIT: 3}) == pytest.approx(10_000 / 254_000)
    assert pitch.from_tags({}) is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('PhysicalSizeX="0.065" PhysicalSizeY="0.065"', 0.065),
        ('PhysicalSizeX="0.065"', 0.065),
        ('PhysicalSizeX="65" PhysicalSizeXUnit="nm"', 0.065),
        ('PhysicalSizeX="65" PhysicalSizeXUnit="nm" PhysicalSizeY="0.065"', 0.065),
        ('PhysicalSizeX="0.065" PhysicalSizeY="0.13"', None),
        ('PhysicalSizeX="0.0002" PhysicalSizeXUnit="mm"', 0.2),
        ('PhysicalSizeX="0.2" PhysicalSizeXUnit="&#181;m"', 0.2),
        ('PhysicalSizeX="0.2" PhysicalSizeXUnit="pixel"', None),
        ('PhysicalSizeX="1" PhysicalSizeXUnit="mm"', None),
        ('PhysicalSizeX="one"', None),
        ("", None),
    ],
)
def test_ome(attributes: str, expected: float | None) -> None:
    text = f'<?xml version="1.0"?><OME><Image><Pixels Type="uint8" {attributes}/></Image></OME>'
    found = pitch.from_description(text, {})
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("unit", ["micron", "um", "µm", "\\u00B5m"])
def test_imagej(unit: str) -> None:
    text = f"ImageJ=1.54f\nunit={unit}\nmin=0\n"
    assert pitch.from_description(text, {X_RESOLUTION: 10.0}) == pytest.approx(0.1)
    assert pitch.from_description(text, {}) is None
    assert pitch.from_description("ImageJ=1.54f\nunit=pixel\n", {X_RESOLUTION: 10.0}) is None
    assert pitch.from_description(f"unit={unit}\n", {X_RESOLUTION: 10.0}) is None


def test_significant_bits() -> None:
    text = '<OME><Image><Pixels SignificantBits="12" SizeX="3"/></Image></OME>'
    assert pitch.significant_bits(text) == 12
    assert pitch.significant_bits("<OME></OME>") is None
    assert pitch.significant_bits('SignificantBits="12"') is None
