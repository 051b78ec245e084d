"""Boxed fields: which belong to which part, and what is read of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.box_fields import (
    BoxedField,
    fields_by_source,
    list_fields,
    load_field,
    related_fields,
    source_group,
)
from smearlab.datasets.box_masks import CODE_OF_ELEMENT
from smearlab.datasets.cell_images import list_cell_images
from smearlab.datasets.field_relatives import FIRST_FIELD_RELATIVE
from smearlab.errors import UnknownNameError, UsageError
from tiny_sets import DISCS, SIZE, write_sets


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


def test_every_field_has_its_part(sets: Path) -> None:
    listed = {f"{f.dataset}/{f.image.stem}": f.part for f in list_fields(sets)}
    assert listed == {
        "txl_pbc/a1": "train",
        "txl_pbc/a2": "val",
        "txl_pbc/b2": "val",  # and b1, of the same field, is left out
        "txl_pbc/b3": "tune",
        "txl_pbc/b4": "train",
        "txl_pbc/c1": "train",
        "txl_pbc/d1": "train",  # c2 is left out: BCCD validates on it
        "bccd/BloodImage_00002": "val",
        "bccd/BloodImage_00003": "train",  # 00001 is left out: TXL has it
        "bccd/BloodImage_00014": "tune",
    }


def renamed(folder: Path, **originals: str) -> Path:
    """The tiny sets with other original names: file → archive and name."""
    sets = write_sets(folder)
    lines = (sets / "manifest.csv").read_text().splitlines()
    for place, line in enumerate(lines):
        stem = Path(line.split(",")[0]).stem
        if stem in originals and "/images/" in line:
            lines[place] = ",".join([*line.split(",")[:5], *originals[stem].split("/")])
    (sets / "manifest.csv").write_text("\n".join(lines) + "\n")
    return sets


def test_a_place_of_a_held_out_field_is_not_trained_on(tmp_path: Path) -> None:
    sets = renamed(
        tmp_path, a1="BCDD/image-20.png", a2="BCDD/image-37.png",
        b3="BCDD/image-71.png", b4="BCDD/image-96.png",
    )  # fmt: skip
    parts = {f.image.stem: f.part for f in list_fields(sets)}
    assert parts["a2"] == "val"
    assert "a1" not in parts, "it shows the place that a2 shows"
    assert parts["b3"] == parts["b4"], "they show one place"
    assert "a1" in {f.image.stem for f in fields_by_source(sets)}
    assert [f.image.stem for f in related_fields(sets)] == ["a2"]


def test_without_relatives_no_held_out_field_is_related(sets: Path) -> None:
    assert related_fields(sets) == []
    assert fields_by_source(sets) == list_fields(sets)


def test_both_annotation_formats_give_the_same_boxes(sets: Path) -> None:
    files = {f.image.stem: f for f in list_fields(sets)}
    expected = [(x - 12, y - 12, x + 12, y + 12) for x, y, _ in DISCS]
    for name in ("a1", "BloodImage_00003"):
        field = load_field(files[name])
        np.testing.assert_allclose(field.boxes, expected, atol=0.01)
        assert field.elements == tuple(element for _, _, element in DISCS)
        assert field.pixels.shape == (SIZE[1], SIZE[0], 3)
        assert field.cell_diameter_px == pytest.approx(24, abs=0.01)
        for x, y, element in DISCS:
            assert field.element_map[int(y), int(x)] == CODE_OF_ELEMENT[element]
        assert field.element_map[75, 20] == 0


def test_only_bccd_lacks_boxes_of_red_cells(sets: Path) -> None:
    for file in list_fields(sets):
        wanted = {"RBC"} if file.dataset == "bccd" else set()
        assert load_field(file).incomplete == wanted


def test_true_masks_of_white_cells_are_found(sets: Path) -> None:
    with_mask = [f.image.stem for f in list_fields(sets) if f.masks is not None]
    assert with_mask == ["BloodImage_00003"]


def test_a_mask_of_another_size_is_left_out(sets: Path, tmp_path: Path) -> None:
    file = next(f for f in list_fields(sets) if f.masks is not None)
    assert file.masks is not None
    good = load_field(file).element_map
    empty = tmp_path / "empty.png"
    Image.new("L", SIZE).save(empty)
    without_white = load_field(replace(file, masks=empty)).element_map
    assert (good == 2).any() and not (without_white == 2).any()
    Image.new("L", (5, 5)).save(empty)
    assert (load_field(replace(file, masks=empty)).element_map == 2).any()


def test_boxes_of_a_pixel_are_left_out(sets: Path, tmp_path: Path) -> None:
    file = next(f for f in list_fields(sets) if f.image.stem == "a1")
    text = file.boxes.read_text() + "1 0.5 0.5 0.005 0.2\n"
    (tmp_path / "a1.txt").write_text(text)
    assert len(load_field(replace(file, boxes=tmp_path / "a1.txt")).boxes) == len(DISCS)


def test_an_unknown_box_class_is_named(sets: Path, tmp_path: Path) -> None:
    file = next(f for f in list_fields(sets) if f.dataset == "bccd")
    text = file.boxes.read_text().replace("<name>RBC</name>", "<name>Parasite</name>")
    (tmp_path / "odd.xml").write_text(text)
    with pytest.raises(UnknownNameError, match="unknown box class 'Parasite'"):
        load_field(replace(file, boxes=tmp_path / "odd.xml"))


def test_the_diameter_is_that_of_whole_red_cells() -> None:
    blank = np.zeros((60, 60, 3), np.uint8)

    def diameter(*boxes: tuple[float, ...], element: str = "RBC") -> float:
        array = np.array(boxes, np.float32).reshape(-1, 4)
        names = (element,) * len(boxes)
        return BoxedField("f", "o", "g", blank, array, names, blank[..., 0]).cell_diameter_px  # type: ignore[arg-type]

    assert diameter((10, 10, 20, 50)) == pytest.approx(20)
    assert diameter((10, 10, 20, 20), (0, 0, 50, 50), (20, 20, 42, 59)) == pytest.approx(10)
    assert np.isnan(diameter((10, 10, 20, 20), element="WBC"))
    assert np.isnan(diameter())


def test_crops_of_one_raabin_field_are_one_source() -> None:
    assert source_group("Raabin-WBC", "95-1_2_1.jpg") == source_group("Raabin-WBC", "95-1_2_9.jpg")
    assert source_group("Raabin-WBC", "95-1_2_1.jpg") != source_group("Raabin-WBC", "95-1_3_1.jpg")
    assert source_group("BCCD", "BloodImage_00001.jpg") == "BCCD/BloodImage_00001"
    assert source_group("BCCD", "a.jpg") != source_group("PBC", "a.jpg")


def test_without_a_manifest_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest.csv does not exist: give the data folder"):
        list_fields(tmp_path)


def test_no_real_source_lies_on_both_sides(data_dir: Path) -> None:
    """Over the union of all sets, fields and single cells alike."""
    fields, cells = list_fields(data_dir), list_cell_images(data_dir)
    parts = defaultdict(set)
    for item in [*fields, *cells]:
        parts[item.group].add("val" if item.part == "val" else "learn")
    assert [group for group, both in parts.items() if len(both) > 1] == []
    learnt = {(f.origin, Path(f.image).name) for f in fields if f.part != "val"}
    assert learnt.isdisjoint((f.origin, Path(f.image).name) for f in fields if f.part == "val")
    held = {f.group for f in fields if f.part == "val" and f.origin == "BCCD"}
    assert len(held) > 50
    assert held.isdisjoint(f.group for f in fields if f.part != "val")


def test_the_real_parts_are_as_large_as_they_should_be(data_dir: Path) -> None:
    fields = list_fields(data_dir)
    assert fields == list_fields(data_dir)
    val = [f for f in fields if f.part == "val"]
    assert sum(f.dataset == "txl_pbc" for f in val) == 252, "none of the published part is lost"
    learn = [f for f in fields if f.part != "val"]
    share = sum(f.part == "tune" for f in learn) / len(learn)
    assert 0.03 < share < 0.1
    assert {f.origin for f in learn if f.part == "tune"} == {"PBC", "Raabin-WBC", "BCCD", "BCDD"}


def test_no_real_place_lies_on_both_sides(data_dir: Path) -> None:
    parts = defaultdict(set)
    for field in list_fields(data_dir):
        place = FIRST_FIELD_RELATIVE.get(field.group, field.group)
        parts[place].add(field.part)
    assert [place for place, several in parts.items() if len(several) > 1] == []
    related = related_fields(data_dir)
    assert sum(f.dataset == "txl_pbc" for f in related) == 19, "of 252, as docs/accuracy.md says"
    assert sum(f.dataset == "bccd" for f in related) == 7


def test_real_fields_load(data_dir: Path) -> None:
    fields = [f for f in list_fields(data_dir) if f.part == "train"]
    seen = set()
    for file in fields:
        if (file.dataset, file.origin) in seen:
            continue
        seen.add((file.dataset, file.origin))
        field = load_field(file)
        assert len(field.boxes) == len(field.elements) > 0
        assert field.element_map.shape == field.pixels.shape[:2]
        for box, element in zip(field.boxes, field.elements, strict=True):
            x0, y0, x1, y1 = box.astype(int)
            own = np.count_nonzero(field.element_map[y0:y1, x0:x1] == CODE_OF_ELEMENT[element])
            assert own > 0 or len(field.boxes) > 5
    assert len(seen) == 5
