"""Which pictures train, validate and test: the honest protocol parts no group, the paper's may."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from manifest_rows import manifest_of
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError, UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.split_protocols import SplitPictures, chosen_pictures, split_pictures

DATA = PictureData(("pbc",), "wbc5")
NAMES = ("neutrophil", "monocyte", "lymphocyte")


def rows(n: int = 90, **more: Any) -> list[dict[str, Any]]:
    """Groups of three pictures; types in turn, group by group."""
    return [
        {
            "dataset": "pbc",
            "source": "PBC",
            "group": f"g{k // 3}",
            "label": NAMES[k // 3 % 3],
            "sha256": f"{k:064x}",
            **more,
        }
        for k in range(n)
    ]


def split(
    manifest: Manifest, data: PictureData = DATA, protocol: Any = "honest", **more: Any
) -> list[SplitPictures]:
    return split_pictures(chosen_pictures(manifest, data), data, protocol, **more)


def groups_of(pictures: SplitPictures) -> dict[str, set[str]]:
    return {name: set(pictures.part(name).column("group")) for name in ("train", "val", "test")}


@pytest.mark.parametrize("folds", [0, 2, 5])
def test_the_honest_protocol_parts_no_group_and_tests_every_picture_once(folds: int) -> None:
    done = split(manifest_of(rows()), replace(DATA, folds=folds))
    tested: Counter[str] = Counter()
    for number, one in enumerate(done, start=1):
        assert (one.fold, one.folds) == ((number, folds) if folds else (None, None))
        assert find_leaks(one.manifest) == ()
        parts = groups_of(one)
        assert all(parts.values())
        assert not parts["train"] & parts["val"] | (parts["train"] | parts["val"]) & parts["test"]
        tested.update(one.part("test").column("path"))
        assert one.classes == ("neutrophil", "lymphocyte", "monocyte")  # as in the taxonomy
    if folds:
        assert len(done) == folds
        assert set(tested.values()) == {1} and len(tested) == 90
    else:
        assert 6 <= len(tested) <= 12  # a tenth, in whole groups


def test_the_paper_s_protocol_draws_pictures_whatever_their_group() -> None:
    (one,) = split(manifest_of(rows()), protocol="paper")
    sizes = {name: len(one.part(name)) for name in ("train", "val", "test")}
    assert sizes == {"train": 72, "val": 9, "test": 9}  # 80/10/10, to the picture
    parts = groups_of(one)
    assert parts["train"] & parts["test"], "with groups of three some are parted"
    assert set(one.manifest.column("group")) == {f"g{k}" for k in range(30)}  # they are kept


def test_the_same_seed_gives_the_same_split_and_another_does_not() -> None:
    manifest = manifest_of(rows())
    digests = [split(manifest, replace(DATA, seed=seed))[0].digest for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def test_the_published_split_is_tested_on_as_it_is_by_the_paper_only() -> None:
    given = [
        {**row, "published_split": "test" if n % 10 == 0 else "train"}
        for n, row in enumerate(rows())
    ]
    data = replace(DATA, split="published")
    (paper,) = split(manifest_of(given), data, "paper")
    assert set(paper.part("test").column("published_split")) == {"test"}
    assert len(paper.part("test")) == 9
    assert len(paper.part("val")) == pytest.approx(8.1, abs=1)
    (honest,) = split(manifest_of(given), data)
    assert find_leaks(honest.manifest) == ()
    with pytest.raises(ManifestError, match="no picture is in a published test part"):
        split(manifest_of(rows()), data, "paper")


def test_a_given_split_is_taken_and_proved_clean() -> None:
    parts = ["train"] * 60 + ["val"] * 15 + ["test"] * 15
    manifest = manifest_of(rows()).with_columns(split=parts)
    data = replace(DATA, split="given")
    (one,) = split(manifest, data)
    assert one.manifest.column("split").tolist() == parts
    parts[0] = "test"  # its group trains
    with pytest.raises(ManifestError, match="the split leaks: group g0 stands in test and train"):
        split(manifest.with_columns(split=parts), data)
    split(manifest.with_columns(split=parts), data, "paper")
    with pytest.raises(ManifestError, match="no test part"):
        split(manifest_of(rows()), data)


def test_synthetic_pictures_train_and_are_never_held_out() -> None:
    made = [
        {**row, "path": f"made-{n}.png", "synthetic": True, "group": None, "sha256": None}
        for n, row in enumerate(rows(12))
    ]
    both = manifest_of([*({**row, "path": f"{n}.png"} for n, row in enumerate(rows())), *made])
    for folds in (0, 3):
        for protocol in ("paper", "honest"):
            for one in split(both, replace(DATA, folds=folds), protocol):
                for name, n in (("train", 12), ("val", 0), ("test", 0)):
                    assert int(one.part(name).column("synthetic").sum()) == n
    given = both.with_columns(split=["train"] * 60 + ["val"] * 30 + ["test"] * 12)
    with pytest.raises(ManifestError, match=r"made-0.png is synthetic and in test \(12 such\)"):
        split(given, replace(DATA, split="given"))


def test_origins_are_crossed() -> None:
    other = [
        {**row, "path": f"r{n}.png", "source": "Raabin-WBC", "dataset": "txl_pbc",
         "group": f"r{n}", "sha256": f"{n + 1000:064x}"}
        for n, row in enumerate(rows(30))
    ]  # fmt: skip
    other[0]["group"] = "g0"  # a copy of a picture that would train
    manifest = manifest_of([*rows(), *other])
    data = PictureData(("pbc", "txl_pbc"), "wbc5", train_on=("PBC",), test_on=("Raabin-WBC",))
    (one,) = split(manifest, data)
    assert set(one.part("train").column("source")) == set(one.part("val").column("source"))
    assert set(one.part("train").column("source")) == {"PBC"}
    assert one.part("test").column("path").tolist() == [row["path"] for row in other]
    assert "g0" not in groups_of(one)["train"] | groups_of(one)["val"]
    with pytest.raises(UnknownNameError, match="unknown origin of pictures 'Raabin'; did you mean"):
        split(manifest, replace(data, test_on=("Raabin",)))


def test_fewer_training_pictures_are_among_more_and_keep_the_shares() -> None:
    manifest, before = manifest_of(rows()), set()
    for n in (9, 30, 60):
        (one,) = split(manifest, n_train=n)
        paths = set(one.part("train").column("path"))
        assert len(paths) == n and before <= paths
        before = paths
        counts = Counter(one.part("train").column("type"))
        assert max(counts.values()) - min(counts.values()) <= 1 + n // 10
        assert len(one.part("test")) == len(split(manifest)[0].part("test"))
    for n in (0, 91):
        with pytest.raises(UsageError, match=f"received {n}"):
            split(manifest, n_train=n)


def test_types_are_drawn_in_proportion() -> None:
    shares = {"neutrophil": 200.0, "monocyte": 100.0, "basophil": 9.0}
    chosen = chosen_pictures(manifest_of(rows()), replace(DATA, proportions=shares))
    # There are 30 of each; no basophils; lymphocytes are not named.
    assert Counter(chosen.column("type")) == {"neutrophil": 30, "monocyte": 15, "lymphocyte": 30}
    few = chosen_pictures(manifest_of(rows()), replace(DATA, proportions=shares, total=12))
    assert Counter(few.column("type")) == {"neutrophil": 8, "monocyte": 4, "lymphocyte": 30}
    assert set(few.column("path")) <= set(chosen.column("path"))


def test_exact_copies_count_once_and_other_sets_are_left_out() -> None:
    copy = {**rows()[4], "path": "copy.png"}
    other = {**rows()[0], "path": "other.png", "dataset": "bccd4", "sha256": "f" * 64}
    chosen = chosen_pictures(manifest_of([*rows(), copy, other]), DATA)
    assert len(chosen) == 90 and "copy.png" not in chosen.column("path")
    everything = chosen_pictures(manifest_of([*rows(), other]), replace(DATA, datasets=()))
    assert len(everything) == 91


def test_labels_can_be_the_types() -> None:
    manifest = manifest_of([{**row, "label": row["label"].upper()} for row in rows()])
    (one,) = split(manifest, replace(DATA, taxonomy="labels"))
    assert one.classes == ("LYMPHOCYTE", "MONOCYTE", "NEUTROPHIL")
    named = manifest.with_columns(type=["x" if n % 2 else "y" for n in range(90)])
    assert split(named, replace(DATA, taxonomy="given"))[0].classes == ("x", "y")


def test_a_class_that_the_model_lacks_is_named() -> None:
    manifest = manifest_of(rows()).with_columns(split=["train"] * 60 + ["val"] * 15 + ["test"] * 15)
    data = replace(DATA, split="given", taxonomy="given")
    types = ["a", "b"] * 45
    types[80] = "c"
    with pytest.raises(ManifestError, match=r"80.png \(test\) is of the type 'c', which no train"):
        split(manifest.with_columns(type=types), data)
    with pytest.raises(UsageError, match="all pictures are of the type a"):
        split(manifest.with_columns(type=["a"] * 90), data)


def test_pictures_without_groups_cannot_be_split_honestly() -> None:
    manifest = manifest_of(rows()).with_columns(group=[None] * 90)
    with pytest.raises(ManifestError, match="smearlab data duplicates"):
        split(manifest)
    split(manifest, protocol="paper")


def test_no_type_at_all_names_the_labels() -> None:
    manifest = manifest_of([{**row, "label": "platelet"} for row in rows()])
    with pytest.raises(ManifestError, match="no picture has a type of wbc5; labels here: platelet"):
        split(manifest)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("taxonomy", "wbc6", "unknown taxonomy 'wbc6'; did you mean 'wbc5'"),
        ("split", "publishedd", "did you mean 'published'"),
        ("weights", "inverted", "did you mean 'inverse'"),
        ("folds", 1, "folds must be 0 or at least 2; received 1"),
        ("shares", (0.8, 0.1, 0.2), "shares must sum to 1"),
        ("val_share", 1.0, r"val_share must lie within \(0, 1\); received 1.0"),
        ("total", 0, "total must be at least 1; received 0"),
    ],
)
def test_settings_of_the_data_are_checked(key: str, value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(DATA, **{key: value})
    with pytest.raises(UsageError, match="do not go together"):
        replace(DATA, folds=5, test_on=("PBC",))


def test_the_digest_tells_other_pictures_types_and_parts() -> None:
    manifest = manifest_of(rows())
    (one,) = split(manifest, protocol="paper")
    moved = one.manifest.with_columns(split=np.roll(one.manifest.column("split"), 1).tolist())
    assert replace(one, manifest=moved).digest != one.digest
    assert replace(one, manifest=one.manifest.take(np.arange(89))).digest != one.digest
    assert replace(one, manifest=one.manifest.take(np.arange(89, -1, -1))).digest == one.digest
