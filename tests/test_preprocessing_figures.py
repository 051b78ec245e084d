"""The figures of docs/preprocessing.md can be drawn again, and are those that the page shows."""

from __future__ import annotations

import importlib.util
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

for extra in ("torch", "torchvision"):
    if importlib.util.find_spec(extra) is None:
        pytest.skip(
            f"{extra} is not installed: the train extra is missing", allow_module_level=True
        )
DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    script = runpy.run_path(str(DOCS / "preprocessing_figures.py"))
    return list(script["write"](tmp_path_factory.mktemp("figures")))


def test_the_page_shows_every_figure_and_no_other(drawn: list[Path]) -> None:
    page = (DOCS / "preprocessing.md").read_text(encoding="utf-8")
    assert "python docs/preprocessing_figures.py" in page
    shown = re.findall(r"\(images/preprocessing/([\w.]+)\)", page)
    assert sorted(shown) == sorted(path.name for path in drawn)
    kept = sorted((DOCS / "images" / "preprocessing").iterdir())
    assert [path.name for path in kept] == sorted(shown)
    assert max(path.stat().st_size for path in kept) < 200_000


def test_every_figure_shows_something(drawn: list[Path]) -> None:
    for path in drawn:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.std() > 20, path.name
        with Image.open(DOCS / "images" / "preprocessing" / path.name) as image:
            assert image.size == pixels.shape[1::-1], f"draw {path.name} again"
