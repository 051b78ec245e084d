"""Where marks go."""

from __future__ import annotations

import itertools

import pytest

from smearlab.report.line_chart import Axis, Column, Line, Point, lay_out_lines, ticks


def test_places_follow_the_axes() -> None:
    chart = lay_out_lines(
        "t",
        "d",
        Axis("x", 0, 2),
        Axis("y", 0.5, 1, percent=True),
        [Line("a", "s0", [0, 1, 2], [0.5, 0.75, 1])],
        points=[Point(1, 0.75, 0.5, 1)],
        columns=[Column(0, 1, 0.25)],
    )
    wide, high = chart.frame.width, chart.frame.height
    assert chart.paths == (("s0", f"M0.0 {high}L{wide / 2} {high / 2}L{wide} 0.0"),)
    (point,) = chart.whiskers
    assert (point.x, point.y, point.low_y, point.high_y) == (wide / 2, high / 2, high, 0)
    (column,) = chart.columns
    assert (column.x, column.width) == (0, wide / 2)
    assert column.y + column.height == pytest.approx(high)
    assert column.height == high / 4
    assert [mark.label for mark in chart.y_marks] == [
        "50 %",
        "60 %",
        "70 %",
        "80 %",
        "90 %",
        "100 %",
    ]
    assert chart.x_marks[0].place == chart.frame.x
    assert chart.x_marks[-1].place == pytest.approx(chart.frame.x + wide)
    assert chart.legend == (("s0", "a"),)


def test_the_diagonal_is_where_both_axes_are_equal() -> None:
    chart = lay_out_lines("t", "d", Axis("x", 0, 1), Axis("y", 0, 1), [], diagonal=True)
    assert chart.diagonal == f"M0.0 {chart.frame.height}L{chart.frame.width} 0.0"
    assert lay_out_lines("t", "d", Axis("x", 0, 1), Axis("y", 0, 1), []).diagonal == ""


def test_lines_of_one_name_have_one_entry() -> None:
    lines = [Line("training", "s0", [0, 1], [0, 1])] * 3 + [Line("", "s1", [0], [0])]
    chart = lay_out_lines("t", "d", Axis("x", 0, 1), Axis("y", 0, 1), lines)
    assert chart.legend == (("s0", "training"),)
    assert len(chart.paths) == 4


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 0.1), (0.9, 1), (1, 500), (0, 2.73), (0.998, 1), (1, 2), (0.4, 1.0)],
)
def test_ticks_are_few_round_and_within(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
