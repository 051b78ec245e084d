"""PBC, the peripheral blood cells of the Hospital Clínic de Barcelona."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from smearlab.datasets.adapters.base import Adapter, Download, Found
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.adapters.tree import Tree

#: Beginning of a file name → type and subtype.
PREFIXES: Mapping[str, tuple[str, str | None]] = {
    "BA": ("basophil", None),
    "EO": ("eosinophil", None),
    "ERB": ("erythroblast", None),
    "IG": ("ig", None),
    "PMY": ("ig", "promyelocyte"),
    "MY": ("ig", "myelocyte"),
    "MMY": ("ig", "metamyelocyte"),
    "LY": ("lymphocyte", None),
    "MO": ("monocyte", None),
    "NEUTROPHIL": ("neutrophil", None),
    "BNE": ("neutrophil", "band neutrophil"),
    "SNE": ("neutrophil", "segmented neutrophil"),
    "PLATELET": ("platelet", None),
}
_NAME = re.compile(r"([A-Z]+)_\d+")
_TYPES = {
    "neutrophil": 3329,
    "eosinophil": 3117,
    "ig": 2895,
    "platelet": 2348,
    "erythroblast": 1551,
    "monocyte": 1420,
    "basophil": 1218,
    "lymphocyte": 1214,
}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures whose name tells the type, and whose folder does not tell another."""
    for path in tree.pictures:
        name = _NAME.fullmatch(path.stem.upper())
        if name is None or name[1] not in PREFIXES:
            continue
        label, subtype = PREFIXES[name[1]]
        folder = path.parent.name.lower()
        if folder in _TYPES and folder != label:
            continue
        yield Found(
            str(path),
            label=label,
            subtype=subtype,
            source="PBC",
            source_image=path.name,
            group=source_group("PBC", path.name),
        )


ADAPTER = Adapter(
    name="pbc",
    title="Peripheral blood cells of healthy people, Barcelona (CellaVision DM96)",
    layout=(
        "a folder a type (basophil, eosinophil, erythroblast, ig, lymphocyte, monocyte, "
        "neutrophil, platelet) with pictures named PREFIX_NUMBER.jpg, e.g. neutrophil/SNE_1234.jpg;"
        " whole (360×363) or cut to their centre (224×224), in any folders above"
    ),
    annotation="type; subtype of neutrophils and immature granulocytes in the file name",
    classes=tuple(_TYPES),
    published={"pictures": {"all": 17092}, "types": _TYPES},
    counts_from="Acevedo et al. 2020; Hazra 2022, Table 2",
    licence="CC BY 4.0",
    allowed="anything, with attribution",
    citation=(
        "Acevedo A, Merino A, Alférez S, Molina Á, Boldú L, Rodellar J (2020). A dataset of "
        "microscopic peripheral blood cell images for development of automatic recognition "
        "systems. Data in Brief 30, 105474. doi:10.1016/j.dib.2020.105474",
    ),
    page="https://data.mendeley.com/datasets/snkd93bnjr/1",
    find=find,
    downloads=(
        Download(
            "https://data.mendeley.com/public-files/datasets/snkd93bnjr/files/"
            "2fc38728-2ae7-4a62-a857-032af82334c3/file_downloaded",
            "PBC_dataset_normal_DIB.zip",
        ),
    ),
    stain="May-Grünwald-Giemsa",
    traps=(
        "The size tells the type: 360×360 are erythroblasts and immature granulocytes only. Cut "
        "all to one centre before anything learns.",
        "Whole pictures and 224×224 centres are one dataset in two encodings: neither is a split.",
        "Some pictures are in TXL-PBC, byte for byte.",
        "Cells are centred and share one stain: a classifier trained here alone fails elsewhere.",
        "The archive holds one more neutrophil under a hidden name (.DS_169665.jpg).",
        "No patient is named.",
    ),
)
