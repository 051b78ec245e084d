"""Splits: shares read and kept, ties respected, synthetic rows in training only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_rows import manifest_of
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.splits import Shares, hold_out, k_fold
from smearlab.errors import ManifestError, UsageError


@pytest.mark.parametrize(
    ("text", "val", "expected"),
    [
        ("70/10/20", 0, (0.7, 0.1, 0.2)),
        ("80/10/10", 0, (0.8, 0.1, 0.1)),
        ("70/30", 10, (0.63, 0.07, 0.3)),
        ("70/30", 0, (0.7, 0, 0.3)),
        ("12.5/25/62.5", 0, (0.125, 0.25, 0.625)),
    ],
)
def test_shares_are_read(text: str, val: float, expected: tuple[float, ...]) -> None:
    shares = Shares.parse(text, val)
    assert (shares.train, shares.val, shares.test) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "val", "complaint"),
    [
        ("70/10", 0, "must sum to 1"),
        ("70", 0, "e.g. 70/10/20; received '70'"),
        ("a/b", 0, "received 'a/b'"),
        ("0/50/50", 0, "train above 0"),
        ("120/-20", 0, "must lie in 0 to 1"),
        ("70/10/20", 10, "leave val-of-train out"),
        ("70/30", 100, "a percent below 100; received 100"),
    ],
)
def test_bad_shares_are_refused(text: str, val: float, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Shares.parse(text, val)


some = st.none() | st.sampled_from("abc")
row = st.fixed_dictionaries(
    {
        "group": st.none() | st.sampled_from("ghijkl"),
        "sha256": st.none() | st.sampled_from("0123456789"),
        "source": some,
        "source_image": some,
        "patient": some,
        "type": some,
        "synthetic": st.sampled_from([False, False, False, True]),
    }
)


@given(rows=st.lists(row, min_size=1, max_size=40), seed=st.integers(0, 99))
def test_no_hold_out_ever_leaks(rows: list[dict[str, Any]], seed: int) -> None:
    done = hold_out(manifest_of(rows), Shares(0.6, 0.2, 0.2), seed=seed)
    assert find_leaks(done) == ()
    split = done.column("split")
    assert set(split) <= {"train", "val", "test"}
    assert (split[done.column("synthetic").astype(bool)] == "train").all()


@given(rows=st.lists(row, min_size=8, max_size=40), seed=st.integers(0, 99))
def test_no_fold_ever_leaks(rows: list[dict[str, Any]], seed: int) -> None:
    alone = [{"type": "a"}] * 4
    done = k_fold(manifest_of([*rows, *alone]), 3, seed=seed)
    assert find_leaks(done) == ()
    folds = done.table.column("fold").to_pylist()
    assert {fold for fold in folds if fold is not None} == {0, 1, 2}
    for fold, synthetic in zip(folds, done.column("synthetic"), strict=True):
        assert fold is None or not synthetic


def test_seeds_and_provenance() -> None:
    manifest = manifest_of([{"type": "ab"[n % 2]} for n in range(100)])
    first = hold_out(manifest, Shares(0.7, 0.1, 0.2), seed=3)
    assert (
        first.column("split").tolist()
        == hold_out(manifest, Shares(0.7, 0.1, 0.2), seed=3).column("split").tolist()
    )
    assert (
        first.column("split") != hold_out(manifest, Shares(0.7, 0.1, 0.2), seed=4).column("split")
    ).any()
    line = first.provenance[-1]
    assert line["operation"] == "split"
    assert line["arguments"]["seed"] == 3
    assert line["changed"]["counts"] == {name: {"train": 35, "val": 5, "test": 10} for name in "ab"}
    assert line["changed"]["worst_rows_off"] == 0


def test_a_part_without_a_share_stays_empty() -> None:
    done = hold_out(manifest_of([{}] * 50), Shares.parse("70/30"))
    assert sorted(done.column("split")) == ["test"] * 15 + ["train"] * 35


def test_synthetic_rows_count_for_nothing() -> None:
    rows = [{"type": "a", "synthetic": n >= 50} for n in range(1050)]
    done = hold_out(manifest_of(rows), Shares(0.7, 0.1, 0.2))
    split = done.column("split")
    assert np.unique(split[:50], return_counts=True)[1].tolist() == [10, 35, 5]
    assert (split[50:] == "train").all()


def test_classes_may_be_made_of_several_columns() -> None:
    rows = [{"type": "ab"[n % 2], "dataset": "xy"[n // 50]} for n in range(100)]
    done = k_fold(manifest_of(rows), 5, by=["dataset", "type"])
    assert sorted(done.provenance[-1]["changed"]["counts"]) == ["x/a", "x/b", "y/a", "y/b"]
    for line in done.provenance[-1]["changed"]["counts"].values():
        assert set(line.values()) == {5}


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(ManifestError, match="no rows"):
        hold_out(manifest_of([]), Shares(0.7, 0.1, 0.2))
    with pytest.raises(UsageError, match="at least 2 folds; received 1"):
        k_fold(manifest_of([{}] * 5), 1)
    with pytest.raises(UsageError, match="5 folds need as many groups"):
        k_fold(manifest_of([{"group": "g"}] * 5), 5)
    with pytest.raises(UsageError, match="received 'colour'"):
        hold_out(manifest_of([{}]), Shares(1, 0, 0), by=["colour"])
