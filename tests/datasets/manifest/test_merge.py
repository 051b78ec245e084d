"""Merging: one root, one row a file, contradictions named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.merge import merged
from smearlab.errors import ManifestError, UsageError


def test_paths_are_seen_from_the_common_folder(tmp_path: Path) -> None:
    first = manifest_of([{"mask": "m.png"}, {"label": "a"}], tmp_path / "one")
    second = manifest_of([{"path": "x/0.png"}], tmp_path / "two" / "deep")
    done = merged([first, second], ["one.parquet", "two.parquet"])
    assert done.root == tmp_path
    assert done.column("path").tolist() == ["one/0.png", "one/1.png", "two/deep/x/0.png"]
    assert done.column("mask").tolist() == ["one/m.png", None, None]
    for path, old in zip(done.column("path"), [*first.column("path"), "x/0.png"], strict=True):
        assert path.endswith(old)
    (line,) = done.provenance
    assert [one["rows"] for one in line["arguments"]["inputs"]] == [2, 1]
    assert line["arguments"]["inputs"][0]["provenance"] == list(first.provenance)


def test_equal_roots_change_no_path(tmp_path: Path) -> None:
    done = merged([manifest_of([{"path": n}], tmp_path) for n in ("a", "b")])
    assert done.root == tmp_path
    assert done.column("path").tolist() == ["a", "b"]


def test_the_same_row_is_kept_once(tmp_path: Path) -> None:
    one = manifest_of([{"label": "a"}, {"label": "b"}], tmp_path)
    done = merged([one, one, manifest_of([{"path": "new"}], tmp_path)])
    assert done.column("path").tolist() == ["0.png", "1.png", "new"]
    assert done.provenance[-1]["changed"] == {"same_rows_dropped": 2}


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [("label", "eo", "ba"), ("split", "train", "test"), ("label", None, "ba")],
)
def test_rows_that_differ_are_refused(
    tmp_path: Path, column: str, one: str | None, other: str
) -> None:
    first = manifest_of([{"path": "z"}, {column: one}], tmp_path)
    second = manifest_of([{"path": "1.png", column: other}], tmp_path)
    complaint = f"a.csv row 2 and b.csv row 1 both name 1.png, with {column} {one!r} and {other!r}"
    with pytest.raises(ManifestError, match=re.escape(complaint)):
        merged([first, second], ["a.csv", "b.csv"])


def test_nothing_is_no_table() -> None:
    with pytest.raises(UsageError, match="at least one manifest"):
        merged([])
