"""The adapters on the real pictures: every file is understood, every figure is the published one.

The folders are parts of the archives: what is missing in them is what was kept back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smearlab.datasets.adapters.checking import compare
from smearlab.datasets.adapters.reading import Reading, measure, survey
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.adapters.tree import Tree
from smearlab.datasets.box_fields import list_fields
from smearlab.datasets.cell_images import list_cell_images

Part = Callable[[str], Path]


def read(name: str, folder: Path, every: int = 1) -> Reading:
    """Find all pictures, and measure every so manieth."""
    found = survey(ADAPTERS[name], folder)
    assert found.left == ()
    reading = measure(replace(found, found=found.found[::every]), jobs=2)
    assert reading.problems == ()
    return reading


def unopened(name: str, folder: Path) -> list[dict[str, Any]]:
    """What is known of every picture before it is opened."""
    return [vars(one) for one in survey(ADAPTERS[name], folder).found]


def missing(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """Figure → how many fewer than published, where it differs."""
    return {
        (one.facet, one.name): (one.published or 0) - one.found
        for one in compare(ADAPTERS[name], rows)
        if one.differs
    }


def test_real_bccd(data_part: Part) -> None:
    reading = read("bccd", data_part("fields/bccd"))
    assert missing("bccd", reading.rows) == {
        ("pictures", "all"): 88,
        ("parts", "train"): 11,
        ("parts", "val"): 5,
        ("parts", "test"): 72,
        ("boxes", "RBC"): 993,
        ("boxes", "WBC"): 87,
        ("boxes", "Platelets"): 84,
    }
    assert all(row["mask"] for row in reading.rows)


def test_real_txl_pbc(data_part: Part) -> None:
    reading = read("txl_pbc", data_part("fields/txl_pbc"))
    assert missing("txl_pbc", reading.rows) == {
        ("pictures", "all"): 126,
        ("parts", "test"): 126,
        ("boxes", "all"): 18143 - 16262,
    }
    origins = Counter(row["source"] for row in reading.rows)
    assert origins == {"PBC": 450, "Raabin-WBC": 456, "BCCD": 142, "BCDD": 86}
    assert len({row["group"] for row in reading.rows}) < len(reading.rows), "crops share a source"
    # Without a listing only the size tells the origin; on the real pictures it is right for all.
    bare = Tree(reading.survey.tree.root, reading.survey.tree.files)
    for blind, row in zip(ADAPTERS["txl_pbc"].find(bare), reading.rows, strict=True):
        assert (blind.path, blind.group, blind.label) == (row["path"], None, None)
        assert blind.complete is not None
        told = blind.complete(row["width_px"], row["height_px"])
        assert (told["source"], told["boxes"]) == (row["source"], row["boxes"])


def test_real_bbbc041seg(data_part: Part) -> None:
    reading = read("bbbc041seg", data_part("fields/bbbc041seg"))
    assert len(reading.rows) == 20
    assert {(row["width_px"], row["height_px"]) for row in reading.rows} == {(800, 600), (972, 691)}
    assert all(row["mask"] == f"masks/{Path(row['path']).stem}.png" for row in reading.rows)


def test_real_zheng(data_part: Part) -> None:
    reading = read("zheng", data_part("cells/zheng1"))
    assert missing("zheng", reading.rows) == {
        ("pictures", "all"): 100,
        ("types", "neutrophil"): 33,
        ("types", "lymphocyte"): 37,
        ("types", "monocyte"): 15,
        ("types", "eosinophil"): 12,
        ("types", "basophil"): 3,
    }


def test_real_bccd4(data_part: Part) -> None:
    folder = data_part("cells/bccd4")
    rows = unopened("bccd4", folder)
    simple = {"eosinophil": 13, "lymphocyte": 6, "monocyte": 4, "neutrophil": 48}
    assert missing("bccd4", rows) == {
        ("pictures", "all"): 71,
        ("parts", "test_simple"): 71,
        **{("types", name): n for name, n in simple.items()},
    }
    assert {row["group"] for row in rows} == {None}
    some = read("bccd4", folder, every=50).rows
    assert {(row["width_px"], row["height_px"]) for row in some} == {(128, 128)}


@pytest.mark.parametrize(("folder", "n"), [("cells/pbc", 300), ("cells/pbc_center", 700)])
def test_real_pbc_in_both_encodings(folder: str, n: int, data_part: Part) -> None:
    rows = unopened("pbc", data_part(folder))
    assert Counter(row["label"] for row in rows) == dict.fromkeys(ADAPTERS["pbc"].classes, n)
    of_ig = Counter(row["subtype"] for row in rows if row["label"] == "ig")
    assert set(of_ig) == {"myelocyte", "metamyelocyte", "promyelocyte", None}
    some = read("pbc", data_part(folder), every=20).rows
    sizes = {(row["width_px"], row["height_px"]) for row in some}
    assert sizes == {(224, 224)} if "center" in folder else (360, 363) in sizes


def test_real_groups_are_those_that_training_goes_by(data_part: Part, data_dir: Path) -> None:
    """Every picture has one group, whoever asks."""
    trained = {one.path: one.group for one in list_cell_images(data_dir) if one.dataset == "pbc"}
    trained |= {one.image: one.group for one in list_fields(data_dir)}
    asked = 0
    for name, folder in (
        ("pbc", "cells/pbc"),
        ("txl_pbc", "fields/txl_pbc"),
        ("bccd", "fields/bccd"),
    ):
        for found in survey(ADAPTERS[name], data_part(folder)).found:
            group = trained.get(data_dir / folder / found.path)
            if group is not None:
                assert found.group == group
                asked += 1
    assert asked > 3000


def test_real_checksums_are_those_of_the_listing(data_part: Part) -> None:
    reading = read("bbbc041seg", data_part("fields/bbbc041seg"))
    for row in reading.rows:
        assert row["sha256"] == reading.survey.tree.listing[row["path"]]["sha256"]
