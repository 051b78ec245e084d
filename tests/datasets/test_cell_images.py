"""Single-cell pictures: their type, and which part their source belongs to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from smearlab.datasets.box_fields import list_fields
from smearlab.datasets.cell_images import list_cell_images
from smearlab.errors import UsageError
from smearlab.types import CELL_TYPES
from tiny_sets import write_sets


def test_every_picture_has_its_part(tmp_path: Path) -> None:
    images = list_cell_images(write_sets(tmp_path))
    listed = {str(i.path.relative_to(tmp_path)).rsplit(".", 1)[0]: i.part for i in images}
    assert listed == {
        "cells/pbc/neutrophil/BNE_1": "val",
        "cells/pbc/neutrophil/BNE_2": "train",
        "cells/pbc/neutrophil/BNE_3": "tune",
        "cells/pbc_center/neutrophil/BNE_5": "val",
        "cells/pbc_center/ig/MY_1": "train",
        "cells/pbc_center/erythroblast/ERB_3": "train",
        "cells/pbc/platelet/PLATELET_2": "train",
        "cells/bccd4/train/eosinophil/_0_11": "train",  # of an unknown source: never tunes
        "cells/bccd4/train/eosinophil/_0_12": "train",
        "cells/bccd4/train/eosinophil/_1_11": "train",
        "cells/bccd4/test/eosinophil/_1_11": "val",
        "cells/bccd4/train/lymphocyte/_1_11": "train",
        # a1 and a2 are in PBC's own folders; b1 is of the field of b2; c1, c2, d1 have no type
        "fields/txl_pbc/images/val/b2": "val",
        "fields/txl_pbc/images/train/b3": "train",
        "fields/txl_pbc/images/train/b4": "train",
    }


def test_types_are_ours(tmp_path: Path) -> None:
    images = list_cell_images(write_sets(tmp_path))
    assert {i.type for i in images} <= set(CELL_TYPES)
    assert next(i for i in images if i.path.stem == "MY_1").type == "immature granulocyte"


def test_bccd4_parts_are_as_published_for_names_do_not_tell_its_sources(tmp_path: Path) -> None:
    images = [i for i in list_cell_images(write_sets(tmp_path)) if i.dataset == "bccd4"]
    assert {(i.group, i.part) for i in images} == {
        ("BCCD/bccd4 train", "train"),
        ("BCCD/bccd4 test", "val"),
    }


def test_without_a_manifest_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the data folder with --data"):
        list_cell_images(tmp_path)


def test_a_fifth_of_the_real_pbc_is_held_out(data_dir: Path) -> None:
    images = list_cell_images(data_dir)
    assert images == list_cell_images(data_dir)
    own = [i for i in images if i.dataset == "pbc"]
    assert len(own) == 8000
    assert sum(i.part == "val" for i in own) / len(own) == pytest.approx(0.2, abs=0.03)
    for kind in {i.type for i in own}:
        of_kind = [i for i in own if i.type == kind]
        assert len(of_kind) == 1000
        assert sum(i.part == "val" for i in of_kind) / 1000 == pytest.approx(0.2, abs=0.05)
        assert sum(i.part == "tune" for i in of_kind) >= 20


def test_real_validation_sources_of_fields_are_never_trained_on(data_dir: Path) -> None:
    """PBC pictures inside TXL-PBC are the same files as in PBC's folders."""
    fields, images = list_fields(data_dir), list_cell_images(data_dir)
    held = {f.group for f in fields if f.part == "val"}
    assert held.isdisjoint(i.group for i in images if i.part != "val")
    trained = {f.group for f in fields if f.part != "val"}
    assert trained.isdisjoint(i.group for i in images if i.part == "val")
    assert {i.group for i in images if i.dataset == "pbc"} & held, "the sets do overlap"


def test_the_real_bccd4_keeps_its_published_parts(data_dir: Path) -> None:
    parts = Counter(i.part for i in list_cell_images(data_dir) if i.dataset == "bccd4")
    assert parts == {"train": 9957, "val": 2487}
