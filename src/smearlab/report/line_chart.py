"""Where the marks of a chart of curves go: a frame, two axes, lines, points and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Room in the drawing's own units: left of the frame for the ticks, below for the axis.
LEFT, RIGHT, TOP, BOTTOM = 66.0, 30.0, 10.0, 52.0
WIDTH, HEIGHT = 540.0, 420.0
_STEPS = (1, 2, 2.5, 5, 10, 20)


@dataclass(frozen=True)
class Axis:
    """One axis.

    Parameters
    ----------
    title : str
    low, high : float
        Ends, ``low < high``.
    percent : bool
        Whether ticks are written as percent.
    log : bool
        Whether equal ratios are equally far apart; the ends are above 0 then.
    """

    title: str
    low: float
    high: float
    percent: bool = False
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value lies: 0 at its low end, 1 at its high end."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round numbers within the axis."""
        return decades(self.low, self.high) if self.log else ticks(self.low, self.high)


@dataclass(frozen=True)
class Line:
    """One curve.

    Parameters
    ----------
    name : str
        What the legend calls it; curves of one name have one entry.
    style : str
        Its CSS class.
    x, y : sequence of float
        As many of one as of the other; what lies outside the axes is cut off.
    """

    name: str
    style: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Point:
    """A point with its interval on the y axis, in the units of the axes."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Column:
    """A column from the foot of the frame; ``height`` is a share of the frame's."""

    low: float
    high: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A tick: its place in the drawing, and what is written at it."""

    place: float
    label: str


@dataclass(frozen=True)
class Whisker:
    """A point in the drawing with the ends of its interval."""

    x: float
    y: float
    low_y: float
    high_y: float


@dataclass(frozen=True)
class Box:
    """A rectangle in the drawing, relative to the frame."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class LineChart:
    """A whole chart in the drawing's own units; lines, points and boxes lie within the frame.

    Parameters
    ----------
    title, text : str
        What it is, and what it shows, in words.
    x_title, y_title : str
    frame : Box
    x_marks, y_marks : tuple of Mark
    paths : tuple of (str, str)
        CSS class and path of each line.
    legend : tuple of (str, str)
        CSS class and name.
    whiskers : tuple of Whisker
    columns : tuple of Box
    diagonal : str
        Path of the line on which both axes are equal; empty without.
    """

    title: str
    text: str
    x_title: str
    y_title: str
    frame: Box
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    paths: tuple[tuple[str, str], ...]
    legend: tuple[tuple[str, str], ...] = ()
    whiskers: tuple[Whisker, ...] = ()
    columns: tuple[Box, ...] = ()
    diagonal: str = ""

    @property
    def width(self) -> float:
        """Of the whole drawing."""
        return self.frame.x + self.frame.width + RIGHT

    @property
    def height(self) -> float:
        """Of the whole drawing."""
        return self.frame.y + self.frame.height + BOTTOM


def lay_out_lines(
    title: str,
    text: str,
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    *,
    points: Sequence[Point] = (),
    columns: Sequence[Column] = (),
    diagonal: bool = False,
    height: float = HEIGHT,
) -> LineChart:
    """Place everything.

    Parameters
    ----------
    title, text : str
        What the chart is and shows, for those who do not see it.
    x, y : Axis
    lines : sequence of Line
    points : sequence of Point
        Drawn with their intervals.
    columns : sequence of Column
        Drawn behind everything.
    diagonal : bool
        Whether to draw where x equals y.
    height : float
        Of the whole drawing.

    Returns
    -------
    LineChart
    """
    frame = Box(LEFT, TOP, WIDTH - LEFT - RIGHT, height - TOP - BOTTOM)

    def at_x(value: float) -> float:
        return round(frame.width * x.share(value), 2)

    def at_y(value: float) -> float:
        return round(frame.height * (1 - y.share(value)), 2)

    def path(xs: Sequence[float], ys: Sequence[float]) -> str:
        places = [f"{at_x(a)} {at_y(b)}" for a, b in zip(xs, ys, strict=True)]
        return "M" + "L".join(places) if places else ""

    ends = (max(x.low, y.low), min(x.high, y.high))
    return LineChart(
        title,
        text,
        x.title,
        y.title,
        frame,
        tuple(Mark(round(frame.x + at_x(t), 2), _label(t, x)) for t in x.ticks()),
        tuple(Mark(round(frame.y + at_y(t), 2), _label(t, y)) for t in y.ticks()),
        tuple((line.style, path(line.x, line.y)) for line in lines if len(line.x)),
        tuple(dict.fromkeys((line.style, line.name) for line in lines if line.name)),
        tuple(Whisker(at_x(p.x), at_y(p.y), at_y(p.low), at_y(p.high)) for p in points),
        tuple(
            Box(
                at_x(c.low),
                round(frame.height * (1 - c.height), 2),
                round(at_x(c.high) - at_x(c.low), 2),
                round(frame.height * c.height, 2),
            )
            for c in columns
        ),
        path(ends, ends) if diagonal else "",
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers within an axis.

    Examples
    --------
    >>> ticks(0, 1), ticks(0.93, 1.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.94, 0.96, 0.98, 1.0])
    """
    size = 10 ** math.floor(math.log10((high - low) / most))
    step = next(s * size for s in _STEPS if (high - low) / (s * size) <= most - 0.5)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten within an axis.

    Examples
    --------
    >>> decades(100, 6400)
    [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [n * 10.0**power for power in range(first, last + 1) for n in (1, 2, 5)]
    return [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def _label(value: float, axis: Axis) -> str:
    return f"{round(100 * value, 6):g} %" if axis.percent else f"{value:g}"
