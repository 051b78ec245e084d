"""The extended ALL-IDB1 of paper B: a manually segmented picture of every element.

Khan et al. 2024, section IV.A: 108 fields, and of each a picture with nothing but the red cells,
one with the white cells, one with the platelets. The set is not at hand here. Read is what the
paper tells and :mod:`smearlab.datasets.adapters.all_idb` describes::

    DIR/im/Im001_1.jpg      the field
    DIR/RBC/Im001_1.png     its own pixels on the element, an even ground elsewhere
    DIR/WBC/…, DIR/PLT/…

The ground may be black or white. The paper does not say which; its figures do: SNR and PSNR of one
row differ by the mean square of the target, which their differences (0.03 dB for white cells, 0.01
for platelets) put within 1 % of that of a white picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.adapters.all_idb1 import ADAPTER
from smearlab.datasets.adapters.base import element_masks
from smearlab.datasets.adapters.tree import open_tree
from smearlab.datasets.pair_checks import refuse_unpaired
from smearlab.datasets.pair_files import PairFile
from smearlab.errors import AnnotationError, DataError
from smearlab.io.image_formats import IMAGE_SUFFIXES
from smearlab.types import Element

#: A pixel of a target picture is the element's if a channel differs from the ground by more, in
#: grey levels of 0–255. Above the noise that JPEG leaves on an even ground.
TARGET_LEVEL = 24
_BLACK, _WHITE = 0, 255
#: A target without this share of ground of either kind is not one.
_LEAST_GROUND = 0.001


def list_extended_pairs(folder: Path, element: Element) -> list[PairFile]:
    """Every field of the extended ALL-IDB1 with its target of an element; all in ``train``.

    Parameters
    ----------
    folder : Path
        With ``im`` and folders named by element, itself or anywhere below.
    element : {"RBC", "WBC", "PLT"}

    Raises
    ------
    DataError
        If there is no field, a field has no target, or a target no field.
    UsageError
        If it is no folder.
    """
    tree = open_tree(folder)
    pairs, alone = [], []
    places: set[Path] = set()
    for found in ADAPTER.find(tree):
        image = folder / found.path
        places.add(image.parent.parent)
        targets = element_masks(folder, found.mask) if found.mask else {}
        if element not in targets:
            alone.append(image)
            continue
        pairs.append(
            PairFile(
                name=f"all_idb1/{image.stem}",
                element=element,
                source="all_idb1",
                origin="ALL-IDB1",
                group=found.group or f"ALL-IDB1/{image.stem}",
                part="train",
                image=image,
                target=targets[element],
                red_target=targets.get("RBC"),
            )
        )
    if not places:
        raise DataError(
            f"{folder} holds neither manifest.csv nor a folder im with pictures ImXXX_Y.jpg; "
            "name the folder of the public sets, or that of the extended ALL-IDB1"
        )
    paired = {pair.target for pair in pairs}
    there = [
        path
        for place in sorted(places)
        for path in sorted((place / element).glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    spare = [path for path in there if path not in paired]
    refuse_unpaired(element, alone, spare, min(places) / element)
    return pairs


def target_of_picture(pixels: NDArray[np.uint8], name: str) -> NDArray[np.bool_]:
    """Where a segmented picture shows the element: what differs from its even ground.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        The element's own colours on a black or a white ground; the ground is whichever of the two
        covers more.
    name : str
        Of the file, for the message.

    Returns
    -------
    ndarray of bool, shape (H, W)
        True where any channel differs from the ground by more than :data:`TARGET_LEVEL`.

    Raises
    ------
    AnnotationError
        If there is neither a black nor a white ground: then it is no segmented picture.

    Examples
    --------
    >>> import numpy as np
    >>> drawn = np.zeros((1, 3, 3), np.uint8)
    >>> drawn[0, 1] = 90, 20, 120
    >>> target_of_picture(drawn, "Im001_1.png").tolist()
    [[False, True, False]]
    """
    dark = pixels.max(axis=2) <= _BLACK + TARGET_LEVEL
    light = pixels.min(axis=2) >= _WHITE - TARGET_LEVEL
    ground = dark if np.count_nonzero(dark) >= np.count_nonzero(light) else light
    if np.count_nonzero(ground) < _LEAST_GROUND * ground.size:
        raise AnnotationError(
            f"the target {name} has neither a black nor a white ground; a target shows the "
            "element's own pixels and nothing else"
        )
    return np.asarray(~ground, np.bool_)
