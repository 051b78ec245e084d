"""Fewer rows of each type."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.sample import sampled
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import UsageError


@pytest.fixture
def given(tmp_path: Path) -> Manifest:
    """30 neutrophils, 5 platelets, 4 rows without a type."""
    types = ["neutrophil"] * 30 + ["platelet"] * 5 + [None] * 4
    rows = [{"path": f"{n}.png", "type": one} for n, one in enumerate(types)]
    return manifest_of(rows, tmp_path)


def test_each_type_keeps_as_many_as_are_asked_for(given: Manifest) -> None:
    done = sampled(given, 8)
    types = done.column("type").tolist()
    assert [types.count(one) for one in ("neutrophil", "platelet", None)] == [8, 5, 4]
    assert done.provenance[-1]["changed"] == {
        "rows": {"neutrophil": 8, "platelet": 5, "?": 4}, "left_out_rows": 22,
    }  # fmt: skip
    places = [int(path.removesuffix(".png")) for path in done.column("path")]
    assert places == sorted(places)


def test_seeds_tell_which_rows(given: Manifest) -> None:
    drawn = [tuple(sampled(given, 8, seed=seed).column("path")) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_cannot_be_drawn_is_named(given: Manifest) -> None:
    with pytest.raises(UsageError, match="at least 1 row of each type; received 0"):
        sampled(given, 0)
    with pytest.raises(UsageError, match="received 'colour'"):
        sampled(given, 3, by="colour")
    assert len(sampled(sampled(given, 1), 3)) == 3
