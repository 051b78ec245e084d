"""What is drawn stays within the papers' ranges, reaches their ends, and turns about the middle."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.errors import UsageError
from smearlab.learn.transforms.affine_ranges import PAPER_A, PAPER_D, Affine, AffineRanges

PAPERS = {
    # Degrees, share of a side, pixels a pixel, magnification, share of pictures.
    "A": (PAPER_A, {"turn": (-20, 20), "shift": (-0.05, 0.05), "shear": (0, 0.05)}, (1, 1.05)),
    "D": (PAPER_D, {"turn": (-15, 15), "shift": (-0.1, 0.1), "shear": (-0.2, 0.2)}, (0.8, 1.2)),
}
affines = st.builds(
    Affine,
    st.floats(-180, 180),
    st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    st.floats(-0.5, 0.5),
    st.tuples(st.floats(0.5, 2), st.floats(0.5, 2)),
    st.booleans(),
)


def place(matrix: np.ndarray, x: float, y: float) -> tuple[float, float]:
    return tuple((matrix @ (x, y, 1)).tolist())  # type: ignore[return-value]


@pytest.mark.parametrize("paper", PAPERS)
def test_draws_fill_the_ranges_of_the_paper(paper: str) -> None:
    ranges, expected, zoom = PAPERS[paper]
    rng = np.random.default_rng(0)
    drawn = [ranges.draw(rng) for _ in range(3000)]
    values = {
        "turn": [[a.turn for a in drawn]],
        "shift": [[a.shift[i] for a in drawn] for i in (0, 1)],
        "shear": [[a.shear for a in drawn]],
        "zoom": [[a.zoom[i] for a in drawn] for i in (0, 1)],
    }
    for name, (low, high) in {**expected, "zoom": zoom}.items():
        for column in values[name]:
            span = high - low
            assert low <= min(column) < low + 0.01 * span, name
            assert high - 0.01 * span < max(column) <= high, name
            assert np.mean(column) == pytest.approx((low + high) / 2, abs=0.03 * span), name
    assert np.mean([a.mirrored for a in drawn]) == pytest.approx(0.5, abs=0.04)
    # Width and height go apart, and nothing hangs on anything else.
    table = np.array([[a.turn, *a.shift, a.shear, *a.zoom, a.mirrored] for a in drawn])
    related = np.corrcoef(table.T) - np.eye(7)
    assert np.abs(related).max() < 0.08


def test_the_same_chance_draws_the_same() -> None:
    one, same, other = (PAPER_D.draw(np.random.default_rng(s)) for s in (4, 4, 5))
    assert one == same != other


@given(affines, st.tuples(*[st.integers(1, 400)] * 4), st.tuples(*[st.integers(1, 300)] * 2))
def test_the_middle_of_the_window_goes_to_the_middle_and_is_shifted(
    affine: Affine, corners: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    x0, y0, width, height = corners
    matrix = affine.matrix((x0, y0, x0 + width, y0 + height), size)
    x, y = place(matrix, x0 + (width - 1) / 2, y0 + (height - 1) / 2)
    assert x == pytest.approx((size[0] - 1) / 2 + affine.shift[0] * size[0], abs=1e-6)
    assert y == pytest.approx((size[1] - 1) / 2 + affine.shift[1] * size[1], abs=1e-6)


@given(affines)
def test_mirror_zoom_shear_and_turn_follow_in_this_order(affine: Affine) -> None:
    angle = math.radians(affine.turn)
    # Counter-clockwise as one sees it, with y downwards.
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shear = np.array([[1, affine.shear], [0, 1]])
    mirror = np.diag([-1.0 if affine.mirrored else 1.0, 1.0])
    assert affine.linear == pytest.approx(turn @ shear @ np.diag(affine.zoom) @ mirror)
    assert np.linalg.det(affine.linear) == pytest.approx(
        math.prod(affine.zoom) * (-1 if affine.mirrored else 1)
    )


def test_nothing_drawn_is_a_plain_resize() -> None:
    still = AffineRanges().draw(np.random.default_rng(0))
    assert astuple(still) == astuple(Affine())
    # 200 px to 100: pixel 0 of the result lies between pixels 0 and 1 of the window.
    assert place(still.matrix((80, 80, 280, 280), (100, 100)), 80.5, 81.5) == (0, 0.5)


def test_a_quarter_turn_leads_right_to_the_top() -> None:
    assert Affine(turn=90).linear @ (1, 0) == pytest.approx((0, -1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"turn": (5, -5)}, "turn must be a rising range; received 5, -5"),
        ({"shift": (0, math.nan)}, "shift must be a rising range"),
        ({"zoom": (0, 1)}, "zoom must be above 0; received 0, 1"),
        ({"mirrored": 1.5}, r"mirrored must lie within \[0, 1\]; received 1.5"),
    ],
)
def test_impossible_ranges_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AffineRanges(**given)  # type: ignore[arg-type]
