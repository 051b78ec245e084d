"""The manifest: what continues a run, and what is told when something differs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smearlab.batch.manifest import (
    Input,
    Manifest,
    changed_inputs,
    differences,
    read_manifest,
    start_time,
    write_manifest,
)
from smearlab.errors import OutputExistsError


def manifest(**changes: Any) -> Manifest:
    inputs = tuple(Input(f"f{i}", f"in/f{i}.png", 100 + i, 7) for i in range(6))
    held = Manifest(inputs, {"--um-per-px": 0.1}, {"segmenter": {"sha256": "aa"}}, "2024-05-01")
    return replace(held, **changes)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    odd = Input("odd", "in/\udcff\n.png", -1, 0)  # a name with a byte that is no UTF-8
    written = manifest(inputs=(odd, *manifest().inputs))
    write_manifest(tmp_path / "run.json", written)
    again = read_manifest(tmp_path / "run.json")
    assert again == written
    assert read_manifest(tmp_path / "other.json") is None


def test_the_same_command_differs_in_nothing(tmp_path: Path) -> None:
    options = {"nan": math.nan, "pair": (1, 2)}  # JSON gives back a list
    write_manifest(tmp_path / "run.json", manifest(options=options))
    held = read_manifest(tmp_path / "run.json")
    assert held is not None
    assert differences(held, manifest(options=options, started="later")) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": "9.9"}, "smearlab 0.1.0 there, 9.9 now"),
        ({"options": {"--um-per-px": None}}, "option --um-per-px is 0.1 there, null now"),
        ({"options": {}}, "option --um-per-px is 0.1 there, null now"),
        ({"models": {"segmenter": {"sha256": "bb"}}}, 'segmenter is {"sha256": "aa"} there'),
        ({"inputs": manifest().inputs[:1]}, "in/f1.png, in/f2.png, in/f3.png and 2 more there"),
        (
            {"inputs": (*manifest().inputs, Input("new", "in/new.png", 1, 1))},
            "in/new.png asked for now, not there",
        ),
    ],
)
def test_every_difference_is_named(changes: dict[str, Any], told: str) -> None:
    found = differences(manifest(), manifest(**changes))
    assert len(found) == 1
    assert told in found[0]


def test_changed_files_are_those_of_another_size_or_time() -> None:
    first, second, third, *rest = manifest().inputs
    now = (replace(first, size=1), replace(second, mtime_ns=8), third, *rest)
    assert changed_inputs(manifest(), manifest(inputs=now)) == list(now[:2])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_what_cannot_be_understood_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(OutputExistsError, match=r"run\.json cannot be understood .*--force"):
        read_manifest(path)


def test_start_time_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1714521600")
    assert start_time() == "2024-05-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert start_time() > "2024-05-01T00:00:00Z"


def test_a_file_that_cannot_be_looked_at() -> None:
    assert Input.of("x", "/no/such/file") == Input("x", "/no/such/file", -1, 0)
