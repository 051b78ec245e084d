"""Best epoch, plateaus and early stopping, epoch by epoch."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.stopping import Standing

#: Paper D's settings.
PAPER_D = TrainConfig(
    schedule="plateau", plateau_factor=0.2, plateau_patience=2, stop_patience=3, stop_min_delta=0.1
)


def course(losses: list[float], config: TrainConfig) -> list[Standing]:
    standing, standings = Standing(), []
    for epoch, loss in enumerate(losses, start=1):
        standing = standing.after(epoch, loss, config)
        standings.append(standing)
        if standing.is_over(config):
            break
    return standings


def test_the_rate_falls_after_every_two_flat_epochs() -> None:
    config = TrainConfig(schedule="plateau", plateau_factor=0.2, plateau_patience=2)
    found = course([1.0, 0.9, 0.9, 0.95, 0.9, 0.91, 0.8, 0.85, 0.86], config)
    scales = [standing.rate_scale for standing in found]
    assert scales == pytest.approx([1, 1, 1, 0.2, 0.2, 0.04, 0.04, 0.04, 0.008])
    assert [standing.best_epoch for standing in found] == [1, 2, 2, 2, 2, 2, 7, 7, 7]


def test_training_ends_when_it_does_not_improve_by_enough() -> None:
    """0.95 and 0.92 are lower than 1, but not by more than 0.1; 0.85 is; three after it are not."""
    found = course([1.0, 0.95, 0.92, 0.85, 0.84, 0.80, 0.76, 0.1], PAPER_D)
    assert [standing.stop_epochs for standing in found] == [0, 1, 2, 0, 1, 2, 3]
    assert found[-1].is_over(PAPER_D)
    assert (found[-1].best_epoch, found[-1].best_loss) == (7, 0.76)


def test_nothing_ends_or_falls_unless_asked() -> None:
    config = TrainConfig()
    final = course([1.0] * 50, config)[-1]
    assert not final.is_over(config)
    assert final.rate_scale == 1
    assert final.best_epoch == 1


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30))
def test_the_best_epoch_is_the_first_of_the_lowest(losses: list[float]) -> None:
    final = course(losses, TrainConfig(schedule="plateau", plateau_patience=3))[-1]
    assert final.best_loss == min(losses)
    assert final.best_epoch == losses.index(min(losses)) + 1
    assert 0 < final.rate_scale <= 1


def test_a_checkpoint_can_keep_it() -> None:
    for standing in (Standing(), *course([1.0, 2.0], PAPER_D)):
        assert Standing(**json.loads(json.dumps(asdict(standing), allow_nan=False))) == standing
