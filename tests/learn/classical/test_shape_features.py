"""Sizes and forms of drawn shapes that geometry knows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted_cells import disc

from smearlab.errors import UsageError
from smearlab.learn.classical.feature import names_of
from smearlab.learn.classical.regions import Regions
from smearlab.learn.classical.shape import SHAPE_FEATURES, count_lobes, shape_features

NONE = np.zeros((128, 128), bool)


def shape(nucleus: NDArray[Any], cell: NDArray[Any]) -> dict[str, float]:
    return dict(zip(names_of(SHAPE_FEATURES), shape_features(Regions(nucleus, cell)), strict=True))


def ellipse(a: float, b: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:128, :128] - 63.5
    return (x / a) ** 2 + (y / b) ** 2 <= 1


def test_a_disc_in_a_disc() -> None:
    found = shape(disc(20), disc(40))
    assert found["nucleus_area"] == pytest.approx(math.pi * 20**2 / 128**2, rel=0.01)
    assert found["cell_area"] == pytest.approx(math.pi * 40**2 / 128**2, rel=0.01)
    assert found["cytoplasm_area"] == pytest.approx(math.pi * (40**2 - 20**2) / 128**2, rel=0.01)
    assert found["nucleus_to_cell"] == pytest.approx(0.25, rel=0.02)
    assert found["nucleus_lobes"] == 1
    for part in ("nucleus", "cell"):
        assert found[f"{part}_circularity"] == pytest.approx(1, abs=0.03)
        assert found[f"{part}_eccentricity"] == pytest.approx(0, abs=0.05)
        assert found[f"{part}_solidity"] == pytest.approx(1, abs=0.03)
    assert found["nucleus_offset"] == pytest.approx(0, abs=0.01)


def test_an_ellipse_twice_as_long_as_wide() -> None:
    found = shape(ellipse(40, 20), ellipse(40, 20))
    assert found["nucleus_eccentricity"] == pytest.approx(math.sqrt(1 - 0.25), abs=0.01)
    h = (20 / 60) ** 2  # Ramanujan: the circumference of an ellipse
    around = math.pi * 60 * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    circularity = 4 * math.pi * (math.pi * 40 * 20) / around**2
    assert found["cell_circularity"] == pytest.approx(circularity, rel=0.03)
    assert found["cell_solidity"] == pytest.approx(1, abs=0.03)
    assert found["cytoplasm_area"] == 0


def test_half_a_disc_fills_its_hull_and_a_ring_does_not() -> None:
    ring = disc(40) & ~disc(20)
    assert shape(ring, ring)["nucleus_solidity"] == pytest.approx(0.75, abs=0.02)
    half = disc(40) & (np.mgrid[:128, :128][0] < 64)
    assert shape(half, half)["nucleus_solidity"] == pytest.approx(1, abs=0.03)


def test_the_nucleus_beside_the_middle_of_its_cell() -> None:
    found = shape(disc(10, at=(12, -16)), disc(40))
    assert found["nucleus_offset"] == pytest.approx(20 / 40, abs=0.01)


@pytest.mark.parametrize(
    ("lobes", "expected"),
    [
        ([(0, 0, 24)], 1),
        ([(-20, 0, 12), (20, 0, 12)], 2),
        ([(-13, 0, 15), (13, 0, 15)], 2),
        ([(-24, 8, 12), (0, -12, 12), (24, 8, 12)], 3),
        ([(-24, 0, 9), (-8, -10, 9), (8, 8, 9), (25, 0, 9)], 4),
        ([(-4, 0, 20), (4, 0, 20)], 1),
    ],
    ids=["one", "two apart", "two joined", "three", "four", "two that are one"],
)
def test_lobes_are_counted(lobes: list[tuple[int, int, int]], expected: int) -> None:
    nucleus = np.any([disc(r, at=(x, y)) for x, y, r in lobes], axis=0)
    assert count_lobes(nucleus) == expected
    for turns in (1, 2, 3):
        assert count_lobes(np.rot90(nucleus, turns)) == expected


def test_what_is_not_there_has_no_form() -> None:
    no_nucleus = shape(NONE, disc(30))
    assert no_nucleus["nucleus_area"] == no_nucleus["nucleus_to_cell"] == 0
    assert no_nucleus["nucleus_lobes"] == 0
    assert math.isnan(no_nucleus["nucleus_circularity"])
    assert math.isnan(no_nucleus["nucleus_offset"])
    assert no_nucleus["cell_circularity"] == pytest.approx(1, abs=0.03)
    nothing = shape(NONE, NONE)
    assert nothing["cell_area"] == 0
    assert math.isnan(nothing["nucleus_to_cell"])
    assert math.isnan(nothing["cell_solidity"])


def test_masks_of_two_pictures_are_refused() -> None:
    with pytest.raises(UsageError, match=r"masks of one picture; received \(128, 128\)"):
        Regions(NONE, NONE[:64])
