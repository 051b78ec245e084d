"""ALL-IDB2: single cells, blasts and others, cut out of ALL-IDB1."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters import all_idb
from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

_LABELS = ("healthy", "blast")


def find(tree: Tree) -> Iterator[Found]:
    """Pictures ``img/ImXXX_Y.tif``."""
    for path in tree.pictures:
        name = all_idb.NAME.fullmatch(path.stem)
        if name is None or path.parent.name != "img":
            continue
        mask, targets = all_idb.element_targets(tree, path, ("RBC", "WBC"))
        yield Found(
            str(path),
            label=_LABELS[int(name[2])],
            source="ALL-IDB2",
            source_image=path.name,
            group=source_group("ALL-IDB2", path.name),
            mask=mask,
            used=targets,
        )


ADAPTER = Adapter(
    name="all_idb2",
    title="Single white cells, lymphoblasts and others (ALL-IDB2)",
    layout=(
        "img with pictures ImXXX_Y.tif (257×257; Y 1: blast, 0: other). "
        f"{all_idb.EXTENDED} (RBC and WBC here)"
    ),
    annotation="healthy or blast; in the extended set a target for white and for red cells",
    classes=_LABELS,
    published={"pictures": {"all": 260}, "types": {"healthy": 130, "blast": 130}},
    counts_from="the page; Khan et al. 2024, section IV.A",
    licence=all_idb.LICENCE,
    allowed="research; not to be passed on",
    citation=(all_idb.CITATION,),
    page=all_idb.PAGE,
    find=find,
    obtain=all_idb.OBTAIN,
    traps=(
        "Cut out of ALL-IDB1, with a numbering of its own: which cell is of which field, only "
        "near-duplicates tell.",
        "The first 130 are blasts, the rest are not: never take a part by number.",
        "Cells of one field share stain and focus, which tell the class.",
    ),
)
