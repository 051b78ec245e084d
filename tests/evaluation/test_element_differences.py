"""Paired differences of segmenters: known values, groups, what cannot be compared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from smearlab.errors import UsageError
from smearlab.evaluation.element_differences import field_difference
from smearlab.metrics.resampling import draw_weights


def figures(masks: list[tuple[int, int, int]], groups: str, **tables: Any) -> dict[str, Any]:
    """Fields of both, found only, true only pixels."""
    return {
        "fields": [
            {
                "name": f"f{n}",
                "group": groups[n],
                "sums": {
                    "masks": [*three, 0, 1, 1, 1, 1],
                    **{name: rows[n] for name, rows in tables.items()},
                },
            }
            for n, three in enumerate(masks)
        ]
    }


FIRST = figures([(90, 5, 5), (80, 10, 10), (95, 5, 0)], "abc")
SECOND = figures([(80, 10, 10), (80, 10, 10), (90, 10, 0)], "abc")


def test_the_difference_is_that_of_pooled_figures() -> None:
    found = field_difference(FIRST, SECOND, "dice", resamples=200)
    ours, theirs = 2 * 265 / (2 * 265 + 35), 2 * 250 / (2 * 250 + 50)
    assert found.value == pytest.approx(ours - theirs)
    assert (found.n, found.n_groups) == (3, 3)
    weights = draw_weights(3, resamples=200, seed=0)
    rows = [np.array([(90, 10), (80, 20), (95, 5)]), np.array([(80, 20), (80, 20), (90, 10)])]
    drawn = []
    for side in rows:
        both, wrong = (weights @ side).T
        drawn.append(2 * both / (2 * both + wrong))
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high))
    back = field_difference(SECOND, FIRST, "dice", resamples=200)
    assert (back.value, back.low) == pytest.approx((-found.value, -found.high))


def test_fields_of_one_place_are_drawn_together() -> None:
    one = figures([(90, 5, 5), (80, 10, 10), (95, 5, 0)], "aaa")
    found = field_difference(one, SECOND, "dice")
    assert found.n_groups == 1
    assert math.isnan(found.low) and math.isnan(found.p)


def test_objects_by_box() -> None:
    ours = figures([(1, 0, 0)] * 2, "ab", objects=[(8, 1, 1), (5, 0, 0)])
    theirs = figures([(1, 0, 0)] * 2, "ab", objects=[(4, 4, 5), (5, 0, 0)])
    found = field_difference(ours, theirs, "object_f1_50", resamples=50)
    assert found.value == pytest.approx(26 / 28 - 18 / 27)


def test_only_common_fields_count() -> None:
    shorter = {"fields": SECOND["fields"][:2]}
    assert field_difference(FIRST, shorter, "dice", resamples=20).n == 2
    with pytest.raises(UsageError, match="not known of both segmenters on the same fields"):
        field_difference(FIRST, {"fields": []}, "dice")
    with pytest.raises(UsageError, match="object_f1_50 is not known"):
        field_difference(FIRST, SECOND, "object_f1_50")
