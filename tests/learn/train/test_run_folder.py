"""The folder of a run: begun anew only where nothing can be lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smearlab.errors import UsageError
from smearlab.learn.train.run_folder import STEP_LOG, open_run

FIRST, OTHER = {"train": {"lr": 9.0}}, {"train": {"lr": 0.1}}


def test_a_run_without_a_checkpoint_begins_anew(tmp_path: Path) -> None:
    open_run(tmp_path, FIRST, {})
    (tmp_path / STEP_LOG).write_text('{"step": 1}\n')
    (tmp_path / "manifest.parquet").write_bytes(b"pictures")
    open_run(tmp_path, OTHER, {"machine": "here"})
    kept = json.loads((tmp_path / "config.json").read_text())
    assert kept == {"asked": OTHER, "hardware": {"machine": "here"}}
    assert not (tmp_path / STEP_LOG).exists()
    assert (tmp_path / "manifest.parquet").exists()


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "model.safetensors", "notes.txt"])
def test_what_was_kept_is_not_written_over(tmp_path: Path, name: str) -> None:
    open_run(tmp_path, FIRST, {})
    (tmp_path / name).write_bytes(b"kept")
    before = (tmp_path / "config.json").read_bytes()
    with pytest.raises(UsageError, match=r"train.lr was 9.0 and is 0.1"):
        open_run(tmp_path, OTHER, {})
    assert (tmp_path / "config.json").read_bytes() == before


def test_the_same_configuration_keeps_its_log(tmp_path: Path) -> None:
    open_run(tmp_path, FIRST, {})
    (tmp_path / STEP_LOG).write_text('{"step": 1}\n')
    open_run(tmp_path, FIRST, {"machine": "elsewhere"})
    assert (tmp_path / STEP_LOG).exists()
