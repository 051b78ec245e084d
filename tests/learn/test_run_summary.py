"""Summaries of runs: the same when read again, and named when they are of another kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from smearlab.errors import RunError
from smearlab.learn.run_summary import is_run_of, load_summary, save_summary


@dataclass(frozen=True)
class Told:
    names: tuple[str, ...]
    figure: float | None
    kind: str = "sieve"


def load(run: Path, kind: str = "sieve") -> Told:
    return load_summary(Told, run, kind, f"a {kind}", ("names",))


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    save_summary(tmp_path, Told(("a", "ü"), 0.5))
    assert load(tmp_path) == Told(("a", "ü"), 0.5)
    save_summary(tmp_path, Told((), math.nan))
    assert load(tmp_path).figure is None  # undefined, and valid JSON
    assert is_run_of("sieve", tmp_path)
    assert not is_run_of("mill", tmp_path)


def test_a_run_of_another_kind_is_named(tmp_path: Path) -> None:
    save_summary(tmp_path, Told((), None))
    with pytest.raises(RunError, match="is a run of a sieve, not of a mill"):
        load(tmp_path, "mill")


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is no finished run, summary\.json is missing"):
        load(tmp_path)
    assert not is_run_of("sieve", tmp_path)
    for content in ("{", "[1]", '{"kind": "sieve", "names": []}', '{"kind": "sieve", "names": 3}'):
        (tmp_path / "summary.json").write_text(content)
        with pytest.raises(RunError, match=r"summary\.json cannot be read"):
            load(tmp_path)
