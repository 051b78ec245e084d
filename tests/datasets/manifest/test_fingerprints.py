"""What a generator learned from is known again, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.balance import with_synthetic
from smearlab.datasets.manifest.fingerprints import (
    LEARNED,
    fingerprints,
    is_among,
    learned_rows,
    told_by,
)
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError


def checksum(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def test_only_what_was_learned_from_is_known() -> None:
    told = [fingerprints([checksum(str(n)) for n in range(500)]), fingerprints([checksum("x")])]
    sums = [*(checksum(str(n)) for n in range(1000)), checksum("x"), None]
    found = is_among(sums, told)
    assert found[:500].all() and not found[500:1000].any()
    assert found[1000] and not found[1001]
    assert len(told[0]) == 500 * 8, "six bytes a picture, as base64"
    with pytest.raises(ManifestError, match="cannot be read"):
        is_among(sums, ["no base64!"])


def made_by(model: str, *words: str) -> Manifest:
    rows: list[dict[str, Any]] = [{"type": "basophil", "synthetic": True, "path": "made/0.png"}]
    told = fingerprints(checksum(word) for word in words)
    return manifest_of(rows).noted(LEARNED, model=model, pictures=len(words), fingerprints=told)


REAL = [
    {"type": "basophil", "split": part, "sha256": checksum(word), "group": group}
    for word, part, group in (
        ("a", "train", "g1"), ("b", "train", None), ("c", "val", "g2"), ("d", "test", "g3"),
        ("e", "test", "g3"), ("f", "test", None),
    )
]  # fmt: skip


def test_a_held_out_picture_that_taught_a_generator_is_a_leak() -> None:
    assert find_leaks(with_synthetic(manifest_of(REAL), made_by("gan", "a", "b"))) == ()
    (leak,) = find_leaks(with_synthetic(manifest_of(REAL), made_by("gan", "a", "d")))
    assert (leak.tie, leak.parts) == ("generator", ("test",))
    assert leak.rows == (4, 5), "its twin of the same group, too"
    assert leak.key == "2 pictures that gan learned from"


def test_without_its_pictures_a_generator_leaks_nothing() -> None:
    told = manifest_of(REAL).noted(LEARNED, model="gan", fingerprints=fingerprints([checksum("d")]))
    assert find_leaks(told) == ()
    rows, models = learned_rows(told, told.provenance)
    assert rows.tolist() == [False, False, False, True, True, False] and models == ("gan",)


def test_models_are_told_through_merged_tables() -> None:
    both = with_synthetic(manifest_of(REAL), made_by("one", "a"))
    again = with_synthetic(both, made_by("two", "b").with_columns(path=["made/1.png"]))
    assert [name for name, _ in told_by(again.provenance)] == ["one", "two"]
