"""LISC: leucocyte images for segmentation and classification, Tehran."""

from __future__ import annotations

from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.tree import Tree

_TYPES = {"Baso": 53, "eosi": 39, "lymp": 52, "mono": 48, "neut": 50, "mixt": 8}
_LABEL_OF_FOLDER = {name.lower(): name for name in _TYPES}
_MAIN, _TRUTH = "Main Dataset", "Ground Truth Segmentation"
_EXPERTS = ("areaforexpert1", "areaforexpert2")


def find(tree: Tree) -> Iterator[Found]:
    """Pictures in ``Main Dataset/TYPE``, with the first expert's mask."""
    for path in tree.pictures:
        folder = path.parent
        label = _LABEL_OF_FOLDER.get(folder.name.lower())
        if label is None or folder.parent.name != _MAIN or not path.stem.isdecimal():
            continue
        truth = folder.parent.parent / _TRUTH / folder.name
        masks = [
            file
            for expert in _EXPERTS
            if (file := tree.first(truth / expert / f"{path.stem}_expert{path.suffix}"))
        ]
        original = f"{folder.name}/{path.name}"
        yield Found(
            str(path),
            label=label,
            source="LISC",
            source_image=original,
            group=f"LISC/{label} {path.stem}",
            mask=masks[0] if masks else None,
            used=tuple(masks),
        )


ADAPTER = Adapter(
    name="lisc",
    title="Leukocyte images for segmentation and classification, eight healthy people (LISC)",
    layout=(
        "Main Dataset with a folder a type (Baso, eosi, lymp, mono, neut, and mixt for several "
        "types in one picture) of pictures 1.bmp, 2.bmp, … (720×576); Ground Truth Segmentation "
        "with TYPE/areaforexpert1/1_expert.bmp, … (areaforexpert2 is read, too, if it is there)"
    ),
    annotation="type of 5, or mixed; masks of nucleus and cytoplasm",
    classes=tuple(_TYPES),
    published={"pictures": {"all": 250}, "types": _TYPES},
    counts_from=(
        "the page: masks of 250 pictures; by type as in the archive, of which those of eosi, lymp "
        "and mixt are unconfirmed. Jung et al. 2021 cut 254 cells out of them"
    ),
    licence="free for research and teaching; no copying, passing on or commercial use (the page)",
    allowed="research and teaching, with citation; not to be passed on",
    citation=(
        "Rezatofighi SH, Soltanian-Zadeh H (2011). Automatic recognition of five types of white "
        "blood cells in peripheral blood. Computerized Medical Imaging and Graphics 35, 333–343. "
        "doi:10.1016/j.compmedimag.2011.01.003",
    ),
    page="http://users.cecs.anu.edu.au/~hrezatofighi/Data/Leukocyte%20Data.htm",
    find=find,
    obtain="its terms ask everybody to take it from its page; download it there and unpack it",
    stain="Giemsa-Wright",
    traps=(
        "Eight people, not named: no split keeps them apart.",
        "Pictures are fields, not cells: some hold two cells, mixt several types.",
        "Pictures in 'More Dataset without Ground Truth' have neither mask nor type: left out.",
        "A mask may have another size than its picture: compare before use.",
    ),
    beside=(
        *("ground truth segmentation/*", "*/ground truth segmentation/*", "*.txt", "*.doc"),
        *("more dataset without ground truth/*", "*/more dataset without ground truth/*"),
    ),
)
