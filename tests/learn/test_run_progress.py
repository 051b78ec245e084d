"""What a run folder tells of its training, and when a run is done."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smearlab.errors import UsageError
from smearlab.learn.run_progress import (
    conclude,
    digest_of,
    is_done,
    progress_of,
    warnings_later,
)
from smearlab.learn.train.adversarial_watch import GameWarning
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.run_folder import open_run

HERE = {"device": "a processor", "machine": "x86_64", "threads": 2, "precision": "32-true"}


def run_with(
    folder: Path, *machines: dict[str, object], seconds: float = 8.0, best: int = 3
) -> Path:
    kept = {"hardware": machines[0], "went_on_with": list(machines[1:])}
    (folder / "config.json").write_text(json.dumps(kept))
    told = {"step": 40, "seconds": seconds, "standing": {"best_epoch": best}}
    (folder / "checkpoint.json").write_text(json.dumps(told))
    steps = [{"step": n + 1, "epoch": n // 10} for n in range(40)]
    (folder / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in steps))
    return folder


def test_steps_times_pictures_a_step_by_seconds(tmp_path: Path) -> None:
    found = progress_of(run_with(tmp_path, HERE), step_samples=6)
    assert (found.epochs, found.best_epoch, found.steps) == (4, 3, 40)
    assert found.train_seconds == 8.0 and found.images_per_s == 40 * 6 / 8.0
    assert found.hardware == "a processor (x86_64), 2 threads"


def test_all_machines_are_named_in_their_order_each_once(tmp_path: Path) -> None:
    other = {**HERE, "threads": 1, "precision": "bf16-mixed"}
    found = progress_of(run_with(tmp_path, HERE, other, HERE), step_samples=1)
    assert found.hardware == "a processor (x86_64), 2 threads, then a processor (x86_64), 1 threads"
    assert found.precision == "32-true, then bf16-mixed"


def test_nothing_trained_has_no_rate_and_no_choice_is_the_last_epoch(tmp_path: Path) -> None:
    found = progress_of(run_with(tmp_path, HERE, seconds=0.0, best=0), step_samples=6)
    assert found.train_seconds is None and found.images_per_s is None
    assert found.best_epoch == 4


def test_a_run_is_done_with_its_summary_and_other_settings_are_refused(tmp_path: Path) -> None:
    train, said = TrainConfig(epochs=2), []
    run = tmp_path / "run"
    assert not is_done(run, train, {"recipe": "a"}, said.append)  # not begun
    assert not run.exists()
    open_run(run, {"train": {**vars(train)}, "recipe": "a"}, HERE)
    assert not is_done(run, train, {"recipe": "a"}, said.append)
    (run / "summary.json").write_text("{}")
    assert is_done(run, train, {"recipe": "a"}, said.append)
    assert said == [f"{run} is done"]
    with pytest.raises(UsageError, match="epochs"):
        is_done(run, TrainConfig(epochs=3), {"recipe": "a"}, said.append)
    with pytest.raises(UsageError, match="recipe"):
        is_done(run, train, {"recipe": "b"}, said.append)


def test_what_was_noticed_is_said_before_the_summary_is_kept(tmp_path: Path) -> None:
    happened: list[str] = []

    @dataclass(frozen=True)
    class Kept:
        warnings: tuple[str, ...] = field(default=("alike", "diverged"))

        def save(self, run: Path) -> None:
            happened.append(f"saved in {run.name}")

    conclude(tmp_path / "x", Kept(), happened.append)
    assert happened == ["warning: alike", "warning: diverged", "saved in x"]


def test_warnings_of_games_wait_and_others_do_not() -> None:
    with pytest.warns(UserWarning, match="mind") as seen, warnings_later():
        warnings.warn("collapse", GameWarning, stacklevel=1)
        warnings.warn("mind", UserWarning, stacklevel=1)
    assert [str(one.message) for one in seen] == ["mind"]


def test_a_digest_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"weights")
    assert digest_of(tmp_path / "w") == hashlib.sha256(b"weights").hexdigest()[:16]
    assert digest_of(None) is None
