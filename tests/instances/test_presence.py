"""How likely a person would count a cell: known curves, known shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from smearlab.errors import BundleError
from smearlab.instances.presence import Presence, visible_shares

CURVES = Presence((2.0, 1.0), (1.0, -3.0, 6.0))
HEAT = np.array([0.5, 0.9, 0.5], np.float32)
VISIBLE = np.array([np.nan, np.nan, 0.25])


def test_whole_and_cut_cells_have_curves_of_their_own() -> None:
    expected = expit([1.0, 2 * logit(0.9) + 1, -3 + 6 * 0.25])
    np.testing.assert_allclose(CURVES(HEAT, VISIBLE), expected, rtol=1e-5)


def test_the_identity_leaves_the_heat_as_it_is() -> None:
    identity = Presence((1.0, 0.0), (1.0, 0.0, 0.0))
    heat = np.array([0.0, 0.2, 0.5, 1.0], np.float32)
    visible = np.array([np.nan, 0.5, np.nan, 1.0])
    np.testing.assert_allclose(identity(heat, visible), heat, atol=1e-5)


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.5, 0.97])
def test_no_cell_below_the_least_heat_reaches_the_probability(probability: float) -> None:
    least = CURVES.least_heat(probability)
    below = np.full(3, least * 0.999, np.float32)
    assert (CURVES(below, np.array([np.nan, 0.3, 1.0])) < probability).all()
    reached = np.full(2, least * 1.001, np.float32)
    assert CURVES(reached, np.array([np.nan, 1.0])).max() >= probability


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"whole": [1.0], "cut": [1.0, 0.0, 0.0]},
        {"whole": [0.0, 1.0], "cut": [1.0, 0.0, 0.0]},
        {"whole": [1.0, 1.0], "cut": [1.0, "much", 0.0]},
        {"whole": [1.0, float("nan")], "cut": [1.0, 0.0, 0.0]},
    ],
)
def test_a_card_that_cannot_be_read_is_named(entry: dict[str, object]) -> None:
    with pytest.raises(BundleError, match=r"presence\.(whole|cut) on the card must be"):
        Presence.of_card(entry)


def test_visible_shares_are_of_the_square_and_of_the_typical_cell() -> None:
    boxes = np.array(
        [
            [20, 20, 40, 40],  # whole: typical
            [50, 50, 70, 70],  # whole: typical
            [0, 20, 10, 40],  # half of a square
            [95, 70, 100, 90],  # a quarter
            [0, 0, 10, 10],  # in the corner: square, but a quarter of the typical cell
        ],
        np.float32,
    )
    sure = np.full(5, 0.9, np.float32)
    shares = visible_shares(boxes, sure, 100, 100)
    np.testing.assert_allclose(shares, [np.nan, np.nan, 0.5, 0.25, 0.25])
    unsure = np.full(5, 0.4, np.float32)  # nothing says what is typical
    np.testing.assert_allclose(visible_shares(boxes, unsure, 100, 100)[4], 1.0)
    assert visible_shares(boxes[:0], sure[:0], 100, 100).shape == (0,)
