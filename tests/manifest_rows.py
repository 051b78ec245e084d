"""Manifests of made-up rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smearlab.datasets.manifest.table import Manifest


def manifest_of(rows: list[dict[str, Any]], root: Path = Path()) -> Manifest:
    """A row each; ``path`` and ``dataset`` are filled in where they are missing."""
    filled = [{"path": f"{n}.png", "dataset": "set", **row} for n, row in enumerate(rows)]
    return Manifest.from_rows(filled, root, "made")
