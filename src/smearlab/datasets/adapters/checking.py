"""What a set holds against what was published of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smearlab.datasets.adapters.base import Adapter

#: What is counted → its name for people.
FACETS = {"pictures": "pictures", "types": "type", "parts": "part", "boxes": "boxes"}
ALL = "all"


@dataclass(frozen=True)
class Figure:
    """One count.

    Parameters
    ----------
    facet, name : str
        One of :data:`FACETS`; the type, part or box label, or ``all``.
    published, found : int or None
        None where the figure is not published.
    """

    facet: str
    name: str
    published: int | None
    found: int

    @property
    def differs(self) -> bool:
        """Whether the published figure is another."""
        return self.published is not None and self.published != self.found


def count(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """How many pictures, of which types and parts, and boxes of which labels.

    Returns
    -------
    dict
        Facet → name → how many. Pictures without a type, a part or boxes count under ``all`` only.
    """
    types = Counter(row["label"] for row in rows if row["label"] is not None)
    parts = Counter(row["published_split"] for row in rows if row["published_split"] is not None)
    boxes = Counter(box["label"] for row in rows for box in row.get("boxes") or ())
    return {
        "pictures": {ALL: len(rows)},
        "types": dict(sorted(types.items())),
        "parts": dict(sorted(parts.items())),
        "boxes": {**dict(sorted(boxes.items())), ALL: boxes.total()},
    }


def compare(adapter: Adapter, rows: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Every published figure beside the one found, and what was found without being published.

    Parameters
    ----------
    adapter : Adapter
        Knows what was published.
    rows : sequence of mapping
        Of :func:`smearlab.datasets.adapters.reading.measure`.
    """
    figures = []
    for facet, found in count(rows).items():
        published = adapter.published.get(facet, {})
        # Of a facet that is published name by name, a name that is not has the figure 0.
        other = 0 if published and ALL not in published else None
        for name in dict.fromkeys((*published, *found)):
            if name in published or name != ALL:
                figure = Figure(facet, name, published.get(name, other), found.get(name, 0))
                figures.append(figure)
            elif found[name] and not published:
                figures.append(Figure(facet, name, None, found[name]))
    return figures
