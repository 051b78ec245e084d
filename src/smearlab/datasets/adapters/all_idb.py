"""What the two ALL-IDB sets share: file names, terms, the extended sets' targets."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from smearlab.datasets.adapters.base import ELEMENT_MARK
from smearlab.datasets.adapters.tree import Tree

#: ``ImXXX_Y``: number of the picture, and 1 for leukaemia.
NAME = re.compile(r"Im(\d{3})_([01])", re.IGNORECASE)
PAGE = "https://scotti.di.unimi.it/all/"
OBTAIN = (
    "on request, for research: fill in and sign the form on the page, send it to "
    "fabio.scotti@unimi.it, and unpack what you get"
)
LICENCE = "by agreement with the University of Milan; not to be passed on"
CITATION = (
    "Donida Labati R, Piuri V, Scotti F (2011). ALL-IDB: the acute lymphoblastic leukemia image "
    "database for image processing. IEEE International Conference on Image Processing, "
    "2045–2048. doi:10.1109/ICIP.2011.6115881"
)
EXTENDED = (
    "The extended sets of Khan et al. 2024 (RWP-GAN) add a target for every element: put them "
    "into RBC, WBC and PLT beside the pictures' folder, named as the pictures"
)
_SUFFIXES = (".png", ".jpg", ".tif", ".bmp", ".tiff", ".jpeg")


def element_targets(
    tree: Tree, path: PurePosixPath, elements: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Targets of the extended sets that belong to a picture.

    Parameters
    ----------
    tree : Tree
    path : PurePosixPath
        The picture.
    elements : tuple of str
        Folders to look in.

    Returns
    -------
    mask : str or None
        A path in which :data:`smearlab.datasets.adapters.base.ELEMENT_MARK` stands for the
        element; None if there is no target.
    files : tuple of str
        The targets.
    """
    base = path.parent.parent
    for suffix in (path.suffix, *_SUFFIXES):
        name = f"{path.stem}{suffix}"
        files = tuple(
            file for element in elements if (file := tree.first(base / element / name)) is not None
        )
        if files:
            return str(base / ELEMENT_MARK / name), files
    return None, ()
