"""docs/networks.md lists every classifier, and its table is what the script prints."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest

for extra in ("torch", "torchvision", "timm"):
    if importlib.util.find_spec(extra) is None:
        pytest.skip(
            f"{extra} is not installed: the train extra is missing", allow_module_level=True
        )
DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_table_is_what_the_script_prints() -> None:
    page = (DOCS / "networks.md").read_text(encoding="utf-8")
    assert "python docs/networks_table.py" in page
    shown = [line for line in page.splitlines() if line.startswith("|")]
    assert shown == list(runpy.run_path(str(DOCS / "networks_table.py"))["rows"]())
