"""Pairs of a picture and where one element lies in it: parts, targets, what is refused."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.box_fields import list_fields
from smearlab.datasets.element_pairs import (
    TYPICAL_DIAMETER_PX,
    ElementPair,
    held_out_pairs,
    list_pairs,
    load_pair,
    refuse_empty_targets,
    simulated_pairs,
)
from smearlab.datasets.field_relatives import FIELD_RELATIVES, FIRST_FIELD_RELATIVE
from smearlab.errors import AnnotationError, DataError, UnknownNameError, UsageError
from smearlab.types import ELEMENTS
from tiny_bundles import DISC_PX
from tiny_sets import DISCS, SIZE, write_sets


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


def white_pair(sets: Path) -> object:
    return next(pair for pair in list_pairs(sets, "WBC") if pair.truth == "mask")


def test_every_picture_has_one_pair_and_its_part(sets: Path) -> None:
    assert {pair.name: pair.part for pair in list_pairs(sets, "RBC")} == {
        "txl_pbc/a1": "train",
        "txl_pbc/a2": "test",
        "txl_pbc/b2": "test",  # and b1, of the same field, is left out
        "txl_pbc/b3": "val",  # what box_fields calls tuning
        "txl_pbc/b4": "train",
        "txl_pbc/c1": "train",
        "txl_pbc/d1": "train",
        "bccd/BloodImage_00002": "test",
        "bccd/BloodImage_00003": "train",
        "bccd/BloodImage_00014": "val",
    }


def test_paper_parts_the_same_pictures_by_picture(sets: Path) -> None:
    honest, paper = list_pairs(sets, "RBC"), list_pairs(sets, "RBC", "paper")
    assert [pair.name for pair in paper] == [pair.name for pair in honest]
    assert [pair.part for pair in paper].count("test") == 2  # a fifth of ten
    assert {pair.part for pair in paper} == {"train", "test"}
    assert paper == list_pairs(sets, "RBC", "paper")
    assert paper != list_pairs(sets, "RBC", "paper", seed=1)


@pytest.mark.parametrize("element", ELEMENTS)
def test_boxes_give_targets(sets: Path, element: str) -> None:
    pair = load_pair(next(p for p in list_pairs(sets, element) if p.name == "txl_pbc/a1"))
    assert (pair.element, pair.truth, pair.part) == (element, "boxes", "train")
    assert pair.target.shape == pair.unknown.shape == (SIZE[1], SIZE[0])
    assert not (pair.target & pair.unknown).any()
    assert pair.diameter_px == pytest.approx(DISC_PX, abs=0.01)
    assert pair.boxes is not None
    own = [(x, y) for x, y, kind in DISCS if kind == element]
    assert len(pair.boxes) == len(own)
    assert np.count_nonzero(pair.target) == pytest.approx(
        len(own) * math.pi * DISC_PX**2 / 4,
        rel=0.2,  # a pixel more around
    )
    for x, y, kind in DISCS:
        assert pair.target[int(y), int(x)] == (kind == element)
    np.testing.assert_array_equal(pair.picture[pair.target], pair.pixels[pair.target])
    assert not pair.picture[~pair.target].any()


def test_a_white_cell_with_a_mask_is_taken_from_it(sets: Path) -> None:
    listed = list_pairs(sets, "WBC")
    masked = [pair for pair in listed if pair.truth == "mask"]
    assert [pair.name for pair in masked] == ["bccd/BloodImage_00003"]
    assert list_pairs(sets, "WBC", truths=("mask",)) == masked
    pair = load_pair(masked[0])
    mask = np.asarray(Image.open(masked[0].target))
    np.testing.assert_array_equal(pair.target, mask > 0)
    assert pair.objects is not None
    assert pair.objects.max() == 1
    assert pair.diameter_px == pytest.approx(DISC_PX, abs=0.01)  # from the boxes beside it


def test_what_looks_like_a_red_cell_without_a_box_is_unknown(sets: Path, tmp_path: Path) -> None:
    """BCCD misses cells in clumps; without this they would be learnt as background."""
    entry = next(pair for pair in list_pairs(sets, "RBC") if pair.name == "txl_pbc/a1")
    assert entry.boxed is not None
    lines = entry.boxed.boxes.read_text().splitlines()
    fewer = tmp_path / "a1.txt"
    fewer.write_text("\n".join(lines[1:]) + "\n")  # the first disc, at (40, 40), loses its box
    pair = load_pair(replace(entry, boxed=replace(entry.boxed, boxes=fewer)))
    assert not pair.target[40, 40]
    assert pair.unknown[40, 40]
    assert pair.target[44, 100]
    assert not pair.unknown[75, 20]


def test_a_field_without_red_cells_has_the_diameter_of_its_archive(
    sets: Path, tmp_path: Path
) -> None:
    entry = next(pair for pair in list_pairs(sets, "WBC") if pair.name == "txl_pbc/a1")
    assert entry.boxed is not None
    white_only = tmp_path / "a1.txt"
    white_only.write_text("0 0.3 0.6 0.1 0.1\n")
    boxed = replace(entry.boxed, boxes=white_only)
    pair = load_pair(replace(entry, boxed=boxed))
    assert pair.diameter_px == TYPICAL_DIAMETER_PX["PBC"]
    elsewhere = load_pair(replace(entry, boxed=boxed, origin="an archive of its own"))
    assert math.isnan(elsewhere.diameter_px)


def test_fields_of_the_published_test_part_are_left_out(tmp_path: Path) -> None:
    """TXL-PBC holds fields of BCCD that are in neither of BCCD's parts here."""
    folder = write_sets(tmp_path)
    with (folder / "manifest.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    for row in rows:
        if row[5] == "BCCD" and row[6] == "BloodImage_00001.jpg" and row[2] == "bccd":
            row[6] = "BloodImage_00099.jpg"
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    assert "txl_pbc/c1" in {f"{f.dataset}/{f.image.stem}" for f in list_fields(folder)}
    assert "txl_pbc/c1" not in {pair.name for pair in list_pairs(folder, "RBC")}


def test_pictures_that_overlap_a_tested_one_are_left_out(tmp_path: Path) -> None:
    folder = write_sets(tmp_path)
    text = (folder / "manifest.csv").read_text()
    # a1 becomes a field that overlaps c1's new self, which is tested.
    assert ("BCDD/image-20", "BCDD/image-37") in FIELD_RELATIVES
    text = text.replace("PBC,BNE_2.jpg", "BCDD,image-20.png")
    text = text.replace("PBC,BNE_5.jpg", "BCDD,image-37.png")
    (folder / "manifest.csv").write_text(text)
    names = {pair.name: pair for pair in list_pairs(folder, "RBC")}
    assert names["txl_pbc/a2"].part == "test"
    assert "txl_pbc/a1" not in names


def test_every_source_has_one_relative() -> None:
    names = [name for group in FIELD_RELATIVES for name in group]
    assert len(names) == len(set(names)) == len(FIRST_FIELD_RELATIVE)


def test_simulated_pairs_are_exact_and_only_trained_on() -> None:
    for element in ELEMENTS:
        files = simulated_pairs(2, element, seed=3)
        assert {pair.part for pair in files} == {"train"}
        pair, again = load_pair(files[1]), load_pair(simulated_pairs(2, element, seed=3)[1])
        np.testing.assert_array_equal(pair.pixels, again.pixels)
        assert pair.target.any()
        assert pair.objects is not None
        assert pair.boxes is not None
        np.testing.assert_array_equal(pair.objects > 0, pair.target)
        assert len(np.unique(pair.objects)) - 1 == len(pair.boxes)
    # The same fields for every element: targets never overlap.
    targets = [load_pair(simulated_pairs(1, element)[0]).target for element in ELEMENTS]
    assert np.sum(targets, axis=0).max() == 1
    assert simulated_pairs(3, "RBC")[:2] == simulated_pairs(2, "RBC")
    assert simulated_pairs(1, "RBC") != simulated_pairs(1, "RBC", seed=1)


# What is refused.


def test_an_unknown_element_or_protocol(sets: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown element 'WBX'; did you mean 'WBC'\?"):
        list_pairs(sets, "WBX")
    with pytest.raises(UnknownNameError, match="unknown element 'cells'"):
        simulated_pairs(1, "cells")
    with pytest.raises(UnknownNameError, match="unknown protocol 'papr'; did you mean 'paper'"):
        list_pairs(sets, "RBC", "papr")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="truths may be mask and boxes; received 'simulated'"):
        list_pairs(sets, "RBC", truths=("simulated",))
    with pytest.raises(UsageError, match="n must be at least 1"):
        simulated_pairs(0, "RBC")


def test_case_does_not_matter(sets: Path) -> None:
    assert list_pairs(sets, "plt") == list_pairs(sets, "PLT")


def test_a_mask_of_another_size(sets: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.new("L", (100, 90), 255).save(small)
    with pytest.raises(AnnotationError, match="has 100 × 90 px, its picture 192 × 160"):
        load_pair(replace(white_pair(sets), target=small))


def test_a_mask_with_a_class_that_was_not_asked_for(sets: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    values = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    values[5:9], values[20:30] = 255, 64
    Image.fromarray(values).save(odd)
    with pytest.raises(AnnotationError, match="holds the value 64, a class that was not asked for"):
        load_pair(replace(white_pair(sets), target=odd))


def test_sizes_are_compared_before_anything_is_read(tmp_path: Path) -> None:
    """Also those of fields that are not trained on, and of masks beside boxes."""
    folder = write_sets(tmp_path)
    mask = folder / "fields/bccd/wbc_masks/BloodImage_00003.png"
    Image.new("L", (100, 90), 255).save(mask)
    for element in ELEMENTS:
        with pytest.raises(AnnotationError, match=r"00003\.png has 100 × 90 px, its pict"):
            list_pairs(folder, element)
    mask.write_bytes(b"no picture")
    assert list_pairs(folder, "RBC"), "a file that says nothing is left to who reads it"


def test_a_listed_mask_that_is_missing(tmp_path: Path) -> None:
    """Its picture would be taken from boxes, and nobody would know."""
    folder = write_sets(tmp_path)
    mask = folder / "fields/bccd/wbc_masks/BloodImage_00003.png"
    mask.unlink()
    assert "bccd/BloodImage_00003" in [pair.name for pair in list_pairs(folder, "WBC")]
    row = dict.fromkeys(("sha256", "split", "label"), "")
    row |= {"path": str(mask.relative_to(folder)), "dataset": "bccd_wbc_masks", "source": "Banik"}
    row |= {"original": mask.name}
    with (folder / "manifest.csv").open("a", newline="") as stream:
        fields = (folder / "manifest.csv").read_text().splitlines()[0].split(",")
        csv.DictWriter(stream, fields).writerow(row)
    with pytest.raises(DataError, match=r"BloodImage_00003\.png has no target; .* is listed and"):
        list_pairs(folder, "WBC")
    assert list_pairs(folder, "RBC"), "red cells never had a mask"


def test_targets_that_are_all_empty(tmp_path: Path) -> None:
    folder = write_sets(tmp_path)
    masks = folder / "fields/bccd/wbc_masks"
    Image.new("L", SIZE, 0).save(masks / "BloodImage_00003.png")
    with pytest.raises(
        DataError,
        match=r"targets of all 1 pairs are empty, the first that of bccd/BloodImage_00003",
    ):
        list_pairs(folder, "WBC", truths=("mask",))
    assert list_pairs(folder, "WBC"), "one empty target among others is fine"
    with pytest.raises(DataError, match="there is no pair"):
        refuse_empty_targets([], load_pair)


def test_no_target_of_that_kind(sets: Path) -> None:
    with pytest.raises(DataError, match="holds no pair of RBC with a target from mask"):
        list_pairs(sets, "RBC", truths=("mask",))


def test_an_unpaired_target_of_bbbc(tmp_path: Path) -> None:
    root = tmp_path / "fields" / "bbbc041seg"
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
        Image.new("RGB", (60, 50), (200, 180, 190)).save(root / part / "a.png")
    (tmp_path / "manifest.csv").write_text(
        "path,sha256,dataset,split,label,source,original\n"
        "fields/bbbc041seg/images/a.png,,bbbc041seg,dev,,BBBC041,a.png\n"
    )
    assert [pair.part for pair in held_out_pairs(tmp_path)] == ["test"]
    with pytest.raises(DataError, match="bbbc041seg has targets of RBC, but WBC was asked for"):
        held_out_pairs(tmp_path, "WBC")
    (root / "masks" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png has no target; .*masks/a\.png is missing"):
        held_out_pairs(tmp_path)


def test_a_pair_says_its_sizes() -> None:
    with pytest.raises(AnnotationError, match="the target of x has 4 × 3 px, its picture 5 × 3"):
        ElementPair(
            "x", "RBC", "g", "train", "mask", np.zeros((3, 5, 3), np.uint8),
            np.zeros((3, 4), bool), 64.0,
        )  # fmt: skip


# Real pictures.


@pytest.mark.parametrize("element", ELEMENTS)
def test_no_real_place_lies_in_two_parts(data_dir: Path, element: str) -> None:
    pairs = list_pairs(data_dir, element)
    parts = defaultdict(set)
    for pair in pairs:
        parts[FIRST_FIELD_RELATIVE.get(pair.group, pair.group)].add(pair.part)
    assert [group for group, one in parts.items() if len(one) > 1] == []
    assert len({pair.name for pair in pairs}) == len(pairs)
    assert {pair.part for pair in pairs} == {"train", "val", "test"}
    assert all(pair.origin != "BBBC041" for pair in pairs)


def test_real_white_cells_with_masks(data_dir: Path) -> None:
    pairs = list_pairs(data_dir, "WBC", truths=("mask",))
    assert len(pairs) == 264, "276 masks, less 12 fields that overlap a tested one"
    assert sum(pair.part == "test" for pair in pairs) == 106
    for entry in pairs[::60]:
        pair = load_pair(entry)
        assert pair.pixels.shape == (480, 640, 3)
        assert 0.005 < pair.target.mean() < 0.4
        assert 80 < pair.diameter_px < 130


def test_real_cells_from_boxes(data_dir: Path) -> None:
    for element, low, high in (("RBC", 0.05, 0.9), ("PLT", 0.0, 0.1)):
        for entry in list_pairs(data_dir, element)[::300]:
            pair = load_pair(entry)
            assert low <= pair.target.mean() < high
            assert not (pair.target & pair.unknown).any()


def test_real_held_out_fields(data_dir: Path) -> None:
    pairs = held_out_pairs(data_dir)
    assert len(pairs) == 20
    pair = load_pair(pairs[0])
    assert pair.objects is not None
    assert 30 < pair.diameter_px < 80
