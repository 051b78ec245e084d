"""How the report writes numbers: the undefined as a dash, thousands apart, one unit a figure."""

from __future__ import annotations

import math

from smearlab.types import Share

UNDEFINED = "–"
#: Narrow, and no place for a line break.
_THIN = "\u202f"


def integer(value: float) -> str:
    """``12345`` → ``12 345`` with a narrow space; NaN → a dash."""
    return UNDEFINED if math.isnan(value) else f"{round(value):,}".replace(",", _THIN)


def percent(fraction: float, digits: int = 1) -> str:
    """``0.625`` → ``62.5 %``; NaN → a dash."""
    return UNDEFINED if math.isnan(fraction) else f"{100 * fraction:.{digits}f}{_THIN}%"


def interval(share: Share) -> str:
    """Interval of a share in percent: ``35.4–84.8``; NaN → a dash."""
    if math.isnan(share.low) or math.isnan(share.high):
        return UNDEFINED
    return f"{100 * share.low:.1f}–{100 * share.high:.1f}"


def ratio(value: float) -> str:
    """Three figures that matter: ``0.0421``, ``6.25``, ``1 234``; NaN → a dash."""
    if math.isnan(value):
        return UNDEFINED
    if value >= 100:
        return integer(round(value))
    return f"{value:.3g}" if value else "0"


def decimal(value: float, digits: int = 2) -> str:
    """Fixed digits, for confidences and pixel sizes; NaN → a dash."""
    return UNDEFINED if math.isnan(value) else f"{value:.{digits}f}"
