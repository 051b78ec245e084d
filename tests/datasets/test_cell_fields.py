"""Single-cell pictures as boxed fields: the archive knows the cell, the teacher its neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE
from smearlab.datasets.cell_fields import TAUGHT_TYPES, teach_field, teach_fields
from smearlab.datasets.cell_images import CellImage, Part
from smearlab.io.images import read_field
from smearlab.pipeline import Analyzer
from tiny_bundles import draw_discs, write_segmenter

RING = ((30, 30), (100, 34), (30, 90), (96, 92))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Analyzer:
    return Analyzer.load(str(write_segmenter(tmp_path_factory.mktemp("bundle"))), None)


def picture(
    folder: Path,
    middle: str | tuple[int, int, int],
    kind: str = "erythroblast",
    name: str = "cell",
    part: Part = "train",
) -> CellImage:
    """A cell in the middle of red ones."""
    discs = [(64, 60, middle), *((x, y, "RBC") for x, y in RING)]
    path = folder / f"{name}.png"
    Image.fromarray(draw_discs(discs, (128, 120))).save(path)
    return CellImage(path, "pbc", "PBC", f"PBC/{name}", kind, part)


def test_the_middle_cell_and_its_neighbours_get_boxes(tmp_path: Path, teacher: Analyzer) -> None:
    image = picture(tmp_path, "WBC")
    field = teach_field(image, teacher)
    assert field is not None
    assert (field.origin, field.group) == ("PBC", "PBC/cell")
    assert field.elements.count("WBC") == 1
    assert field.elements.count("RBC") == 4
    box = field.boxes[field.elements.index("WBC")]
    np.testing.assert_allclose(box, (52, 48, 76, 72), atol=2)
    assert field.element_map[60, 64] == CODE_OF_ELEMENT["WBC"]
    assert field.incomplete == {"RBC"}


def test_the_archive_decides_what_the_middle_cell_is(tmp_path: Path, teacher: Analyzer) -> None:
    """A giant platelet that the teacher takes for a white cell is a platelet."""
    field = teach_field(picture(tmp_path, "WBC", "platelet"), teacher)
    assert field is not None
    assert field.elements.count("PLT") == 1
    assert field.elements.count("WBC") == 0
    assert field.element_map[60, 64] == CODE_OF_ELEMENT["PLT"]


def test_what_the_teacher_doubts_is_ignored(tmp_path: Path, teacher: Analyzer) -> None:
    doubtful = draw_discs(
        [(64, 60, "WBC"), (24, 30, (255, 150, 150)), (100, 90, "RBC")], (128, 120)
    )
    path = tmp_path / "doubt.png"
    Image.fromarray(doubtful).save(path)
    image = CellImage(path, "pbc", "PBC", "PBC/doubt", "erythroblast", "train")
    scores = [
        c.detection_score
        for c in teacher.detect(read_field(path), 0.12)
        if c.bbox[0] < 24 < c.bbox[2]
    ]
    assert scores and max(scores) < 0.45, "the pale disc is meant to be doubtful"
    field = teach_field(image, teacher)
    assert field is not None
    assert sorted(field.elements) == ["RBC", "WBC"]
    assert field.element_map[30, 24] == IGNORE
    assert field.element_map[21, 15] == IGNORE, "the white corner of its box, too"
    assert field.element_map[90, 100] == CODE_OF_ELEMENT["RBC"]


def test_no_middle_cell_no_field(tmp_path: Path, teacher: Analyzer) -> None:
    assert teach_field(picture(tmp_path, (255, 255, 255)), teacher) is None
    assert teach_field(picture(tmp_path, "RBC"), teacher) is None


def test_a_bad_picture_costs_only_itself(tmp_path: Path, teacher: Analyzer) -> None:
    good = picture(tmp_path, "WBC")
    good.path.write_bytes(b"no picture")
    assert teach_field(good, teacher) is None


def test_as_many_of_each_type_and_only_of_the_training_part(
    tmp_path: Path, teacher: Analyzer
) -> None:
    images = [
        picture(tmp_path, "WBC", kind, f"{kind[:3]}{n}", part)
        for kind in (*TAUGHT_TYPES, "monocyte")
        for n, part in enumerate(("train", "train", "train", "tune", "val"))
    ]
    fields = teach_fields(images, teacher, 6)
    assert [f.name.removesuffix(".png")[:3] for f in fields] == [
        kind[:3] for kind in TAUGHT_TYPES for _ in range(2)
    ]
    assert all(f.group.endswith(("0", "1", "2")) for f in fields)
    assert [f.name for f in teach_fields(images, teacher, 6)] == [f.name for f in fields]
    assert len(teach_fields(images, teacher, 60)) == 9
