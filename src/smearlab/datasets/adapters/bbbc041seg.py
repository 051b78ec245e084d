"""BBBC041Seg: masks of cells on malaria smears of BBBC041."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

_FOLDERS = {"original": ("mask", "masks"), "images": ("masks", "mask")}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures with a mask of the same name in the folder beside theirs."""
    for path in tree.pictures:
        base = path.parent.parent
        folders = _FOLDERS.get(path.parent.name.lower(), ())
        mask = tree.first(
            *(base / folder / f"{path.stem}{end}" for folder in folders for end in (".png", ".jpg"))
        )
        if mask is None:
            continue
        original = tree.said(str(path), "original") or path.name
        yield Found(
            str(path),
            source="BBBC041",
            source_image=original,
            group=source_group("BBBC041", original),
            published_split=base.name if base.name in ("train", "test") else None,
            mask=mask,
            used=(mask,),
        )


ADAPTER = Adapter(
    name="bbbc041seg",
    title="Dense Giemsa fields with masks of all cells (BBBC041Seg)",
    layout=(
        "train and test, in each original (pictures) and mask (masks of the same names); or "
        "images and masks"
    ),
    annotation="black-and-white masks of cells; thin gaps part most that touch",
    classes=(),
    published={"pictures": {"all": 1328}, "parts": {"train": 1169, "test": 159}},
    counts_from="the page; parts as the widespread copy has them, which its uploader drew",
    licence="CC BY-NC-SA 3.0 (pictures of BBBC041v1); masks MIT",
    allowed="development and evaluation of splitting; no shipped weight learns from it",
    citation=(
        "Depto DS, Rahman S, Hosen MM, et al. (2021). Automatic segmentation of blood cells from "
        "microscopic slides: a comparative analysis. Tissue and Cell 73, 101653. "
        "doi:10.1016/j.tice.2021.101653",
        "Ljosa V, Sokolnicki KL, Carpenter AE (2012). Annotated high-throughput microscopy image "
        "sets for validation. Nature Methods 9, 637. doi:10.1038/nmeth.2083 (BBBC041v1)",
    ),
    page="https://github.com/Deponker/Blood-cell-segmentation-dataset",
    find=find,
    obtain="it lies on a drive that needs a browser; start at the page and unpack it",
    stain="Giemsa",
    traps=(
        "Non-commercial: what is trained on it may not be shipped.",
        "A copy goes by the name 'BCCD dataset with mask', which it is not.",
        "Cells that the edge cuts, and some in clumps, have no mask.",
        "One picture at least has a scale bar drawn into it: smearlab data quality finds it.",
    ),
)
