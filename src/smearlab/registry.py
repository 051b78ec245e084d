"""Names that users may type, as visible dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from smearlab.errors import UnknownNameError

T = TypeVar("T")

#: Bundles inside the package: short name → folder under ``smearlab/bundles``.
SHIPPED_BUNDLES: Mapping[str, Mapping[str, str]] = {
    "segmenter": {"default": "cell_centres"},
    "classifier": {"default": "cell_types"},
    "generator": {},
    "upscaler": {},
    "stain": {},
}


def look_up(kind: str, table: Mapping[str, T], name: str) -> T:
    """The entry called ``name``.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists those that exist.
    """
    if name not in table:
        raise UnknownNameError(kind, name, table)
    return table[name]
