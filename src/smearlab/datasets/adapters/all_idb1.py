"""ALL-IDB1: fields of acute lymphoblastic leukaemia, with the centroids of the blasts."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters import all_idb
from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.boxes import points
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

_LABELS = ("healthy", "blast")
_BLAST = "blast"


def find(tree: Tree) -> Iterator[Found]:
    """Pictures ``im/ImXXX_Y.jpg`` with ``xyc/ImXXX_Y.xyc``."""
    for path in tree.pictures:
        name = all_idb.NAME.fullmatch(path.stem)
        if name is None or path.parent.name != "im":
            continue
        centroids = tree.first(path.parent.parent / "xyc" / f"{path.stem}.xyc")
        mask, targets = all_idb.element_targets(tree, path, ("RBC", "WBC", "PLT"))
        file = tree.root / centroids if centroids else None
        yield Found(
            str(path),
            label=_LABELS[int(name[2])],
            source="ALL-IDB1",
            source_image=path.name,
            group=source_group("ALL-IDB1", path.name),
            mask=mask,
            used=(*((centroids,) if centroids else ()), *targets),
            complete=points(file, lambda _: _BLAST, 2) if file else None,
        )


ADAPTER = Adapter(
    name="all_idb1",
    title="Fields of acute lymphoblastic leukaemia and of healthy people (ALL-IDB1)",
    layout=(
        "im with pictures ImXXX_Y.jpg (Y 1: leukaemia, 0: healthy) and xyc with ImXXX_Y.xyc, a "
        f"line 'x y' for every probable blast. {all_idb.EXTENDED}"
    ),
    annotation=(
        "healthy, or blast for a field of a patient; points on blasts; in the extended set a "
        "target for every element"
    ),
    classes=_LABELS,
    published={"pictures": {"all": 108}, "types": {"healthy": 59, "blast": 49}},
    counts_from="the page; Khan et al. 2024, section IV.A",
    licence=all_idb.LICENCE,
    allowed="research; not to be passed on",
    citation=(all_idb.CITATION,),
    page=all_idb.PAGE,
    find=find,
    obtain=all_idb.OBTAIN,
    box_classes=(_BLAST,),
    traps=(
        "A point is a box without area: x0 = x1, y0 = y1.",
        "ALL-IDB2 is cut out of these fields: never put them on two sides of a split.",
        "Magnification (300 to 500) and size (1712×1368, 2592×1944) vary, and with them the µm/px.",
        "49 fields of patients are not 49 patients; patients are not named.",
    ),
)
