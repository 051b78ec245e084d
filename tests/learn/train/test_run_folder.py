"""The folder of a run: another configuration never takes it over, not even before a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from smearlab.errors import UsageError
from smearlab.learn.train.checkpoints import what_is_kept
from smearlab.learn.train.run_folder import STEP_LOG, open_run

FIRST, OTHER = {"train": {"lr": 9.0}}, {"train": {"lr": 0.1}}


@pytest.mark.parametrize("name", [STEP_LOG, "checkpoint.safetensors", "model.safetensors"])
def test_another_configuration_is_refused_whatever_was_kept(tmp_path: Path, name: str) -> None:
    """Another process may just be writing its first checkpoint."""
    open_run(tmp_path, FIRST, {})
    (tmp_path / name).write_bytes(b"kept")
    before = (tmp_path / "config.json").read_bytes()
    with pytest.raises(UsageError, match=r"train.lr was 9.0 and is 0.1.*or delete this one"):
        open_run(tmp_path, OTHER, {})
    assert (tmp_path / "config.json").read_bytes() == before
    assert (tmp_path / name).read_bytes() == b"kept"


def test_what_ended_before_a_checkpoint_says_how_to_begin_anew(tmp_path: Path) -> None:
    assert what_is_kept(tmp_path).endswith("delete it before it is begun with other settings")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"kept")
    assert "delete" not in what_is_kept(tmp_path)


def test_the_same_configuration_keeps_its_log(tmp_path: Path) -> None:
    open_run(tmp_path, FIRST, {})
    (tmp_path / STEP_LOG).write_text('{"step": 1}\n')
    open_run(tmp_path, FIRST, {"machine": "elsewhere"})
    assert (tmp_path / STEP_LOG).exists()


def test_a_run_from_before_a_setting_of_views_goes_on_with_its_default(tmp_path: Path) -> None:
    open_run(tmp_path, {"view": {"size_px": 64}}, {})
    open_run(tmp_path, {"view": {"size_px": 64, "centre": "middle"}}, {})
    with pytest.raises(UsageError, match=r"view\.centre was 'middle' and is 'nucleus'"):
        open_run(tmp_path, {"view": {"size_px": 64, "centre": "nucleus"}}, {})
