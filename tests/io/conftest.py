"""Where real pictures are, if they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_fields() -> Path:
    """The folder of real fields; tests that need it are skipped by name where it is absent."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("SMEARLAB_DATA", beside)) / "fields"
    if not folder.is_dir():
        pytest.skip(f"no real fields in {folder}; set SMEARLAB_DATA")
    return folder
