"""What is known of a set, for people: a text for the screen, a table for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from smearlab.datasets.adapters.base import Adapter
from smearlab.datasets.adapters.checking import ALL, FACETS


def pictures(adapter: Adapter) -> str:
    """How many pictures are published, e.g. ``17,092``; a dash where nothing is."""
    n = adapter.published.get("pictures", {}).get(ALL)
    return "–" if n is None else f"{n:,}"


def way(adapter: Adapter) -> str:
    """How the set is obtained, in a few words."""
    if adapter.downloads:
        return "fetch"
    return "own" if not adapter.page else "request" if "request" in adapter.obtain else "page"


def describe(adapter: Adapter) -> list[tuple[str, str]]:
    """Everything that is known of a set.

    Returns
    -------
    list of (str, str)
        What, and its text; one line each.
    """
    lines = [
        ("name", adapter.name),
        ("what", adapter.title),
        ("layout", adapter.layout),
        ("annotation", adapter.annotation),
    ]
    lines += [
        (f"published {FACETS[facet]}", ", ".join(f"{name} {n:,}" for name, n in counts.items()))
        for facet, counts in adapter.published.items()
    ]
    pitch = "not published" if adapter.um_per_px is None else f"{adapter.um_per_px:g} µm per pixel"
    lines += [
        ("counts from", adapter.counts_from),
        ("stain", adapter.stain or "not published, or several"),
        ("pixel size", pitch),
        ("licence", adapter.licence),
        ("may serve", adapter.allowed),
        *(("cite", one) for one in adapter.citation),
        *((("page", adapter.page),) if adapter.page else ()),
    ]
    for file in adapter.downloads:
        lines.append(("download", file.url))
        unknown = "none is published; that of the first download is recorded in fetched.json"
        lines.append(("sha256", file.sha256 or unknown))
    if adapter.obtain:
        lines.append(("obtain", adapter.obtain))
    return [*lines, *(("trap", one) for one in adapter.traps)]


def markdown(adapters: Iterable[Adapter]) -> str:
    """The table of all sets, and of each what to cite and to beware of.

    Parameters
    ----------
    adapters : iterable of Adapter
        In the order of the table.
    """
    listed = list(adapters)
    rows = [
        "| name | what | pictures | annotation | licence | may serve | how to get it |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in listed:
        how = {
            "fetch": f"`smearlab data fetch {one.name}`",
            "page": f"[page]({one.page})",
            "request": f"[on request]({one.page})",
            "own": "yours",
        }[way(one)]
        cells = (one.title, pictures(one), one.annotation, one.licence, one.allowed, how)
        rows.append(f"| `{one.name}` | {' | '.join(cells)} |")
    blocks = ["\n".join(rows)]
    for one in listed:
        points = [
            f"- Layout: {one.layout}.",
            f"- Counts: {one.counts_from}.",
            *(f"- Cite: {paper}." for paper in one.citation),
            *(f"- Trap: {trap}" for trap in one.traps),
        ]
        blocks.append(f"### {one.name}\n\n" + "\n".join(points))
    return "\n\n".join(blocks) + "\n"
