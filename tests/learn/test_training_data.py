"""Training data: simulated fields as boxed ones; real sets read once, the training part only."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smearlab.datasets.box_masks import CODE_OF_ELEMENT
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import SmearlabError
from smearlab.learn.recipes import RECIPES
from smearlab.learn.sources import CellSamples, CentreSamples, ForegroundSamples
from smearlab.learn.training_data import TrainingData, as_boxed, varied_field
from smearlab.types import CELL_TYPES
from tiny_bundles import write_segmenter
from tiny_sets import write_sets

CENTRES = RECIPES["shipped"].stage("cell_centres_first")
TYPES = RECIPES["shipped"].stage("cell_types")
PAPER = RECIPES["bloodcell_net"].stage("bloodcell_lwcnn")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    folder = tmp_path_factory.mktemp("training")
    bundle = write_segmenter(folder / "segmenter")
    return TrainingData(write_sets(folder / "sets"), folder / "cache", str(bundle))


def test_a_simulated_field_keeps_its_truth() -> None:
    truth = simulate_field(3, SmearConfig(height_px=160, width_px=200, rbc_diameter_px=30))
    field = as_boxed(truth)
    assert field.elements == tuple(cell.element for cell in truth.cells)
    np.testing.assert_array_equal(field.boxes, [cell.bbox for cell in truth.cells])
    for cell in truth.cells:
        mine = truth.labels.array == cell.label
        assert (field.element_map[mine] == CODE_OF_ELEMENT[cell.element]).all()
    assert (field.element_map[truth.labels.array == 0] == 0).all()
    assert field.incomplete == frozenset()


def test_varied_fields_vary_and_follow_from_their_seed() -> None:
    fields = [varied_field(seed) for seed in range(6)]
    assert np.array_equal(fields[2].field.pixels, varied_field(2).field.pixels)
    diameters = [as_boxed(f).cell_diameter_px for f in fields]
    assert np.nanmax(diameters) / np.nanmin(diameters) > 1.2
    grounds = [np.median(f.field.pixels.reshape(-1, 3), axis=0) for f in fields]
    assert np.ptp(grounds, axis=0).max() > 10


def test_simulated_cells_serve_every_kind_of_sample() -> None:
    data = TrainingData(None, n_simulated=2)
    assert len(data.fields("train")) == 2
    assert data.fields("train") is data.fields("train")
    assert isinstance(data.samples(CENTRES), CentreSamples)
    assert isinstance(data.samples(RECIPES["bloodcell_net"].stages[0]), ForegroundSamples)
    cells = data.samples(TYPES)
    assert isinstance(cells, CellSamples)
    assert len(cells) == TYPES.per_epoch
    assert len(cells.targets) == sum(len(f.boxes) for f in data.fields("train"))
    assert set(data.patches.parts) == {"train"}
    assert set(data.patches.types) <= set(CELL_TYPES)


def test_only_the_training_part_is_learnt_from(real: TrainingData) -> None:
    source = real.samples(CENTRES)
    assert isinstance(source, CentreSamples)
    assert sorted(f.name for f in source.fields) == [
        "BloodImage_00003.png", "a1.png", "b4.png", "c1.png", "d1.png",
    ]  # fmt: skip
    cells = real.samples(TYPES)
    assert isinstance(cells, CellSamples)
    assert set(cells.patches.parts) == {"train"}
    assert {"PBC/pbc", "BCCD/bccd4"} & set(cells.patches.origins)
    expected = [TYPES.card["classes"].index(kind) for kind in cells.patches.types]
    assert cells.targets.tolist() == expected


def test_fields_that_lack_boxes_can_be_left_out(real: TrainingData) -> None:
    source = real.samples(replace(CENTRES, complete_only=True))
    assert isinstance(source, CentreSamples)
    assert sorted(f.name for f in source.fields) == ["a1.png", "b4.png", "c1.png", "d1.png"]


def test_fields_with_an_element_can_be_drawn_twice(real: TrainingData) -> None:
    once, twice = real.samples(CENTRES), real.samples(replace(CENTRES, twice=("PLT",)))
    assert isinstance(once, CentreSamples) and isinstance(twice, CentreSamples)
    showing = [f.name for f in once.fields if "PLT" in f.elements]
    assert showing
    assert sorted(f.name for f in twice.fields) == sorted(
        [*(f.name for f in once.fields), *showing]
    )


def test_origins_can_be_left_out(real: TrainingData) -> None:
    cells = real.samples(PAPER)
    assert isinstance(cells, CellSamples)
    assert set(PAPER.exclude_origins).isdisjoint(cells.patches.origins)
    assert "PBC/pbc" in cells.patches.origins


def test_simulated_and_taught_fields_are_added(real: TrainingData) -> None:
    stage = replace(CENTRES, simulated=2, taught=3)
    source = real.samples(stage)
    assert isinstance(source, CentreSamples)
    added = source.fields[5:]
    assert [f.origin for f in added[:2]] == ["simulated", "simulated"]
    # One of each type that box sets lack; the tiny sets have one trained-on picture of each.
    assert [f.name for f in added[2:]] == ["ERB_3", "MY_1", "PLATELET_2"]


def test_patches_are_cut_once_for_a_data_folder_and_a_segmenter(
    real: TrainingData, tmp_path: Path
) -> None:
    assert real.cache is not None and real.folder is not None
    first = real.patches
    cache = shutil.copytree(real.cache, tmp_path / "cache")
    bare = tmp_path / "bare"  # the manifest alone: nothing could be cut from it
    bare.mkdir()
    shutil.copy(real.folder / "manifest.csv", bare)
    again = TrainingData(bare, cache, real.segmenter).patches
    assert np.array_equal(again.pixels, first.pixels)
    with pytest.raises(SmearlabError):
        _ = TrainingData(bare, cache).patches  # found by another segmenter
