"""Two processes on this machine learn what one learns; accumulated batches, what a large one does.

Sums are taken in another order then, so numbers are compared to a tolerance: 1e-4 of a loss after
twelve steps.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_processes import train_in_processes, train_plain
from toy_run import losses_of

from smearlab.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gloo on loopback needs POSIX")


def assert_close(run: Path, other: Path, weights: str = "model.safetensors") -> None:
    """The same loss curve, and weights that end at the same place."""
    assert losses_of(run) == pytest.approx(losses_of(other), rel=1e-4, abs=1e-4)
    ours, theirs = load_file(run / weights), load_file(other / weights)
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_small_batches_make_the_step_of_a_large_one(optimizer: str, tmp_path: Path) -> None:
    train_plain(tmp_path / "large", batch_size=12, optimizer=optimizer)
    train_plain(tmp_path / "small", batch_size=4, accumulate=3, optimizer=optimizer)
    assert len(losses_of(tmp_path / "large")) == 8
    assert_close(tmp_path / "small", tmp_path / "large")
    train_plain(tmp_path / "other", batch_size=4, optimizer=optimizer)
    assert losses_of(tmp_path / "other")[:8] != pytest.approx(losses_of(tmp_path / "large"))


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    """The same global batch, in micro-batches; a falling rate that follows the validation."""
    settings = {"batch_size": 6, "accumulate": 2, "schedule": "plateau", "plateau_patience": 1}
    train_plain(tmp_path / "one", **settings)
    train_in_processes(tmp_path / "two", 2, **settings)
    assert_close(tmp_path / "two", tmp_path / "one", "best.safetensors")
    assert_close(tmp_path / "two", tmp_path / "one")
    lines = (tmp_path / "two" / "validation.jsonl").read_text().splitlines()
    assert [json.loads(line)["best"] for line in lines] == [True, True, False, False]
    hardware = json.loads((tmp_path / "two" / "config.json").read_text())["hardware"]
    assert hardware["processes"] == 2

    # One process goes on with what two began, and finds nothing left to do.
    before = (tmp_path / "two" / "log.jsonl").read_bytes()
    train_plain(tmp_path / "two", **settings)
    assert (tmp_path / "two" / "log.jsonl").read_bytes() == before


def test_a_batch_that_cannot_be_shared_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="batch_size 8 cannot be shared evenly by 3 processes"):
        train_plain(tmp_path / "run")
    assert not (tmp_path / "run").exists()
