"""What --data can name: a manifest, the public sets with their listing, a folder of one's own."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import DataError, UsageError
from smearlab.learn.picture_sources import _key, _own, read_pictures, refuse_missing

COLUMNS = ("path", "sha256", "dataset", "split", "label", "source", "original")
#: Path, set, label, archive, original name.
FILES = (
    ("cells/pbc/neutrophil/BNE_1.png", "pbc", "neutrophil", "PBC", "BNE_1.jpg"),
    ("cells/pbc_center/monocyte/MO_2.png", "pbc", "monocyte", "PBC", "MO_2.jpg"),
    ("cells/pbc/ig/PMY_3.png", "pbc", "ig", "PBC", "PMY_3.jpg"),
    ("cells/bccd4/train/eosinophil/_0_11.png", "bccd4", "eosinophil", "BCCD", "EO/_0_11.jpeg"),
    ("cells/bccd4/test/eosinophil/_0_12.png", "bccd4", "eosinophil", "BCCD", "EO/_0_12.jpeg"),
    ("cells/mine/x.png", "unheard_of", "x", "me", "x.png"),
)


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """The public sets in small; the two pictures of bccd4 are one, the second turned."""
    rng = np.random.default_rng(2)
    folder = tmp_path / "sets"
    before = None
    for path, *_ in FILES:
        fine = rng.integers(0, 255, (160, 160, 3)).astype(np.float32)
        for axis in (0, 1):  # detail at several scales, as pictures have it
            fine = (fine + np.roll(fine, 1, axis) + np.roll(fine, 2, axis)) / 3
        pixels = fine.clip(0, 255).astype(np.uint8)
        if "_0_12" in path and before is not None:
            pixels = np.rot90(before).copy()
        before = pixels
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / path)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for path, dataset, label, source, original in FILES:
            writer.writerow((path, "", dataset, "dev", label, source, original))
    return folder


def test_the_sets_of_a_listing_are_read_by_their_adapters(sets: Path, tmp_path: Path) -> None:
    pbc = read_pictures(str(sets), ("pbc",), tmp_path / "runs", show=False)
    assert pbc.column("path").tolist() == sorted(file[0] for file in FILES if file[1] == "pbc")
    assert set(pbc.column("dataset")) == {"pbc"} and set(pbc.column("source")) == {"PBC"}
    assert "promyelocyte" in pbc.column("subtype").tolist()
    assert all(pbc.file(path).is_file() for path in pbc.column("path"))
    both = read_pictures(str(sets), ("pbc", "bccd4"), tmp_path / "runs", show=False)
    assert len(both) == 5
    everything = read_pictures(str(sets), (), tmp_path / "runs", show=False)
    assert len(everything) == 5  # a set without an adapter is passed over


def test_near_duplicates_are_in_one_group_and_kept_for_the_next_time(
    sets: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    first = read_pictures(str(sets), ("bccd4",), runs, show=False)
    groups = first.column("group")
    assert groups[0] is not None and groups[0] == groups[1]
    assert first.column("published_split").tolist() == ["test", "train"]
    (kept,) = runs.glob("pictures-*.parquet")
    before = kept.stat().st_mtime_ns
    again = read_pictures(str(sets), ("bccd4",), runs, show=False)
    assert again.table.equals(first.table) and again.root == Path(sets)
    assert kept.stat().st_mtime_ns == before
    # The same pictures in another place, written at another time.
    elsewhere = shutil.copytree(sets, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    os.utime(elsewhere / FILES[3][0], (1, 1))
    moved = read_pictures(str(elsewhere), ("bccd4",), tmp_path, lists=runs, show=False)
    assert moved.root == elsewhere and moved.column("group").tolist() == groups.tolist()
    assert list(tmp_path.rglob("pictures-*.parquet")) == [kept]
    assert kept.stat().st_mtime_ns == before
    # Another file, another manifest.
    file = sets / FILES[3][0]
    Image.new("RGB", (160, 160), (9, 9, 9)).save(file)
    read_pictures(str(sets), ("bccd4",), runs, show=False)
    assert len(list(runs.glob("pictures-*.parquet"))) == 2


def test_what_belongs_to_a_picture_is_looked_at_too(sets: Path) -> None:
    survey = _own(sets / "cells" / "pbc")
    boxes = sets / "boxes.txt"
    with_boxes = replace(survey.found[0], used=("../../boxes.txt",))
    surveys = [replace(survey, found=(with_boxes, *survey.found[1:]))]
    keys = []
    for text in ("1", "2"):
        boxes.write_text(text)
        keys.append(_key(surveys, 2))
    other = replace(with_boxes, published_split="test")
    keys.append(_key([replace(survey, found=(other, *survey.found[1:]))], 2))
    assert len(set(keys)) == 3 and _key(surveys, 1) == keys[1]


def test_a_folder_with_a_folder_a_class_is_data(sets: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for n, (path, *_) in enumerate(FILES[:3]):
        (mine / f"kind {n % 2}").mkdir(parents=True, exist_ok=True)
        shutil.copy(sets / path, mine / f"kind {n % 2}")
    manifest = read_pictures(str(mine), ("pbc",), tmp_path / "runs", show=False)
    assert set(manifest.column("dataset")) == {"folder"}
    assert sorted(manifest.column("label")) == ["kind 0", "kind 0", "kind 1"]
    refuse_missing(manifest, ("pbc",), "mine", "lwcnn")  # one's own pictures are always taken


def test_a_manifest_is_read_as_it_is(sets: Path, tmp_path: Path) -> None:
    made = read_pictures(str(sets), ("pbc",), tmp_path / "runs", show=False)
    for name in ("m.parquet", "m.csv"):
        path = write_manifest(tmp_path / name, made)
        again = read_pictures(str(path), ("bccd4",), tmp_path / "other", show=False)
        assert again.column("path").tolist() == made.column("path").tolist()
    assert not (tmp_path / "other").exists()


def test_what_is_not_there_is_named(sets: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data nowhere does not exist"):
        read_pictures("nowhere", (), tmp_path, show=False)
    with pytest.raises(
        DataError, match=r"does not hold all_idb2; manifest.csv lists bccd4, pbc, unheard_of"
    ):
        read_pictures(str(sets), ("all_idb2",), tmp_path, show=False)
    manifest = read_pictures(str(sets), ("pbc",), tmp_path / "runs", show=False)
    with pytest.raises(DataError, match=r"rwp learns from all_idb1 or all_idb2, and m holds pbc"):
        refuse_missing(manifest, ("all_idb1", "all_idb2"), "m", "rwp")
    refuse_missing(manifest, (), "m", "rwp")
