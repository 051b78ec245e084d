"""Patches of typed cells: the cell in the middle, its type, part and source beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.box_fields import list_fields, load_field
from smearlab.datasets.cell_images import list_cell_images
from smearlab.datasets.cell_patches import (
    PATCH_CONTEXT,
    PATCH_PX,
    Patches,
    cut_patches,
    patch_of_image,
    patches_of_fields,
)
from smearlab.errors import UsageError
from smearlab.pipeline import Analyzer
from tiny_bundles import COLOURS, draw_discs, write_segmenter
from tiny_sets import write_sets


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory: pytest.TempPathFactory) -> Analyzer:
    return Analyzer.load(str(write_segmenter(tmp_path_factory.mktemp("bundle"))), None)


def assert_centred(patch: np.ndarray, element: str) -> None:
    """A disc of the element's colour fills the middle box, and nothing of it lies beyond."""
    near = np.abs(patch.astype(int) - COLOURS[element]).sum(-1) < 120
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    box = PATCH_PX / PATCH_CONTEXT
    assert near[PATCH_PX // 2, PATCH_PX // 2]
    for span in (rows, columns):
        assert span[-1] - span[0] == pytest.approx(box, abs=12)
        assert (span[-1] + span[0]) / 2 == pytest.approx(PATCH_PX / 2, abs=6)


def test_the_cell_of_a_picture_is_in_the_middle(sets: Path, analyzer: Analyzer) -> None:
    image = next(i for i in list_cell_images(sets) if i.path.stem == "ERB_3")
    row = patch_of_image(image, analyzer)
    assert row is not None
    pixels, *rest = row
    assert pixels.shape == (PATCH_PX, PATCH_PX, 3) and pixels.dtype == np.uint8
    assert_centred(pixels, "WBC")
    assert rest == ["erythroblast", "PBC/pbc", "train", "PBC/ERB_3"]


def test_squeezed_fields_are_unsqueezed_and_their_white_cell_is_found(
    sets: Path, analyzer: Analyzer
) -> None:
    image = next(i for i in list_cell_images(sets) if i.dataset == "bccd4")
    row = patch_of_image(image, analyzer)
    assert row is not None
    blue = np.abs(row[0].astype(int) - COLOURS["WBC"]).sum(-1) < 120
    rows, columns = np.flatnonzero(blue.any(1)), np.flatnonzero(blue.any(0))
    wide, high = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert wide / high == pytest.approx(4 / 3, rel=0.1)
    assert row[2] == "BCCD/bccd4"


def test_where_it_cannot_be_told_which_cell_is_meant_there_is_no_patch(
    sets: Path, analyzer: Analyzer, tmp_path: Path
) -> None:
    image = next(i for i in list_cell_images(sets) if i.dataset == "bccd4")
    for name, discs in (("none", []), ("two", [(20, 20, "WBC"), (60, 60, "WBC")])):
        path = tmp_path / f"{name}.png"
        Image.fromarray(draw_discs(discs, (80, 80))).save(path)
        assert patch_of_image(replace(image, path=path), analyzer) is None
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert patch_of_image(replace(image, path=tmp_path / "bad.png"), analyzer) is None


def test_fields_give_some_red_cells_and_all_platelets(sets: Path) -> None:
    fields = [(load_field(f), f.part) for f in list_fields(sets)]
    rows = patches_of_fields(fields)
    assert [row[1] for row in rows] == ["erythrocyte", "erythrocyte", "platelet"] * len(fields)
    assert [row[3] for row in rows[::3]] == [part for _, part in fields]
    assert {row[2] for row in rows} == {
        f"{o}/fields" for o in ("PBC", "Raabin-WBC", "BCCD", "BCDD")
    }
    for row in rows[:3]:
        assert_centred(row[0], "RBC" if row[1] == "erythrocyte" else "PLT")
    again = patches_of_fields(fields)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(rows, again, strict=True))


def test_patches_are_cut_kept_and_read_again(
    sets: Path, analyzer: Analyzer, tmp_path: Path
) -> None:
    fields = [(load_field(f), f.part) for f in list_fields(sets)]
    images = list_cell_images(sets)
    patches = cut_patches(images, fields, analyzer)
    own = [i for i in images if i.dataset != "bccd4"]
    assert len(own) + 3 * len(fields) <= len(patches.types) <= len(images) + 3 * len(fields)
    for image in own:
        mine = patches.groups == image.group
        assert image.type in patches.types[mine]
        assert set(
            patches.parts[mine & (patches.origins == f"{image.origin}/{image.dataset}")]
        ) == {image.part}
    patches.save(tmp_path / "patches.npz")
    again = Patches.load(tmp_path / "patches.npz")
    for name in ("pixels", "types", "origins", "parts", "groups"):
        assert np.array_equal(getattr(again, name), getattr(patches, name)), name
    assert [p.name for p in tmp_path.iterdir()] == ["patches.npz"]
    kept = patches.take(patches.parts == "val")
    assert set(kept.parts) == {"val"}
    assert len(kept.pixels) == len(kept.types) == np.count_nonzero(patches.parts == "val")


def test_nothing_to_cut_is_told(analyzer: Analyzer) -> None:
    with pytest.raises(UsageError, match="none of 0 pictures shows a cell"):
        cut_patches([], [], analyzer)
