"""When checkpoints are due, by a clock that is told what time it is."""

from __future__ import annotations

import pytest

from smearlab.learn.train import progress
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.progress import CheckpointPace


class Clock:
    """Seconds as they are told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(progress, "time", told)
    return told


def write(pace: CheckpointPace, clock: Clock, seconds: float) -> None:
    with pace.writing():
        clock.now += seconds


def test_inside_an_epoch_one_is_due_after_the_minutes(clock: Clock) -> None:
    pace = CheckpointPace(TrainConfig(checkpoint_minutes=2), parameters=10**8)
    clock.now += 119
    assert not pace.is_due(False)
    clock.now += 1
    assert pace.is_due(False)
    write(pace, clock, 3)
    assert not pace.is_due(False)
    clock.now += 120
    assert pace.is_due(False)


def test_without_minutes_only_epochs_have_one(clock: Clock) -> None:
    pace = CheckpointPace(TrainConfig(checkpoint_minutes=0), parameters=10**8)
    clock.now += 1e6
    assert not pace.is_due(False)
    assert pace.is_due(True)


def test_checkpoints_of_short_epochs_take_a_twentieth_of_the_time(clock: Clock) -> None:
    pace = CheckpointPace(TrainConfig(), parameters=16_806_949)
    clock.now += 1
    assert pace.is_due(True), "what one costs is not known before the first"
    write(pace, clock, 3)
    clock.now += 59
    assert not pace.is_due(True)
    clock.now += 1
    assert pace.is_due(True)


def test_a_small_network_has_one_every_epoch(clock: Clock) -> None:
    pace = CheckpointPace(TrainConfig(), parameters=653_129)
    write(pace, clock, 3)
    assert pace.is_due(True)
    assert not pace.is_due(False)
