"""Where the marks of the differential chart go: bars with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from smearlab.types import Share

#: Left end and length of the axis in the drawing's own units; names lie left of it, values right.
AXIS_X, AXIS_LENGTH = 176.0, 280.0
WIDTH, ROW_HEIGHT, TOP, BOTTOM = 652.0, 36.0, 6.0, 48.0
_STEPS = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Bar:
    """One row of the chart, in the drawing's own units.

    Parameters
    ----------
    name : str
        Type of cell.
    share : Share
        What is drawn.
    y : float
        Middle of the row.
    end_x : float
        Right end of the bar, which begins at :data:`AXIS_X`.
    low_x, high_x : float
        Ends of the whisker.
    """

    name: str
    share: Share
    y: float
    end_x: float
    low_x: float
    high_x: float


@dataclass(frozen=True)
class Tick:
    """One mark of the axis: where, and the fraction it stands for."""

    x: float
    fraction: float


@dataclass(frozen=True)
class Chart:
    """A whole chart: its rows, its axis and its height."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    height: float


def lay_out(shares: Mapping[str, Share]) -> Chart | None:
    """Place bars and whiskers on an axis from 0 that holds every interval.

    Parameters
    ----------
    shares : mapping of str to Share
        Name → share, top to bottom.

    Returns
    -------
    Chart or None
        None when a share is undefined: there is nothing to draw.
    """
    if not shares or any(math.isnan(share.fraction) for share in shares.values()):
        return None
    step, end = _axis(max(share.high for share in shares.values()))

    def x(fraction: float) -> float:
        return round(AXIS_X + AXIS_LENGTH * fraction / end, 2)

    bars = tuple(
        Bar(
            name,
            share,
            y=TOP + ROW_HEIGHT * (row + 0.5),
            end_x=x(share.fraction),
            low_x=x(share.low),
            high_x=x(share.high),
        )
        for row, (name, share) in enumerate(shares.items())
    )
    ticks = tuple(Tick(x(step * i), step * i) for i in range(round(end / step) + 1))
    return Chart(bars, ticks, height=TOP + ROW_HEIGHT * len(bars) + BOTTOM)


def _axis(highest: float) -> tuple[float, float]:
    """Step and end of an axis of at most five steps that holds a fraction."""
    step = next(step for step in _STEPS if highest <= 5 * step + 1e-9)
    return step, step * max(1, math.ceil(round(highest / step, 9)))
