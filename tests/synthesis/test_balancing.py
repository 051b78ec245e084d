"""A plan carried out: every type level, the new rows only trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifest_rows import manifest_of
from smearlab.datasets.manifest.balance import BalanceRules, balance_plan
from smearlab.datasets.manifest.fingerprints import fingerprints
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError, OutputExistsError
from smearlab.synthesis.balancing import balanced
from smearlab.synthesis.generator import Generator
from tiny_generators import write_generator


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator.load(write_generator(tmp_path_factory.mktemp("g") / "colours"))


def real(root: Path) -> Manifest:
    kinds = [("basophil", "train")] * 5 + [("eosinophil", "train")] * 2 + [("eosinophil", "test")]
    rows: list[dict[str, Any]] = [{"type": kind, "split": part} for kind, part in kinds]
    return manifest_of(rows, root)


def test_types_become_level(model: Generator, tmp_path: Path) -> None:
    manifest = real(tmp_path / "real")
    plans = balance_plan(manifest)
    done = balanced(manifest, plans, {"eosinophil": model}, tmp_path / "made", seed=1)
    train = done.take(done.column("split") == "train")
    kinds, counts = np.unique(train.column("type"), return_counts=True)
    assert dict(zip(kinds, counts, strict=True)) == {"basophil": 5, "eosinophil": 5}
    added = done.take(done.column("synthetic").astype(bool))
    assert len(added) == 3 and set(added.column("split")) == {"train"}
    assert all(done.file(path).is_file() for path in added.column("path"))
    assert find_leaks(done) == () and done.root == tmp_path
    assert [plan.to_make for plan in balance_plan(done)] == [0, 0]


def test_a_balanced_manifest_needs_nothing(model: Generator, tmp_path: Path) -> None:
    manifest = manifest_of([{"type": "basophil", "split": "train"}], tmp_path / "real")
    done = balanced(manifest, balance_plan(manifest), {}, tmp_path / "made", seed=1)
    assert done.column("path").tolist() == ["real/0.png"]


def test_pictures_that_are_there_are_not_added_twice(model: Generator, tmp_path: Path) -> None:
    manifest = real(tmp_path / "real")
    makers = dict.fromkeys(("basophil", "eosinophil"), model)
    first = balanced(manifest, balance_plan(manifest), makers, tmp_path / "made", seed=1)
    plans = balance_plan(first, BalanceRules(target=7))
    with pytest.raises(ManifestError, match=r"row 9 \(made/eosinophil/.*00000.png\) is .* already"):
        balanced(first, plans, makers, tmp_path / "made", seed=1)
    with pytest.raises(OutputExistsError, match="generated with seed 1, not 2"):
        balanced(first, plans, makers, tmp_path / "made", seed=2)
    more = balanced(first, plans, makers, tmp_path / "more", seed=2)
    assert [plan.synthetic for plan in balance_plan(more, BalanceRules(target=7))] == [2, 5]


def test_a_generator_that_saw_held_out_pictures_makes_none(tmp_path: Path) -> None:
    sums = [f"{n:02x}" * 32 for n in range(8)]
    manifest = real(tmp_path / "real").with_columns(sha256=sums)
    for seen, refused in ((sums[:7], False), (sums[6:], True)):
        learned = {"pictures": len(seen), "fingerprints": fingerprints(seen)}
        place = tmp_path / f"saw {len(seen)}"
        saw = Generator.load(write_generator(place / "model", learned_from=learned))
        makers = {"eosinophil": saw}
        if refused:
            with pytest.raises(ManifestError, match=r"learned from 1 pictures .* 7\.png \(test\)"):
                balanced(manifest, balance_plan(manifest), makers, place / "made", seed=1)
            assert not (place / "made").exists()
        else:
            assert len(balanced(manifest, balance_plan(manifest), makers, place / "made", seed=1))
