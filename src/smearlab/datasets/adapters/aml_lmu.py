"""AML-Cytomorphology_LMU: leucocytes of leukaemia patients and others, Munich."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

#: Code → how many, and what it stands for.
CODES = {
    "BAS": (79, "basophil"),
    "EBO": (78, "erythroblast"),
    "EOS": (424, "eosinophil"),
    "KSC": (15, "smudge cell"),
    "LYA": (11, "atypical lymphocyte"),
    "LYT": (3937, "typical lymphocyte"),
    "MMZ": (15, "metamyelocyte"),
    "MOB": (26, "monoblast"),
    "MON": (1789, "monocyte"),
    "MYB": (42, "myelocyte"),
    "MYO": (3268, "myeloblast"),
    "NGB": (109, "band neutrophil"),
    "NGS": (8484, "segmented neutrophil"),
    "PMB": (18, "bilobed promyelocyte"),
    "PMO": (70, "promyelocyte"),
}
_NAME = re.compile(r"([A-Z]{3})_\d+")


def find(tree: Tree) -> Iterator[Found]:
    """Pictures that are called as the folder they lie in, with a number."""
    for path in tree.pictures:
        name = _NAME.fullmatch(path.stem)
        if name is not None and path.parent.name in (name[1], ""):
            yield Found(
                str(path),
                label=name[1],
                source="AML-LMU",
                source_image=path.name,
                group=source_group("AML-LMU", path.name),
            )


ADAPTER = Adapter(
    name="aml_lmu",
    title="Leucocytes of 100 patients with AML and 100 without, Munich (AML-Cytomorphology_LMU)",
    layout=(
        "a folder a type with TIFF pictures (400×400) named as it is, e.g. BAS/BAS_0001.tiff; "
        "annotations.dat with the second opinions may lie beside"
    ),
    annotation="; ".join(("type of 15", *(f"{code} {what}" for code, (_, what) in CODES.items()))),
    classes=tuple(CODES),
    published={
        "pictures": {"all": 18365},
        "types": {code: n for code, (n, _) in CODES.items()},
    },
    counts_from="Matek et al. 2019; Hazra 2022, Table 3",
    licence="CC BY 3.0",
    allowed="anything, with attribution",
    citation=(
        "Matek C, Schwarz S, Marr C, Spiekermann K (2019). A single-cell morphological dataset of "
        "leukocytes from AML patients and non-malignant controls (AML-Cytomorphology_LMU). The "
        "Cancer Imaging Archive. doi:10.7937/tcia.2019.36f5o9ld",
        "Matek C, Schwarz S, Spiekermann K, Marr C (2019). Human-level recognition of blast cells "
        "in acute myeloid leukaemia with convolutional neural networks. Nature Machine "
        "Intelligence 1, 538–544. doi:10.1038/s42256-019-0101-9",
    ),
    page="https://doi.org/10.7937/tcia.2019.36f5o9ld",
    find=find,
    obtain="the archive hands it out through its own transfer program; start at the page",
    traps=(
        "The patient of a picture is not given: no split keeps patients apart.",
        "MYB is a myelocyte and MYO a myeloblast, not the other way round.",
        "Six types have fewer than 30 pictures.",
    ),
    beside=("annotations.*", "abbreviations.*"),
)
