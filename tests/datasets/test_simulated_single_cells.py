"""Single cells: one in the middle, whole, with nothing over or under it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from smearlab.datasets.simulated_cells import RELATIVE_DIAMETER
from smearlab.datasets.simulated_files import cell_mask, write_cells
from smearlab.datasets.simulator import WBC_TYPES, SmearConfig, simulate_cell, simulate_field
from smearlab.errors import OutputExistsError, UnknownNameError, UsageError
from smearlab.types import CELL_TYPES, UNIDENTIFIED

SMALL = SmearConfig(height_px=120, width_px=140, rbc_diameter_px=36, n_wbc=0)


def test_there_are_nine_types() -> None:
    assert set(RELATIVE_DIAMETER) == set(CELL_TYPES) - {UNIDENTIFIED}
    assert len(RELATIVE_DIAMETER) == 9


@given(
    seed=st.integers(0, 10_000),
    cell_type=st.sampled_from(sorted(RELATIVE_DIAMETER)),
    coverage=st.sampled_from([0.0, 0.3, 0.6]),
)
def test_the_cell_is_whole_and_in_the_middle(seed: int, cell_type: str, coverage: float) -> None:
    config = SmearConfig(
        height_px=120, width_px=140, rbc_diameter_px=36, n_wbc=0, coverage=coverage, touching=0.7
    )
    truth = simulate_cell(seed, cell_type, config)
    cell = truth.cells[0]
    assert (cell.type, cell.touches_border) == (cell_type, False)
    x0, y0, x1, y1 = cell.bbox
    assert abs((x0 + x1) / 2 - 70) <= 0.5 and abs((y0 + y1) / 2 - 60) <= 0.5
    ys, xs = np.nonzero(truth.labels.array == 1)
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == cell.bbox  # all of it is seen
    low, high = RELATIVE_DIAMETER[cell_type]
    assert 0.8 * low < cell.equivalent_diameter_px / 36 < 1.2 * high
    assert coverage > 0 or len(truth.cells) == 1


@given(seed=st.integers(0, 10_000), cell_type=st.sampled_from(sorted(RELATIVE_DIAMETER)))
def test_only_nucleated_cells_have_a_nucleus_and_it_is_dark(seed: int, cell_type: str) -> None:
    truth = simulate_cell(seed, cell_type, SMALL)
    mask = cell_mask(truth)
    nucleus, body = mask == 255, mask == 128
    assert set(np.unique(mask)) <= {0, 128, 255}
    assert np.array_equal(mask > 0, truth.labels.array == 1)
    assert nucleus.any() == (cell_type in WBC_TYPES)
    if cell_type in WBC_TYPES:
        light = truth.field.pixels.astype(float).sum(2)
        assert 0.1 < nucleus.sum() / (mask > 0).sum() < 0.95
        assert light[nucleus].mean() < 0.9 * light[body].mean()


def test_the_nuclei_of_a_field_lie_in_its_nucleated_cells() -> None:
    truth = simulate_field(3, SmearConfig(n_wbc=4, rbc_diameter_px=50))
    owners = set(np.unique(truth.labels.array[truth.nuclei]))
    assert owners == {cell.label for cell in truth.cells if cell.element == "WBC"}


def test_a_cell_larger_than_its_picture_is_refused() -> None:
    config = SmearConfig(height_px=64, width_px=64, rbc_diameter_px=60, n_wbc=0)
    with pytest.raises(UsageError, match="found no place for another monocyte after 0 cells"):
        simulate_cell(1, "monocyte", config)
    with pytest.raises(UnknownNameError, match="did you mean 'monocyte'"):
        simulate_cell(1, "monocytes")


def test_files_and_manifest_say_what_was_true(tmp_path: Path) -> None:
    table = pytest.importorskip("smearlab.datasets.manifest.table", reason="pyarrow is missing")
    cells = [simulate_cell(seed, kind, SMALL) for seed, kind in enumerate(RELATIVE_DIAMETER)]
    write_cells(tmp_path / "out", iter(cells))
    manifest = table.read_manifest(tmp_path / "out" / "manifest.parquet")
    assert (
        list(manifest.column("label")) == list(manifest.column("type")) == list(RELATIVE_DIAMETER)
    )
    assert all(manifest.column("synthetic"))
    assert len(set(manifest.column("group"))) == 9
    for simulated, path, mask in zip(
        cells, manifest.column("path"), manifest.column("mask"), strict=True
    ):
        assert path == f"images/{simulated.cells[0].type}/{simulated.field.name}.png"
        with Image.open(manifest.file(path)) as image:
            assert np.array_equal(np.array(image), simulated.field.pixels)
        with Image.open(manifest.file(mask)) as image:
            assert np.array_equal(np.array(image), cell_mask(simulated))
    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert [entry["type"] for entry in truth["cells"]] == list(RELATIVE_DIAMETER)
    with pytest.raises(OutputExistsError, match="is not empty"):
        write_cells(tmp_path / "out", [])
