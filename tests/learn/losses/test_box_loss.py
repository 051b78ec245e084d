"""The overlap loss of boxes, against a plain computation on corners."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smearlab.learn.losses.boxes import side_giou

lengths = st.floats(0.25, 60)


def as_map(*sides: float) -> torch.Tensor:
    return torch.tensor(sides, dtype=torch.float64).reshape(1, 4, 1, 1)


ONE = torch.ones(1, 1, 1, dtype=torch.float64)


def giou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Generalised IoU (Rezatofighi et al. 2019, algorithm 1) of corner boxes, rectangle by
    rectangle."""

    def area(box: tuple[float, ...]) -> float:
        return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])

    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = area((*low, *high))
    union = area(a) + area(b) - shared
    hull = area((*np.minimum(a[:2], b[:2]), *np.maximum(a[2:], b[2:])))
    return shared / union - (hull - union) / hull


def test_the_true_box_costs_nothing() -> None:
    assert float(side_giou(as_map(3, 4, 5, 6), as_map(3, 4, 5, 6), ONE)) == pytest.approx(
        0, abs=1e-6
    )


def test_half_a_box() -> None:
    """2×2 against 2×4 around the same point: IoU 1/2, and the hull is the union."""
    assert float(side_giou(as_map(1, 1, 1, 1), as_map(1, 2, 1, 2), ONE)) == pytest.approx(0.5)


def test_a_box_beside_the_point() -> None:
    """(−1…1)² against x 5…7, y −1…1: nothing shared, hull 8×2 = 16, union 8: 1 − (0 − ½)."""
    assert float(side_giou(as_map(1, 1, 1, 1), as_map(-5, 1, 7, 1), ONE)) == pytest.approx(1.5)


@given(st.tuples(*[lengths] * 4), st.tuples(*[lengths] * 4), st.floats(-40, 40))
def test_it_is_one_minus_giou_of_the_corners(
    found: tuple[float, ...], true: tuple[float, ...], off: float
) -> None:
    """``off`` moves the true box sideways, so that the point may lie outside it."""
    left, top, right, bottom = true
    target = (left - off, top, right + off, bottom)
    corners = (-found[0], -found[1], found[2], found[3])
    true_corners = (-target[0], -target[1], target[2], target[3])
    loss = float(side_giou(as_map(*found), as_map(*target), ONE))
    assert loss == pytest.approx(1 - giou(corners, true_corners), abs=1e-4)
    assert -1e-5 <= loss <= 2 + 1e-5


def test_the_mean_is_weighted() -> None:
    found = torch.ones(1, 4, 1, 3, dtype=torch.float64)
    true = found.clone()
    true[:, 1::2, :, 1] = 2  # IoU 1/2
    true[:, :, :, 2] = 50  # without weight
    weight = torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64).reshape(1, 1, 3)
    assert float(side_giou(found, true, weight)) == pytest.approx(0.5 / 4, abs=1e-5)
    assert float(side_giou(found, true, weight * 0)) == 0
