"""Counting rows by columns."""

from __future__ import annotations

import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.counts import counted
from smearlab.errors import UsageError


def test_rows_are_counted_by_any_columns() -> None:
    manifest = manifest_of(
        [
            {"type": "a", "split": "test"},
            {"type": "a", "split": "train"},
            {"type": "a", "split": "train"},
            {"type": None, "split": "val", "dataset": "other"},
            {"type": "a"},
        ]
    )
    columns, lines = counted(manifest)
    assert columns == ["train", "val", "test", "?"]
    assert lines == [(("other", "?"), [0, 1, 0, 0]), (("set", "a"), [2, 0, 1, 1])]
    columns, lines = counted(manifest, ["split"], "dataset")
    assert columns == ["other", "set"]
    assert dict(lines) == {("train",): [0, 2], ("val",): [1, 0], ("test",): [0, 1], ("?",): [0, 1]}
    assert counted(manifest_of([])) == ([], [])
    with pytest.raises(UsageError, match="received 'colour'"):
        counted(manifest, ["colour"])


def test_folds_come_in_their_order() -> None:
    manifest = manifest_of([{"fold": n} for n in (10, 2, 0)])
    assert counted(manifest, ["dataset"], "fold")[0] == ["0", "2", "10"]
