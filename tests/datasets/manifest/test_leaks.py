"""Leaks: every kind that is planted is found and named, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.leaks import (
    ALWAYS_TRAIN,
    across,
    duplicates_sought,
    find_leaks,
)
from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.ties import unit_names, units
from smearlab.errors import ManifestError

CLEAN: list[dict[str, Any]] = [
    {"split": "train", "group": "g1", "sha256": "00", "source": "s", "source_image": "i1"},
    {"split": "train", "group": "g1", "sha256": "01", "source": "s", "patient": "p1"},
    {"split": "test", "group": "g2", "sha256": "02", "source": "t", "source_image": "i1"},
    {"split": "val", "sha256": "03", "source": "t", "patient": "p1"},
    {"split": None, "group": "g2", "sha256": "00"},
]


def test_a_clean_split_has_none() -> None:
    assert find_leaks(manifest_of(CLEAN)) == ()


@pytest.mark.parametrize(
    ("changed", "tie", "key", "parts", "rows"),
    [
        ({"group": "g1"}, "group", "g1", ("test", "train"), (1, 2, 3)),
        ({"sha256": "03"}, "sha256", "03", ("test", "val"), (3, 4)),
        ({"source": "s"}, "source_image", "s: i1", ("test", "train"), (1, 3)),
        ({"patient": "p1"}, "patient", "t: p1", ("test", "val"), (3, 4)),
        ({"synthetic": True}, "synthetic", "1 synthetic rows", ("test",), (3,)),
    ],
)
def test_each_kind_is_named(
    changed: dict[str, Any], tie: str, key: str, parts: tuple[str, ...], rows: tuple[int, ...]
) -> None:
    (leak,) = find_leaks(manifest_of([*CLEAN[:2], {**CLEAN[2], **changed}, *CLEAN[3:]]))
    assert (leak.column, leak.tie, leak.key, leak.parts, leak.rows) == (
        *("split", tie, key, parts),
        rows,
    )
    assert len(leak.paths) == len(parts)


def test_units_are_named_by_their_groups_or_else_by_a_picture() -> None:
    rows: list[dict[str, Any]] = [
        {"source": "s", "source_image": "i1"},
        {"source": "s", "source_image": "i1"},
        {"source": "s", "source_image": "i2", "patient": "p"},
        {"source": "s", "group": "g", "patient": "p"},
        {"group": "h"},
        {},
    ]
    manifest = manifest_of(rows)
    assert unit_names(manifest).tolist() == ["0.png", "0.png", "g", "g", "h", "5.png"]
    assert len(set(units(manifest).tolist())) == 4
    assert unit_names(manifest.take(np.empty(0, np.intp))).tolist() == []


def test_the_dataset_stands_in_for_a_missing_source() -> None:
    row = {"source_image": "i", "dataset": "x"}
    leaking = [{**row, "split": "train"}, {**row, "split": "test"}]
    assert [leak.key for leak in find_leaks(manifest_of(leaking))] == ["x: i"]
    leaking[1]["dataset"] = "y"
    assert find_leaks(manifest_of(leaking)) == ()


def test_folds_are_checked_too() -> None:
    rows = [{"fold": 0, "group": "a"}, {"fold": 1, "group": "a"}, {"fold": 1}]
    (leak,) = find_leaks(manifest_of(rows))
    assert (leak.column, leak.parts) == ("fold", ("0", "1"))
    rows = [{"fold": 0, "group": "a"}, {"group": "a"}]
    (leak,) = find_leaks(manifest_of(rows))
    assert leak.parts == ("0", ALWAYS_TRAIN)
    (leak,) = find_leaks(manifest_of([{"fold": 0, "synthetic": True}, {"synthetic": True}]))
    assert (leak.tie, leak.rows) == ("synthetic", (1,))


def test_a_set_of_copies_needs_groups() -> None:
    rows = [{"dataset": "bccd4", "split": part} for part in ("train", "train", "test")]
    manifest = manifest_of(rows)
    (leak,) = find_leaks(manifest)
    assert (leak.tie, leak.parts, leak.rows) == ("ungrouped", ("test", "train"), (1, 2, 3))
    assert leak.key == "3 pictures of bccd4, altered copies of fewer"
    grouped = [{**row, "group": name} for row, name in zip(rows, "aab", strict=True)]
    assert find_leaks(manifest_of(grouped)) == ()
    sought = manifest.noted("duplicates")  # what has no group then is no copy
    assert duplicates_sought(sought) and find_leaks(sought) == ()
    merged_later = merged([sought, manifest_of([{"split": "val", "path": "other.png"}])])
    assert not duplicates_sought(merged_later) and find_leaks(merged_later) == ()


def test_near_duplicates_across_sides_are_leaks() -> None:
    manifest = manifest_of(CLEAN)
    found = across(manifest, [(0, 1), (0, 4, 2), (2, 4)])
    assert [(leak.tie, leak.rows) for leak in found] == [("near-duplicate", (1, 3))]
    assert found[0].key == "2 pictures like 0.png"
    assert found[0].parts == ("test", "train")


def test_without_a_split_there_is_nothing_to_prove() -> None:
    with pytest.raises(ManifestError, match="neither splits nor folds; make them"):
        find_leaks(manifest_of([{}]))


def test_ties_chain() -> None:
    rows = [
        {"group": "a"},
        {"group": "a", "sha256": "1"},
        {"sha256": "1", "patient": "p"},
        {"patient": "p"},
        {"patient": "p", "dataset": "other"},
        {},
        {},
    ]
    found = units(manifest_of(rows)).tolist()
    assert len(set(found[:4])) == 1
    assert len(set(found)) == 4
