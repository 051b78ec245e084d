"""Tables of words, drawn on a terminal, in Markdown or on a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNDEFINED = "–"


@dataclass(frozen=True)
class Grid:
    """A table: heads, and rows of as many words.

    Parameters
    ----------
    title : str
        What it shows.
    columns : tuple of str
        The first names the rows.
    rows : tuple of tuple of str
    note : str
        What a reader must know to read it.
    n_words : int
        So many columns from the first hold words, the others figures.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    n_words: int = 1

    def rich(self) -> Table:
        """For a terminal: names to the left, figures to the right."""
        table = Table(
            title=self.title or None,
            title_justify="left",
            caption=self.note or None,
            caption_justify="left",
            box=box.SIMPLE,
            pad_edge=False,
        )
        for place, column in enumerate(self.columns):
            cells = [column, *(row[place] for row in self.rows)]
            longest = max(len(word) for cell in cells for word in (cell.split() or [""]))
            table.add_column(
                column,
                justify="left" if place < self.n_words else "right",
                min_width=min(longest, 16),
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*row)
        return table

    def show(self, console: Console) -> None:
        """Print it; a row becomes a list of its figures where the terminal is too narrow."""
        table = self.rich()
        unbounded = console.options.update(max_width=1000)
        if console.measure(table, options=unbounded).minimum <= console.width:
            console.print(table)
            return
        console.print(Text(self.title, style="italic"))
        for name, *cells in self.rows:
            console.print(Text(f"\n{self.columns[0]} {name}".strip(), style="bold"))
            for column, cell in zip(self.columns[1:], cells, strict=True):
                console.print(Text(f"  {column}: {cell}"))
        if self.note:
            console.print(Text(f"\n{self.note}", style="dim italic"))

    def markdown(self) -> str:
        """As a Markdown table under its title."""
        lines = [f"**{self.title}**", ""] if self.title else []
        figures = len(self.columns) - self.n_words
        rule = [*["---"] * self.n_words, *["---:"] * figures]
        lines += [_line(row) for row in (self.columns, rule, *self.rows)]
        return "\n".join([*lines, *(["", self.note] if self.note else [])]) + "\n"


def _line(words: Sequence[str]) -> str:
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def percent(value: float | None, interval: Sequence[float | None] | None = None) -> str:
    """A share as percent with its interval.

    Examples
    --------
    >>> percent(0.9712, (0.965, 0.976)), percent(0.5), percent(None)
    ('97.12 (96.50–97.60)', '50.00', '–')
    """
    scaled = None if value is None else 100 * value
    ends = None if interval is None else [None if e is None else 100 * e for e in interval]
    return number(scaled, ends, 2)


def number(
    value: float | None, interval: Sequence[float | None] | None = None, digits: int = 4
) -> str:
    """A figure with its interval; a dash where it is undefined.

    Examples
    --------
    >>> number(0.98765, (0.98, 0.99)), number(-1.5, (-2, 1), 1), number(None)
    ('0.9877 (0.9800–0.9900)', '-1.5 (-2.0…1.0)', '–')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    ends = [end for end in interval or () if end is not None and not math.isnan(end)]
    if len(ends) < 2:
        return f"{value:.{digits}f}"
    dash = "…" if ends[0] < 0 else "–"
    return f"{value:.{digits}f} ({ends[0]:.{digits}f}{dash}{ends[1]:.{digits}f})"


def count(value: float | None) -> str:
    """A whole number with thousands apart by a narrow space, as the pages of the house have it."""
    if value is None or math.isnan(value):
        return UNDEFINED
    return f"{round(value):,}".replace(",", "\u202f")


def magnitude(value: float | None, unit: str = "") -> str:
    """Three figures and a prefix.

    Examples
    --------
    >>> magnitude(60_100_000), magnitude(2_612_345, "B"), magnitude(5.0), magnitude(None)
    ('60.1 M', '2.61 MB', '5', '–')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}".strip()


def duration(seconds: float | None) -> str:
    """A time as people say it.

    Examples
    --------
    >>> duration(52), duration(754), duration(28_980), duration(None)
    ('52 s', '13 min', '8 h 3 min', '–')
    """
    if seconds is None or math.isnan(seconds):
        return UNDEFINED
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def chance(p: float | None, lowest: float = 0.0) -> str:
    """A p value; never 0, as none is.

    Examples
    --------
    >>> chance(0.0312), chance(1e-9), chance(0.002, lowest=0.002), chance(None)
    ('0.031', '< 0.001', '≤ 0.002', '–')
    """
    if p is None or math.isnan(p):
        return UNDEFINED
    if 0 < p <= lowest:
        return f"≤ {lowest:.3f}"
    return "< 0.001" if p < 0.001 else f"{p:.2f}" if p >= 0.1 else f"{p:.3f}"
