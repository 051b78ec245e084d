"""Single-cell pictures of the public sets with their type and part, split by source."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from smearlab.datasets.box_fields import source_group
from smearlab.errors import UsageError

Part = Literal["train", "tune", "val"]
#: A fifth of every PBC type is held out.
HELD_OUT = 0.2
_TUNE = 0.05
_TYPE_OF_LABEL = {"ig": "immature granulocyte"}


@dataclass(frozen=True)
class CellImage:
    """One picture of one cell.

    Parameters
    ----------
    path : Path
    dataset, origin, group : str
        Set; archive; source that all its copies share.
    type : str
        One of :data:`smearlab.types.CELL_TYPES`.
    part : {"train", "tune", "val"}
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


def list_cell_images(data: Path) -> list[CellImage]:
    """Typed single-cell pictures of PBC, of ``bccd4``, and the typed fields of TXL-PBC.

    Held out (``val``) are: a fifth of the PBC sources, drawn by a hash of their name; every
    source that ``txl_pbc`` calls validation, in all its copies; the test part of ``bccd4``.
    A source that TXL-PBC trains on is never held out. TXL-PBC fields are listed only where
    their picture is not in PBC's own folders.

    Raises
    ------
    UsageError
        If there is no manifest.
    """
    manifest = data / "manifest.csv"
    if not manifest.is_file():
        raise UsageError(f"{manifest} does not exist: give the data folder with --data")
    with manifest.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    fields = [r for r in rows if r["dataset"] == "txl_pbc" and r["label"]]
    groups: dict[str, dict[str, str]] = {"train": {}, "val": {}}
    for row in fields:
        group = source_group(row["source"], row["original"])
        groups[row["split"]][group] = row["original"]
    own = {source_group("PBC", r["original"]) for r in rows if r["dataset"] == "pbc"}
    images = []
    for row in rows:
        if row["dataset"] not in ("pbc", "bccd4", "txl_pbc") or not row["label"]:
            continue
        group = source_group(row["source"], row["original"])
        if row["dataset"] == "txl_pbc":
            if group in own or (row["split"] == "train" and group in groups["val"]):
                continue
            held = row["split"] == "val"
        elif row["dataset"] == "bccd4":
            held = row["split"] == "test"
        else:
            held = group in groups["val"] or (
                group not in groups["train"] and _draw(group, "held out") < HELD_OUT
            )
        part: Part = "val" if held else "tune" if _draw(group, "tune") < _TUNE else "train"
        kind = _TYPE_OF_LABEL.get(row["label"], row["label"])
        images.append(
            CellImage(data / row["path"], row["dataset"], row["source"], group, kind, part)
        )
    return images
