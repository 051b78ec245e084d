"""Two processes on this machine play what one plays, with the same batches.

Sums are taken in another order then, so numbers are compared to a tolerance.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_game import lines_of, play_in_processes, play_plain

from smearlab.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gloo on loopback needs POSIX")


@pytest.mark.parametrize(
    "settings",
    [
        {"critic_steps": 2, "penalty": "r1", "penalty_weight": 0.5, "ema": 0.5},
        {"steps": "simultaneous", "loss": "least_squares", "clip_norm": 1.0},
    ],
    ids=["alternating", "simultaneous"],
)
def test_two_processes_play_what_one_plays(settings: dict[str, object], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    play_plain(one, **settings)
    play_in_processes(two, 2, **settings)
    # Two pictures' distance is known to the process that has both.
    elsewhere = {"spread_real", "spread_fake"}
    for ours, theirs in zip(lines_of(two), lines_of(one), strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - elsewhere:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-4), name
    weights, others = (load_file(run / "model.safetensors") for run in (two, one))
    for name, value in weights.items():
        torch.testing.assert_close(value, others[name], rtol=1e-3, atol=1e-4)
    assert json.loads((two / "config.json").read_text())["hardware"]["processes"] == 2

    # One process goes on with what two began, and finds nothing left to do.
    before = (two / "log.jsonl").read_bytes()
    play_plain(two, **settings)
    assert (two / "log.jsonl").read_bytes() == before


def test_a_batch_that_cannot_be_shared_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="batch_size 4 cannot be shared evenly by 3 processes"):
        play_plain(tmp_path / "run")
    assert not (tmp_path / "run").exists()
