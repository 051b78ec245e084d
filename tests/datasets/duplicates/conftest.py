"""Look-alike fields, and manifests of pictures that a test makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from altered_pictures import LOOK_ALIKE, Pixels
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.simulator import simulate_field


@pytest.fixture(scope="session")
def look_alikes() -> list[Pixels]:
    """Ten different fields of one look."""
    return [simulate_field(seed, LOOK_ALIKE).field.pixels for seed in range(10)]


@pytest.fixture
def manifest_of(tmp_path: Path) -> Callable[..., Manifest]:
    """Write pictures (or bytes) as files and list them."""

    def make(files: dict[str, Pixels | bytes | None], **columns: list[str | None]) -> Manifest:
        rows = []
        for n, (name, content) in enumerate(files.items()):
            if isinstance(content, bytes):
                (tmp_path / name).write_bytes(content)
            elif content is not None:
                cv2.imwrite(str(tmp_path / name), content[..., ::-1])
            more = {column: values[n] for column, values in columns.items()}
            rows.append({"path": name, "dataset": "made", **more})
        return Manifest.from_rows(rows, tmp_path, "made")

    return make
