"""The report page: whole in one file, pairs side by side, nothing of a stranger runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from altered_pictures import Pixels, altered
from smearlab.datasets.duplicates.finder import find_duplicates
from smearlab.datasets.duplicates.page import SHOWN_OF_EACH, SIDE_PX, write_page
from smearlab.datasets.manifest.table import Manifest

Make = Callable[..., Manifest]


def page_of(manifest: Manifest, path: Path) -> str:
    write_page(path, manifest, find_duplicates(manifest, show=False))
    return path.read_text(encoding="utf-8")


def test_pairs_are_side_by_side(
    manifest_of: Make, look_alikes: list[Pixels], tmp_path: Path
) -> None:
    files = {"a.png": look_alikes[0], "<b>&.jpg": altered(look_alikes[0], seed=2)}
    manifest = manifest_of(
        files, published_split=["train", "test"], label=["lymphocyte", "<i>monocyte"]
    )
    page = page_of(manifest, tmp_path / "page.html")
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == 2
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[0]), np.uint8), cv2.IMREAD_COLOR)
    assert max(shown.shape) == SIDE_PX
    assert abs(shown.mean() - look_alikes[0].mean()) < 3
    assert "a.png" in page
    assert "&lt;b&gt;&amp;.jpg" in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "1 group has pictures on both sides of a published split" in page
    assert "similarity 0." in page


def test_nothing_is_loaded_from_elsewhere(manifest_of: Make, tmp_path: Path) -> None:
    page = page_of(manifest_of({"broken.png": b"nothing"}), tmp_path / "page.html")
    assert "No pair was found." in page
    assert "broken.png" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_many_pairs_are_shown_in_part(manifest_of: Make, tmp_path: Path) -> None:
    grey = [np.full((32, 32, 3), level, np.uint8) for level in range(40, 40 + SHOWN_OF_EACH + 4)]
    files = {f"{n}{copy}.png": one for n, one in enumerate(grey) for copy in "ab"}
    page = page_of(manifest_of(files), tmp_path / "page.html")
    assert page.count("<figure>") == 2 * SHOWN_OF_EACH
    assert f"({len(grey)})" in page
