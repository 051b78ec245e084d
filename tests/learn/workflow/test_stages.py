"""Stages are made once, again where something changed, and never from another version's remains."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from smearlab.errors import RunError
from smearlab.io import locks
from smearlab.learn.workflow.stages import RECORD, Done, Stage, Workshop


class Counted:
    """A stage's work that tells how often it was done."""

    def __init__(self, **facts: Any) -> None:
        self.calls, self.facts = 0, facts

    def __call__(self, folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        self.calls += 1
        (folder / "result.txt").write_text(" ".join(sorted(needs)))
        return {"calls": self.calls, **self.facts}


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    first, second = Counted(), Counted()

    def chain(number: int) -> Stage:
        return Stage("second", second, {"number": number}, (Stage("first", first),))

    done = Workshop(tmp_path).done(chain(1))
    assert not done.kept and (done.folder / "result.txt").read_text() == "first"
    again = Workshop(tmp_path).done(chain(1))
    assert again.kept and again.key == done.key and again.facts == {"calls": 1}
    changed = Workshop(tmp_path).done(chain(2))
    assert not changed.kept and changed.folder != done.folder
    assert (first.calls, second.calls) == (1, 2), "only what changed is made"
    assert Workshop(tmp_path).done(chain(1)).kept, "the old one is still there"


def test_the_same_result_by_another_way_changes_nothing_after_it(tmp_path: Path) -> None:
    last = Counted()
    for setting in (1, 2):
        first = Stage("first", Counted(digest="the same pictures"), {"setting": setting})
        done = Workshop(tmp_path).done(Stage("last", last, needs=(first,)))
    assert last.calls == 1 and done.kept
    other = Stage("first", Counted(digest="other pictures"), {"setting": 3})
    assert not Workshop(tmp_path).done(Stage("last", last, needs=(other,))).kept


def test_a_stopped_stage_goes_on_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        (folder / "half.txt").write_text("half")
        now[0] += 100
        raise KeyboardInterrupt

    def going_on(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        now[0] += 20
        return {"found": (folder / "half.txt").read_text()}

    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with pytest.raises(KeyboardInterrupt):
        Workshop(tmp_path).done(Stage("training", killed))
    done = Workshop(tmp_path).done(Stage("training", going_on))
    assert done.facts == {"found": "half"}
    assert done.seconds == 120, "the interrupted call took its time, too"


def test_what_another_process_makes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads with a workshop each stand for two processes."""
    monkeypatch.setattr(locks, "_TICK_S", 0.01)
    began, told = Event(), Event()
    said: list[str] = []

    def slow(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        began.set()
        assert told.wait(30), "the other one never waited"
        return {"by": "the first"}

    def say(line: str) -> None:
        said.append(line)
        told.set()

    def never(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        raise AssertionError("it was made twice")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Workshop(tmp_path).done, Stage("training", slow))
        assert began.wait(30)
        second = Workshop(tmp_path, say).done(Stage("training", never))
    assert not first.result().kept
    assert second.kept and second.facts == {"by": "the first"}
    assert said == [f"training: process {os.getpid()} is making it; waiting"]


def test_another_version_and_damage_are_named(tmp_path: Path) -> None:
    stage = Stage("first", Counted())
    record = Workshop(tmp_path).done(stage).folder / RECORD
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "format": 0, "smearlab": "0.0.9"}))
    with pytest.raises(RunError, match=r"written by smearlab 0\.0\.9 in format 0.*delete"):
        Workshop(tmp_path).done(stage)
    record.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Workshop(tmp_path).done(stage)
    assert record.read_text() == "{", "nothing is overwritten"


def test_stages_are_told_in_their_order(tmp_path: Path) -> None:
    said: list[str] = []
    shop = Workshop(tmp_path, said.append)
    first = Stage("first", Counted())
    shop.done(Stage("second", Counted(), needs=(first,)))
    shop.done(Stage("third", Counted(), needs=(first,)))
    assert [one.name for one in shop.made] == ["first", "second", "third"]
    assert [line.partition(":")[0] for line in said] == ["first", "second", "third"]
