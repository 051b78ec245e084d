"""The augmented four-class set made of BCCD."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smearlab.datasets.adapters.base import Adapter, Found
from smearlab.datasets.adapters.tree import Tree

#: Round of augmentation and place in it, random number: neither names the source.
_NAME = re.compile(r"_\d+_\d+")
_PARTS = ("train", "test", "test_simple")
_TYPES = {
    "eosinophil": 2497 + 623 + 13,
    "lymphocyte": 2483 + 620 + 6,
    "monocyte": 2478 + 620 + 4,
    "neutrophil": 2499 + 624 + 48,
}


def find(tree: Tree) -> Iterator[Found]:
    """Pictures in ``PART/TYPE``, in capitals or not."""
    for path in tree.pictures:
        label, part = path.parent.name.lower(), path.parent.parent.name.lower()
        if label not in _TYPES or part not in _PARTS or not _NAME.fullmatch(path.stem):
            continue
        original = tree.said(str(path), "original") or f"{label.upper()}/{path.name}"
        yield Found(
            str(path),
            label=label,
            source="BCCD",
            source_image=original,
            published_split=part,
        )


ADAPTER = Adapter(
    name="bccd4",
    title="Augmented four-class set made of BCCD",
    layout=(
        "TRAIN and TEST (and TEST_SIMPLE, in capitals or not), in each a folder a type: EOSINOPHIL,"
        " LYMPHOCYTE, MONOCYTE, NEUTROPHIL, with pictures named _NUMBER_RANDOM.jpeg"
    ),
    annotation="type of 4",
    classes=tuple(_TYPES),
    published={
        "pictures": {"all": 9957 + 2487 + 71},
        "types": _TYPES,
        "parts": {"train": 9957, "test": 2487, "test_simple": 71},
    },
    counts_from="the published archive",
    licence="MIT (derived from BCCD)",
    allowed="anything but test claims without source grouping",
    citation=(
        "Mooney P (2018). Blood cell images. Kaggle, after the BCCD dataset of Shenggan, cosmicad "
        "and akshaylamba. https://www.kaggle.com/datasets/paultimothymooney/blood-cells",
    ),
    page="https://www.kaggle.com/datasets/paultimothymooney/blood-cells",
    find=find,
    obtain="the host asks for an account; download it at the page and unpack it",
    traps=(
        "12,444 pictures are some 36 variants each of 348 sources (277 train, 71 test; of "
        "monocytes 16 and 4): group by source, and give intervals by source.",
        "The number in a name is not the source: pictures of one number show different cells. "
        "Only near-duplicates tell the sources: smearlab data duplicates.",
        "TEST_SIMPLE holds the pictures that TEST was augmented from.",
        "Its sources are fields of BCCD: which, only near-duplicates tell.",
        "Black corners and stretched edges come from the augmentation.",
    ),
)
