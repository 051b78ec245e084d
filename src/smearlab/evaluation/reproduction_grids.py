"""Tables of a record: reported beside obtained, with n and interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from smearlab.evaluation.grids import UNDEFINED, Grid, count, number
from smearlab.evaluation.reproductions import Line, Record

#: Networks that have a column each, however few the figures.
_WIDEST = 6
#: Things with one figure that have a table each.
_APART = 2


def record_grid(record: Record) -> Grid:
    """Reported beside obtained, with n and interval."""
    rows = []
    for line in record.lines:
        size = UNDEFINED if line.n is None else f"{count(line.n)} {line.of}"
        rows.append(
            (
                line.row,
                line.figure,
                number(line.reported, digits=line.digits),
                _obtained(line),
                size,
                line.where or UNDEFINED,
            )
        )
    heads = ("of", "figure", "reported", "obtained (95 % interval)", "n", "in the paper")
    return Grid(title_of(record), heads, tuple(rows), n_words=2)


def title_of(record: Record) -> str:
    """What a record's table is called, with protocol and scale."""
    return f"{record.title}: {record.protocol} protocol, scale {record.scale}"


def wide_grids(record: Record) -> list[Grid]:
    """A table for each thing that was measured, with a column for each network.

    What stands before the last comma of a line's ``row`` is the thing, what stands behind it the
    network: ``WBC (masks), rwp_gan``. Reported figures have a column of their own; where the
    networks' differ, each stands beside what its network obtained. Many networks with few figures
    have a row each in the place of a column. Things that follow each other and of which one figure
    alone is known, the same, have a row each in one table.
    """
    things: dict[str, list[tuple[str, Line]]] = {}
    for line in record.lines:
        thing, _, network = line.row.rpartition(", ")
        things.setdefault(thing, []).append((network, line))
    grids = []
    for shape, alike in groupby(things.items(), key=lambda one: _shape(one[1])):
        together = list(alike)
        if len(shape[0]) == 1 and len(together) > _APART:
            grids.append(_merged_grid(shape[0][0], together))
        else:
            grids += [_wide_grid(thing, lines) for thing, lines in together]
    return grids


def _shape(lines: Sequence[tuple[str, Line]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Figures and networks of a thing."""
    figures = dict.fromkeys(line.figure for _, line in lines)
    return tuple(figures), tuple(dict.fromkeys(network for network, _ in lines))


def _merged_grid(figure: str, things: Sequence[tuple[str, Sequence[tuple[str, Line]]]]) -> Grid:
    """One figure of several things, each with a row."""
    rows = [
        (thing, *(_obtained(line, beside=True) for _, line in lines),
         _sizes(line for _, line in lines))
        for thing, lines in things
    ]  # fmt: skip
    networks = [network for network, _ in things[0][1]]
    every = [line for _, lines in things for _, line in lines]
    return Grid(figure, ("of", *networks, "n"), tuple(rows), _note(every))


def _note(lines: Sequence[Line]) -> str:
    where = dict.fromkeys(line.where for line in lines if line.where)
    said = [f"Reported: {'; '.join(where)}."] if where else []
    said += ["95 % intervals."] if any(line.low is not None for line in lines) else []
    return " ".join(said)


def _wide_grid(thing: str, lines: Sequence[tuple[str, Line]]) -> Grid:
    networks = list(dict.fromkeys(network for network, _ in lines))
    figures = list(dict.fromkeys(line.figure for _, line in lines))
    note = _note([line for _, line in lines])
    if len(networks) > max(_WIDEST, len(figures)):
        rows = []
        for network in networks:
            of = {line.figure: line for name, line in lines if name == network}
            cells = (_obtained(of.get(figure), beside=True) for figure in figures)
            rows.append((network, *cells, _sizes(of.values())))
        return Grid(thing, ("of", *figures, "n"), tuple(rows), note)
    rows = []
    for figure in figures:
        of = {network: line for network, line in lines if line.figure == figure}
        told = {
            number(line.reported, digits=line.digits)
            for line in of.values()
            if line.reported is not None
        }
        several = len(told) > 1  # each network's own, beside what it obtained
        reported = UNDEFINED if several or not told else told.pop()
        cells = (_obtained(of.get(network), beside=several) for network in networks)
        rows.append((figure, reported, *cells, _sizes(of.values())))
    return Grid(thing, ("figure", "reported", *networks, "n"), tuple(rows), note)


def _sizes(lines: Iterable[Line]) -> str:
    """What lines were measured on."""
    told = dict.fromkeys(f"{count(line.n)} {line.of}" for line in lines if line.n is not None)
    return ", ".join(told) or UNDEFINED


def _obtained(line: Line | None, *, beside: bool = False) -> str:
    """A figure with its interval; beside it the reported one, if that is asked for."""
    if line is None:
        return UNDEFINED
    ends = None if line.low is None or line.high is None else (line.low, line.high)
    found = number(line.obtained, ends, line.digits)
    if not beside or line.reported is None:
        return found
    return f"{found}, reported {number(line.reported, digits=line.digits)}"
