"""Which cell a single-cell picture was taken of."""

from __future__ import annotations

import pytest

from smearlab.instances.middle import BESIDE, COVERS, nearest_to_middle, off_middle


def test_distance_counts_sides_of_the_box() -> None:
    assert off_middle((40, 30, 60, 70), 100, 100) == 0
    assert off_middle((60, 30, 80, 70), 100, 100) == pytest.approx(1)  # a width to the right
    assert off_middle((40, 70, 60, 110), 100, 100) == pytest.approx(1)  # a height below
    assert off_middle((70, 80, 80, 90), 100, 100) == pytest.approx((2.5**2 + 3.5**2) ** 0.5)


def test_the_middle_wins_over_a_surer_neighbour() -> None:
    boxes = [(0, 0, 30, 30), (38, 36, 62, 60), (70, 40, 100, 70)]
    assert nearest_to_middle(boxes, [1.0, 0.4, 1.0], 100, 100, COVERS) == 1
    assert nearest_to_middle(boxes[::2], [1.0, 1.0], 100, 100, COVERS) is None
    assert nearest_to_middle(boxes[::2], [1.0, 1.0], 100, 100, BESIDE) == 1
    assert nearest_to_middle([], [], 100, 100, BESIDE) is None


def test_of_two_at_the_middle_the_surer_one() -> None:
    boxes = [(40, 40, 60, 60), (41, 40, 61, 60)]
    assert nearest_to_middle(boxes, [0.5, 0.9], 100, 100, COVERS) == 1
    assert nearest_to_middle(boxes, [0.9, 0.5], 100, 100, COVERS) == 0
