"""Bars, whiskers and axis of the differential, measured in the drawing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.metrics.intervals import clopper_pearson
from smearlab.report.chart import AXIS_LENGTH, AXIS_X, lay_out
from smearlab.types import Share


def share(n: int, total: int) -> Share:
    return Share(n, n / total, *clopper_pearson(n, total))


def test_a_bar_of_half_the_axis() -> None:
    chart = lay_out({"a": Share(5, 0.5, 0.25, 0.75), "b": Share(5, 0.5, 0.0, 1.0)})
    assert chart is not None
    first, second = chart.bars
    assert first.end_x == AXIS_X + AXIS_LENGTH / 2
    assert (first.low_x, first.high_x) == (
        AXIS_X + AXIS_LENGTH / 4,
        AXIS_X + 3 * AXIS_LENGTH / 4,
    )
    assert (second.low_x, second.high_x) == (AXIS_X, AXIS_X + AXIS_LENGTH)
    assert second.y > first.y
    assert [tick.fraction for tick in chart.ticks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_a_short_axis_for_small_shares() -> None:
    chart = lay_out({"a": Share(1, 0.02, 0.01, 0.08)})
    assert chart is not None
    assert [tick.fraction for tick in chart.ticks] == pytest.approx([0, 0.05, 0.1])


def test_nothing_to_draw() -> None:
    assert lay_out({}) is None
    assert lay_out({"a": Share(0, math.nan, math.nan, math.nan)}) is None


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8).filter(any))
def test_everything_lies_on_the_axis(numbers: list[int]) -> None:
    chart = lay_out({str(i): share(n, sum(numbers)) for i, n in enumerate(numbers)})
    assert chart is not None
    for bar in chart.bars:
        assert AXIS_X <= bar.low_x <= bar.end_x <= bar.high_x <= AXIS_X + AXIS_LENGTH + 0.01
        assert 0 < bar.y < chart.height
    assert 2 <= len(chart.ticks) <= 6
    assert chart.ticks[-1].x == pytest.approx(AXIS_X + AXIS_LENGTH, abs=0.01)
    assert chart.ticks[-1].fraction <= 1 + 1e-9
