"""Anybody's own pictures: a folder a class."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.tree import Tree

_PARTS = ("train", "val", "test")


def find(tree: Tree) -> Iterator[Found]:
    """Pictures in folders; the innermost folder is the label."""
    for path in tree.pictures:
        if path.parent.name:
            above = path.parent.parent.name.lower()
            yield Found(
                str(path),
                label=path.parent.name,
                source_image=str(path),  # two classes may both have a 1.png
                published_split=above if above in _PARTS else None,
            )


ADAPTER = Adapter(
    name="folder",
    title="Your own pictures, a folder a class",
    layout=(
        "a folder a class with its pictures, e.g. neutrophil/7.png; folders train, val and test "
        "may lie above"
    ),
    annotation="the name of the innermost folder",
    classes=(),
    published={},
    counts_from="nothing is published",
    licence="yours",
    allowed="what you decide",
    citation=(),
    page="",
    find=find,
    obtain="it is yours",
    traps=(
        "Nothing groups the pictures: find near-duplicates, or fill the column 'group' yourself, "
        "before you split.",
    ),
)
