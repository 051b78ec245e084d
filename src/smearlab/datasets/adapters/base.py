"""What every adapter is: data about a public set, and one function that finds its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from smearlab.datasets.adapters.tree import Tree
from smearlab.types import Element

#: In the ``mask`` of a set with a target for every element, this stands for RBC, WBC or PLT.
ELEMENT_MARK = "{element}"


@dataclass(frozen=True)
class Download:
    """A file that may be fetched.

    Parameters
    ----------
    url : str
        http or https address.
    file_name : str
        Name that the file gets.
    sha256 : str or None
        Of the file; None where nobody publishes one. Archives that a server packs anew for every
        download have none.
    """

    url: str
    file_name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Found:
    """A picture of a set, before it is opened. Paths are relative, with ``/`` between folders.

    Parameters
    ----------
    path : str
        The picture.
    label, subtype, source, source_image, group, patient, published_split, mask : str or None
        As the columns of :class:`smearlab.datasets.manifest.table.Manifest`.
    used : tuple of str
        Further files that belong to the picture: its boxes, its masks.
    complete : callable or None
        Given width and height in px, the columns that need them, boxes above all.
    """

    path: str
    label: str | None = None
    subtype: str | None = None
    source: str | None = None
    source_image: str | None = None
    group: str | None = None
    patient: str | None = None
    published_split: str | None = None
    mask: str | None = None
    used: tuple[str, ...] = ()
    complete: Callable[[int, int], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Adapter:
    """A public set of pictures.

    Parameters
    ----------
    name, title : str
        What users type; what the set is.
    layout : str
        Folders and files that :attr:`find` understands, for humans.
    annotation : str
        What is known of a picture.
    classes : tuple of str
        Labels of pictures, as the archive calls them; empty where any will do.
    published : mapping of str to mapping of str to int
        ``pictures``, ``types``, ``parts``, ``boxes`` → name → how many. ``all`` is the sum.
    counts_from : str
        Where those figures are published.
    licence, allowed : str
        Its name; what the pictures may serve.
    citation : tuple of str
        Papers with title and DOI.
    page : str
        Address for people.
    find : callable
        The pictures in a tree of files.
    downloads : tuple of Download
        What may be fetched without asking.
    obtain : str
        How to get the set where it cannot be fetched.
    box_classes : tuple of str
        Labels of boxes and points.
    stain : str or None
        As published.
    um_per_px : float or None
        As published.
    traps : tuple of str
        What has misled people.
    beside : tuple of str
        Patterns of files that belong to the set and are no pictures of it.
    """

    name: str
    title: str
    layout: str
    annotation: str
    classes: tuple[str, ...]
    published: Mapping[str, Mapping[str, int]]
    counts_from: str
    licence: str
    allowed: str
    citation: tuple[str, ...]
    page: str
    find: Callable[[Tree], Iterable[Found]]
    downloads: tuple[Download, ...] = ()
    obtain: str = ""
    box_classes: tuple[str, ...] = ()
    stain: str | None = None
    um_per_px: float | None = None
    traps: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def element_masks(root: Path, mask: str) -> dict[Element, Path]:
    """The targets that one ``mask`` with :data:`ELEMENT_MARK` stands for.

    Parameters
    ----------
    root : Path
        Of the manifest.
    mask : str
        E.g. ``"{element}/Im001_1.png"``.

    Returns
    -------
    dict
        Element → file, for those that are there; empty for a mask without the mark.
    """
    if ELEMENT_MARK not in mask:
        return {}
    elements: tuple[Element, ...] = get_args(Element)
    files = {element: root / mask.replace(ELEMENT_MARK, element) for element in elements}
    return {element: file for element, file in files.items() if file.is_file()}
