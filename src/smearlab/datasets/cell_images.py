"""Single-cell pictures of the public sets with their type and part, split by source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smearlab.datasets.adapters.pbc_relatives import RELATIVES
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.box_fields import Part, read_manifest

#: A fifth of every PBC type is held out.
HELD_OUT = 0.2
_TUNE = 0.05
_SHOWN_TWICE = {source_group("PBC", names[0]) for names in RELATIVES}
_TYPE_OF_LABEL = {"ig": "immature granulocyte"}


@dataclass(frozen=True)
class CellImage:
    """One picture of one cell.

    Parameters
    ----------
    path : Path
        The picture.
    dataset, origin, group : str
        Set; archive; source that all its copies share.
    type : str
        One of :data:`smearlab.types.CELL_TYPES`.
    part : {"train", "tune", "val"}
        What the picture may be used for.
    """

    path: Path
    dataset: str
    origin: str
    group: str
    type: str
    part: Part


def _draw(group: str, salt: str) -> float:
    digest = hashlib.sha256(f"{salt}:{group}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _group(row: Mapping[str, str]) -> str:
    """The source of a picture; the names of ``bccd4`` do not tell it, so a part is one group."""
    if row["dataset"] == "bccd4":
        return f"{row['source']}/bccd4 {row['split']}"
    return source_group(row["source"], row["original"])


def list_cell_images(data: Path) -> list[CellImage]:
    """Typed single-cell pictures of PBC, of ``bccd4``, and the typed fields of TXL-PBC.

    Held out (``val``) are: a fifth of the PBC sources, drawn by a hash of their name among those
    that are shown by one picture; every source that ``txl_pbc`` calls validation, in all its
    copies; the test part of ``bccd4``.
    A source that TXL-PBC trains on is never held out. TXL-PBC fields are listed only where
    their picture is not in PBC's own folders. Which BCCD field a ``bccd4`` picture was made of
    is not known: its training part may share sources with the validation fields of BCCD.

    Parameters
    ----------
    data : Path
        Folder with ``manifest.csv``.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    rows = [
        (row, _group(row))
        for row in read_manifest(data)
        if row["dataset"] in ("pbc", "bccd4", "txl_pbc") and row["label"]
    ]
    txl = [(row, group) for row, group in rows if row["dataset"] == "txl_pbc"]
    validation = {group for row, group in txl if row["split"] == "val"}
    training = {group for row, group in txl if row["split"] != "val"}
    own = {group for row, group in rows if row["dataset"] == "pbc"}
    images = []
    for row, group in rows:
        if row["dataset"] == "txl_pbc":
            if group in own or (row["split"] != "val" and group in validation):
                continue
            held = row["split"] == "val"
        elif row["dataset"] == "bccd4":
            held = row["split"] == "test"
        else:
            known = group in training or group in _SHOWN_TWICE
            held = group in validation or (not known and _draw(group, "held out") < HELD_OUT)
        tuning = row["dataset"] != "bccd4" and _draw(group, "tune") < _TUNE
        part: Part = "val" if held else "tune" if tuning else "train"
        kind = _TYPE_OF_LABEL.get(row["label"], row["label"])
        images.append(
            CellImage(data / row["path"], row["dataset"], row["source"], group, kind, part)
        )
    return images
