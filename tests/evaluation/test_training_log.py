"""The log of a training as curves."""

from __future__ import annotations

from pathlib import Path

import pytest

from smearlab.evaluation.training_log import training_curves


def test_steps_are_averaged_over_their_epoch(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"step": 1, "epoch": 0, "lr": 0.1, "loss": 2.0}\n'
        '{"step": 2, "epoch": 0, "lr": 0.1, "loss": 1.0}\n'
        '{"step": 3, "epoch": 1, "lr": 0.05, "loss": 0.5}\n'
        '{"step": 4, "epoch": 1, "lo'
    )
    (tmp_path / "validation.jsonl").write_text(
        '{"step": 2, "epoch": 1, "best": true, "loss": 1.8, "accuracy": 0.4}\n'
        '{"step": 3, "epoch": 2, "best": false, "loss": 1.9, "accuracy": 0.6}\n'
    )
    curves = training_curves(tmp_path)
    assert set(curves) == {"lr", "loss", "val_loss", "val_accuracy"}
    assert curves["loss"]["epoch"] == [1, 2]
    assert curves["loss"]["value"] == pytest.approx([1.5, 0.5])
    assert curves["val_loss"] == {"epoch": [1, 2], "value": [1.8, 1.9]}


def test_no_log_is_no_curve(tmp_path: Path) -> None:
    assert training_curves(tmp_path) == {}
