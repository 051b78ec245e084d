"""Chula RBC-12: red cells of twelve shapes, Bangkok."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Download, Found
from smearlab.datasets.adapters.boxes import points
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

#: Class numbers of the label files.
TYPES = (
    *("normal cell", "macrocyte", "microcyte", "spherocyte", "target cell", "stomatocyte"),
    *("ovalocyte", "teardrop", "burr cell", "schistocyte", "uncategorised", "hypochromia"),
    "elliptocyte",
)


def find(tree: Tree) -> Iterator[Found]:
    """Pictures ``Dataset/N.jpg`` with ``Label/N.txt``."""
    for path in tree.pictures:
        if path.parent.name != "Dataset" or not path.stem.isdecimal():
            continue
        label = tree.first(path.parent.parent / "Label" / f"{path.stem}.txt")
        yield Found(
            str(path),
            source="Chula",
            source_image=path.name,
            group=source_group("Chula", path.name),
            used=(label,) if label else (),
            complete=points(tree.root / label, _name, 3) if label else None,
        )


def _name(code: str) -> str:
    """Name of a class; of one that there is not, the number itself, which is then refused."""
    return TYPES[int(code)] if code.isdecimal() and int(code) < len(TYPES) else code


ADAPTER = Adapter(
    name="chula_rbc12",
    title="Red cells of twelve shapes in thalassaemia smears, Bangkok (Chula RBC-12)",
    layout="Dataset with pictures N.jpg (640×480), Label with N.txt, a line 'x y class' a cell",
    annotation="points on red cells, with their shape: "
    + ", ".join(f"{n} {name}" for n, name in enumerate(TYPES)),
    classes=(),
    published={"pictures": {"all": 738}},
    counts_from=(
        "the archive's README: 706 pictures of the paper, with more than 20,000 cells, and 32 with "
        "elliptocytes"
    ),
    licence="MIT",
    allowed="anything",
    citation=(
        "Naruenatthanaset K, Chalidabhongse TH, Palasuwan D, Anantrasirichai N, Palasuwan A "
        "(2021). Red blood cell segmentation with overlapping cell separation and classification "
        "on imbalanced dataset. arXiv:2012.01321. doi:10.48550/arXiv.2012.01321",
    ),
    page="https://github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset",
    find=find,
    downloads=(
        Download(
            "https://github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset/archive/HEAD.zip",
            "Chula-RBC-12-Dataset.zip",
        ),
    ),
    box_classes=TYPES,
    traps=(
        "A point is a box without area: x0 = x1, y0 = y1.",
        "There are 13 class numbers: 10 is 'uncategorised', and 12 (elliptocyte) came later.",
        "Neither smears nor patients are named, and neighbouring numbers look alike.",
    ),
    beside=("rbc diseases/*", "*/rbc diseases/*"),
)
