"""A disk that is too small is said before the work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smearlab.errors import OutputError
from smearlab.io.disk_space import refuse_full_disk


def test_what_fits_is_not_refused(tmp_path: Path) -> None:
    refuse_full_disk(tmp_path / "not" / "there", 1000, "2 pictures")
    assert list(tmp_path.iterdir()) == []


def test_needed_and_free_are_said(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(OutputError, match=r"9 pictures need up to [\d,.]+ GB, and the disk of .*x"):
        refuse_full_disk(tmp_path / "x", free + 10**12, "9 pictures")


def test_the_border_is_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    refuse_full_disk(tmp_path, 5_000_000, "a file")
    with pytest.raises(
        OutputError, match=r"need up to 5\.0 MB, and .* has 5\.0 MB free: make room"
    ):
        refuse_full_disk(tmp_path, 5_000_001, "a file")
